// A copy of some tables under one snapshot, by several connections at once. Each part is read in a transaction of its own, after a look
// whether the table is still what the snapshot saw, and its files are staged before the next one.
import pLimit from 'p-limit'
import type pg from 'pg'
import type { CopyProgress, PlannedCopy, StagedFile } from '../../model/batch-record.js'
import { Failure } from '../../model/failure.js'
import type { Lsn } from '../../model/lsn.js'
import type { Logger } from '../../observability/logger.js'
import { sendAsStored, type ConnectionTarget } from '../../replication/connection.js'
import { copyOut } from '../../replication/copy-out.js'
import type { CopySnapshot } from '../../replication/copy-snapshot.js'
import { copyStatement, pagesOf, sourceTable, type SourceTable } from '../../replication/copy-source.js'
import type { TypeCatalog } from '../../replication/type-catalog.js'
import type { CopyTotals } from '../../storage/copy-totals.js'
import type { ObjectStore } from '../../storage/object-store.js'
import type { SchemaRegistry } from '../../storage/schema-registry.js'
import { columnsAsText } from '../../transform/copy-rows.js'
import { layoutOf, type TableLayout } from '../../transform/table-layout.js'
import type { FileTarget } from '../../transform/table-writer.js'
import { stampOf, type TransactionStamp } from '../../transform/transaction-stamp.js'
import type { TextColumns } from '../../transform/values/value-codec.js'
import { hiddenColumnsOf, withoutExcluded, type HidingSettings } from '../hidden-columns.js'
import type { MemoryGate } from '../memory-gate.js'
import { COPY_STUCK_MS, WHOLE_TABLE_STUCK_MS, type ProgressWatch } from '../progress-watch.js'
import { PartFiles } from './part-files.js'
import type { RateLimit } from './rate-limit.js'
import { isRefusal, refusalOf } from './refusal.js'
import { isSuperseded, pagesIn, piecesLeft, wayOfCopy, type WayOfCopy } from './table-pieces.js'
import { CopyAgain, TableCopy, unfit, UnfitRequest, type PieceOfTable, type WantedTable } from './table-copy.js'

/** Servers before 14 read the whole table for a range of its pages. */
const FIRST_RANGE_VERSION = 140_000
const PAGE_BYTES = 8192

export interface CopyContext {
  /** What is streamed. */
  readonly target: ConnectionTarget
  readonly serverVersion: number
  readonly publication: string
  readonly slot: string
  readonly workers: number
  readonly targetFileBytes: number
  readonly memoryLimitBytes: number
  readonly textColumns: TextColumns
  readonly hiding: HidingSettings
  readonly catalog: TypeCatalog
  readonly registry: SchemaRegistry
  readonly store: ObjectStore
  readonly gate: MemoryGate
  readonly files: FileTarget
  /** Absent: as fast as it goes. */
  readonly rateLimit?: RateLimit
  /** Twelve hexadecimal digits by chance. */
  readonly run: string
  readonly copies: CopyTotals
  /** Up to there the lake may lack changes; undefined where it never had a gap. */
  readonly gapEnd: () => Lsn | undefined
  readonly commit: (copy: PlannedCopy) => Promise<CopyProgress>
  readonly logger: Logger
  readonly watch: ProgressWatch
}

/** What became of a table that was not copied. */
export interface LeftTable {
  readonly table: WantedTable
  /** Absent: it was changed under way, and is copied under a new snapshot. */
  readonly refusal?: Failure
}

export interface CopyObserver {
  /** There is so much to read of the table. */
  opened(table: WantedTable, pages: number): void
  /** The server has sent this. */
  received(table: WantedTable, rows: number, bytes: number): void
  /** All rows of so many pages have come. */
  read(table: WantedTable, pages: number, rows: number): void
  /** It is durable. */
  copied(table: WantedTable, rows: number): Promise<void>
}

export class CopyRun {
  readonly #context: CopyContext
  readonly #snapshot: CopySnapshot
  readonly #stamp: TransactionStamp
  readonly #tables: WantedTable[]
  readonly #observer: CopyObserver
  readonly #parts: PieceOfTable[] = []
  readonly #left: LeftTable[] = []
  readonly #clients = new Set<pg.Client>()
  /** What is staged and waits for its commit, while the next part is read. */
  readonly #finishing = new Set<Promise<void>>()
  #fresh!: pg.Client
  /** It is asked one thing at a time, whichever worker asks. */
  readonly #asking = pLimit(1)
  #stopped = false
  #cause: unknown
  #halt!: (reason: Failure) => void
  /** Rejects when it is stopped: what waits for a commit then waits for nothing. */
  readonly #halted = new Promise<never>((_, reject) => (this.#halt = reject))
  #nextPart = 0
  #opening = 0
  #wake: () => void = () => undefined
  #woken = new Promise<void>((resolve) => (this.#wake = resolve))

  constructor(context: CopyContext, snapshot: CopySnapshot, tables: readonly WantedTable[], observer: CopyObserver) {
    this.#context = context
    this.#observer = observer
    this.#snapshot = snapshot
    this.#tables = [...tables]
    this.#halted.catch(() => undefined)
    this.#stamp = stampOf(snapshot.lsn, snapshot.micros, undefined)
  }

  /** Copies what it can and returns the tables that are left. Throws Failure where the link or the store failed. */
  async run(): Promise<readonly LeftTable[]> {
    try {
      this.#fresh = await this.#connect()
      const work = Array.from({ length: this.#context.workers }, () => this.#work())
      const results = await Promise.allSettled(work)
      for (const result of results) if (result.status === 'rejected') throw this.#cause ?? result.reason
      await Promise.all(this.#finishing)
      return this.#left
    } finally {
      this.stop()
    }
  }

  /** Ends all connections; run() rejects, or has ended. */
  stop(): void {
    this.#stopped = true
    this.#halt(new Failure('link', 'the copy was stopped'))
    this.#notify()
    for (const client of this.#clients) destroy(client)
    this.#clients.clear()
    this.#snapshot.release()
  }

  async #connect(): Promise<pg.Client> {
    const client = await this.#snapshot.connect()
    this.#clients.add(client)
    if (this.#stopped) destroy(client)
    if (this.#context.textColumns === 'bytes') await sendAsStored(client)
    return client
  }

  async #work(): Promise<void> {
    let client: pg.Client | undefined
    try {
      while (!this.#stopped) {
        const part = this.#parts.shift()
        const table = part === undefined ? this.#tables.shift() : undefined
        if (part === undefined && table === undefined) {
          if (this.#opening === 0) return
          await this.#woken
          continue
        }
        // Counted before anything is waited for: what it turns out to hold is for the other workers too.
        if (table !== undefined) this.#opening++
        client ??= await this.#connect()
        if (part !== undefined) await this.#copy(client, part)
        else await this.#open(client, table!)
      }
    } catch (error) {
      this.#fail(error)
      throw error
    }
  }

  /** What fails afterwards, fails because of it. */
  #fail(error: unknown): void {
    this.#cause ??= error
    this.stop()
  }

  #notify(): void {
    this.#wake()
    this.#woken = new Promise((resolve) => (this.#wake = resolve))
  }

  async #open(client: pg.Client, table: WantedTable): Promise<void> {
    try {
      const copy = await this.#tableCopy(client, table)
      const work = copy.work()
      this.#parts.push(...work)
      if (work.length === 0) this.#finish(copy, {}, [])
    } catch (error) {
      await this.#leave(table, error)
    } finally {
      this.#opening--
      this.#notify()
    }
  }

  async #tableCopy(client: pg.Client, wanted: WantedTable): Promise<TableCopy> {
    const { publication, serverVersion, catalog, registry, textColumns, hiding, copies, gapEnd } = this.#context
    const { oid, request } = wanted
    const { source, pages } = await this.#snapshot.read(client, async () => {
      const source = await sourceTable(client, publication, oid, serverVersion)
      if (source === undefined) throw new CopyAgain('the snapshot does not have it')
      const pages = await pagesOf(client, source.sources)
      await this.#compare(source)
      return { source, pages }
    })
    const relation = withoutExcluded(hiding, source.relation)
    const hidden = hiddenColumnsOf(hiding, relation)
    const types = await catalog.resolve(relation.columns.map(({ typeOid }) => typeOid))
    const { lsn } = this.#snapshot
    const relationName = { schema: relation.schema, table: relation.name }
    const { hasKey } = source
    const chosenRows = request?.where !== undefined
    let layout!: TableLayout
    let way!: WayOfCopy
    const version = await registry.register(relationName, { lsn, seq: 0 }, (earlier, later) => {
      const earlierOids = earlier.map(({ relationOid }) => relationOid)
      const laterOids = later.map(({ relationOid }) => relationOid)
      if (isSuperseded({ relationOid: relation.oid, earlierOids, laterOids }))
        throw new CopyAgain('the stream has replaced another table of this name by it')
      const replaces = request !== undefined || isBefore(registry.beginning(relationName), gapEnd())
      way = wayOfCopy({ hasKey, relationOid: oid, earlierOids, replaces, chosenRows })
      if (way.refused !== undefined) throw unfit(relationName, way.refused)
      return (layout = layoutOf(relation, types, textColumns, earlier, hidden)).schema
    })
    const copied = { ...relationName, relationOid: oid, lsn }
    const { whole, supersedes } = way
    const done = whole || chosenRows ? [] : copies.piecesOf(copied)
    const readsRanges = serverVersion >= FIRST_RANGE_VERSION
    const pieces = piecesLeft({
      ...{ table: source, pages, schemaVersion: version.version, done, readsRanges },
      pagesAPiece: this.#pagesAPiece(),
    })
    const commit = (copy: PlannedCopy) => Promise.race([this.#context.commit(copy), this.#halted])
    const pagesLeft = pieces.reduce((sum, piece) => sum + pagesIn(piece, pages), 0)
    this.#observer.opened(wanted, pagesLeft)
    return new TableCopy({
      ...{ wanted, table: copied, source, pages, layout, version, pieces, whole, supersedes },
      xmin: this.#snapshot.xmin,
      commit,
    })
  }

  /** So many that what all workers hold fits into memory. */
  #pagesAPiece(): number {
    const { targetFileBytes, memoryLimitBytes, workers } = this.#context
    return Math.max(1, Math.floor(Math.min(targetFileBytes, memoryLimitBytes / workers) / PAGE_BYTES))
  }

  async #copy(client: pg.Client, part: PieceOfTable): Promise<void> {
    const { copy } = part
    if (copy.failed) return
    try {
      const files = await this.#staged(client, part)
      const rows = files.reduce((sum, file) => sum + file.rows, 0)
      if (part.piece !== undefined) this.#observer.read(copy.wanted, pagesIn(part.piece, copy.pages), rows)
      this.#finish(copy, part, files)
    } catch (error) {
      await this.#giveUp(copy, error)
    }
  }

  #finish(copy: TableCopy, part: Partial<PieceOfTable>, files: readonly StagedFile[]): void {
    const { schema, table } = copy.table
    const finishing = copy
      .done(part, files)
      .then(async (whole) => {
        if (!whole) return
        this.#context.logger.info({ table: `${schema}.${table}`, rows: copy.rows }, 'table copied')
        await this.#observer.copied(copy.wanted, copy.rows)
      })
      .catch((error: unknown) => this.#giveUp(copy, error))
      .finally(() => this.#finishing.delete(finishing))
    finishing.catch((error: unknown) => this.#fail(error)) // run() tells
    this.#finishing.add(finishing)
  }

  async #giveUp(copy: TableCopy, error: unknown): Promise<void> {
    copy.failed = true
    await this.#leave(copy.wanted, error, copy.source)
  }

  /** The files of the part, staged. */
  async #staged(client: pg.Client, part: PieceOfTable): Promise<StagedFile[]> {
    const { copy, piece } = part
    const received = (rows: number, bytes: number): void => this.#observer.received(copy.wanted, rows, bytes)
    const files = new PartFiles(this.#context, this.#stamp, part, { nextPart: () => this.#nextPart++, received })
    if (piece === undefined) return files.finish()
    try {
      await this.#snapshot.read(client, async () => {
        await client.query(`LOCK TABLE ONLY ${piece.source.name} IN ACCESS SHARE MODE`)
        await this.#compare(copy.source)
        // Without the columns that are left out: they are not even read.
        const source = { ...copy.source, relation: copy.layout.relation }
        const statement = copyStatement(source, piece, columnsAsText(copy.layout), copy.wanted.request?.where)
        const { schema, table } = copy.table
        const step = this.#context.watch.begin(`the copy of ${schema}.${table}`, this.#stuckMs, () => files.taken)
        await copyOut(client, statement, files.take).finally(() => step.end())
      })
    } catch (error) {
      await files.discard()
      throw error
    }
    return files.finish()
  }

  get #stuckMs(): number {
    return this.#context.serverVersion < FIRST_RANGE_VERSION ? WHOLE_TABLE_STUCK_MS : COPY_STUCK_MS
  }

  /** Throws where the table is not what the snapshot saw: an old snapshot finds a table empty that was rewritten. */
  async #compare(source: SourceTable): Promise<void> {
    if (await this.#isChanged(source)) throw new CopyAgain('the table was changed')
  }

  async #isChanged(source: SourceTable): Promise<boolean> {
    const { publication, serverVersion } = this.#context
    const { oid } = source.relation
    const now = await this.#asking(() => sourceTable(this.#fresh, publication, oid, serverVersion))
    return JSON.stringify(now) !== JSON.stringify(source)
  }

  /** Goes on without this table where it was changed or the server has refused it; anything else ends the run. */
  async #leave(table: WantedTable, error: unknown, source?: SourceTable): Promise<void> {
    const refusal = await this.#refusalOf(error, source)
    if (refusal === undefined && !isRefusal(error) && !(error instanceof CopyAgain)) throw error
    if (this.#left.some(({ table: { oid } }) => oid === table.oid)) return
    this.#left.push(refusal === undefined ? { table } : { table, refusal })
  }

  async #refusalOf(error: unknown, source: SourceTable | undefined): Promise<Failure | undefined> {
    if (error instanceof UnfitRequest) return error
    // Where it was changed a name, a column, a type or a row of the catalogue may be missed that will not be missed again.
    if (!isRefusal(error) || source === undefined || (await this.#isChanged(source))) return undefined
    const hides = hiddenColumnsOf(this.#context.hiding, source.relation) !== undefined
    return this.#asking(() => refusalOf(this.#fresh, source.sources, error, hides))
  }
}

function isBefore(position: Lsn | undefined, end: Lsn | undefined): boolean {
  return position !== undefined && end !== undefined && position < end
}

/** At once, whatever it is doing. */
function destroy(client: pg.Client): void {
  ;(client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy()
}
