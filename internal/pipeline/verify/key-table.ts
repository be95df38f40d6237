// What is known of each key, in one piece of memory: an object a key would take several times as much, and a Map ends at 16 million.
// Open addressing over entries of a fixed size, each with the key's digest, a flag and the digests of its row.
import { DIGEST_BYTES } from './row-digest.js'

const FULL = 0.7

export class KeyTable {
  readonly #entryBytes: number
  #entries: Buffer
  /** Number of an entry + 1; 0: free. */
  #places = new Uint32Array(1 << 16)
  count = 0

  /** `digests`: of each row. */
  constructor(digests: number) {
    this.#entryBytes = DIGEST_BYTES * (1 + digests) + 1
    this.#entries = Buffer.allocUnsafeSlow(1024 * this.#entryBytes)
  }

  /** The entry of the key, made where there is none: then it is not there as a row. */
  entry(key: Buffer): number {
    const place = this.#placeOf(key)
    const found = this.#places[place]!
    if (found !== 0) return found - 1
    if ((this.count + 1) * this.#entryBytes > this.#entries.length) {
      const larger = Buffer.allocUnsafeSlow(this.#entries.length * 2)
      this.#entries.copy(larger, 0, 0, this.count * this.#entryBytes)
      this.#entries = larger
    }
    const entry = this.count++
    key.copy(this.#entries, entry * this.#entryBytes, 0, DIGEST_BYTES)
    this.setPresent(entry, false)
    this.#places[place] = entry + 1
    if (this.count > this.#places.length * FULL) this.#grow()
    return entry
  }

  /** The entry of the key, -1 where there is none. */
  find(key: Buffer): number {
    return this.#places[this.#placeOf(key)]! - 1
  }

  key(entry: number): Buffer {
    const at = entry * this.#entryBytes
    return this.#entries.subarray(at, at + DIGEST_BYTES)
  }

  isPresent(entry: number): boolean {
    return this.#entries[(entry + 1) * this.#entryBytes - 1] === 1
  }

  setPresent(entry: number, present: boolean): void {
    this.#entries[(entry + 1) * this.#entryBytes - 1] = present ? 1 : 0
  }

  /** The digests of its row, one after the other; writing into them changes the entry. Valid until the next entry is made. */
  digests(entry: number): Buffer {
    const at = entry * this.#entryBytes
    return this.#entries.subarray(at + DIGEST_BYTES, at + this.#entryBytes - 1)
  }

  #placeOf(key: Buffer): number {
    const mask = this.#places.length - 1
    for (let place = key.readUInt32LE(0) & mask; ; place = (place + 1) & mask) {
      const found = this.#places[place]!
      if (found === 0 || this.key(found - 1).equals(key)) return place
    }
  }

  #grow(): void {
    this.#places = new Uint32Array(this.#places.length * 2)
    for (let entry = 0; entry < this.count; entry++) this.#places[this.#placeOf(this.key(entry))] = entry + 1
  }
}
