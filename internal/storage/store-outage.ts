// Is the object store failing us, since when, and why: all calls seen together. An outage begins with the first call that
// fails and is over when one succeeds while none is failing; what is told of it grows rarer while it lasts.
import type { Failure } from '../model/failure.js'
import type { CallObserver, FailedAttempt, StoreCall } from './retrying-store.js'

/** What is told. */
export interface OutageListener {
  /** Every failed attempt of every call. */
  readonly attemptFailed: () => void
  /** The first failure of an outage, the second, the fourth, the eighth … `attempt` counts those of all calls. */
  readonly failing: (call: StoreCall, attempt: FailedAttempt) => void
  readonly recovered: (outage: { readonly failedAttempts: number; readonly ms: number }) => void
}

export class StoreOutage implements Omit<CallObserver, 'began' | 'moved'> {
  readonly #listener: OutageListener
  readonly #now: () => number
  /** Calls that wait for their next attempt, the one that has failed for longest first. */
  readonly #failing = new Map<StoreCall, { readonly sinceMs: number; readonly failure: Failure }>()
  #failedAttempts = 0
  #sinceMs = 0

  constructor(listener: OutageListener, now: () => number = () => performance.now()) {
    this.#listener = listener
    this.#now = now
  }

  /** The call that has been failing for longest. Undefined where none is. */
  get longest(): { readonly ms: number; readonly failure: Failure } | undefined {
    for (const { sinceMs, failure } of this.#failing.values()) return { ms: this.#now() - sinceMs, failure }
    return undefined
  }

  failed(call: StoreCall, attempt: FailedAttempt): void {
    const now = this.#now()
    this.#listener.attemptFailed()
    if (this.#failedAttempts++ === 0) this.#sinceMs = now
    this.#failing.set(call, { sinceMs: this.#failing.get(call)?.sinceMs ?? now, failure: attempt.failure })
    if (isPowerOfTwo(this.#failedAttempts)) this.#listener.failing(call, { ...attempt, attempt: this.#failedAttempts })
  }

  succeeded(call: StoreCall): void {
    this.#failing.delete(call)
    if (this.#failedAttempts === 0 || this.#failing.size > 0) return
    this.#listener.recovered({ failedAttempts: this.#failedAttempts, ms: this.#now() - this.#sinceMs })
    this.#failedAttempts = 0
  }

  /** Proves nothing: a call that is given up has not been served. */
  ended(call: StoreCall): void {
    this.#failing.delete(call)
  }
}

/** 1, 2, 4, 8 …: a log that grows rarer while something stays broken. */
export function isPowerOfTwo(attempt: number): boolean {
  return (attempt & (attempt - 1)) === 0
}
