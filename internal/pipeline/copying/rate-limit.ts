// So many bytes a second and no more, all connections of a copy together: for a server that has other work to do.
import { setTimeout as delay } from 'node:timers/promises'
import type { Pause } from '../../model/change-sink.js'

/** A wait that is shorter is put off until it is worth a timer. */
const SHORTEST_MS = 10

export class RateLimit {
  readonly #bytesPerSecond: number
  readonly #now: () => number
  /** When all that was spent will have been due. */
  #dueMs = -Infinity

  /** `now`: milliseconds of a clock that only goes forward. */
  constructor(bytesPerSecond: number, now: () => number = () => performance.now()) {
    this.#bytesPerSecond = bytesPerSecond
    this.#now = now
  }

  /** These have come; how long to wait before more may. */
  spend(bytes: number): Pause {
    const now = this.#now()
    this.#dueMs = Math.max(this.#dueMs, now) + (bytes * 1000) / this.#bytesPerSecond
    const waitMs = this.#dueMs - now
    return waitMs < SHORTEST_MS ? undefined : delay(waitMs)
  }
}
