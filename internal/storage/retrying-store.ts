// An object store that outlasts faults of the one under it: only `store_away` is tried again, after a growing random
// delay. Never decides what a conditional write's answer means: see ObjectStore.put for a retried one.
import { setMaxListeners } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { ExponentialBackoff, fullJitterGenerator, type IBackoff } from 'cockatiel'
import { asFailure, type Failure } from '../model/failure.js'
import type { ObjectDigest, ObjectStore, PutOptions, StageOptions, StoredObject } from './object-store.js'
import { stoppedFailure, throwIfStopped } from './stopped.js'

export type StoreOperation = 'put' | 'stage' | 'complete' | 'get' | 'list' | 'delete' | 'abandon'

/** One call, the same object in all that is said of it. */
export interface StoreCall {
  readonly operation: StoreOperation
  /** Of a listing its prefix. */
  readonly key: string
}

export interface FailedAttempt {
  /** From 1. */
  readonly attempt: number
  /** Until the next one. */
  readonly delayMs: number
  readonly failure: Failure
}

/** Is told how each call fares. */
export interface CallObserver {
  began(call: StoreCall): void
  /** Some of what it sends has arrived. */
  moved(call: StoreCall): void
  /** It will be tried again. */
  failed(call: StoreCall, attempt: FailedAttempt): void
  /** Also of a call that had not failed. A listing succeeds with every object that it gives. */
  succeeded(call: StoreCall): void
  /** It is over, however it went. */
  ended(call: StoreCall): void
}

export interface RetryingStoreOptions {
  /** Undefined: until the signal fires. */
  readonly maxAttempts?: number
  /** The n-th delay is random below `initialDelayMs * 2^(n-1)`, and below `maxDelayMs`. */
  readonly initialDelayMs: number
  readonly maxDelayMs: number
  /** Ends every call and every wait at once. */
  readonly signal: AbortSignal
  readonly observer?: CallObserver
}

export class RetryingStore implements ObjectStore {
  readonly location: string
  readonly #store: ObjectStore
  readonly #options: RetryingStoreOptions
  readonly #backoff: ExponentialBackoff<number>

  constructor(store: ObjectStore, options: RetryingStoreOptions) {
    this.location = store.location
    this.#store = store
    this.#options = options
    // Each call under way listens to it, and many are at once; otherwise Node warns of a leak on standard error.
    setMaxListeners(0, options.signal)
    this.#backoff = new ExponentialBackoff({
      generator: fullJitterGenerator,
      initialDelay: options.initialDelayMs,
      maxDelay: options.maxDelayMs,
    })
  }

  put(key: string, chunks: readonly Uint8Array[], options: PutOptions): Promise<'created' | 'exists'> {
    return this.#retrying('put', key, options.signal, (signal, onMoved) =>
      this.#store.put(key, chunks, { ...options, signal, onMoved }),
    )
  }

  stage(key: string, chunks: readonly Uint8Array[], options: StageOptions): Promise<string> {
    return this.#retrying('stage', key, options.signal, (signal, onMoved) =>
      this.#store.stage(key, chunks, { ...options, signal, onMoved }),
    )
  }

  complete(key: string, receipt: string, options: { signal?: AbortSignal } = {}): Promise<'completed' | 'gone'> {
    return this.#retrying('complete', key, options.signal, (signal) => this.#store.complete(key, receipt, { signal }))
  }

  get(key: string, options: { lastBytes?: number; signal?: AbortSignal } = {}): Promise<Buffer | undefined> {
    return this.#retrying('get', key, options.signal, (signal) => this.#store.get(key, { ...options, signal }))
  }

  digest(key: string, options: { signal?: AbortSignal } = {}): Promise<ObjectDigest | undefined> {
    return this.#retrying('get', key, options.signal, (signal) => this.#store.digest(key, { ...options, signal }))
  }

  delete(key: string): Promise<void> {
    return this.#retrying('delete', key, undefined, () => this.#store.delete(key))
  }

  /** After a fault goes on behind the last object it gave, so none is left out and none comes twice. */
  async *list(
    prefix: string,
    options: { startAfter?: string; signal?: AbortSignal } = {},
  ): AsyncGenerator<StoredObject, void, undefined> {
    const stop = anyOf(this.#options.signal, options.signal)
    const tries = this.#tries('list', prefix, stop.signal)
    let startAfter = options.startAfter
    try {
      for (;;) {
        try {
          const after = startAfter === undefined ? {} : { startAfter }
          for await (const object of this.#store.list(prefix, { ...after, signal: stop.signal })) {
            tries.succeeded()
            startAfter = object.key
            yield object
          }
          tries.succeeded()
          return
        } catch (error) {
          await tries.failed(error)
        }
      }
    } finally {
      tries.ended()
      stop.release()
    }
  }

  abandonUnfinished(prefix: string, isOurs: (key: string) => boolean): Promise<number> {
    return this.#retrying('abandon', prefix, undefined, () => this.#store.abandonUnfinished(prefix, isOurs))
  }

  close(): void {
    this.#store.close()
  }

  async #retrying<Result>(
    operation: StoreOperation,
    key: string,
    callSignal: AbortSignal | undefined,
    call: (signal: AbortSignal, onMoved: () => void) => Promise<Result>,
  ): Promise<Result> {
    const stop = anyOf(this.#options.signal, callSignal)
    const tries = this.#tries(operation, key, stop.signal)
    try {
      for (;;) {
        try {
          throwIfStopped(stop.signal, `before the ${operation} of ${key}`)
          const result = await call(stop.signal, tries.moved)
          tries.succeeded()
          return result
        } catch (error) {
          await tries.failed(error)
        }
      }
    } finally {
      tries.ended()
      stop.release()
    }
  }

  /**
   * One call's place in its attempts. Not cockatiel's own retry loop: that one sleeps through an abort and then calls
   * once more.
   */
  #tries(operation: StoreOperation, key: string, signal: AbortSignal) {
    const { maxAttempts = Infinity, observer } = this.#options
    const call = { operation, key }
    let failedAttempts = 0
    let backoff: IBackoff<unknown> = this.#backoff.next()
    observer?.began(call)
    return {
      moved: () => observer?.moved(call),
      succeeded: () => {
        observer?.succeeded(call)
        failedAttempts = 0
        backoff = this.#backoff.next()
      },
      /** Returns when it is time to try again; throws when it never will be. */
      failed: async (error: unknown) => {
        const failure = asFailure(error)
        failedAttempts++
        if (failure.kind !== 'store_away' || failedAttempts >= maxAttempts) throw failure
        throwIfStopped(signal, `after a failed ${operation} of ${key}`)
        const delayMs = backoff.duration
        backoff = backoff.next(undefined)
        observer?.failed(call, { attempt: failedAttempts, delayMs, failure })
        await delay(delayMs, undefined, { signal }).catch(() => {
          throw stoppedFailure(signal, `waiting to try the ${operation} of ${key} again`)
        })
      },
      ended: () => observer?.ended(call),
    }
  }
}

/** Fires when either does. Not AbortSignal.any(): that leaves an entry on the lasting signal for every call. */
function anyOf(lasting: AbortSignal, call: AbortSignal | undefined): { signal: AbortSignal; release: () => void } {
  if (call === undefined) return { signal: lasting, release: () => undefined }
  const controller = new AbortController()
  const sources = [lasting, call].map((signal) => ({ signal, fire: () => controller.abort(signal.reason) }))
  for (const { signal, fire } of sources) {
    if (signal.aborted) fire()
    else signal.addEventListener('abort', fire, { once: true })
  }
  const release = () => {
    for (const { signal, fire } of sources) signal.removeEventListener('abort', fire)
  }
  return { signal: controller.signal, release }
}
