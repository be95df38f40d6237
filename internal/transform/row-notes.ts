// What stands beside a row's columns, as JSON: names of values that were not sent, the old row, values that a column cannot
// hold. Built only for the rows that have such a thing, in its place in the page; all others cost nothing here.
import type { LakeColumn } from '../model/lake-column.js'
import { ByteCount, writeJsonText, type ByteSink } from './json-bytes.js'
import { SparseColumn } from './parquet/column-buffers.js'
import { PAGE_BYTES, type BytesValues, type Intake } from './parquet/leaf-values.js'
import { NULL_FIELD, type OldTuple } from './tuple-data.js'
import type { TextSink } from './values/scalar-codec.js'

const QUOTE = 0x22
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d
const OPEN_ARRAY = 0x5b
const CLOSE_ARRAY = 0x5d
const COMMA = 0x2c
const NULL_JSON = Buffer.from('null')

/** Hands PostgreSQL's text form of column `k`'s field of this kind to `out`, in one piece or several, each valid only then. */
export type FieldText = (k: number, kind: number, buffer: Buffer, start: number, end: number, out: TextSink) => void

export class RowNotes {
  readonly unchanged: SparseColumn
  readonly before: SparseColumn
  readonly raw: SparseColumn
  readonly #columns: readonly (LakeColumn | undefined)[]
  readonly #textOf: FieldText
  #names: readonly Buffer[] | undefined

  /** `columns`: undefined where one is left out, of which nothing is noted. */
  constructor(columns: readonly (LakeColumn | undefined)[], intake: Intake, textOf: FieldText) {
    this.unchanged = new SparseColumn(intake)
    this.before = new SparseColumn(intake)
    this.raw = new SparseColumn(intake)
    this.#columns = columns
    this.#textOf = textOf
  }

  /** Column `k` of row `row` was not sent. */
  noteUnchanged(row: number, k: number): void {
    if (this.#columns[k] === undefined) return
    const json = this.#begun(this.unchanged, row, OPEN_ARRAY)
    const name = this.#name(k)
    json.writeBytes(name, 0, name.length - 1)
  }

  /** Column `k` of row `row` cannot hold the field. */
  noteRaw(row: number, k: number, kind: number, buffer: Buffer, start: number, end: number): void {
    const json = this.#begun(this.raw, row, OPEN_OBJECT)
    if (end - start >= PAGE_BYTES) reserveFor(json, (out) => this.#writeField(out, k, kind, buffer, start, end))
    this.#writeField(json, k, kind, buffer, start, end)
  }

  /** The whole old row of row `row`. */
  noteBefore(row: number, old: OldTuple, buffer: Buffer): void {
    if (this.#columns.every((column) => column === undefined)) return
    const json = this.#begun(this.before, row, OPEN_OBJECT)
    if (old.bytes >= PAGE_BYTES) reserveFor(json, (out) => this.#writeRow(out, old, buffer))
    this.#writeRow(json, old, buffer)
  }

  /** The row is whole: its notes are too. */
  endRow(): void {
    if (this.unchanged.leaf.inValue) end(this.unchanged.leaf, CLOSE_ARRAY)
    if (this.before.leaf.inValue) end(this.before.leaf, CLOSE_OBJECT)
    if (this.raw.leaf.inValue) end(this.raw.leaf, CLOSE_OBJECT)
  }

  /** As a key of a JSON object. */
  #name(k: number): Buffer {
    this.#names ??= this.#columns.map((column) => Buffer.from(`${JSON.stringify(column?.name)}:`, 'utf8'))
    return this.#names[k]!
  }

  /** The row's note in this column, so that an element can be written next. */
  #begun(column: SparseColumn, row: number, open: number): BytesValues {
    const { leaf } = column
    if (leaf.inValue) leaf.writeByte(COMMA)
    else {
      column.present(row).beginValue()
      leaf.writeByte(open)
    }
    return leaf
  }

  #writeRow(json: ByteSink, old: OldTuple, buffer: Buffer): void {
    let written = 0
    for (let k = 0; k < this.#columns.length; k++) {
      if (this.#columns[k] === undefined) continue
      if (written++ > 0) json.writeByte(COMMA)
      this.#writeField(json, k, old.kind(k), buffer, old.start(k), old.end(k))
    }
  }

  #writeField(json: ByteSink, k: number, kind: number, buffer: Buffer, start: number, end: number): void {
    const name = this.#name(k)
    json.writeBytes(name, 0, name.length)
    if (kind === NULL_FIELD) json.writeBytes(NULL_JSON, 0, NULL_JSON.length)
    else {
      json.writeByte(QUOTE)
      this.#textOf(k, kind, buffer, start, end, (text, from, to) => writeJsonText(json, text, from, to))
      json.writeByte(QUOTE)
    }
  }
}

function end(json: BytesValues, close: number): void {
  json.writeByte(close)
  json.endValue()
}

/** Writes twice, the first time only to know how much it is: a page that is as large as a huge value grows only once. */
function reserveFor(json: BytesValues, write: (out: ByteSink) => void): void {
  const count = new ByteCount()
  write(count)
  json.reserve(1, count.bytes)
}
