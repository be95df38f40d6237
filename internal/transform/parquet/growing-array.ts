// Arrays that only grow while a page is open, in memory lent from the pool, so that they are counted: the positions of NULLs
// and of runs, the levels of lists. They hold nothing until the first element.
import type { BufferPool } from '../buffer-pool.js'

const FIRST_BYTES = 64
/** What a huge value made larger than this is not kept for the next page. */
const KEPT_BYTES = 1 << 20

abstract class GrowingArray {
  readonly #pool: BufferPool
  #memory: Buffer | undefined
  length = 0

  constructor(pool: BufferPool) {
    this.#pool = pool
  }

  get bytes(): number {
    return this.#memory?.length ?? 0
  }

  /** Empty, for the next page. */
  clear(): void {
    if (this.bytes > KEPT_BYTES) this.release()
    else this.length = 0
  }

  /** Gives the memory back; empty afterwards. */
  release(): void {
    if (this.#memory !== undefined) this.#pool.give(this.#memory)
    this.#memory = undefined
    this.length = 0
    this.view(undefined)
  }

  protected abstract view(memory: Buffer | undefined): void

  protected grow(usedBytes: number, bytes: number): void {
    const old = this.#memory
    const size = old?.length ?? 0
    const grown = this.#pool.take(
      Math.max(FIRST_BYTES, size < 1 << 20 ? size * 2 : size + (size >> 2), usedBytes + bytes),
    )
    if (old !== undefined) {
      old.copy(grown, 0, 0, usedBytes)
      this.#pool.give(old)
    }
    this.#memory = grown
    this.view(grown)
  }
}

const noInts = new Int32Array(0)

/** Positions that only grow, kept without an object each. */
export class Positions extends GrowingArray {
  at: Int32Array = noInts

  push(position: number): void {
    if (this.length === this.at.length) this.grow(this.length * 4, 4)
    this.at[this.length++] = position
  }

  protected view(memory: Buffer | undefined): void {
    this.at = memory === undefined ? noInts : new Int32Array(memory.buffer, 0, memory.length >> 2)
  }
}

const noBytes = new Uint8Array(0)

/** Levels, one byte each. */
export class Levels extends GrowingArray {
  at: Uint8Array = noBytes

  push(level: number): void {
    if (this.length === this.at.length) this.reserve(1)
    this.at[this.length++] = level
  }

  /** Makes room for so many more at once. */
  reserve(levels: number): void {
    if (this.length + levels > this.at.length) this.grow(this.length, levels)
  }

  protected view(memory: Buffer | undefined): void {
    this.at = memory ?? noBytes
  }
}
