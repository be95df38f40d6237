// May more be read? Counts the bytes of change data that the process holds, raw or encoded, against MEMORY_LIMIT (G10).
// Reading waits only while something is on its way out: a batch that alone fills the limit must still be able to grow to
// the point where it rolls.
import type { Pause } from '../model/change-sink.js'

/** Above this part of the limit open pages are compressed early and batches end early. */
const SHORT_AT = 0.6

export class MemoryGate {
  readonly #limitBytes: number
  #heldBytes = 0
  #onTheWayOut = 0
  #peakBytes = 0
  #waiting: { promise: Promise<void>; release: () => void; sinceMs: number } | undefined
  #pausedMs = 0

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes
  }

  get heldBytes(): number {
    return this.#heldBytes
  }

  get peakBytes(): number {
    return this.#peakBytes
  }

  /** How long, so far, somebody had to wait. */
  get pausedSeconds(): number {
    const now = this.#waiting === undefined ? 0 : performance.now() - this.#waiting.sinceMs
    return (this.#pausedMs + now) / 1000
  }

  get short(): boolean {
    return this.#heldBytes > this.#limitBytes * SHORT_AT
  }

  /** Notes that `delta` more (or fewer) bytes are held. */
  readonly meter = (delta: number): void => {
    this.#heldBytes += delta
    if (this.#heldBytes > this.#peakBytes) this.#peakBytes = this.#heldBytes
    this.#openIfFit()
  }

  /** Something that will free memory by itself has started, or (-1) has ended. */
  readonly leaving = (delta: 1 | -1): void => {
    this.#onTheWayOut += delta
    this.#openIfFit()
  }

  /** undefined: read on. */
  room(): Pause {
    if (this.#fits) return undefined
    if (this.#waiting === undefined) {
      let release = (): void => undefined
      const promise = new Promise<void>((resolve) => (release = resolve))
      this.#waiting = { promise, release, sinceMs: performance.now() }
    }
    return this.#waiting.promise
  }

  get #fits(): boolean {
    return this.#heldBytes <= this.#limitBytes || this.#onTheWayOut === 0
  }

  #openIfFit(): void {
    if (this.#waiting === undefined || !this.#fits) return
    this.#pausedMs += performance.now() - this.#waiting.sinceMs
    this.#waiting.release()
    this.#waiting = undefined
  }
}
