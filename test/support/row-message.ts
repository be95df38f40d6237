// Insert, Update and Delete messages taken apart as the documentation says and no other way: what is not one to the last byte
// is undefined. Shares nothing with the product's reader, so that it can be held against it.
// https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html
import type { Field, Tuple } from './pgoutput-messages.js'

export interface RowMessage {
  readonly tag: 'I' | 'U' | 'D'
  readonly oid: number
  /** Kind of the old tuple. */
  readonly oldKind?: 'K' | 'O'
  readonly old?: Tuple
  readonly new?: Tuple
}

export function readRowMessage(bytes: Buffer, columns: number): RowMessage | undefined {
  const tag = bytes.toString('latin1', 0, 1)
  if (bytes.length < 6 || (tag !== 'I' && tag !== 'U' && tag !== 'D')) return undefined
  let message: RowMessage = { tag, oid: bytes.readUInt32BE(1) }
  let at = 5
  const first = bytes.toString('latin1', at, at + 1)
  if (tag !== 'I' && (first === 'K' || first === 'O')) {
    const old = readTuple(bytes, at + 1, columns)
    if (old === undefined) return undefined
    message = { ...message, oldKind: first, old: old.fields }
    at = old.end
  } else if (tag === 'D') return undefined
  if (tag !== 'D') {
    if (bytes.toString('latin1', at, at + 1) !== 'N') return undefined
    const tuple = readTuple(bytes, at + 1, columns)
    if (tuple === undefined) return undefined
    message = { ...message, new: tuple.fields }
    at = tuple.end
  }
  return at === bytes.length ? message : undefined
}

function readTuple(bytes: Buffer, start: number, columns: number): { fields: Field[]; end: number } | undefined {
  if (start + 2 > bytes.length || bytes.readUInt16BE(start) !== columns) return undefined
  const fields: Field[] = []
  let at = start + 2
  while (fields.length < columns) {
    const kind = bytes.toString('latin1', at, at + 1)
    at++
    if (kind === 'n') fields.push({ kind: 'null' })
    else if (kind === 'u') fields.push({ kind: 'unchanged' })
    else if (kind === 't' || kind === 'b') {
      const length = at + 4 <= bytes.length ? bytes.readInt32BE(at) : -1
      if (length < 0 || at + 4 + length > bytes.length) return undefined
      fields.push({ kind: kind === 't' ? 'text' : 'binary', bytes: bytes.subarray(at + 4, at + 4 + length) })
      at += 4 + length
    } else return undefined
  }
  return { fields, end: at }
}
