// Memory for a value that has to be rewritten before it is appended. It keeps a small buffer for the next value and must
// not keep a large one: one huge value would otherwise hold its size for ever.

const KEPT_BYTES = 1 << 16

export class ScratchBuffer {
  #kept = Buffer.allocUnsafeSlow(64)

  /** At least `bytes` bytes with arbitrary content, valid until the next call. */
  take(bytes: number): Buffer {
    if (bytes <= this.#kept.length) return this.#kept
    const buffer = Buffer.allocUnsafeSlow(bytes * 2)
    if (buffer.length <= KEPT_BYTES) this.#kept = buffer
    return buffer
  }
}
