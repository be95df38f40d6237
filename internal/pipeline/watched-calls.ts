// What is noted of each call to the store: whether it moves, how long an upload takes, and what an outage is made of.
import type { Metrics } from '../observability/metrics.js'
import type { CallObserver, FailedAttempt, StoreCall } from '../storage/retrying-store.js'
import type { StoreOutage } from '../storage/store-outage.js'
import { STUCK_MS, type ProgressWatch, type Step } from './progress-watch.js'

export class WatchedCalls implements CallObserver {
  readonly #outage: StoreOutage
  readonly #watch: ProgressWatch
  readonly #metrics: Metrics
  readonly #calls = new Map<StoreCall, { readonly step: Step; readonly sinceMs: number }>()
  #moves = 0

  constructor(outage: StoreOutage, watch: ProgressWatch, metrics: Metrics) {
    this.#outage = outage
    this.#watch = watch
    this.#metrics = metrics
  }

  /** Grows with everything that any call does: a failure, too, since it is tried again. */
  get moves(): number {
    return this.#moves
  }

  began(call: StoreCall): void {
    const step = this.#watch.begin(`the ${call.operation} of ${call.key}`, STUCK_MS)
    this.#calls.set(call, { step, sinceMs: performance.now() })
  }

  moved(call: StoreCall): void {
    this.#moves++
    this.#calls.get(call)?.step.moved()
  }

  failed(call: StoreCall, attempt: FailedAttempt): void {
    this.moved(call)
    this.#outage.failed(call, attempt)
  }

  succeeded(call: StoreCall): void {
    this.moved(call)
    this.#outage.succeeded(call)
    const found = this.#calls.get(call)
    if (found !== undefined && isUpload(call)) this.#metrics.uploaded((performance.now() - found.sinceMs) / 1000)
  }

  ended(call: StoreCall): void {
    this.moved(call)
    this.#calls.get(call)?.step.end()
    this.#calls.delete(call)
    this.#outage.ended(call)
  }
}

/** Of a data file. */
function isUpload({ operation, key }: StoreCall): boolean {
  return (operation === 'put' || operation === 'stage') && key.endsWith('.parquet')
}
