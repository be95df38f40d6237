// One table's rows into column buffers and files: the row rules of the change log. The hot path is #fill(): it walks a
// tuple's bytes once and hands each field to its column; no object per row, none per value.
import { Failure } from '../model/failure.js'
import { ByteScratch } from './byte-scratch.js'
import type { ChunkContext } from './parquet/column-chunk.js'
import { RunColumn, ScalarColumn, SparseColumn, type ColumnBuffer } from './parquet/column-buffers.js'
import { BytesValues, Int64Values, Intake } from './parquet/leaf-values.js'
import { OpenFile, type ClosedFile } from './open-file.js'
import type { TableLayout } from './table-layout.js'
import { appendJsonString } from './json-bytes.js'
import type { Put } from './values/value-codec.js'

/** Kinds of rows, as their letter in `_op`. */
export const OP = { insert: 0x49, update: 0x55, delete: 0x44, truncate: 0x54 } as const

const KEY_TUPLE = 0x4b
const OLD_TUPLE = 0x4f
const NEW_TUPLE = 0x4e
const NULL_FIELD = 0x6e
const UNCHANGED_FIELD = 0x75
const TEXT_FIELD = 0x74
const BINARY_FIELD = 0x62

const TWO_32 = 0x1_0000_0000

/** A row group closes at about this many bytes of values: enough to compress well, small enough to read in parallel. */
const ROW_GROUP_BYTES = 64 << 20

/** Bytes that each row counts for beside its table's columns: the meta columns. */
const META_BYTES = 33

/** The transaction that rows belong to; replaced, never changed. */
export interface TransactionStamp {
  readonly lsnLow: number
  readonly lsnHigh: number
  readonly xid: number
  readonly microsLow: number
  readonly microsHigh: number
  /** UTC date of the commit. */
  readonly date: string
}

export interface FileTarget {
  readonly context: ChunkContext
  readonly createdBy: string
}

export interface UpdateResult {
  /** Bytes of values taken in. */
  readonly bytes: number
  readonly keyChanged: boolean
}

export class TableWriter {
  readonly layout: TableLayout
  readonly #target: FileTarget
  readonly #intake: Intake
  readonly #columns: readonly ColumnBuffer[]
  readonly #putText: readonly Put[]
  readonly #putBinary: readonly (Put | undefined)[]
  readonly #allColumns: readonly ColumnBuffer[]
  readonly #op: RunColumn<BytesValues>
  readonly #lsn: RunColumn<Int64Values>
  readonly #seq: ScalarColumn<Int64Values>
  readonly #xid: RunColumn<Int64Values>
  readonly #commitTs: RunColumn<Int64Values>
  readonly #unchanged: SparseColumn
  readonly #before: SparseColumn
  readonly #raw: SparseColumn
  /** Bytes of a row's fixed-width values. */
  readonly #rowBytes: number
  readonly #jsonNames: readonly Buffer[]
  readonly #json = new ByteScratch()
  readonly #rawJson = new ByteScratch()
  readonly #unchangedJson = new ByteScratch()
  /** Where the fields of the old tuple lie: kind, start, end of each. */
  readonly #oldFields: Int32Array
  #file: OpenFile | undefined
  #stamp: TransactionStamp | undefined
  #opNow = 0
  /** Rows in the open row group. */
  #rows = 0
  #groupBytes = 0

  constructor(layout: TableLayout, target: FileTarget) {
    this.layout = layout
    this.#target = target
    const intake = new Intake(target.context.pool)
    this.#intake = intake
    const bound = layout.codecs.map((codec) => codec.bind(intake))
    this.#columns = bound.map(({ buffer }) => buffer)
    this.#putText = bound.map(({ putText }) => putText)
    this.#putBinary = bound.map(({ putBinary }) => putBinary)
    this.#op = new RunColumn(new BytesValues(intake))
    this.#lsn = new RunColumn(new Int64Values(intake))
    this.#seq = new ScalarColumn(new Int64Values(intake))
    this.#xid = new RunColumn(new Int64Values(intake))
    this.#commitTs = new RunColumn(new Int64Values(intake))
    this.#unchanged = new SparseColumn(intake)
    this.#before = new SparseColumn(intake)
    this.#raw = new SparseColumn(intake)
    this.#allColumns = [
      ...this.#columns,
      this.#op,
      this.#lsn,
      this.#seq,
      this.#xid,
      this.#commitTs,
      this.#unchanged,
      this.#before,
      this.#raw,
    ]
    this.#rowBytes = META_BYTES + layout.columns.length * 8
    this.#jsonNames = layout.columns.map((column) => Buffer.from(`${JSON.stringify(column.name)}:`, 'utf8'))
    this.#oldFields = new Int32Array(layout.columns.length * 3)
  }

  /** Day whose commits the open file holds; undefined where none is open. */
  get fileDate(): string | undefined {
    return this.#file?.date
  }

  /** Bytes of values in the open file. */
  get fileBytes(): number {
    return this.#file?.valueBytes ?? 0
  }

  /** `buffer[at]` is the `N` before the new tuple. Returns the bytes of values taken in. */
  insert(stamp: TransactionStamp, seq: number, buffer: Buffer, at: number, end: number): number {
    this.#expect(buffer, at, NEW_TUPLE)
    this.#beginRow(stamp, seq, OP.insert)
    const before = this.#intake.variableBytes
    this.#closeTuple(this.#fill(buffer, at + 1, end, false), end)
    return this.#endRow(before)
  }

  /**
   * `buffer[at]` is the kind of the first tuple: `N`, or the old one's. A changed key makes two rows, a D of the old key at
   * `seq` and the U at `seq + 1`.
   */
  update(stamp: TransactionStamp, seq: number, buffer: Buffer, at: number, end: number): UpdateResult {
    const kind = buffer[at]!
    if (kind === NEW_TUPLE) {
      this.#beginRow(stamp, seq, OP.update)
      const before = this.#intake.variableBytes
      this.#closeTuple(this.#fill(buffer, at + 1, end, false), end)
      return { bytes: this.#endRow(before), keyChanged: false }
    }
    if (kind !== KEY_TUPLE && kind !== OLD_TUPLE) throw this.#broken(`tuple kind ${hex(kind)} in an Update`)
    const newAt = this.#scanOld(buffer, at + 1, end)
    this.#expect(buffer, newAt, NEW_TUPLE)
    const keyChanged = kind === KEY_TUPLE && this.#keyDiffers(buffer, newAt + 1)
    const keyBytes = keyChanged ? this.#keyRow(stamp, seq, buffer) : 0
    this.#beginRow(stamp, keyChanged ? seq + 1 : seq, OP.update)
    const before = this.#intake.variableBytes
    if (kind === OLD_TUPLE) this.#writeBefore(buffer)
    this.#closeTuple(this.#fill(buffer, newAt + 1, end, true), end)
    return { bytes: keyBytes + this.#endRow(before), keyChanged }
  }

  /** `buffer[at]` is the old tuple's kind. */
  delete(stamp: TransactionStamp, seq: number, buffer: Buffer, at: number, end: number): number {
    const kind = buffer[at]!
    if (kind !== KEY_TUPLE && kind !== OLD_TUPLE) throw this.#broken(`tuple kind ${hex(kind)} in a Delete`)
    this.#closeTuple(this.#scanOld(buffer, at + 1, end), end)
    if (kind === KEY_TUPLE) return this.#keyRow(stamp, seq, buffer)
    this.#beginRow(stamp, seq, OP.delete)
    const before = this.#intake.variableBytes
    this.#writeBefore(buffer)
    this.#fill(buffer, at + 1, end, false)
    return this.#endRow(before)
  }

  /** A row that has nothing but meta columns. */
  truncate(stamp: TransactionStamp, seq: number): number {
    this.#beginRow(stamp, seq, OP.truncate)
    for (const column of this.#columns) column.appendNull(this.#rows)
    return this.#endRow(this.#intake.variableBytes)
  }

  /** Ends the open file, if there is one; its bytes are ready when its content is. */
  closeFile(): ClosedFile | undefined {
    const file = this.#file
    if (file === undefined) return undefined
    this.#closeRowGroup(file)
    this.#file = undefined
    return file.close()
  }

  /** Closes every open page, so that only compressed bytes stay in memory. */
  sealPages(): void {
    if (this.#file !== undefined) this.#sealWhere(this.#file, () => true)
  }

  /** Bytes of the buffers lent to open pages. */
  get openBytes(): number {
    return this.#allColumns.reduce((sum, column) => sum + column.openBytes, 0)
  }

  /** Forgets what was not closed. Resolves when its memory is back. */
  async discard(): Promise<void> {
    for (const column of this.#allColumns) column.discard()
    this.#restart()
    const file = this.#file
    this.#file = undefined
    await file?.discard()
  }

  #beginRow(stamp: TransactionStamp, seq: number, op: number): void {
    if (stamp !== this.#stamp || this.#file === undefined) this.#beginTransaction(stamp)
    if (op !== this.#opNow) {
      this.#opNow = op
      this.#op.beginRun(this.#rows).push(OP_BYTES, OP_BYTES.indexOf(op), OP_BYTES.indexOf(op) + 1)
    }
    this.#seq.leaf.push(seq | 0, (seq / TWO_32) | 0)
  }

  #beginTransaction(stamp: TransactionStamp): void {
    if (this.#file === undefined) this.#file = new OpenFile(this.layout, stamp.date, this.#target)
    this.#stamp = stamp
    const row = this.#rows
    this.#lsn.beginRun(row).push(stamp.lsnLow, stamp.lsnHigh)
    this.#xid.beginRun(row).push(stamp.xid | 0, 0)
    this.#commitTs.beginRun(row).push(stamp.microsLow, stamp.microsHigh)
  }

  /** Counts the row, and closes what it has filled. `variableBefore`: the intake's count when the row began. */
  #endRow(variableBefore: number): number {
    const bytes = this.#rowBytes + this.#intake.variableBytes - variableBefore
    const file = this.#file!
    this.#rows++
    file.valueBytes += bytes
    this.#groupBytes += bytes
    if (this.#intake.sealDue) this.#sealWhere(file, (column) => column.full)
    if (this.#groupBytes >= ROW_GROUP_BYTES) this.#closeRowGroup(file)
    return bytes
  }

  #sealWhere(file: OpenFile, due: (column: ColumnBuffer) => boolean): void {
    this.#intake.sealDue = false
    this.#allColumns.forEach((column, k) => {
      if (!due(column)) return
      const page = column.seal(this.#rows)
      if (page !== undefined) file.addPage(k, page)
      if (column === this.#op) this.#opNow = 0
      // A run ended with its page: the next row has to begin the transaction's runs again.
      if (column === this.#lsn || column === this.#xid || column === this.#commitTs) this.#stamp = undefined
    })
  }

  #closeRowGroup(file: OpenFile): void {
    if (this.#rows === 0) return
    this.#sealWhere(file, () => true)
    file.closeRowGroup(this.#rows)
    for (const column of this.#allColumns) column.restart()
    this.#restart()
  }

  #restart(): void {
    this.#rows = 0
    this.#groupBytes = 0
    this.#stamp = undefined
    this.#opNow = 0
  }

  /**
   * Hands the tuple's fields to the columns. `buffer[at]`: the tuple's column count; no field reaches past `limit`. Returns
   * where the tuple ends.
   */
  #fill(buffer: Buffer, at: number, limit: number, oldScanned: boolean): number {
    const columns = this.#columns
    const row = this.#rows
    let unchanged = 0
    let raw = 0
    let p = this.#checkCount(buffer, at)
    for (let k = 0; k < columns.length; k++) {
      const kind = buffer[p++]!
      if (kind === BINARY_FIELD || kind === TEXT_FIELD) {
        const end = p + 4 + ((buffer[p]! << 24) | (buffer[p + 1]! << 16) | (buffer[p + 2]! << 8) | buffer[p + 3]!)
        if (end > limit || end < p + 4) throw this.#beyond(k)
        const put = kind === TEXT_FIELD ? this.#putText[k]! : (this.#putBinary[k] ?? this.#onlyText(k))
        if (!put(buffer, p + 4, end)) {
          columns[k]!.appendNull(row)
          this.#appendRaw(raw++, k, kind, buffer, p + 4, end)
        }
        p = end
      } else if (kind === NULL_FIELD) columns[k]!.appendNull(row)
      else if (kind === UNCHANGED_FIELD) {
        if (oldScanned && this.#oldFields[k * 3]! !== NULL_FIELD) raw = this.#fillFromOld(raw, k, buffer)
        else {
          columns[k]!.appendNull(row)
          this.#appendUnchanged(unchanged++, k)
        }
      } else throw this.#broken(`field kind ${hex(kind)}`)
    }
    if (unchanged > 0) this.#flushJson(this.#unchanged, this.#unchangedJson, CLOSE_ARRAY)
    if (raw > 0) this.#flushJson(this.#raw, this.#rawJson, CLOSE_OBJECT)
    return p
  }

  /** The new tuple's value was not sent, but the old tuple's was and is the same. Returns the count of raw values. */
  #fillFromOld(raw: number, k: number, buffer: Buffer): number {
    const kind = this.#oldFields[k * 3]!
    const start = this.#oldFields[k * 3 + 1]!
    const end = this.#oldFields[k * 3 + 2]!
    const put = kind === TEXT_FIELD ? this.#putText[k]! : (this.#putBinary[k] ?? this.#onlyText(k))
    if (put(buffer, start, end)) return raw
    this.#columns[k]!.appendNull(this.#rows)
    this.#appendRaw(raw, k, kind, buffer, start, end)
    return raw + 1
  }

  /** A D row of the scanned old tuple's key: every other column is NULL, whatever stands in its place. */
  #keyRow(stamp: TransactionStamp, seq: number, buffer: Buffer): number {
    this.#beginRow(stamp, seq, OP.delete)
    const before = this.#intake.variableBytes
    let raw = 0
    this.layout.relation.columns.forEach((column, k) => {
      if (column.isKey && this.#oldFields[k * 3]! !== NULL_FIELD) raw = this.#fillFromOld(raw, k, buffer)
      else this.#columns[k]!.appendNull(this.#rows)
    })
    if (raw > 0) this.#flushJson(this.#raw, this.#rawJson, CLOSE_OBJECT)
    return this.#endRow(before)
  }

  /** Notes where the old tuple's fields lie, none past `limit`. Returns where the tuple ends. */
  #scanOld(buffer: Buffer, at: number, limit: number): number {
    const fields = this.#oldFields
    let p = this.#checkCount(buffer, at)
    for (let k = 0; k < this.#columns.length; k++) {
      const kind = buffer[p++]!
      fields[k * 3] = NULL_FIELD
      if (kind === BINARY_FIELD || kind === TEXT_FIELD) {
        fields[k * 3] = kind
        fields[k * 3 + 1] = p + 4
        p += 4 + buffer.readInt32BE(p)
        if (p > limit || p < fields[k * 3 + 1]!) throw this.#beyond(k)
        fields[k * 3 + 2] = p
      } else if (kind !== NULL_FIELD && kind !== UNCHANGED_FIELD) throw this.#broken(`field kind ${hex(kind)}`)
    }
    return p
  }

  /** True where a key column of the new tuple at `buffer[at]` has other bytes than the scanned old one. */
  #keyDiffers(buffer: Buffer, at: number): boolean {
    let p = this.#checkCount(buffer, at)
    for (let k = 0; k < this.#columns.length; k++) {
      const kind = buffer[p++]!
      let start = p
      if (kind === BINARY_FIELD || kind === TEXT_FIELD) {
        start = p + 4
        p = start + buffer.readInt32BE(p)
      }
      if (!this.layout.relation.columns[k]!.isKey || kind === UNCHANGED_FIELD) continue
      if (kind !== this.#oldFields[k * 3]) return true
      if (
        kind !== NULL_FIELD &&
        buffer.compare(buffer, start, p, this.#oldFields[k * 3 + 1], this.#oldFields[k * 3 + 2]) !== 0
      )
        return true
    }
    return false
  }

  /** `_before`: the scanned old row as JSON of texts. */
  #writeBefore(buffer: Buffer): void {
    const json = this.#json
    for (let k = 0; k < this.#columns.length; k++) {
      json.byte(k === 0 ? OPEN_OBJECT : COMMA)
      json.bytes(this.#jsonNames[k]!)
      const kind = this.#oldFields[k * 3]!
      if (kind === NULL_FIELD) json.bytes(NULL_JSON)
      else this.#appendText(json, k, kind, buffer, this.#oldFields[k * 3 + 1]!, this.#oldFields[k * 3 + 2]!)
    }
    if (this.#columns.length > 0) this.#flushJson(this.#before, json, CLOSE_OBJECT)
  }

  #appendRaw(already: number, k: number, kind: number, buffer: Buffer, start: number, end: number): void {
    this.#rawJson.byte(already === 0 ? OPEN_OBJECT : COMMA)
    this.#rawJson.bytes(this.#jsonNames[k]!)
    this.#appendText(this.#rawJson, k, kind, buffer, start, end)
  }

  #appendUnchanged(already: number, k: number): void {
    this.#unchangedJson.byte(already === 0 ? OPEN_ARRAY : COMMA)
    const name = this.#jsonNames[k]!
    this.#unchangedJson.bytes(name, 0, name.length - 1)
  }

  /** A value's text as a JSON string. */
  #appendText(json: ByteScratch, k: number, kind: number, buffer: Buffer, start: number, end: number): void {
    if (kind === TEXT_FIELD) appendJsonString(json, buffer, start, end)
    else {
      const render = this.layout.codecs[k]!.textOfBinary
      if (render === undefined) throw this.#textOnly(k)
      const text = Buffer.from(render(buffer, start, end), 'utf8')
      appendJsonString(json, text, 0, text.length)
    }
  }

  #flushJson(column: SparseColumn, json: ByteScratch, close: number): void {
    json.byte(close)
    column.append(this.#rows, json.buffer, 0, json.length)
    json.clear()
  }

  #checkCount(buffer: Buffer, at: number): number {
    const count = buffer.readUInt16BE(at)
    if (count !== this.#columns.length) throw this.#broken(`${count} fields for ${this.#columns.length} columns`)
    return at + 2
  }

  #closeTuple(at: number, end: number): void {
    if (at !== end) throw this.#broken(`tuple ends at byte ${at} of a message that ends at ${end}`)
  }

  #expect(buffer: Buffer, at: number, kind: number): void {
    if (buffer[at] !== kind) throw this.#broken(`tuple kind ${hex(buffer[at])}`)
  }

  #beyond(k: number): Failure {
    return this.#broken(`field ${k} reaches past the end of the message`)
  }

  #onlyText(k: number): never {
    throw this.#textOnly(k)
  }

  #textOnly(k: number): Failure {
    const column = this.layout.schema.columns[k]!
    return new Failure('needs_text', `${this.#name} has a column of type ${column.type}, which is only known in text`)
  }

  #broken(what: string): Failure {
    return new Failure('protocol', `pgoutput: ${what} in a row of ${this.#name}`, {
      hint: 'Nothing was skipped: the slot still holds this transaction. Please report it with the server version.',
    })
  }

  get #name(): string {
    return `${this.layout.relation.schema}.${this.layout.relation.name}`
  }
}

function hex(byte: number | undefined): string {
  return byte === undefined ? '(none)' : `0x${byte.toString(16)}`
}

const OP_BYTES = Buffer.from('IUDT', 'latin1')
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d
const OPEN_ARRAY = 0x5b
const CLOSE_ARRAY = 0x5d
const COMMA = 0x2c
const NULL_JSON = Buffer.from('null')
