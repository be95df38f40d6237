// The service: sessions one after the other until it is stopped or must not go on. Knows what state it is in, for health
// checks, and how long to wait before the next try; one table (model/failure.ts) says which failures are tried again.
import { asFailure, Failure, verdictOf } from '../model/failure.js'
import type { Lsn } from '../model/lsn.js'
import type { Logger } from '../observability/logger.js'
import type { Metrics } from '../observability/metrics.js'
import { LastWalsender } from '../replication/last-walsender.js'
import { LinkPatience } from '../replication/liveness.js'
import type { ObjectStore } from '../storage/object-store.js'
import { RetryingStore, type RetryingStoreOptions } from '../storage/retrying-store.js'
import { isPowerOfTwo, StoreOutage } from '../storage/store-outage.js'
import { ProgressWatch, STUCK_MS, type Step, type Stuck } from './progress-watch.js'
import { retryDelayMs } from './retry-delay.js'
import { runSession, type SessionSettings } from './session.js'
import { sleep } from './sleep.js'
import { WatchedCalls } from './watched-calls.js'

/** How long a service that has never streamed goes on trying to reach the server or the store. */
const START_PATIENCE_MS = 5_000
/** Longest pause between two tries of a service that has never streamed. */
const START_PAUSE_MS = 1_000
/** A store that does not answer at start is asked this often. */
const START_ATTEMPTS = 4
/** A stream whose store has been failing for longer is not at work. */
const STORE_PATIENCE_MS = 10_000
/** A stream that has brought nothing yet counts as mended after so long. */
const STEADY_MS = 10_000

/** So often it is looked whether something is stuck, and the numbers are kept for the status page. */
const LOOK_EVERY_MS = 5_000

export type ServiceState = 'starting' | 'streaming' | 'waiting' | 'stopping'

export class Service {
  readonly #settings: SessionSettings
  readonly #store: ObjectStore
  readonly #logger: Logger
  readonly #metrics: Metrics
  readonly #stop: AbortSignal
  #state: ServiceState = 'starting'
  #reason = 'starting'
  #hasStreamed = false
  #sessionStreams = false
  #textOnly = false
  #failures = 0
  readonly #patience = new LinkPatience()
  readonly #lastWalsender = new LastWalsender()
  #steadyTimer: NodeJS.Timeout | undefined
  /** Newest end of the log that this process knows. */
  #durable: Lsn | undefined
  #failingSinceMs: number | undefined
  /** What a person has to mend came up while streaming, so streaming again does not prove that it is mended. */
  #awaitsProgress = false
  readonly #outage = new StoreOutage({
    attemptFailed: () => this.#metrics.count('store_retries_total'),
    failing: ({ operation, key }, { attempt, delayMs, failure }) => {
      this.#note('warn', `the store is failing: ${failure.message}`)
      this.#logger.warn(
        { operation, key, attempt, retry_in_ms: Math.round(delayMs), err: failure },
        'store: will try again',
      )
    },
    recovered: ({ failedAttempts, ms }) => {
      this.#note('info', `the store has recovered after ${seconds(ms)} s`)
      this.#logger.info({ failed_attempts: failedAttempts, seconds: seconds(ms) }, 'store: recovered')
    },
  })

  readonly #watch: ProgressWatch
  readonly #calls: WatchedCalls
  #starting: Step | undefined
  #saidStuck = false

  constructor(
    settings: SessionSettings,
    store: ObjectStore,
    logger: Logger,
    metrics: Metrics,
    stop: AbortSignal,
    watch = new ProgressWatch(),
  ) {
    this.#metrics = metrics
    this.#watch = watch
    this.#calls = new WatchedCalls(this.#outage, watch, metrics)
    this.#settings = settings
    this.#store = store
    this.#logger = logger
    this.#stop = stop
  }

  /** For health checks: is it streaming, and if not, why. A stream that waits for its store is `waiting`. */
  get status(): { state: ServiceState; reason: string } {
    const outage = this.#outage.longest
    if (this.#stop.aborted) return { state: 'stopping', reason: this.#reason }
    if (outage === undefined || (this.#state === 'streaming' && outage.ms < STORE_PATIENCE_MS))
      return { state: this.#state, reason: this.#reason }
    return {
      state: this.#state === 'streaming' ? 'waiting' : this.#state,
      reason: `the store has been failing for ${seconds(outage.ms)} s: ${outage.failure.message}`,
    }
  }

  /** End of what is known to be durable. */
  get durable(): Lsn | undefined {
    return this.#durable
  }

  /** What does not move any more although it should, and is not tried again: restarting the process would help. */
  get stuck(): Stuck | undefined {
    return this.#stop.aborted ? undefined : this.#watch.stuck
  }

  /** Resolves after an orderly stop. Throws the Failure that ended it. */
  async run(): Promise<void> {
    this.#look()
    const looking = setInterval(() => this.#look(), LOOK_EVERY_MS)
    try {
      while (!this.#stop.aborted) {
        const startedMs = performance.now()
        try {
          await this.#session()
          return
        } catch (error) {
          await this.#afterFailure(asFailure(error), startedMs)
        }
      }
    } finally {
      clearInterval(looking)
    }
  }

  #look(): void {
    const { stuck } = this
    this.#metrics.set('stuck', stuck === undefined ? 0 : 1)
    this.#metrics.sample()
    if (stuck !== undefined && !this.#saidStuck) {
      this.#note('error', `stuck: ${stuck.what} has not moved for ${stuck.seconds} s`)
      this.#logger.error({ ...stuck }, 'stuck: only a restart may help')
    }
    this.#saidStuck = stuck !== undefined
  }

  async #session(): Promise<void> {
    this.#sessionStreams = false
    this.#starting = this.#watch.begin('the start of a session', STUCK_MS, () => this.#calls.moves)
    const startOptions = this.#hasStreamed ? {} : { maxAttempts: START_ATTEMPTS }
    const session = runSession({
      settings: this.#settings,
      startStore: this.#retrying({
        ...startOptions,
        initialDelayMs: 200,
        maxDelayMs: this.#hasStreamed ? 30_000 : 1_000,
        signal: this.#stop,
      }),
      storeUntil: (signal) => this.#retrying({ initialDelayMs: 200, maxDelayMs: 30_000, signal }),
      logger: this.#logger,
      metrics: this.#metrics,
      stop: this.#stop,
      textOnly: this.#textOnly,
      patience: this.#patience,
      lastWalsender: this.#lastWalsender,
      watch: this.#watch,
      storeMoves: () => this.#calls.moves,
      onStreaming: () => this.#streaming(),
      seenDurable: this.#durable,
      onProgress: (durable) => this.#progress(durable),
    }).finally(() => clearTimeout(this.#steadyTimer))
    await this.#unlessStoppedFirst(session)
  }

  /** Whatever a session waits for before it streams, a stop does not: nothing has begun that could be finished. */
  async #unlessStoppedFirst(session: Promise<void>): Promise<void> {
    let onStop = (): void => undefined
    const stopped = new Promise<void>((resolve) => {
      onStop = () => {
        if (!this.#sessionStreams) resolve()
      }
    })
    this.#stop.addEventListener('abort', onStop)
    try {
      await Promise.race([session, stopped])
    } finally {
      this.#stop.removeEventListener('abort', onStop)
    }
  }

  #streaming(): void {
    this.#metrics.set('streaming', 1)
    this.#starting?.end()
    this.#sessionStreams = true
    if (!this.#awaitsProgress) this.#atWork()
  }

  #progress(durable: Lsn): void {
    this.#durable = durable
    this.#patience.progressed()
    if (!this.#sessionStreams) return
    if (this.#awaitsProgress) this.#atWork()
    this.#steady()
  }

  #atWork(): void {
    if (!this.#hasStreamed) this.#failingSinceMs = undefined
    this.#awaitsProgress = false
    this.#hasStreamed = true
    this.#state = 'streaming'
    this.#reason = 'streaming'
    this.#steadyTimer = setTimeout(() => this.#steady(), STEADY_MS)
  }

  /** What failed before is over: a link that breaks again and again as soon as it streams has not recovered. */
  #steady(): void {
    clearTimeout(this.#steadyTimer)
    if (this.#failingSinceMs !== undefined) {
      const failing = seconds(performance.now() - this.#failingSinceMs)
      this.#note('info', `streaming again after ${failing} s`)
      this.#logger.info({ failures: this.#failures, seconds: failing }, 'recovered: streaming again')
    }
    this.#failingSinceMs = undefined
    this.#failures = 0
  }

  /** Waits before the next session, or throws where there must be none. */
  async #afterFailure(failure: Failure, startedMs: number): Promise<void> {
    this.#metrics.set('streaming', 0)
    this.#watch.clear()
    // What a stop cut short before the stream ran is no failure: there was nothing to finish.
    if (this.#stop.aborted && failure.cause === this.#stop.reason) return
    if (verdictOf(failure, this.#hasStreamed ? 'atWork' : 'atFirst').act === 'stop') throw failure
    this.#metrics.count('session_failures_total')
    if (this.#stop.aborted) {
      this.#logger.warn(
        { err: failure },
        'stopped without finishing; what was not committed is sent again at the next start',
      )
      return
    }
    const now = performance.now()
    // A first try that had to wait for its timeout has failed for as long.
    this.#failingSinceMs ??= this.#hasStreamed ? now : startedMs
    this.#state = 'waiting'
    this.#reason = failure.message
    if (failure.kind === 'needs_text') this.#textOnly = true
    if (failure.kind === 'config') this.#awaitsProgress = this.#sessionStreams
    // What its last writes may still bring is no sign of recovery.
    this.#sessionStreams = false
    const waitsForOthers = failure.kind === 'slot_busy' || failure.kind === 'plan_taken'
    if (!this.#hasStreamed && !waitsForOthers && now - this.#failingSinceMs >= START_PATIENCE_MS)
      throw new Failure('gave_up', `${failure.message} (tried for ${seconds(now - this.#failingSinceMs)} s)`, {
        ...(failure.hint === undefined ? {} : { hint: failure.hint }),
        ...(failure.cause === undefined ? {} : { cause: failure.cause }),
      })
    const usualMs = retryDelayMs(failure.kind, this.#failures++)
    const delayMs = this.#hasStreamed ? usualMs : Math.min(usualMs, START_PAUSE_MS)
    if (isPowerOfTwo(this.#failures)) {
      this.#note('warn', failure.message)
      this.#logger.warn({ err: failure, attempt: this.#failures, retry_in_ms: Math.round(delayMs) }, 'will try again')
    }
    await sleep(delayMs, this.#stop)
  }

  /** For the status page. */
  #note(level: 'info' | 'warn' | 'error', message: string): void {
    this.#metrics.history.note(level, message)
  }

  #retrying(options: RetryingStoreOptions): ObjectStore {
    return new RetryingStore(this.#store, { ...options, observer: this.#calls })
  }
}

function seconds(ms: number): number {
  return Math.round(ms / 1000)
}
