// A Parquet file while rows still come: the row groups so far, compressed in the background. Nothing of it is visible to
// anybody; it becomes bytes once its last page is compressed.
import { createHash } from 'node:crypto'
import type { EncodedChunk } from './parquet/column-chunk.js'
import { ColumnChunk } from './parquet/column-chunk.js'
import type { RawPage } from './parquet/column-buffers.js'
import { ParquetFileWriter } from './parquet/file-writer.js'
import type { TableLayout } from './table-layout.js'
import type { FileTarget } from './table-writer.js'

export interface FileContent {
  /** The file's bytes in order. */
  readonly parts: readonly Buffer[]
  readonly bytes: number
  readonly rows: number
  /** Hexadecimal. */
  readonly sha256: string
  /** Bytes that the memory meter was told of; whoever has stored the file takes them off. */
  readonly meteredBytes: number
}

export interface ClosedFile {
  readonly layout: TableLayout
  /** UTC date of its rows' commits. */
  readonly date: string
  readonly rows: number
  /** Bytes of values that went in. */
  readonly valueBytes: number
  readonly content: Promise<FileContent>
}

export class OpenFile {
  readonly #layout: TableLayout
  readonly date: string
  readonly #target: FileTarget
  #chunks: ColumnChunk[]
  readonly #rowGroups: { chunks: Promise<EncodedChunk[]>; rows: number }[] = []
  #rows = 0
  valueBytes = 0

  constructor(layout: TableLayout, date: string, target: FileTarget) {
    this.#layout = layout
    this.date = date
    this.#target = target
    this.#chunks = this.#newChunks()
  }

  /** A page of the file's column `k` in the open row group. */
  addPage(k: number, page: RawPage): void {
    this.#chunks[k]!.add(page)
  }

  closeRowGroup(rows: number): void {
    const chunks = Promise.all(this.#chunks.map((chunk) => chunk.finish()))
    chunks.catch(() => undefined) // close() reports it
    this.#rowGroups.push({ chunks, rows })
    this.#rows += rows
    this.#chunks = this.#newChunks()
  }

  close(): ClosedFile {
    const content = this.#assemble()
    content.catch(() => undefined) // whoever stores it is told
    return { layout: this.#layout, date: this.date, rows: this.#rows, valueBytes: this.valueBytes, content }
  }

  /** Gives all memory back, once what is under way has ended. */
  async discard(): Promise<void> {
    for (const chunk of this.#chunks) await chunk.discard()
    for (const group of this.#rowGroups) {
      const chunks = await group.chunks.catch(() => [])
      this.#target.context.meter(-chunks.reduce((sum, chunk) => sum + compressedBytes(chunk), 0))
    }
  }

  async #assemble(): Promise<FileContent> {
    const writer = new ParquetFileWriter(this.#layout.fileColumns, this.#target.createdBy)
    let meteredBytes = 0
    for (const group of this.#rowGroups) {
      const chunks = await group.chunks
      writer.addRowGroup(chunks, group.rows)
      meteredBytes += chunks.reduce((sum, chunk) => sum + compressedBytes(chunk), 0)
    }
    const { parts, bytes, rows } = writer.finish()
    const hash = createHash('sha256')
    for (const part of parts) hash.update(part)
    return { parts, bytes, rows, sha256: hash.digest('hex'), meteredBytes }
  }

  #newChunks(): ColumnChunk[] {
    return this.#layout.fileColumns.map((column) => new ColumnChunk(column, this.#target.context))
  }
}

function compressedBytes(chunk: EncodedChunk): number {
  return chunk.pages.reduce((sum, page) => sum + page.compressed.length, chunk.dictionary?.compressed.length ?? 0)
}
