// A row as few bytes, the same whether PostgreSQL or the lake is asked: SHA-256 over the text of its values. Each value stands with its
// length before it, so no two rows have the same text.
import { createHash } from 'node:crypto'
import type { ValueText } from '../reading/value-text.js'

/** Of a digest, what is kept. */
export const DIGEST_BYTES = 16

const NULL_TEXT = '-'

let scratch = Buffer.allocUnsafe(64 * 1024)

/** `digestSql`'s counterpart. Gives the first DIGEST_BYTES of the hash, valid until the next call writes `into` again. */
export function digestOf(values: readonly (ValueText | undefined)[]): Buffer {
  let at = 0
  for (const value of values) {
    if (value === undefined) {
      at += write(NULL_TEXT, at)
      continue
    }
    const bytes = typeof value === 'string' ? Buffer.byteLength(value) : value.length
    at += write(`${bytes}:`, at)
    at += write(value, at)
  }
  return createHash('sha256').update(scratch.subarray(0, at)).digest().subarray(0, DIGEST_BYTES)
}

/** The digests of several groups of values as one: `rowSql`'s counterpart. */
export function combined(digests: Buffer): bigint {
  const one = digests.length === DIGEST_BYTES ? digests : createHash('sha256').update(digests).digest()
  return one.readBigUInt64BE(0)
}

function write(value: ValueText, at: number): number {
  const most = typeof value === 'string' ? value.length * 3 : value.length
  if (at + most > scratch.length) {
    const larger = Buffer.allocUnsafe(Math.max(at + most, scratch.length * 2))
    scratch.copy(larger, 0, 0, at)
    scratch = larger
  }
  if (typeof value === 'string') return scratch.write(value, at, 'utf8')
  scratch.set(value, at)
  return value.length
}

/** SQL, bytea: the digest of these text expressions. `encoding`: of the lake's text, `SQL_ASCII` where there is none. */
export function digestSql(texts: readonly string[], encoding: Encoding): string {
  const parts = texts.map((text) => {
    const bytes = encoding === 'UTF8' ? `octet_length(convert_to(${text}, 'UTF8'))` : `octet_length(${text})`
    return `coalesce(${bytes} || ':' || ${text}, '${NULL_TEXT}')`
  })
  return `substring(sha256(convert_to(${parts.join(' || ')}, '${encoding}')) FROM 1 FOR ${DIGEST_BYTES})`
}

/** SQL, int8: the digests of several groups as one. */
export function rowSql(digests: readonly string[]): string {
  const one = digests.length === 1 ? digests[0]! : `sha256(${digests.join(' || ')})`
  return `('x' || encode(substring(${one} FROM 1 FOR 8), 'hex'))::bit(64)::int8`
}

/** Of the text in the lake: UTF-8, or as it is where the database promises no encoding. */
export type Encoding = 'UTF8' | 'SQL_ASCII'
