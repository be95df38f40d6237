// How long has the oldest change waited that has arrived whole and is not durable? From the times at which batches begin, end
// and become durable, on a clock that only goes forward.

export class LagClock {
  #batches = 0
  #sinceMs = 0

  /** A batch has got its first whole transaction. */
  began(nowMs: number): void {
    if (this.#batches++ === 0) this.#sinceMs = nowMs
  }

  /** The oldest batch is durable; it had taken its last transaction at `closedMs`, so what waits now came later. */
  durable(closedMs: number): void {
    this.#batches--
    this.#sinceMs = Math.max(this.#sinceMs, closedMs)
  }

  /** 0 when nothing waits. */
  lagSeconds(nowMs: number): number {
    return this.#batches === 0 ? 0 : Math.round(nowMs - this.#sinceMs) / 1000
  }
}
