// One table's rows into the column buffers of one file: the row rules of the change log. The hot path is #fill(): it walks a
// tuple's bytes once and hands each field to its column; no object per row, none per value.
import { BadBytes } from '../model/bad-bytes.js'
import { Failure } from '../model/failure.js'
import type { ChunkContext } from './parquet/column-chunk.js'
import type { ColumnBuffer } from './parquet/column-buffers.js'
import { Intake, PAGE_BYTES } from './parquet/leaf-values.js'
import { leftOut } from './left-out.js'
import { MetaColumns, OP } from './meta-columns.js'
import { OpenFile, type ClosedFile, type FileContent } from './open-file.js'
import { RowNotes } from './row-notes.js'
import type { TableLayout } from './table-layout.js'
import {
  BINARY_FIELD,
  fieldEnd,
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
import type { TransactionStamp } from './transaction-stamp.js'
import { int32At } from './values/int64-halves.js'
import { requireText, writeString, type TextSink } from './values/scalar-codec.js'
import type { Put } from './values/value-codec.js'

/** A row group closes at about this many bytes of values: enough to compress well, small enough to read in parallel. */
const ROW_GROUP_BYTES = 64 << 20

/** A file of this many bytes of values is compressed as soon as it is closed; smaller ones wait until they are stored. */
const COMPRESSED_AT_ONCE_BYTES = 1 << 20

/** An open page that is smaller than this takes no less memory when it is compressed. */
const LEAST_SEALED_BYTES = 2 << 10

/** What an open file takes beside its pages: what it counts for where files are cut. */
const FILE_BYTES = 4096
const COLUMN_BYTES = 512

export function openFileBytes(layout: TableLayout): number {
  return FILE_BYTES + layout.fileColumns.length * COLUMN_BYTES
}

/** Length of a NULL in COPY's binary format. */
const NO_VALUE = -1

/** Bytes that each row counts for beside its table's columns: the meta columns. */
const META_BYTES = 33

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
  /** UTC day whose commits the file holds. */
  readonly date: string
  /** Bytes of values taken in. */
  valueBytes = 0
  readonly #target: FileTarget
  readonly #intake: Intake
  readonly #columns: readonly ColumnBuffer[]
  readonly #putText: readonly Put[]
  readonly #putBinary: readonly (Put | undefined)[]
  readonly #allColumns: readonly ColumnBuffer[]
  readonly #meta: MetaColumns
  readonly #notes: RowNotes
  readonly #old: OldTuple
  /** Bytes of a row's fixed-width values. */
  readonly #rowBytes: number
  readonly #file: OpenFile
  #fileRows = 0
  /** Rows in the open row group. */
  #rows = 0
  #groupBytes = 0

  constructor(layout: TableLayout, date: string, target: FileTarget) {
    this.layout = layout
    this.date = date
    this.#target = target
    target.context.meter(openFileBytes(layout))
    this.#file = new OpenFile(layout, target)
    const intake = new Intake(target.context.pool)
    this.#intake = intake
    const bound = layout.codecs.map((codec) => codec?.bind(intake) ?? leftOut)
    this.#columns = bound.map(({ buffer }) => buffer)
    this.#putText = bound.map(({ putText }) => putText)
    this.#putBinary = bound.map(({ putBinary }) => putBinary)
    this.#meta = new MetaColumns(intake)
    this.#notes = new RowNotes(layout.columns, intake, (k, kind, buffer, start, end, out) =>
      this.#textOf(k, kind, buffer, start, end, out),
    )
    this.#old = new OldTuple(layout.relation.columns)
    const { unchanged, before, raw } = this.#notes
    const inFile = this.#columns.filter((column) => column !== leftOut.buffer)
    this.#allColumns = [...inFile, ...this.#meta.columns, unchanged, before, raw]
    this.#rowBytes = META_BYTES + inFile.length * 8
  }

  /** `buffer[at]` is the `N` before the new tuple. Returns the bytes of values taken in. Throws BadBytes. */
  insert(stamp: TransactionStamp, seq: number, buffer: Buffer, at: number, end: number): number {
    expect(buffer, at, end, NEW_TUPLE)
    this.#meta.beginRow(this.#rows, stamp, seq, OP.insert)
    const before = this.#intake.variableBytes
    expectEnd(this.#fill(buffer, at + 1, end, false), end)
    return this.#endRow(before)
  }

  /**
   * `buffer[at]` is the kind of the first tuple: `N`, or the old one's. A changed key makes two rows, a D of the old key at
   * `seq` and the U at `seq + 1`. Throws BadBytes.
   */
  update(stamp: TransactionStamp, seq: number, buffer: Buffer, at: number, end: number): UpdateResult {
    const kind = buffer[at]!
    const old = kind === KEY_TUPLE || kind === OLD_TUPLE
    const newAt = old ? this.#old.scan(buffer, at + 1, end) : at
    expect(buffer, newAt, end, NEW_TUPLE)
    const keyChanged = kind === KEY_TUPLE && this.#old.keyDiffers(buffer, newAt + 1, end)
    const keyBytes = keyChanged ? this.#keyRow(stamp, seq, buffer) : 0
    this.#meta.beginRow(this.#rows, stamp, keyChanged ? seq + 1 : seq, OP.update)
    const before = this.#intake.variableBytes
    if (kind === OLD_TUPLE) this.#noteBefore(buffer)
    expectEnd(this.#fill(buffer, newAt + 1, end, old), end)
    return { bytes: keyBytes + this.#endRow(before), keyChanged }
  }

  /** `buffer[at]` is the old tuple's kind. Throws BadBytes. */
  delete(stamp: TransactionStamp, seq: number, buffer: Buffer, at: number, end: number): number {
    if (buffer[at] !== KEY_TUPLE) expect(buffer, at, end, OLD_TUPLE)
    expectEnd(this.#old.scan(buffer, at + 1, end), end)
    if (buffer[at] === KEY_TUPLE) return this.#keyRow(stamp, seq, buffer)
    this.#meta.beginRow(this.#rows, stamp, seq, OP.delete)
    const before = this.#intake.variableBytes
    this.#noteBefore(buffer)
    this.#fill(buffer, at + 1, end, false)
    return this.#endRow(before)
  }

  /** A row that was copied, as a tuple of COPY's binary format, whose column k is of `kinds[k]`. Throws BadBytes. */
  snapshot(stamp: TransactionStamp, seq: number, buffer: Buffer, at: number, end: number, kinds: Uint8Array): number {
    this.#meta.beginRow(this.#rows, stamp, seq, OP.snapshot)
    const before = this.#intake.variableBytes
    const columns = this.#columns
    let p = firstField(buffer, at, end, columns.length)
    for (let k = 0; k < columns.length; k++) {
      const start = p + 4
      if (start <= end && int32At(buffer, p) === NO_VALUE) {
        columns[k]!.appendNull(this.#rows)
        p = start
      } else {
        p = fieldEnd(buffer, p, end, k)
        this.#put(k, kinds[k]!, buffer, start, p)
      }
    }
    expectEnd(p, end)
    return this.#endRow(before)
  }

  /** A row that has nothing but meta columns. */
  truncate(stamp: TransactionStamp, seq: number): number {
    this.#meta.beginRow(this.#rows, stamp, seq, OP.truncate)
    for (const column of this.#columns) column.appendNull(this.#rows)
    return this.#endRow(this.#intake.variableBytes)
  }

  /** No further row comes. */
  close(): ClosedFile {
    const { layout, date, valueBytes } = this
    if (valueBytes >= COMPRESSED_AT_ONCE_BYTES) this.#closeRowGroup()
    return { layout, date, rows: this.#fileRows + this.#rows, valueBytes, content: () => this.#content() }
  }

  /** Closes the open pages that are worth it, so that only their compressed bytes stay in memory. */
  sealPages(): void {
    this.#sealWhere((column) => column.openBytes >= LEAST_SEALED_BYTES)
  }

  /** Forgets everything. Resolves when its memory is back. */
  async discard(): Promise<void> {
    for (const column of this.#allColumns) column.discard()
    await this.#file.discard()
    this.#target.context.meter(-openFileBytes(this.layout))
  }

  async #content(): Promise<FileContent> {
    this.#closeRowGroup()
    for (const column of this.#allColumns) column.discard()
    const content = await this.#file.content()
    const release = (): void => {
      content.release()
      this.#target.context.meter(-openFileBytes(this.layout))
    }
    return { ...content, release }
  }

  /** Counts the row, and closes what it has filled. `variableBefore`: the intake's count when the row began. */
  #endRow(variableBefore: number): number {
    this.#notes.endRow()
    const bytes = this.#rowBytes + this.#intake.variableBytes - variableBefore
    this.#rows++
    this.valueBytes += bytes
    this.#groupBytes += bytes
    if (this.#intake.sealDue) this.#sealWhere((column) => column.full)
    if (this.#groupBytes >= ROW_GROUP_BYTES) this.#closeRowGroup()
    return bytes
  }

  #sealWhere(due: (column: ColumnBuffer) => boolean): void {
    this.#intake.sealDue = false
    this.#allColumns.forEach((column, k) => {
      if (due(column)) this.#seal(column, k)
    })
  }

  /** Closes the column's page before row `#rows`. `k`: its place in the file, negative where it is in none. */
  #seal(column: ColumnBuffer, k = this.#allColumns.indexOf(column)): void {
    if (k < 0) return
    const page = column.seal(this.#rows)
    if (page !== undefined) this.#file.addPage(k, page)
    this.#meta.sealed(column)
  }

  #closeRowGroup(): void {
    if (this.#rows === 0) return
    this.#sealWhere(() => true)
    this.#file.closeRowGroup(this.#rows)
    for (const column of this.#allColumns) column.restart()
    this.#fileRows += this.#rows
    this.#rows = 0
    this.#groupBytes = 0
  }

  /**
   * Hands the tuple's fields to the columns. `buffer[at]`: the tuple's column count; no field reaches past `limit`. Returns
   * where the tuple ends.
   */
  #fill(buffer: Buffer, at: number, limit: number, oldScanned: boolean): number {
    const columns = this.#columns
    const row = this.#rows
    let p = firstField(buffer, at, limit, columns.length)
    for (let k = 0; k < columns.length; k++) {
      if (p >= limit) throw new BadBytes(limit, `cut off before field ${k}`)
      const kind = buffer[p++]!
      if (kind === BINARY_FIELD || kind === TEXT_FIELD) {
        const end = fieldEnd(buffer, p, limit, k)
        this.#put(k, kind, buffer, p + 4, end)
        p = end
      } else if (kind === NULL_FIELD) columns[k]!.appendNull(row)
      else if (kind === UNCHANGED_FIELD) {
        // The new tuple's value was not sent; where the old tuple's was, it is the same.
        if (oldScanned && this.#old.kind(k) !== NULL_FIELD) this.#putOld(k, buffer)
        else {
          columns[k]!.appendNull(row)
          this.#notes.noteUnchanged(row, k)
        }
      } else throw new BadBytes(p - 1, `field kind ${hex(kind)}`)
    }
    return p
  }

  #put(k: number, kind: number, buffer: Buffer, start: number, end: number): void {
    const put = kind === TEXT_FIELD ? this.#putText[k]! : (this.#putBinary[k] ?? this.#onlyText(k))
    // A value that fills a page gets one of its own: what lies in the open one is not moved into a huge one with it.
    if (end - start >= PAGE_BYTES) this.#seal(this.#columns[k]!)
    try {
      if (put(buffer, start, end)) return
    } catch (error) {
      throw this.#badValue(k, start, error)
    }
    this.#columns[k]!.appendNull(this.#rows)
    const { raw } = this.#notes
    if (end - start >= PAGE_BYTES && !raw.leaf.inValue) this.#seal(raw)
    this.#notes.noteRaw(this.#rows, k, kind, buffer, start, end)
  }

  #noteBefore(buffer: Buffer): void {
    const { before } = this.#notes
    if (this.#old.bytes >= PAGE_BYTES) this.#seal(before)
    this.#notes.noteBefore(this.#rows, this.#old, buffer)
  }

  #putOld(k: number, buffer: Buffer): void {
    this.#put(k, this.#old.kind(k), buffer, this.#old.start(k), this.#old.end(k))
  }

  /** A D row of the scanned old tuple's key: every other column is NULL, whatever stands in its place. */
  #keyRow(stamp: TransactionStamp, seq: number, buffer: Buffer): number {
    this.#meta.beginRow(this.#rows, stamp, seq, OP.delete)
    const before = this.#intake.variableBytes
    this.layout.relation.columns.forEach((column, k) => {
      if (column.isKey && this.#old.kind(k) !== NULL_FIELD) this.#putOld(k, buffer)
      else this.#columns[k]!.appendNull(this.#rows)
    })
    return this.#endRow(before)
  }

  #textOf(k: number, kind: number, buffer: Buffer, start: number, end: number, out: TextSink): void {
    const { writeTextOfBinary, textOfBinary, writeTextOfText } = this.layout.codecs[k]!
    try {
      if (kind === TEXT_FIELD) {
        if (writeTextOfText !== undefined) {
          writeTextOfText(buffer, start, end, out)
          return
        }
        if (this.layout.textColumns === 'string') requireText(buffer, start, end)
        out(buffer, start, end)
        return
      }
      if (writeTextOfBinary !== undefined) {
        writeTextOfBinary(buffer, start, end, out)
        return
      }
      writeString((textOfBinary ?? this.#onlyText(k))(buffer, start, end), out)
    } catch (error) {
      throw this.#badValue(k, start, error)
    }
  }

  /** What the codec of column `k` said of the value at `start`, with its column and place. */
  #badValue(k: number, start: number, error: unknown): unknown {
    if (!(error instanceof Failure) || error.kind !== 'protocol') return error
    const { schema, name, columns } = this.layout.relation
    return new BadBytes(start, `${schema}.${name}, column ${columns[k]!.name}: ${error.message}`, error)
  }

  #onlyText(k: number): never {
    const { schema, name, columns } = this.layout.relation
    throw new Failure('needs_text', `${schema}.${name}.${columns[k]!.name} has a type that is only known in text`)
  }
}

function expect(buffer: Buffer, at: number, end: number, kind: number): void {
  if (at >= end) throw new BadBytes(end, 'cut off before the tuple')
  if (buffer[at] !== kind) throw new BadBytes(at, `tuple kind ${hex(buffer[at])}`)
}

function expectEnd(at: number, end: number): void {
  if (at !== end) throw new BadBytes(at, 'bytes behind the tuple')
}
