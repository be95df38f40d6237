// Copied rows into files: what COPY sends in its binary format (https://www.postgresql.org/docs/current/sql-copy.html, File Formats)
// becomes rows `S` of one table, all stamped with the position of their snapshot.
import { BadBytes } from '../model/bad-bytes.js'
import type { ClosedFile } from './open-file.js'
import type { TableLayout } from './table-layout.js'
import { TableWriter, type FileTarget } from './table-writer.js'
import type { TransactionStamp } from './transaction-stamp.js'
import { BINARY_FIELD, TEXT_FIELD } from './tuple-data.js'

const SIGNATURE = Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1')
/** Signature, flags and length of an extension, of which there is none. */
const HEADER_BYTES = 19
const END_OF_ROWS = -1

export interface CopyRowsOptions {
  readonly layout: TableLayout
  readonly stamp: TransactionStamp
  readonly target: FileTarget
  /** A file rolls when this many bytes of values have gone into it. */
  readonly targetFileBytes: number
  /** `_seq` of the first row. */
  readonly seqFrom: number
  readonly onFile: (file: ClosedFile) => void
}

/** Which columns a copy must ask for in text: those whose binary form is not known. */
export function columnsAsText({ codecs }: TableLayout): boolean[] {
  return codecs.map((codec) => codec?.textOfBinary === undefined)
}

export class CopyRows {
  readonly #options: CopyRowsOptions
  readonly #kinds: Uint8Array
  #writer: TableWriter | undefined
  #begun = false
  #seq: number
  rows = 0

  constructor(options: CopyRowsOptions) {
    this.#options = options
    this.#seq = options.seqFrom
    this.#kinds = Uint8Array.from(columnsAsText(options.layout), (text) => (text ? TEXT_FIELD : BINARY_FIELD))
  }

  /** A `T` that supersedes what the lake had of the table. */
  supersede(): void {
    this.#open().truncate(this.#options.stamp, -1)
  }

  /** Takes one CopyData payload: a row, with the header before the first one and the trailer behind the last. */
  take(buffer: Buffer, start: number, end: number): void {
    let at = start
    if (!this.#begun) {
      if (end - at < HEADER_BYTES || buffer.compare(SIGNATURE, 0, SIGNATURE.length, at, at + SIGNATURE.length) !== 0)
        throw new BadBytes(at, 'no header of a binary copy')
      at += HEADER_BYTES
      this.#begun = true
    }
    if (at === end || (end - at === 2 && buffer.readInt16BE(at) === END_OF_ROWS)) return
    const { stamp, targetFileBytes } = this.#options
    const writer = this.#open()
    writer.snapshot(stamp, this.#seq++, buffer, at, end, this.#kinds)
    this.rows++
    if (writer.valueBytes >= targetFileBytes) this.close()
  }

  /** Bytes of values in the open file. */
  get openBytes(): number {
    return this.#writer?.valueBytes ?? 0
  }

  /** Hands on the open file. */
  close(): void {
    const writer = this.#writer
    this.#writer = undefined
    if (writer !== undefined) this.#options.onFile(writer.close())
  }

  /** Drops the open file. Resolves when its memory is back. */
  async discard(): Promise<void> {
    await this.#writer?.discard()
    this.#writer = undefined
  }

  /** Compresses what is in open pages. */
  sealPages(): void {
    this.#writer?.sealPages()
  }

  #open(): TableWriter {
    const { layout, stamp, target } = this.#options
    return (this.#writer ??= new TableWriter(layout, stamp.date, target))
  }
}
