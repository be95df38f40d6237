// What happened lately, for people who look: the newest batches, errors and recoveries, and the numbers of the last half hour.
// Bounded whatever happens, and fed once a batch or every few seconds, never for a row.
import type { Commit } from '../model/batch-record.js'

/** Numbers are kept for so many looks, five seconds apart. */
const SAMPLES = 360
const BATCHES = 30
const EVENTS = 50
/** Tables whose last commit is remembered. */
const TABLES = 1000
/** Rates are those of so long before. */
const FLOW_OVER_MS = 60_000
const WAL_OVER_MS = 600_000
/** Two samples closer than this make no rate. */
const SHORTEST_MS = 4_000

/** Times in milliseconds since 1970. */
export interface BatchEntry {
  readonly atMs: number
  readonly batch: number
  readonly kind: Commit['kind']
  /** Why it was closed; absent for one that no change was in. */
  readonly reason: string | undefined
  readonly rows: number
  readonly transactions: number
  readonly files: number
  readonly bytes: number
  /** From its end to its commit. */
  readonly commitSeconds: number | undefined
}

export interface EventEntry {
  readonly atMs: number
  readonly level: 'info' | 'warn' | 'error'
  readonly message: string
}

/** What is known at one moment; undefined while nobody is connected who could say. */
export interface StreamNumbers {
  readonly lagSeconds: number
  readonly behindBytes: number
  readonly retainedBytes: number
  /** Position of the server's WAL. */
  readonly walBytes: number
}

export interface Sample {
  readonly atMs: number
  /** Since the start of the process. */
  readonly rows: number
  readonly receivedBytes: number
  readonly stream: StreamNumbers | undefined
}

export class RunHistory {
  readonly #now: () => number
  readonly #mask: (text: string) => string
  readonly #batches: BatchEntry[] = []
  readonly #events: EventEntry[] = []
  readonly #samples: Sample[] = []
  /** By schema and table, the newest last. */
  readonly #committedAt = new Map<string, number>()
  #rows = 0
  #receivedBytes = 0

  /** `mask` takes secrets out of what is kept; `now`: milliseconds since 1970. */
  constructor(mask: (text: string) => string = (text) => text, now: () => number = () => Date.now()) {
    this.#mask = mask
    this.#now = now
  }

  /** The newest first. */
  get batches(): readonly BatchEntry[] {
    return this.#batches.toReversed()
  }

  /** The newest first. */
  get events(): readonly EventEntry[] {
    return this.#events.toReversed()
  }

  /** The oldest first. */
  get samples(): readonly Sample[] {
    return this.#samples
  }

  /** The last one that changes or copied rows were in. */
  get lastCommit(): BatchEntry | undefined {
    return this.#batches.at(-1)
  }

  committedAt(schema: string, table: string): number | undefined {
    return this.#committedAt.get(nameOf(schema, table))
  }

  /** Batches without rows are not kept: a quiet stream has one every few seconds. */
  committed(commit: Commit, reason: string | undefined, commitSeconds: number | undefined): void {
    if (commit.files.length === 0) return
    const atMs = this.#now()
    const { batch, kind, rows, transactions, files } = commit
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0)
    const entry = { atMs, batch, kind, reason, rows, transactions, files: files.length, bytes, commitSeconds }
    keep(this.#batches, entry, BATCHES)
    this.#rows += rows
    for (const { schema, table } of files) {
      const name = nameOf(schema, table)
      this.#committedAt.delete(name)
      this.#committedAt.set(name, atMs)
    }
    for (const name of this.#committedAt.keys()) {
      if (this.#committedAt.size <= TABLES) break
      this.#committedAt.delete(name)
    }
  }

  received(bytes: number): void {
    this.#receivedBytes += bytes
  }

  /** An error, or that it is over. */
  note(level: EventEntry['level'], message: string): void {
    keep(this.#events, { atMs: this.#now(), level, message: this.#mask(message) }, EVENTS)
  }

  /** Called every few seconds. */
  sample(stream: StreamNumbers | undefined): void {
    keep(this.#samples, { atMs: this.#now(), rows: this.#rows, receivedBytes: this.#receivedBytes, stream }, SAMPLES)
  }

  /** Of the last minute. Undefined until there are two samples. */
  get flow(): { readonly rowsPerSecond: number; readonly bytesPerSecond: number } | undefined {
    const [from, to] = ends(this.#samples, FLOW_OVER_MS)
    if (from === undefined || to === undefined) return undefined
    const seconds = (to.atMs - from.atMs) / 1000
    return {
      rowsPerSecond: (to.rows - from.rows) / seconds,
      bytesPerSecond: (to.receivedBytes - from.receivedBytes) / seconds,
    }
  }

  /** What the server writes, over the last ten minutes. Undefined until there are two samples. */
  get walBytesPerSecond(): number | undefined {
    const known = this.#samples.filter(({ stream }) => stream !== undefined)
    const [from, to] = ends(known, WAL_OVER_MS)
    if (from === undefined || to === undefined) return undefined
    // A server that was replaced may stand further back.
    return Math.max(0, ((to.stream!.walBytes - from.stream!.walBytes) * 1000) / (to.atMs - from.atMs))
  }
}

function nameOf(schema: string, table: string): string {
  return JSON.stringify([schema, table])
}

function keep<T>(ring: T[], entry: T, most: number): void {
  ring.push(entry)
  if (ring.length > most) ring.shift()
}

/** The newest sample, and the oldest that is not older than `overMs` before it. */
function ends(samples: readonly Sample[], overMs: number): readonly Sample[] {
  const to = samples.at(-1)
  const from = to && samples.find(({ atMs }) => atMs >= to.atMs - overMs)
  return to === undefined || from === undefined || to.atMs - from.atMs < SHORTEST_MS ? [] : [from, to]
}
