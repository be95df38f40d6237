// The RLE / bit-packing hybrid of levels and dictionary indices
// (https://github.com/apache/parquet-format/blob/master/Encodings.md#RLE). Runs of eight or more become RLE runs, the
// rest is bit-packed in groups of eight.

/** Bits that hold every number from 0 to `max`. */
export function bitWidthOf(max: number): number {
  return 32 - Math.clz32(max)
}

export class HybridEncoder {
  #out: Buffer
  #used = 0
  readonly #bitWidth: number
  readonly #valueBytes: number

  /** `reserve`: bytes left free at the front, for a length or a bit width. */
  constructor(bitWidth: number, reserve: number, expectedValues: number) {
    this.#bitWidth = bitWidth
    this.#valueBytes = (bitWidth + 7) >> 3
    this.#used = reserve
    this.#out = Buffer.allocUnsafe(reserve + 16 + ((Math.min(expectedValues, 1 << 20) * bitWidth) >> 3))
  }

  run(value: number, count: number): void {
    if (count === 0) return
    this.#ensure(10)
    this.#varint(count * 2)
    for (let k = 0; k < this.#valueBytes; k++) this.#out[this.#used++] = (value >>> (8 * k)) & 255
  }

  /** Encodes `values[0..count)`. */
  values(values: Uint8Array | Uint16Array, count: number): void {
    let packedFrom = 0
    let at = 0
    while (at < count) {
      const value = values[at]!
      let next = at + 1
      while (next < count && values[next] === value) next++
      if (next - at >= 8) {
        // A bit-packed run holds whole groups of eight: fill the last group from this run.
        const start = Math.min(next, packedFrom + ((at - packedFrom + 7) & ~7))
        if (next - start >= 8) {
          this.#pack(values, packedFrom, start)
          this.run(value, next - start)
          packedFrom = next
        }
      }
      at = next
    }
    this.#pack(values, packedFrom, count)
  }

  /** Everything written, with the reserved bytes in front. */
  bytes(): Buffer {
    return this.#out.subarray(0, this.#used)
  }

  #pack(values: Uint8Array | Uint16Array, from: number, to: number): void {
    if (from === to) return
    const groups = (to - from + 7) >> 3
    const width = this.#bitWidth
    this.#ensure(groups * width + 8)
    this.#varint(groups * 2 + 1)
    const out = this.#out
    let used = this.#used
    let pending = 0
    let bits = 0
    const end = from + groups * 8
    for (let k = from; k < end; k++) {
      if (k < to) pending |= values[k]! << bits
      bits += width
      while (bits >= 8) {
        out[used++] = pending & 255
        pending >>>= 8
        bits -= 8
      }
    }
    this.#used = used
  }

  #varint(value: number): void {
    while (value > 127) {
      this.#out[this.#used++] = (value & 127) | 128
      value = Math.floor(value / 128)
    }
    this.#out[this.#used++] = value
  }

  #ensure(bytes: number): void {
    if (this.#used + bytes <= this.#out.length) return
    const grown = Buffer.allocUnsafe(Math.max(this.#out.length * 2, this.#used + bytes))
    this.#out.copy(grown, 0, 0, this.#used)
    this.#out = grown
  }
}

/** Definition levels (maximum 1) of `slots` values that are all there but those at `nulls[0..nullCount)`, ascending. */
export function encodeValidity(slots: number, nulls: Int32Array, nullCount: number): Buffer {
  if (nullCount === 0 || nullCount === slots) {
    const encoder = new HybridEncoder(1, 4, 0)
    encoder.run(nullCount === 0 ? 1 : 0, slots)
    return withLength(encoder.bytes())
  }
  const levels = new Uint8Array(slots).fill(1)
  for (let k = 0; k < nullCount; k++) levels[nulls[k]!] = 0
  return encodeLevels(levels, slots, 1)
}

/** Levels of a V1 data page: the hybrid encoding behind its length in four bytes. */
export function encodeLevels(levels: Uint8Array, count: number, maxLevel: number): Buffer {
  const encoder = new HybridEncoder(bitWidthOf(maxLevel), 4, count)
  encoder.values(levels, count)
  return withLength(encoder.bytes())
}

/** Writes the length of a V1 page's levels into the four bytes reserved in front of them. */
export function withLength(bytes: Buffer): Buffer {
  bytes.writeUInt32LE(bytes.length - 4, 0)
  return bytes
}
