// The dictionary of one column chunk: value bytes to index, compared byte by byte on a hash hit, so that a collision
// can never swap two values. It gives up as soon as it does not pay, and then stays given up for the chunk.
import type { BufferPool } from '../buffer-pool.js'
import { HEAD_BYTES, lengthAt, PageValues } from './page-values.js'

/** Indices are kept in 16 bits. */
const MAX_ENTRIES = 1 << 16
const MAX_BYTES = 1 << 20
/** Looked at before the first page is encoded; a column with hardly any repetition is left alone at that price. */
const SAMPLE_VALUES = 512
/** Of a page with no more values than that a quarter is looked at, if it is at least so many. */
const LEAST_SAMPLE_VALUES = 16
/** Copying byte by byte beats the call into the runtime up to about this length. */
const SHORT_COPY = 64

export class Dictionary {
  /** Bytes of a fixed-width value; 0 where each value stands behind its length. */
  readonly #width: number
  readonly #pool: BufferPool
  #values: PageValues | undefined
  /** Where each entry's value begins in `#values`. */
  readonly #starts: LentInts
  readonly #hashes: LentInts
  /** Open addressing: entry + 1, or 0 where free; at most half full. */
  readonly #table: LentInts
  #entries = 0

  constructor(width: number, pool: BufferPool) {
    this.#width = width
    this.#pool = pool
    this.#starts = new LentInts(pool, 16)
    this.#hashes = new LentInts(pool, 16)
    this.#table = new LentInts(pool, 32)
    this.#table.at.fill(0)
  }

  get entries(): number {
    return this.#entries
  }

  /** Bytes of the dictionary page's values. */
  get bytes(): number {
    return this.#values === undefined ? 0 : this.#values.used - HEAD_BYTES
  }

  /** Nothing is looked up any more: gives back all memory but the values. */
  close(): void {
    this.#starts.release()
    this.#hashes.release()
    this.#table.release()
  }

  /** The dictionary page's values, after close(); the caller releases them. */
  takeValues(): PageValues | undefined {
    const values = this.#values
    this.#values = undefined
    return values
  }

  /** Forgets everything and gives all memory back. */
  release(): void {
    this.close()
    this.takeValues()?.release()
  }

  /**
   * Indices of the page's `count` values, or undefined where a dictionary does not pay; what was taken in by then does
   * no harm. `represented`: the values that these stand for, more than `count` where each stands for a run.
   */
  encode(page: PageValues, count: number, represented: number): Uint16Array | undefined {
    const first = this.#entries === 0
    const sample = count > SAMPLE_VALUES ? SAMPLE_VALUES : count >> 2
    if (first && count === represented && sample >= LEAST_SAMPLE_VALUES && !this.#worthwhile(page, sample))
      return undefined
    const indices = new Uint16Array(count)
    if (!this.#add(page, count, indices)) return undefined
    const plainBytes = (page.used - HEAD_BYTES) * (represented / Math.max(count, 1))
    if (first && this.bytes + represented > plainBytes) return undefined
    return indices
  }

  /** False where hardly a value repeats among the first ones. */
  #worthwhile(page: PageValues, values: number): boolean {
    const sample = new Dictionary(this.#width, this.#pool)
    const taken = sample.#add(page, values, new Uint16Array(values))
    sample.release()
    return taken && sample.#entries <= values / 2
  }

  #add(page: PageValues, count: number, indices: Uint16Array): boolean {
    const { buffer } = page
    const width = this.#width
    let at = HEAD_BYTES
    for (let k = 0; k < count; k++) {
      let length = width
      if (width === 0) {
        length = lengthAt(buffer, at)
        at += 4
      }
      const end = at + length
      // A value that is larger than a whole dictionary is not even looked at.
      const entry = length > MAX_BYTES ? -1 : this.#find(buffer, at, end)
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
    const table = this.#table.at
    const mask = this.#table.length - 1
    let slot = hash & mask
    for (;;) {
      const entry = table[slot]! - 1
      if (entry < 0) return this.#insert(slot, hash, buffer, start, end)
      if (this.#hashes.at[entry] === hash && this.#equals(entry, buffer, start, end)) return entry
      slot = (slot + 1) & mask
    }
  }

  #equals(entry: number, buffer: Buffer, start: number, end: number): boolean {
    const starts = this.#starts.at
    const values = this.#values!
    const from = starts[entry]!
    const to = entry + 1 < this.#entries ? starts[entry + 1]! - this.#prefix : values.used
    if (to - from !== end - start) return false
    const own = values.buffer
    for (let a = from, b = start; b < end; a++, b++) if (own[a] !== buffer[b]) return false
    return true
  }

  /** Bytes of the length in front of each value. */
  get #prefix(): number {
    return this.#width === 0 ? 4 : 0
  }

  #insert(slot: number, hash: number, buffer: Buffer, start: number, end: number): number {
    const prefix = this.#prefix
    const bytes = end - start + prefix
    if (this.#entries === MAX_ENTRIES || this.bytes + bytes > MAX_BYTES) return -1
    this.#values ??= new PageValues(this.#pool, HEAD_BYTES + bytes)
    const values = this.#values
    if (values.used + bytes > values.buffer.length) values.grow(bytes)
    if (prefix === 4) values.buffer.writeInt32LE(end - start, values.used)
    const entry = this.#entries++
    if (entry === this.#starts.length) {
      this.#starts.double()
      this.#hashes.double()
    }
    this.#starts.at[entry] = values.used + prefix
    const into = values.used + prefix - start
    if (bytes > SHORT_COPY) buffer.copy(values.buffer, values.used + prefix, start, end)
    else for (let k = start; k < end; k++) values.buffer[into + k] = buffer[k]!
    values.used += bytes
    this.#hashes.at[entry] = hash
    this.#table.at[slot] = entry + 1
    if (this.#entries * 2 > this.#table.length) this.#growTable()
    return entry
  }

  #growTable(): void {
    this.#table.double()
    const table = this.#table.at.fill(0)
    const mask = this.#table.length - 1
    for (let entry = 0; entry < this.#entries; entry++) {
      let slot = this.#hashes.at[entry]! & mask
      while (table[slot] !== 0) slot = (slot + 1) & mask
      table[slot] = entry + 1
    }
  }
}

/** 32-bit integers in memory lent from the pool, a power of two of them. */
class LentInts {
  readonly #pool: BufferPool
  #memory: Buffer
  at: Int32Array
  length: number

  constructor(pool: BufferPool, length: number) {
    this.#pool = pool
    this.#memory = pool.take(length * 4)
    this.at = new Int32Array(this.#memory.buffer, 0, length)
    this.length = length
  }

  /** Twice as many; the new half is arbitrary. */
  double(): void {
    const old = this.#memory
    this.#memory = this.#pool.take(this.length * 8)
    old.copy(this.#memory)
    this.#pool.give(old)
    this.length *= 2
    this.at = new Int32Array(this.#memory.buffer, 0, this.length)
  }

  release(): void {
    if (this.length > 0) this.#pool.give(this.#memory)
    this.length = 0
  }
}
