// When to let packets pile up before the next read. The server sends one small packet a change and is woken by each read;
// on a busy stream a millisecond's patience makes reads full and doubles the rate. An idle stream is never delayed.

/** Reads this large come at full speed already. */
const FULL_READ_BYTES = 16 * 1024
/** Two reads closer together than this belong to a busy stream. */
const BUSY_GAP_MS = 2
const PATIENCE_MS = 1

export class ReadPacer {
  readonly #now: () => number
  readonly #enabled: boolean
  #lastReadMs = -Infinity
  #busyReads = 0

  /**
   * `smallSocketBuffer`: the link is a Unix-domain socket, which holds so little that patience starves it.
   * `now`: milliseconds of a clock that only goes forward.
   */
  constructor(smallSocketBuffer: boolean, now: () => number = () => performance.now()) {
    this.#enabled = !smallSocketBuffer
    this.#now = now
  }

  /** Milliseconds to wait before the next read, after one of `bytes` bytes; 0: read on. */
  delayAfter(bytes: number): number {
    const now = this.#now()
    const gap = now - this.#lastReadMs
    this.#lastReadMs = now
    if (!this.#enabled || bytes >= FULL_READ_BYTES) return 0
    this.#busyReads = gap <= PATIENCE_MS + BUSY_GAP_MS ? this.#busyReads + 1 : 0
    return this.#busyReads > 2 ? PATIENCE_MS : 0
  }
}
