// One table's rows into column buffers and files: the row rules of the change log. The hot path is #fill(): it walks a
// tuple's bytes once and hands each field to its column; no object per row, none per value.
import { Failure } from '../model/failure.js'
import type { ChunkContext } from './parquet/column-chunk.js'
import { RunColumn, ScalarColumn, type ColumnBuffer } from './parquet/column-buffers.js'
import { BytesValues, Int64Values, Intake } from './parquet/leaf-values.js'
import { OpenFile, type ClosedFile } from './open-file.js'
import { RowNotes, type TextRange } from './row-notes.js'
import type { TableLayout } from './table-layout.js'
import {
  BINARY_FIELD,
  firstField,
  hex,
  KEY_TUPLE,
  NEW_TUPLE,
  NULL_FIELD,
  OLD_TUPLE,
  OldTuple,
  TEXT_FIELD,
  UNCHANGED_FIELD,
} from './tuple-data.js'
import type { Put } from './values/value-codec.js'

/** Kinds of rows, as their letter in `_op`. */
export const OP = { insert: 0x49, update: 0x55, delete: 0x44, truncate: 0x54 } as const

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
  readonly #notes: RowNotes
  readonly #old: OldTuple
  /** Bytes of a row's fixed-width values. */
  readonly #rowBytes: number
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
    const names = layout.columns.map((column) => column.name)
    this.#notes = new RowNotes(names, intake, (k, kind, buffer, start, end) =>
      this.#textOf(k, kind, buffer, start, end),
    )
    this.#old = new OldTuple(layout.relation.columns)
    this.#allColumns = [
      ...this.#columns,
      this.#op,
      this.#lsn,
      this.#seq,
      this.#xid,
      this.#commitTs,
      this.#notes.unchanged,
      this.#notes.before,
      this.#notes.raw,
    ]
    this.#rowBytes = META_BYTES + layout.columns.length * 8
  }

  /** Day whose commits the open file holds; undefined where none is open. */
  get fileDate(): string | undefined {
    return this.#file?.date
  }

  /** Bytes of values in the open file. */
  get fileBytes(): number {
    return this.#file?.valueBytes ?? 0
  }

  /** `buffer[at]` is the `N` before the new tuple. Returns the bytes of values taken in. Throws RangeError. */
  insert(stamp: TransactionStamp, seq: number, buffer: Buffer, at: number, end: number): number {
    expect(buffer, at, NEW_TUPLE)
    this.#beginRow(stamp, seq, OP.insert)
    const before = this.#intake.variableBytes
    expectEnd(this.#fill(buffer, at + 1, end, false), end)
    return this.#endRow(before)
  }

  /**
   * `buffer[at]` is the kind of the first tuple: `N`, or the old one's. A changed key makes two rows, a D of the old key at
   * `seq` and the U at `seq + 1`. Throws RangeError.
   */
  update(stamp: TransactionStamp, seq: number, buffer: Buffer, at: number, end: number): UpdateResult {
    const kind = buffer[at]!
    const old = kind === KEY_TUPLE || kind === OLD_TUPLE
    const newAt = old ? this.#old.scan(buffer, at + 1, end) : at
    expect(buffer, newAt, NEW_TUPLE)
    const keyChanged = kind === KEY_TUPLE && this.#old.keyDiffers(buffer, newAt + 1)
    const keyBytes = keyChanged ? this.#keyRow(stamp, seq, buffer) : 0
    this.#beginRow(stamp, keyChanged ? seq + 1 : seq, OP.update)
    const before = this.#intake.variableBytes
    if (kind === OLD_TUPLE) this.#notes.noteBefore(this.#old, buffer)
    expectEnd(this.#fill(buffer, newAt + 1, end, old), end)
    return { bytes: keyBytes + this.#endRow(before), keyChanged }
  }

  /** `buffer[at]` is the old tuple's kind. Throws RangeError. */
  delete(stamp: TransactionStamp, seq: number, buffer: Buffer, at: number, end: number): number {
    if (buffer[at] !== KEY_TUPLE) expect(buffer, at, OLD_TUPLE)
    expectEnd(this.#old.scan(buffer, at + 1, end), end)
    if (buffer[at] === KEY_TUPLE) return this.#keyRow(stamp, seq, buffer)
    this.#beginRow(stamp, seq, OP.delete)
    const before = this.#intake.variableBytes
    this.#notes.noteBefore(this.#old, buffer)
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
    this.#notes.endRow(this.#rows)
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
    let p = firstField(buffer, at, columns.length)
    for (let k = 0; k < columns.length; k++) {
      const kind = buffer[p++]!
      if (kind === BINARY_FIELD || kind === TEXT_FIELD) {
        const end = p + 4 + ((buffer[p]! << 24) | (buffer[p + 1]! << 16) | (buffer[p + 2]! << 8) | buffer[p + 3]!)
        if (end > limit || end < p + 4) throw new RangeError(`field ${k} reaches past the end of the message`)
        this.#put(k, kind, buffer, p + 4, end)
        p = end
      } else if (kind === NULL_FIELD) columns[k]!.appendNull(row)
      else if (kind === UNCHANGED_FIELD) {
        // The new tuple's value was not sent; where the old tuple's was, it is the same.
        if (oldScanned && this.#old.kind(k) !== NULL_FIELD) this.#putOld(k, buffer)
        else {
          columns[k]!.appendNull(row)
          this.#notes.noteUnchanged(k)
        }
      } else throw new RangeError(`field kind ${hex(kind)}`)
    }
    return p
  }

  #put(k: number, kind: number, buffer: Buffer, start: number, end: number): void {
    const put = kind === TEXT_FIELD ? this.#putText[k]! : (this.#putBinary[k] ?? this.#onlyText(k))
    if (put(buffer, start, end)) return
    this.#columns[k]!.appendNull(this.#rows)
    this.#notes.noteRaw(k, kind, buffer, start, end)
  }

  #putOld(k: number, buffer: Buffer): void {
    this.#put(k, this.#old.kind(k), buffer, this.#old.start(k), this.#old.end(k))
  }

  /** A D row of the scanned old tuple's key: every other column is NULL, whatever stands in its place. */
  #keyRow(stamp: TransactionStamp, seq: number, buffer: Buffer): number {
    this.#beginRow(stamp, seq, OP.delete)
    const before = this.#intake.variableBytes
    this.layout.relation.columns.forEach((column, k) => {
      if (column.isKey && this.#old.kind(k) !== NULL_FIELD) this.#putOld(k, buffer)
      else this.#columns[k]!.appendNull(this.#rows)
    })
    return this.#endRow(before)
  }

  #textOf(k: number, kind: number, buffer: Buffer, start: number, end: number): TextRange {
    if (kind === TEXT_FIELD) return { buffer, start, end }
    const render = this.layout.codecs[k]!.textOfBinary ?? this.#onlyText(k)
    const text = Buffer.from(render(buffer, start, end), 'utf8')
    return { buffer: text, start: 0, end: text.length }
  }

  #onlyText(k: number): never {
    const { schema, table, columns } = this.layout.schema
    throw new Failure(
      'needs_text',
      `${schema}.${table} has a column of type ${columns[k]!.type}, which is only known in text`,
    )
  }
}

function expect(buffer: Buffer, at: number, kind: number): void {
  if (buffer[at] !== kind) throw new RangeError(`tuple kind ${hex(buffer[at])}`)
}

function expectEnd(at: number, end: number): void {
  if (at !== end) throw new RangeError(`tuple ends at byte ${at} of a message that ends at ${end}`)
}

const OP_BYTES = Buffer.from('IUDT', 'latin1')
const TWO_32 = 2 ** 32
