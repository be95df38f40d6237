// Copies existing rows beside the stream: finds the tables that the lake does not have whole, takes a snapshot, lets the stream pass
// its position, and begins again with what is left. What goes wrong here ends no session.
import type pg from 'pg'
import { Failure } from '../../model/failure.js'
import { formatLsn, type Lsn } from '../../model/lsn.js'
import { queryFailure } from '../../replication/connection.js'
import { takeSnapshot } from '../../replication/copy-snapshot.js'
import { publishedTables, type PublishedTable } from '../../replication/copy-source.js'
import { sleep } from '../sleep.js'
import { CopyRun, type CopyContext, type LeftTable } from './copy-run.js'

/** So often the publication is looked at for new tables. */
const LOOK_MS = 10_000
/** A table that the server refused is tried again after this. */
const REFUSED_MS = 300_000
const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 60_000

export interface CopierOptions {
  readonly context: CopyContext
  readonly control: pg.Client
  readonly takes: (schema: string, table: string) => boolean
  /** Resolves when the stream has passed the position, and everything up to it is durable. */
  readonly passed: (position: Lsn) => Promise<void>
}

export class Copier {
  readonly #options: CopierOptions
  readonly #refused = new Map<number, number>()
  #run: { readonly copy: CopyRun; readonly ended: Promise<unknown> } | undefined
  readonly #stop = new AbortController()
  readonly #stopped = new Promise<void>((resolve) => {
    this.#stop.signal.addEventListener('abort', () => resolve())
  })

  constructor(options: CopierOptions) {
    this.#options = options
  }

  /** Goes on until it is stopped, and holds nothing then. Throws the Failure of a copy that shows the session to be wrong. */
  async run(): Promise<void> {
    await Promise.race([this.#copyOnAndOn(), this.#stopped])
    await this.#run?.ended.catch(() => undefined)
  }

  async #copyOnAndOn(): Promise<void> {
    const { signal } = this.#stop
    for (let failures = 0; !signal.aborted;) {
      try {
        const left = await this.#copyAll()
        failures = 0
        await sleep(left === 0 ? LOOK_MS : FIRST_PAUSE_MS, signal)
      } catch (error) {
        await this.#afterFailure(error, failures++)
      }
    }
  }

  /** Waits before the next try, or throws where there must be none. */
  async #afterFailure(error: unknown, failuresBefore: number): Promise<void> {
    const { signal } = this.#stop
    if (signal.aborted) return
    const failure = error instanceof Failure ? error : queryFailure(error)
    if (!['link', 'store_away', 'config'].includes(failure.kind)) throw failure
    const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failuresBefore)
    this.#options.context.logger.warn({ err: failure, retry_in_ms: pauseMs }, 'copy of existing rows: will try again')
    await sleep(pauseMs, signal)
  }

  stop(): void {
    this.#run?.copy.stop()
    this.#stop.abort()
  }

  /** Returns how many tables are left that can be copied at once. */
  async #copyAll(): Promise<number> {
    const { context, passed } = this.#options
    const tables = await this.#tablesLeft()
    if (tables.length === 0) return 0
    const snapshot = await takeSnapshot(context.target, context.slot, context.serverVersion)
    try {
      context.logger.info(
        { tables: tables.length, lsn: formatLsn(snapshot.consistentPoint - 1n) },
        'copying existing rows',
      )
      // Of a session that has ended no position is passed any more.
      await Promise.race([passed(snapshot.consistentPoint), this.#stopped])
      if (this.#stop.signal.aborted) return 0
      const copy = new CopyRun(context, snapshot, tables)
      const ended = copy.run()
      this.#run = { copy, ended }
      const left = await ended
      this.#note(left)
      return left.filter(({ refusal }) => refusal === undefined).length
    } finally {
      this.#run = undefined
      snapshot.release()
    }
  }

  async #tablesLeft(): Promise<PublishedTable[]> {
    const { context, control, takes } = this.#options
    const now = performance.now()
    return (await publishedTables(control, context.publication)).filter(
      ({ schema, table, oid }) =>
        takes(schema, table) &&
        !context.copies.isFinished({ schema, table, relationOid: oid }) &&
        now >= (this.#refused.get(oid) ?? -Infinity),
    )
  }

  #note(left: readonly LeftTable[]): void {
    const { logger } = this.#options.context
    for (const { table, refusal } of left) {
      const name = `${table.schema}.${table.table}`
      if (refusal === undefined) {
        logger.info({ table: name }, 'changed while it was copied: it is copied again')
        continue
      }
      this.#refused.set(table.oid, performance.now() + REFUSED_MS)
      logger.error({ table: name, err: refusal, retry_in_ms: REFUSED_MS }, 'the server refuses to copy a table')
    }
  }
}
