// The PLAIN-encoded values of one open page in a buffer lent from the pool
// (https://github.com/apache/parquet-format/blob/master/Encodings.md#PLAIN). Space is kept free in front of the values,
// so that levels can be written there later without moving a byte.
import type { BufferPool } from '../buffer-pool.js'

/** Bytes free in front of the values: enough for the levels of a page without NULLs; keeps values 8-byte aligned. */
export const HEAD_BYTES = 16

/** Up to this size a buffer that is too small is doubled; larger ones would waste too much. */
const DOUBLED_BYTES = 2 << 20

export class PageValues {
  readonly #pool: BufferPool
  buffer: Buffer
  /** The same memory as 32-bit integers; element HEAD_BYTES / 4 is the first value's. */
  ints: Int32Array
  /** The same memory, for integers that lie anywhere. */
  view: DataView
  /** First byte after the last value. */
  used = HEAD_BYTES

  constructor(pool: BufferPool, initialBytes: number) {
    this.#pool = pool
    this.buffer = pool.take(initialBytes)
    this.ints = intsOf(this.buffer)
    this.view = viewOf(this.buffer)
  }

  /** Makes room for `bytes` more; the buffer may become another one. */
  grow(bytes: number): void {
    const { length } = this.buffer
    const roomier = length < DOUBLED_BYTES ? length * 2 : length + (length >> 2)
    const grown = this.#pool.take(Math.max(roomier, this.used + bytes))
    this.buffer.copy(grown, 0, 0, this.used)
    this.#pool.give(this.buffer)
    this.buffer = grown
    this.ints = intsOf(grown)
    this.view = viewOf(grown)
  }

  release(): void {
    this.#pool.give(this.buffer)
  }
}

/** The length in front of a value of variable width. */
export function lengthAt(buffer: Buffer, at: number): number {
  return buffer[at]! | (buffer[at + 1]! << 8) | (buffer[at + 2]! << 16) | (buffer[at + 3]! << 24)
}

function viewOf(buffer: Buffer): DataView {
  return new DataView(buffer.buffer, buffer.byteOffset, buffer.length)
}

function intsOf(buffer: Buffer): Int32Array {
  return new Int32Array(buffer.buffer, buffer.byteOffset, buffer.length >> 2)
}
