// What becomes of batches, told to everybody who wants to know: the log, the numbers, the clock of the lag, and the watch over
// what is stuck.
import type { Commit } from '../model/batch-record.js'
import type { Lsn } from '../model/lsn.js'
import type { Logger } from '../observability/logger.js'
import type { Metrics } from '../observability/metrics.js'
import type { ClosedBatch } from './batch-committer.js'
import { logClosed, logDurable, logWithoutChanges } from './batch-events.js'
import { LagClock } from './lag-clock.js'
import { STUCK_MS, type ProgressWatch, type Step } from './progress-watch.js'

export interface BatchNewsOptions {
  readonly logger: Logger
  readonly metrics: Metrics
  readonly watch: ProgressWatch
  /** Grows with everything that a call to the store does. */
  readonly storeMoves: () => number
  readonly heldBytes: () => number
  /** How far the stream has come. */
  readonly received: () => Lsn
}

export class BatchNews {
  readonly #options: BatchNewsOptions
  readonly #lag = new LagClock()
  readonly #waiting = new Map<ClosedBatch, Step>()

  constructor(options: BatchNewsOptions) {
    this.#options = options
  }

  /** Age of the oldest change that has arrived whole and is not durable; 0 when there is none. */
  get lagSeconds(): number {
    return this.#lag.lagSeconds(performance.now())
  }

  /** A batch has got its first whole transaction. */
  began(): void {
    this.#lag.began(performance.now())
  }

  /** It takes nothing more, and is on its way. */
  closed(batch: ClosedBatch): void {
    const { logger, watch, storeMoves, heldBytes } = this.#options
    this.#waiting.set(batch, watch.begin(`batch ${batch.batch}`, STUCK_MS, storeMoves))
    logClosed(logger, batch, heldBytes())
  }

  /** `batch`: absent for one that no change was in. */
  durable(commit: Commit, batch: ClosedBatch | undefined): void {
    const { logger, metrics, received, heldBytes } = this.#options
    const commitSeconds = batch && (performance.now() - batch.closedMs) / 1000
    metrics.committed(commit, { reason: batch?.reason, commitSeconds, counts: batch?.counts })
    if (batch === undefined) {
      logWithoutChanges(logger, commit)
      return
    }
    this.#waiting.get(batch)?.end()
    this.#waiting.delete(batch)
    this.#lag.durable(batch.closedMs)
    logDurable(logger, commit, batch, { received: received(), heldBytes: heldBytes() })
  }
}
