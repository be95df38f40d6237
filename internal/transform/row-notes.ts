// What stands beside a row's columns, as JSON: names of values that were not sent, the old row, values that a column cannot
// hold. Built only for the rows that have such a thing; all others cost nothing here.
import { ByteScratch } from './byte-scratch.js'
import { appendJsonString } from './json-bytes.js'
import { SparseColumn } from './parquet/column-buffers.js'
import type { Intake } from './parquet/leaf-values.js'
import { NULL_FIELD, type OldTuple } from './tuple-data.js'

const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d
const OPEN_ARRAY = 0x5b
const CLOSE_ARRAY = 0x5d
const COMMA = 0x2c
const NULL_JSON = Buffer.from('null')

/** PostgreSQL's text form of column `k`'s field of this kind, as UTF-8 in `buffer[start, end)` of the returned range. */
export type FieldText = (k: number, kind: number, buffer: Buffer, start: number, end: number) => TextRange

export interface TextRange {
  readonly buffer: Buffer
  readonly start: number
  readonly end: number
}

export class RowNotes {
  readonly unchanged: SparseColumn
  readonly before: SparseColumn
  readonly raw: SparseColumn
  readonly #names: readonly Buffer[]
  readonly #textOf: FieldText
  readonly #unchangedJson = new ByteScratch()
  readonly #beforeJson = new ByteScratch()
  readonly #rawJson = new ByteScratch()

  /** `names`: the columns' names in the files. */
  constructor(names: readonly string[], intake: Intake, textOf: FieldText) {
    this.unchanged = new SparseColumn(intake)
    this.before = new SparseColumn(intake)
    this.raw = new SparseColumn(intake)
    this.#names = names.map((name) => Buffer.from(`${JSON.stringify(name)}:`, 'utf8'))
    this.#textOf = textOf
  }

  /** The row's column `k` was not sent. */
  noteUnchanged(k: number): void {
    const json = this.#unchangedJson
    const name = this.#names[k]!
    json.byte(json.length === 0 ? OPEN_ARRAY : COMMA)
    json.bytes(name, 0, name.length - 1)
  }

  /** The row's column `k` cannot hold the field. */
  noteRaw(k: number, kind: number, buffer: Buffer, start: number, end: number): void {
    this.#appendField(this.#rawJson, this.#rawJson.length === 0, k, kind, buffer, start, end)
  }

  /** The whole old row. */
  noteBefore(old: OldTuple, buffer: Buffer): void {
    const json = this.#beforeJson
    for (let k = 0; k < this.#names.length; k++) {
      const kind = old.kind(k)
      this.#appendField(json, k === 0, k, kind, buffer, old.start(k), old.end(k))
    }
  }

  /** The row is whole: its notes go into their columns. */
  endRow(row: number): void {
    if (this.#unchangedJson.length > 0) flush(this.unchanged, row, this.#unchangedJson, CLOSE_ARRAY)
    if (this.#beforeJson.length > 0) flush(this.before, row, this.#beforeJson, CLOSE_OBJECT)
    if (this.#rawJson.length > 0) flush(this.raw, row, this.#rawJson, CLOSE_OBJECT)
  }

  #appendField(
    json: ByteScratch,
    first: boolean,
    k: number,
    kind: number,
    buffer: Buffer,
    start: number,
    end: number,
  ): void {
    json.byte(first ? OPEN_OBJECT : COMMA)
    json.bytes(this.#names[k]!)
    if (kind === NULL_FIELD) json.bytes(NULL_JSON)
    else {
      const text = this.#textOf(k, kind, buffer, start, end)
      appendJsonString(json, text.buffer, text.start, text.end)
    }
  }
}

function flush(column: SparseColumn, row: number, json: ByteScratch, close: number): void {
  json.byte(close)
  column.append(row, json.buffer, 0, json.length)
  json.clear()
}
