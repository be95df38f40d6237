// pgoutput's TupleData as bytes: kinds of tuples and fields, and where the fields of an old tuple lie
// (https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html#PROTOCOL-LOGICALREP-MESSAGE-FORMATS-TUPLEDATA).
// Looks at no value; what does not fit throws a RangeError that says what and where.
import type { RelationColumn } from '../model/relation.js'

export const KEY_TUPLE = 0x4b
export const OLD_TUPLE = 0x4f
export const NEW_TUPLE = 0x4e

export const NULL_FIELD = 0x6e
export const UNCHANGED_FIELD = 0x75
export const TEXT_FIELD = 0x74
export const BINARY_FIELD = 0x62

/** Checks the column count at `buffer[at]` and returns where the first field begins. */
export function firstField(buffer: Buffer, at: number, columns: number): number {
  const count = buffer.readUInt16BE(at)
  if (count !== columns) throw new RangeError(`${count} fields for ${columns} columns`)
  return at + 2
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
    let p = firstField(buffer, at, this.#columns.length)
    for (let k = 0; k < this.#columns.length; k++) {
      const kind = buffer[p++]!
      fields[k * 3] = NULL_FIELD
      if (kind === BINARY_FIELD || kind === TEXT_FIELD) {
        fields[k * 3] = kind
        fields[k * 3 + 1] = p + 4
        p += 4 + buffer.readInt32BE(p)
        if (p > limit || p < fields[k * 3 + 1]!) throw new RangeError(`field ${k} reaches past the end of the message`)
        fields[k * 3 + 2] = p
      } else if (kind !== NULL_FIELD && kind !== UNCHANGED_FIELD) throw new RangeError(`field kind ${hex(kind)}`)
    }
    this.bytes = p - at
    return p
  }

  /** True where a key column of the new tuple at `buffer[at]` has other bytes than this one. */
  keyDiffers(buffer: Buffer, at: number): boolean {
    let p = firstField(buffer, at, this.#columns.length)
    for (let k = 0; k < this.#columns.length; k++) {
      const kind = buffer[p++]!
      let start = p
      if (kind === BINARY_FIELD || kind === TEXT_FIELD) {
        start = p + 4
        p = start + buffer.readInt32BE(p)
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
