// Recycles buffers in powers of two, so that a busy process keeps a flat resident size, and counts the bytes that are lent
// out. What is not kept for the next page goes back to the system at once. It must never hand out one buffer twice: a page
// goes back only when its compression has ended.
import { releaseMemory } from '../model/native-memory.js'

const MIN_CLASS_BITS = 6
/** Smaller buffers are not worth keeping: the object costs more than its bytes. */
const MIN_KEPT_BITS = 12
const MAX_CLASS_BITS = 21

/** Told of every change of the bytes that the change data occupies. */
export type ByteMeter = (deltaBytes: number) => void

export class BufferPool {
  readonly #free: Buffer[][] = Array.from({ length: MAX_CLASS_BITS + 1 }, () => [])
  readonly #meter: ByteMeter
  readonly #keepBytes: number
  #freeBytes = 0

  /** `keepBytes`: how much unused memory to keep for the next page. */
  constructor(meter: ByteMeter, keepBytes: number) {
    this.#meter = meter
    this.#keepBytes = keepBytes
  }

  /** A buffer of at least `bytes` bytes with arbitrary content, its own ArrayBuffer from offset 0. */
  take(bytes: number): Buffer {
    const bits = Math.max(MIN_CLASS_BITS, 32 - Math.clz32(bytes - 1))
    if (bits > MAX_CLASS_BITS) {
      this.#meter(bytes)
      return Buffer.allocUnsafeSlow(bytes)
    }
    const size = 1 << bits
    this.#meter(size)
    const reused = this.#free[bits]!.pop()
    if (reused === undefined) return Buffer.allocUnsafeSlow(size)
    this.#freeBytes -= size
    return reused
  }

  /** Takes back what take() gave; nothing may use it any more. */
  give(buffer: Buffer): void {
    const size = buffer.length
    this.#meter(-size)
    const bits = 31 - Math.clz32(size)
    if (bits < MIN_KEPT_BITS) return
    if (size === 1 << bits && bits <= MAX_CLASS_BITS && this.#freeBytes + size <= this.#keepBytes) {
      this.#free[bits]!.push(buffer)
      this.#freeBytes += size
    } else releaseMemory(buffer)
  }
}
