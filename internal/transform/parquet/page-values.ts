// The PLAIN-encoded values of one open page in a buffer lent from the pool
// (https://github.com/apache/parquet-format/blob/master/Encodings.md#PLAIN). Space is kept free in front of the values,
// so that levels can be written there later without moving a byte.
import type { BufferPool } from '../buffer-pool.js'

/** Bytes free in front of the values: enough for the levels of a page without NULLs; keeps values 8-byte aligned. */
export const HEAD_BYTES = 16

export class PageValues {
  readonly #pool: BufferPool
  buffer: Buffer
  /** The same memory as 32-bit integers; element HEAD_BYTES / 4 is the first value's. */
  ints: Int32Array
  /** First byte after the last value. */
  used = HEAD_BYTES

  constructor(pool: BufferPool, initialBytes: number) {
    this.#pool = pool
    this.buffer = pool.take(initialBytes)
    this.ints = intsOf(this.buffer)
  }

  /** Makes room for `bytes` more; the buffer may become another one. */
  grow(bytes: number): void {
    const needed = this.used + bytes
    const grown = this.#pool.take(Math.max(this.buffer.length * 2, needed))
    this.buffer.copy(grown, 0, 0, this.used)
    this.#pool.give(this.buffer)
    this.buffer = grown
    this.ints = intsOf(grown)
  }

  release(): void {
    this.#pool.give(this.buffer)
  }
}

function intsOf(buffer: Buffer): Int32Array {
  return new Int32Array(buffer.buffer, buffer.byteOffset, buffer.length >> 2)
}
