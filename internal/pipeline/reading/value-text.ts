// Stored values as PostgreSQL prints them, under the settings that every connection of the program has: the form in which lake and
// server can be compared, and in which `_raw` and `_before` have values.
import type { SchemaElement } from 'hyparquet'
import { dayText, timestampText } from '../../transform/values/calendar.js'
import { numericShape } from '../../transform/values/decimals.js'
import { float4Text, float8Text } from '../../transform/values/float-text.js'
import type { StoredColumn } from './data-file.js'

/** Type of a column in PostgreSQL. */
export interface ColumnType {
  /** `float8`, and `_float8` of an array; of a domain its base type's. */
  readonly type: string
  readonly typmod: number
}

/** Bytes are the text as it was stored. */
export type ValueText = string | Uint8Array

/** Of values that are not NULL. `wanted`: the type to print as, where the column has been widened since. */
export function textOfColumn({ leaf, list }: StoredColumn, wanted: ColumnType): (value: unknown) => ValueText {
  const element = list ? { ...wanted, type: wanted.type.replace(/^_/, '') } : wanted
  const text = textOfLeaf(leaf, element)
  return list ? (value) => arrayText(value as readonly unknown[], text) : text
}

function textOfLeaf(leaf: SchemaElement, { type, typmod }: ColumnType): (value: unknown) => ValueText {
  const kind = leaf.logical_type?.type
  switch (leaf.type) {
    case 'BOOLEAN':
      return (value) => (value === true ? 't' : 'f')
    case 'FLOAT':
      return (value) => (type === 'float8' ? float8Text : float4Text)(value as number)
    case 'DOUBLE':
      return (value) => float8Text(value as number)
    case 'INT32':
      return kind === 'DATE' ? (value) => dayText(value as number) : (value) => String(value)
    case 'INT64':
      if (leaf.logical_type?.type === 'TIMESTAMP') {
        const zone = leaf.logical_type.isAdjustedToUTC ? '+00' : ''
        return (value) => timestampText(value as bigint, 0, zone)
      }
      if (kind === 'DECIMAL') return decimals(leaf, type, typmod)
      return (value) => String(value)
    case 'FIXED_LEN_BYTE_ARRAY': {
      const text = decimals(leaf, type, typmod)
      return (value) => text(signed(value as Uint8Array))
    }
    default:
      // Text of an SQL_ASCII database is bytes too.
      if (kind !== 'STRING' && type === 'bytea')
        return (value) => `\\x${Buffer.from(value as Uint8Array).toString('hex')}`
      return (value) => value as Uint8Array
  }
}

/** A column that has got a larger scale prints older values with it. */
function decimals(leaf: SchemaElement, type: string, typmod: number): (unscaled: unknown) => string {
  const scale = leaf.scale ?? 0
  const wanted = type === 'numeric' ? numericShape(typmod)?.scale : undefined
  const zeros = '0'.repeat(Math.max(0, (wanted ?? scale) - scale))
  const point = scale + zeros.length === 0 ? '' : '.'
  return (unscaled) => {
    const digits = String(unscaled)
    const sign = digits.startsWith('-') ? '-' : ''
    const padded = digits.slice(sign.length).padStart(scale + 1, '0')
    return `${sign}${padded.slice(0, padded.length - scale)}${point}${padded.slice(padded.length - scale)}${zeros}`
  }
}

/** Big-endian two's complement. */
function signed(bytes: Uint8Array): bigint {
  return BigInt.asIntN(bytes.length * 8, BigInt(`0x${Buffer.from(bytes).toString('hex')}`))
}

/** https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO */
function arrayText(elements: readonly unknown[], text: (value: unknown) => ValueText): Uint8Array {
  // A character a byte, so that bytes which are no UTF-8 stay.
  const parts = elements.map((element) => {
    if (element === null || element === undefined) return 'NULL'
    const one = text(element)
    const bytes = typeof one === 'string' ? one : Buffer.from(one).toString('latin1')
    const plain = bytes !== '' && !/^null$/i.test(bytes) && !/[{},"\\ \t\n\r\v\f]/.test(bytes)
    return plain ? bytes : `"${bytes.replace(/["\\]/g, '\\$&')}"`
  })
  return Buffer.from(`{${parts.join(',')}}`, 'latin1')
}
