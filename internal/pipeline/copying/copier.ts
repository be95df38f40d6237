// Copies existing rows beside the stream: finds the tables that the lake does not have whole and those that somebody asks for, takes a
// snapshot, lets the stream pass its position, and begins again with what is left. What goes wrong here ends no session.
import pg from 'pg'
import { Failure } from '../../model/failure.js'
import { formatLsn, type Lsn } from '../../model/lsn.js'
import type { Metrics } from '../../observability/metrics.js'
import { queryFailure } from '../../replication/connection.js'
import type { CopySnapshot } from '../../replication/copy-snapshot.js'
import { estimatesOf, publishedTables } from '../../replication/copy-source.js'
import { CopyRequests } from '../../storage/copy-requests.js'
import { sleep } from '../sleep.js'
import { CopyProgressMeter } from './copy-progress.js'
import { CopyRun, type CopyContext, type LeftTable } from './copy-run.js'
import { ProgressTeller } from './progress-teller.js'
import { isTrusted } from './request-signature.js'
import type { WantedTable } from './table-copy.js'

/** So often the publication is looked at for new tables, and the store for requests. */
const LOOK_MS = 10_000
/** A table that the server refused is tried again after this. */
const REFUSED_MS = 300_000
const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 60_000

export interface CopierOptions {
  readonly context: CopyContext
  readonly control: pg.Client
  readonly metrics: Metrics
  /** Of the stream. */
  readonly takes: (schema: string, table: string) => boolean
  /** Tables are copied that the lake does not have whole; otherwise only those that somebody asks for. */
  readonly byItself: boolean
  readonly takeSnapshot: (stopped: AbortSignal) => Promise<CopySnapshot>
  /** Resolves when the stream has passed the position, and everything up to it is durable. */
  readonly passed: (position: Lsn) => Promise<void>
}

export class Copier {
  readonly #options: CopierOptions
  readonly #requests: CopyRequests
  readonly #refused = new Map<number, number>()
  #run: { readonly copy: CopyRun; readonly ended: Promise<unknown> } | undefined
  /** Fires when somebody has left a request since the last look. */
  #asked = new AbortController()
  readonly #stop = new AbortController()
  readonly #stopped = new Promise<void>((resolve) => {
    this.#stop.signal.addEventListener('abort', () => resolve())
  })

  constructor(options: CopierOptions) {
    this.#options = options
    this.#requests = new CopyRequests(options.context.store, options.context.slot)
  }

  /** Goes on until it is stopped, and holds nothing then. Throws the Failure of a copy that shows the session to be wrong. */
  async run(): Promise<void> {
    await Promise.race([this.#copyOnAndOn(), this.#stopped])
    await this.#run?.ended.catch(() => undefined)
  }

  async #copyOnAndOn(): Promise<void> {
    const { signal } = this.#stop
    await this.#listen()
    for (let failures = 0; !signal.aborted;) {
      this.#asked = new AbortController()
      try {
        const left = await this.#copyAll()
        failures = 0
        await sleep(left === 0 ? LOOK_MS : FIRST_PAUSE_MS, AbortSignal.any([signal, this.#asked.signal]))
      } catch (error) {
        await this.#afterFailure(error, failures++)
      }
    }
  }

  /** Who leaves a request says so on the channel that is called like the slot. */
  async #listen(): Promise<void> {
    const { control, context } = this.#options
    control.on('notification', () => this.#asked.abort())
    await control.query(`LISTEN ${pg.escapeIdentifier(context.slot)}`).catch((error: unknown) => {
      throw queryFailure(error)
    })
  }

  /** Waits before the next try, or throws where there must be none. */
  async #afterFailure(error: unknown, failuresBefore: number): Promise<void> {
    const { signal } = this.#stop
    if (signal.aborted) return
    const failure = error instanceof Failure ? error : queryFailure(error)
    if (!['link', 'store_away', 'config'].includes(failure.kind)) throw failure
    const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failuresBefore)
    this.#options.metrics.history.note('warn', `the copy of existing rows: ${failure.message}`)
    this.#options.context.logger.warn({ err: failure, retry_in_ms: pauseMs }, 'copy of existing rows: will try again')
    await sleep(pauseMs, signal)
  }

  stop(): void {
    this.#run?.copy.stop()
    this.#stop.abort()
  }

  /** Returns how many tables are left that can be copied at once. */
  async #copyAll(): Promise<number> {
    const { context, control, passed, takeSnapshot } = this.#options
    const tables = await this.#wanted()
    if (tables.length === 0) return 0
    const estimates = await estimatesOf(
      control,
      tables.map(({ oid }) => oid),
    )
    const { signal } = this.#stop
    const snapshot = await takeSnapshot(signal)
    try {
      const about = { tables: tables.length, lsn: formatLsn(snapshot.lsn), from: snapshot.from }
      context.logger.info(about, 'copying existing rows')
      // Of a session that has ended no position is passed any more.
      if (!signal.aborted) await Promise.race([passed(snapshot.consistentPoint), this.#stopped])
      if (signal.aborted) return 0
      const meter = new CopyProgressMeter(tables, estimates, snapshot.lsn, Date.now())
      const left = await this.#copy(tables, snapshot, meter)
      await this.#note(left)
      return left.filter(({ refusal }) => refusal === undefined).length
    } finally {
      this.#run = undefined
      snapshot.release()
    }
  }

  #copy(
    tables: readonly WantedTable[],
    snapshot: CopySnapshot,
    meter: CopyProgressMeter,
  ): Promise<readonly LeftTable[]> {
    const { context, metrics } = this.#options
    const { slot, store, logger } = context
    const copy = new CopyRun(context, snapshot, tables, {
      opened: (table, pages) => meter.opened(table, pages),
      received: (table, rows, bytes) => meter.received(table, rows, bytes),
      read: (table, pages, rows) => meter.read(table, pages, rows),
      copied: async (table, rows) => {
        meter.copied(table)
        if (table.request === undefined) return
        await this.#requests.answer(table.request.id, { outcome: 'copied', rows, lsn: snapshot.lsn })
      },
    })
    const teller = new ProgressTeller({ slot, store, metrics, logger, report: () => meter.report(Date.now()) })
    const ended = copy.run().finally(() => teller.end())
    this.#run = { copy, ended }
    return ended
  }

  /** No table twice: what is not chosen now is left for the next time. */
  async #wanted(): Promise<WantedTable[]> {
    const { context, control, takes, byItself } = this.#options
    const now = performance.now()
    const published = (await publishedTables(control, context.publication)).filter((table) =>
      takes(table.schema, table.table),
    )
    const requested = await this.#requested(published)
    const left = !byItself
      ? []
      : published.filter(
          ({ schema, table, oid }) =>
            !context.copies.isFinished({ schema, table, relationOid: oid }) &&
            now >= (this.#refused.get(oid) ?? -Infinity),
        )
    const wanted = new Map<number, WantedTable>()
    const whole = (table: WantedTable): boolean => table.request?.where === undefined
    for (const table of [...requested.filter(whole), ...left, ...requested])
      if (!wanted.has(table.oid)) wanted.set(table.oid, table)
    return [...wanted.values()]
  }

  /** Tables that somebody asks for; who asks for what cannot be had is told. */
  async #requested(published: readonly WantedTable[]): Promise<WantedTable[]> {
    const { slot, target, publication } = this.#options.context
    const requested: WantedTable[] = []
    for (const request of await this.#requests.open()) {
      const { id, schema, table, where } = request
      const found = published.find((other) => other.schema === schema && other.table === table)
      const refuse = (message: string, hint: string): Promise<void> =>
        this.#requests.answer(id, { outcome: 'refused', message, hint })
      if (found === undefined)
        await refuse(
          `${schema}.${table} is not streamed`,
          `Add it to the publication ${publication}, and check TABLES.`,
        )
      else if (!(await isTrusted(request, slot, target.password)))
        await refuse(
          'the condition is not signed with the password of the service',
          'Run `snapshot` with the PG_CONN_STRING of the service.',
        )
      else requested.push({ ...found, request: { id, ...(where === undefined ? {} : { where }) } })
    }
    return requested
  }

  async #note(left: readonly LeftTable[]): Promise<void> {
    const { context, metrics } = this.#options
    const { logger } = context
    for (const { table, refusal } of left) {
      const name = `${table.schema}.${table.table}`
      if (refusal === undefined) {
        logger.info({ table: name }, 'changed while it was copied: it is copied again')
        continue
      }
      metrics.history.note('error', `${name} cannot be copied: ${refusal.message}`)
      if (table.request !== undefined) {
        const { message, hint } = refusal
        const answer = { outcome: 'refused', message, ...(hint === undefined ? {} : { hint }) } as const
        await this.#requests.answer(table.request.id, answer)
        logger.error({ table: name, err: refusal }, 'the server refuses to copy a table')
        continue
      }
      this.#refused.set(table.oid, performance.now() + REFUSED_MS)
      logger.error({ table: name, err: refusal, retry_in_ms: REFUSED_MS }, 'the server refuses to copy a table')
    }
  }
}
