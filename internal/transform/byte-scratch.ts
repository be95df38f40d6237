// A growing byte buffer that is used again and again for values that have to be built, not copied.

export class ByteScratch {
  buffer = Buffer.allocUnsafeSlow(256)
  length = 0

  clear(): void {
    this.length = 0
    if (this.buffer.length > 1 << 20) this.buffer = Buffer.allocUnsafeSlow(256)
  }

  byte(value: number): void {
    if (this.length === this.buffer.length) this.#grow(1)
    this.buffer[this.length++] = value
  }

  /** Appends `source[start, end)`. */
  bytes(source: Buffer, start = 0, end = source.length): void {
    if (this.length + end - start > this.buffer.length) this.#grow(end - start)
    source.copy(this.buffer, this.length, start, end)
    this.length += end - start
  }

  #grow(bytes: number): void {
    const grown = Buffer.allocUnsafeSlow(Math.max(this.buffer.length * 2, this.length + bytes))
    this.buffer.copy(grown, 0, 0, this.length)
    this.buffer = grown
  }
}
