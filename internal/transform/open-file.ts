// A Parquet file while rows still come: the row groups so far, compressed in the background. Nothing of it is visible to
// anybody; it becomes bytes once its last page is compressed.
import { createHash } from 'node:crypto'
import type { EncodedChunk } from './parquet/column-chunk.js'
import { ColumnChunk } from './parquet/column-chunk.js'
import type { RawPage } from './parquet/column-buffers.js'
import { ParquetFileWriter } from './parquet/file-writer.js'
import { PageShelf } from './parquet/page-shelf.js'
import type { TableLayout } from './table-layout.js'
import type { FileTarget } from './table-writer.js'

export interface FileContent {
  /** The file's bytes in order. */
  readonly parts: readonly Buffer[]
  readonly bytes: number
  readonly rows: number
  /** Hexadecimal. */
  readonly sha256: string
  /** Gives the memory of the parts back; whoever has stored the file calls it. */
  release(): void
}

export interface ClosedFile {
  readonly layout: TableLayout
  /** UTC date of its rows' commits. */
  readonly date: string
  readonly rows: number
  /** Bytes of values that went in. */
  readonly valueBytes: number
  /** Encodes what is left to encode. To be called once; its memory goes back when the content is released. */
  content(): Promise<FileContent>
}

export class OpenFile {
  readonly #layout: TableLayout
  readonly #target: FileTarget
  readonly #shelf: PageShelf
  #chunks: (ColumnChunk | undefined)[] = []
  readonly #rowGroups: { chunks: Promise<EncodedChunk[]>; rows: number }[] = []

  constructor(layout: TableLayout, target: FileTarget) {
    this.#layout = layout
    this.#target = target
    this.#shelf = new PageShelf(target.context.pool, target.context.meter)
  }

  /** A page of the file's column `k` in the open row group. */
  addPage(k: number, page: RawPage): void {
    const column = this.#layout.fileColumns[k]!
    const chunk = (this.#chunks[k] ??= new ColumnChunk(column, this.#target.context, this.#shelf))
    chunk.add(page)
  }

  /** Every column has had its pages. */
  closeRowGroup(rows: number): void {
    const chunks = Promise.all(this.#chunks.map((chunk) => chunk!.finish()))
    chunks.catch(() => undefined) // content() reports it
    this.#rowGroups.push({ chunks, rows })
    this.#chunks = []
  }

  /** After the last row group: the whole file, once everything is compressed. */
  async content(): Promise<FileContent> {
    const writer = new ParquetFileWriter(this.#layout.fileColumns, this.#target.createdBy)
    for (const group of this.#rowGroups.splice(0)) writer.addRowGroup(await group.chunks, group.rows)
    const { parts, bytes, rows } = writer.finish()
    const hash = createHash('sha256')
    for (const part of parts) hash.update(part)
    return { parts, bytes, rows, sha256: hash.digest('hex'), release: () => this.#shelf.release() }
  }

  /** Gives all memory back, once what is under way has ended. */
  async discard(): Promise<void> {
    for (const chunk of this.#chunks) await chunk?.discard()
    for (const group of this.#rowGroups.splice(0)) await group.chunks.catch(() => undefined)
    this.#shelf.release()
  }
}
