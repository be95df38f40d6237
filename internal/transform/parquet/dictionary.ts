// The dictionary of one column chunk: value bytes to index, compared byte by byte on a hash hit, so that a collision
// can never swap two values. It gives up as soon as it does not pay, and then stays given up for the chunk.
import type { BufferPool } from '../buffer-pool.js'
import { HEAD_BYTES, PageValues } from './page-values.js'

/** Indices are kept in 16 bits. */
const MAX_ENTRIES = 1 << 16
const MAX_BYTES = 1 << 20
/** Looked at before the first page is encoded; a column with hardly any repetition is left alone at that price. */
const SAMPLE_VALUES = 512

export class Dictionary {
  /** Bytes of a fixed-width value; 0 where each value stands behind its length. */
  readonly #width: number
  readonly #pool: BufferPool
  #values: PageValues | undefined
  /** Where each entry's value begins and ends in `#values`. */
  #starts = new Int32Array(64)
  #ends = new Int32Array(64)
  #hashes = new Int32Array(64)
  /** Open addressing: entry + 1, or 0 where free; at most half full. */
  #table = new Int32Array(128)
  #entries = 0

  constructor(width: number, pool: BufferPool) {
    this.#width = width
    this.#pool = pool
  }

  get entries(): number {
    return this.#entries
  }

  /** Bytes of the dictionary page's values. */
  get bytes(): number {
    return this.#values === undefined ? 0 : this.#values.used - HEAD_BYTES
  }

  /** The dictionary page's values; the caller releases them. */
  takeValues(): PageValues | undefined {
    const values = this.#values
    this.#values = undefined
    return values
  }

  /**
   * Indices of the page's `count` values, or undefined where a dictionary does not pay; what was taken in by then does
   * no harm. `represented`: the values that these stand for, more than `count` where each stands for a run.
   */
  encode(page: PageValues, count: number, represented: number): Uint16Array | undefined {
    const first = this.#entries === 0
    if (first && count === represented && count > SAMPLE_VALUES && !this.#worthwhile(page)) return undefined
    const indices = new Uint16Array(count)
    if (!this.#add(page, count, indices)) return undefined
    const plainBytes = (page.used - HEAD_BYTES) * (represented / Math.max(count, 1))
    if (first && this.bytes + represented > plainBytes) return undefined
    return indices
  }

  /** False where hardly a value repeats among the first ones. */
  #worthwhile(page: PageValues): boolean {
    const sample = new Dictionary(this.#width, this.#pool)
    const taken = sample.#add(page, SAMPLE_VALUES, new Uint16Array(SAMPLE_VALUES))
    sample.takeValues()?.release()
    return taken && sample.#entries <= SAMPLE_VALUES / 2
  }

  #add(page: PageValues, count: number, indices: Uint16Array): boolean {
    const { buffer } = page
    const width = this.#width
    let at = HEAD_BYTES
    for (let k = 0; k < count; k++) {
      let length = width
      if (width === 0) {
        length = buffer.readInt32LE(at)
        at += 4
      }
      const end = at + length
      const entry = this.#find(buffer, at, end)
      if (entry < 0) return false
      indices[k] = entry
      at = end
    }
    return true
  }

  #find(buffer: Buffer, start: number, end: number): number {
    let hash = end - start
    for (let k = start; k < end; k++) hash = Math.imul(hash ^ buffer[k]!, 0x01000193)
    hash ^= hash >>> 15
    const mask = this.#table.length - 1
    let slot = hash & mask
    for (;;) {
      const entry = this.#table[slot]! - 1
      if (entry < 0) return this.#insert(slot, hash, buffer, start, end)
      if (this.#hashes[entry] === hash && this.#equals(entry, buffer, start, end)) return entry
      slot = (slot + 1) & mask
    }
  }

  #equals(entry: number, buffer: Buffer, start: number, end: number): boolean {
    const from = this.#starts[entry]!
    if (this.#ends[entry]! - from !== end - start) return false
    const own = this.#values!.buffer
    for (let a = from, b = start; b < end; a++, b++) if (own[a] !== buffer[b]) return false
    return true
  }

  #insert(slot: number, hash: number, buffer: Buffer, start: number, end: number): number {
    const prefix = this.#width === 0 ? 4 : 0
    const bytes = end - start + prefix
    if (this.#entries === MAX_ENTRIES || this.bytes + bytes > MAX_BYTES) return -1
    this.#values ??= new PageValues(this.#pool, HEAD_BYTES + bytes)
    const values = this.#values
    if (values.used + bytes > values.buffer.length) values.grow(bytes)
    if (prefix === 4) values.buffer.writeInt32LE(end - start, values.used)
    const entry = this.#entries++
    if (entry === this.#starts.length) this.#growEntries()
    this.#starts[entry] = values.used + prefix
    buffer.copy(values.buffer, values.used + prefix, start, end)
    values.used += bytes
    this.#ends[entry] = values.used
    this.#hashes[entry] = hash
    this.#table[slot] = entry + 1
    if (this.#entries * 2 > this.#table.length) this.#growTable()
    return entry
  }

  #growEntries(): void {
    const grow = (old: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> => {
      const grown = new Int32Array(old.length * 2)
      grown.set(old)
      return grown
    }
    this.#starts = grow(this.#starts)
    this.#ends = grow(this.#ends)
    this.#hashes = grow(this.#hashes)
  }

  #growTable(): void {
    const table = new Int32Array(this.#table.length * 2)
    const mask = table.length - 1
    for (let entry = 0; entry < this.#entries; entry++) {
      let slot = this.#hashes[entry]! & mask
      while (table[slot] !== 0) slot = (slot + 1) & mask
      table[slot] = entry + 1
    }
    this.#table = table
  }
}
