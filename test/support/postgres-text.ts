// What a reader gets from a Parquet file, in PostgreSQL's text form, by nothing but the file's own schema: for comparing with
// what the server prints. Written for being right, and independent of the product.
import type { SchemaElement } from 'hyparquet'
import type { Plain } from './parquet-readers.js'

/** A column of a file: its leaf, and whether that is the element of a list. */
export interface FileColumn {
  readonly leaf: SchemaElement
  readonly list: boolean
}

/** By name, from the flattened tree of a footer. */
export function fileColumns(schema: readonly SchemaElement[]): Map<string, FileColumn> {
  const columns = new Map<string, FileColumn>()
  for (let at = 1; at < schema.length; at++) {
    const { name, num_children: children } = schema[at]!
    columns.set(name, { leaf: schema[children === undefined ? at : at + 2]!, list: children !== undefined })
    if (children !== undefined) at += 2
  }
  return columns
}

/** A value as parquet-readers.ts gives it. Numbers in floating point are as JavaScript prints them. */
export function postgresText({ leaf, list }: FileColumn, value: Plain | undefined): string | null | (string | null)[] {
  if (value === undefined || value === null) return null
  if (list) return (value as readonly Plain[]).map((element) => (element === null ? null : scalarText(leaf, element)))
  return scalarText(leaf, value)
}

function scalarText({ type, logical_type: logical, scale = 0 }: SchemaElement, value: Plain): string {
  const kind = logical?.type
  if (typeof value === 'boolean') return value ? 't' : 'f'
  if (kind === 'DATE') return dateText(Number(value))
  if (kind === 'DECIMAL') return decimalText(value as bigint, scale)
  if (logical?.type === 'TIMESTAMP') return timestampText(value as bigint, logical.isAdjustedToUTC)
  if (type === 'FLOAT' || type === 'DOUBLE') return numberText(value as number)
  if (type !== 'BYTE_ARRAY') return String(value)
  return kind === 'STRING' ? Buffer.from(value as string, 'hex').toString('utf8') : `\\x${value as string}`
}

export function numberText(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value)
}

function decimalText(unscaled: bigint, scale: number): string {
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, '0')
  const whole = digits.slice(0, digits.length - scale)
  return `${unscaled < 0n ? '-' : ''}${whole}${scale === 0 ? '' : `.${digits.slice(-scale)}`}`
}

/** The calendar repeats after 400 years, so those that Date does not know are looked up in those that it does. */
const CYCLE_DAYS = 146_097
const DAY_MICROS = 86_400_000_000n

function dateParts(days: number): { date: string; era: string } {
  const cycles = Math.floor(days / CYCLE_DAYS)
  const known = new Date((days - cycles * CYCLE_DAYS) * 86_400_000)
  const year = known.getUTCFullYear() + cycles * 400
  const shown = String(year > 0 ? year : 1 - year).padStart(4, '0')
  return { date: `${shown}${known.toISOString().slice(4, 10)}`, era: year > 0 ? '' : ' BC' }
}

function dateText(days: number): string {
  const { date, era } = dateParts(days)
  return date + era
}

function timestampText(micros: bigint, utc: boolean): string {
  const clock = ((micros % DAY_MICROS) + DAY_MICROS) % DAY_MICROS
  const { date, era } = dateParts(Number((micros - clock) / DAY_MICROS))
  const time = new Date(Number(clock / 1000n)).toISOString().slice(11, 19)
  const fraction = (clock % 1_000_000n).toString().padStart(6, '0').replace(/0+$/, '')
  return `${date} ${time}${fraction === '' ? '' : `.${fraction}`}${utc ? '+00' : ''}${era}`
}
