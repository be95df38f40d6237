// pgoutput's TupleData as bytes: kinds of tuples and fields, and where the fields of an old tuple lie
// (https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html#PROTOCOL-LOGICALREP-MESSAGE-FORMATS-TUPLEDATA).
// Looks at no value; what does not fit throws BadBytes.
import { BadBytes } from '../model/bad-bytes.js'
import type { RelationColumn } from '../model/relation.js'

export const KEY_TUPLE = 0x4b
export const OLD_TUPLE = 0x4f
export const NEW_TUPLE = 0x4e

export const NULL_FIELD = 0x6e
export const UNCHANGED_FIELD = 0x75
export const TEXT_FIELD = 0x74
export const BINARY_FIELD = 0x62

/** Checks the column count at `buffer[at]` and returns where the first field begins. */
export function firstField(buffer: Buffer, at: number, limit: number, columns: number): number {
  if (at + 2 > limit) throw new BadBytes(limit, 'cut off before the number of fields')
  const count = buffer.readUInt16BE(at)
  if (count !== columns) throw new BadBytes(at, `${count} fields for ${columns} columns`)
  return at + 2
}

/** End of the field whose length stands at `buffer[at]`; none reaches past `limit`. */
export function fieldEnd(buffer: Buffer, at: number, limit: number, k: number): number {
  const length = (buffer[at]! << 24) | (buffer[at + 1]! << 16) | (buffer[at + 2]! << 8) | buffer[at + 3]!
  const end = at + 4 + length
  if (end > limit || end < at + 4)
    throw new BadBytes(Math.min(at, limit), `field ${k} reaches past the end of the message`)
  return end
}

const noFields = new Int32Array(0)

/** The fields of one old tuple at a time: kind, start and end of each, in the message's buffer. */
export class OldTuple {
  readonly #columns: readonly RelationColumn[]
  /** Kind, start and end of each; made for the first tuple, because most tables see inserts alone. */
  #fields = noFields
  /** Bytes of the tuple that was scanned last. */
  bytes = 0

  constructor(columns: readonly RelationColumn[]) {
    this.#columns = columns
  }

  /** `NULL_FIELD` also where the value was not sent. */
  kind(k: number): number {
    return this.#fields[k * 3]!
  }

  start(k: number): number {
    return this.#fields[k * 3 + 1]!
  }

  end(k: number): number {
    return this.#fields[k * 3 + 2]!
  }

  /** Notes where the fields lie, none past `limit`. Returns where the tuple ends. */
  scan(buffer: Buffer, at: number, limit: number): number {
    if (this.#fields === noFields) this.#fields = new Int32Array(this.#columns.length * 3)
    const fields = this.#fields
    let p = firstField(buffer, at, limit, this.#columns.length)
    for (let k = 0; k < this.#columns.length; k++) {
      if (p >= limit) throw new BadBytes(limit, `cut off before field ${k}`)
      const kind = buffer[p++]!
      fields[k * 3] = NULL_FIELD
      if (kind === BINARY_FIELD || kind === TEXT_FIELD) {
        fields[k * 3] = kind
        fields[k * 3 + 1] = p + 4
        p = fieldEnd(buffer, p, limit, k)
        fields[k * 3 + 2] = p
      } else if (kind !== NULL_FIELD && kind !== UNCHANGED_FIELD) throw new BadBytes(p - 1, `field kind ${hex(kind)}`)
    }
    this.bytes = p - at
    return p
  }

  /** True where a key column of the new tuple at `buffer[at]` has other bytes than this one. */
  keyDiffers(buffer: Buffer, at: number, limit: number): boolean {
    let p = firstField(buffer, at, limit, this.#columns.length)
    for (let k = 0; k < this.#columns.length; k++) {
      const kind = buffer[p++]!
      let start = p
      if (kind === BINARY_FIELD || kind === TEXT_FIELD) {
        start = p + 4
        p = fieldEnd(buffer, p, limit, k)
      }
      if (!this.#columns[k]!.isKey || kind === UNCHANGED_FIELD) continue
      if (kind !== this.kind(k)) return true
      if (kind !== NULL_FIELD && buffer.compare(buffer, start, p, this.start(k), this.end(k)) !== 0) return true
    }
    return false
  }
}

export function hex(byte: number | undefined): string {
  return byte === undefined ? '(none)' : `0x${byte.toString(16)}`
}
