// The stream while it runs: server to builder to committer, and the durable position back to the server. Joins the pieces
// that decide (ledger, gate, cutter); decides only when to flush, when an idle position is due, and how to stop in order.
import { randomUUID } from 'node:crypto'
import type pg from 'pg'
import type { BatchSummary, Commit, CutParameters, Plan } from '../model/batch-record.js'
import { Failure } from '../model/failure.js'
import type { Lsn } from '../model/lsn.js'
import { collectGarbage } from '../model/native-memory.js'
import { livenessTimings } from '../replication/liveness.js'
import { linkFailure } from '../replication/connection.js'
import { ReplicationStream } from '../replication/replication-stream.js'
import type { ServerFacts } from '../replication/server.js'
import { checkSlotHeld, readSlotHealth } from '../replication/slot.js'
import { TypeCatalog } from '../replication/type-catalog.js'
import { CommitLog } from '../storage/commit-log.js'
import type { ObjectStore } from '../storage/object-store.js'
import { SchemaRegistry } from '../storage/schema-registry.js'
import { BatchBuilder } from '../transform/batch-builder.js'
import type { BatchSink, RegisteredVersion, RowCounts } from '../transform/batch-sink.js'
import type { CutReason, Pressure } from '../transform/batch-cutter.js'
import { BufferPool } from '../transform/buffer-pool.js'
import type { ClosedFile } from '../transform/open-file.js'
import type { FileTarget } from '../transform/table-writer.js'
import { textColumnsOf } from '../transform/values/value-codec.js'
import { zstdAt } from '../transform/zstd.js'
import { BatchCommitter, type ClosedBatch } from './batch-committer.js'
import { BatchNews } from './batch-news.js'
import { drainWithinBounds } from './drain.js'
import { hiddenColumnsOf } from './hidden-columns.js'
import { idleIsDue } from './idle-decision.js'
import { MemoryGate } from './memory-gate.js'
import { CopiesBeside } from './copying/copies-beside.js'
import { judgeMisfit, splitOpenPlans } from './plan-rules.js'
import { ProgressLedger } from './progress-ledger.js'
import { watchStream } from './progress-watch.js'
import { SlotGuardian } from './slot-guardian.js'
import type { SessionContext } from './session.js'
import { logStreaming } from './batch-events.js'
import type { StartPoint } from './start-point.js'
import { streamMode } from './stream-mode.js'

/** Unused page buffers kept for the next pages. */
const POOL_KEEP_BYTES = 24 << 20
/** How long the server may take to end the connection after our goodbye. */
const GOODBYE_MS = 5_000

export class LiveStream implements BatchSink {
  readonly #context: SessionContext
  readonly #control: pg.Client
  readonly #facts: ServerFacts
  readonly #start: StartPoint
  readonly #gate: MemoryGate
  readonly #ledger: ProgressLedger
  readonly #news: BatchNews
  readonly #ended = new AbortController()
  #stream!: ReplicationStream
  #builder!: BatchBuilder
  #committer!: BatchCommitter
  #guardian: SlotGuardian | undefined
  readonly #copies: CopiesBeside
  #connected = true
  #flushTimer: NodeJS.Timeout | undefined
  #lastIdleMs = -Infinity
  #fail!: (failure: Failure) => void
  readonly #failed: Promise<never>
  #betweenTransactions: () => void = () => undefined
  readonly #answerWithinMs: number
  readonly #files: FileTarget

  constructor(context: SessionContext, control: pg.Client, facts: ServerFacts, start: StartPoint) {
    this.#context = context
    this.#control = control
    this.#facts = facts
    this.#start = start
    this.#gate = new MemoryGate(context.settings.memoryLimitBytes)
    this.#ledger = new ProgressLedger(start.durableLsn)
    const { settings } = context
    const { meter, leaving } = this.#gate
    const pool = new BufferPool(meter, POOL_KEEP_BYTES)
    this.#files = {
      context: { pool, compress: zstdAt(settings.zstdLevel), meter, leaving },
      createdBy: `wal-cake version ${settings.version} (build 0)`,
    }
    this.#news = new BatchNews({
      ...{ logger: context.logger, metrics: context.metrics, watch: context.watch, storeMoves: context.storeMoves },
      heldBytes: () => this.#gate.heldBytes,
      received: () => this.#ledger.received,
    })
    this.#copies = new CopiesBeside({
      ...{ settings, facts, start, control, gate: this.#gate, ledger: this.#ledger, files: this.#files },
      ...{
        logger: context.logger,
        metrics: context.metrics,
        watch: context.watch,
        fail: (failure) => this.#fail(failure),
      },
      ask: () => this.#stream.ask(),
    })
    this.#answerWithinMs = livenessTimings(facts.walSenderTimeoutMs).deadAfterMs
    this.#failed = new Promise((_, reject) => (this.#fail = reject))
    this.#failed.catch(() => undefined)
  }

  /** Streams until the stop signal; then drains, acknowledges, and ends the connection. Throws Failure. */
  async run(replication: pg.Client): Promise<void> {
    try {
      await this.#run(replication)
    } catch (error) {
      throw error instanceof Failure ? await this.#judged(error) : error
    }
  }

  async #run(replication: pg.Client): Promise<void> {
    const { stop } = this.#context
    let onStop = (): void => undefined
    const stopped = new Promise<void>((resolve) => (onStop = resolve))
    try {
      await this.#open(replication)
      stop.addEventListener('abort', onStop, { once: true })
      if (stop.aborted) onStop()
      await Promise.race([stopped, this.#failed, this.#stream.done])
      if (stop.aborted) await this.#drain()
    } finally {
      stop.removeEventListener('abort', onStop)
      await this.#close(stop.aborted)
    }
  }

  // BatchSink: what the builder has to say

  started(): void {
    this.#news.began()
    const { flushIntervalMs } = this.#context.settings
    this.#flushTimer = setTimeout(() => this.#guarded(() => this.#builder.requestCut()), flushIntervalMs)
  }

  plan(fromLsn: Lsn, toLsn: Lsn, cut: CutParameters): void {
    this.#committer.plan(fromLsn, toLsn, cut)
  }

  file(file: ClosedFile, part: number, schema: RegisteredVersion): void {
    this.#committer.file(file, part, schema)
  }

  end(summary: BatchSummary, counts: ReadonlyMap<string, RowCounts>, reason: CutReason | 'replay'): void {
    clearTimeout(this.#flushTimer)
    this.#committer.end(summary, counts, reason)
  }

  /** G3: an idle position goes into the bucket first, and only when nothing is open, planned or on its way. */
  idle(position: Lsn, urgent: boolean): void {
    this.#passed(position)
    // What a stop finishes is what had begun before it.
    if (this.#context.stop.aborted) return
    const now = performance.now()
    const { durable } = this.#ledger
    const sinceMs = now - this.#lastIdleMs
    const moment = { position, durable, committerIdle: this.#committer.idle, sinceMs }
    if (!idleIsDue({ ...moment, urgent: urgent || this.#copies.wait.isDue(position) })) return
    this.#lastIdleMs = now
    this.#builder.skipTo(position)
    this.#committer.recordIdle(durable, position, this.#context.settings.cut)
  }

  room(): Promise<void> | undefined {
    return this.#gate.room()
  }

  pressure(): Pressure {
    return { memoryShort: this.#gate.short, behind: this.#committer.behind }
  }

  async #open(replication: pg.Client): Promise<void> {
    const { settings, logger } = this.#context
    const catalog = new TypeCatalog(this.#control, this.#answerWithinMs)
    const mode = this.#context.textOnly
      ? ({ binary: false, why: 'a type that is only known in text was met' } as const)
      : await streamMode(this.#control, catalog, settings, this.#facts)
    const store = this.#context.storeUntil(this.#ended.signal)
    const registry = await SchemaRegistry.open(store, settings.slot)
    this.#committer = this.#newCommitter(new CommitLog(store, settings.slot), store)
    this.#committer.finishStanding()
    await Promise.race([this.#committer.settle(), this.#failed])
    const openPlans = splitOpenPlans(this.#start.openPlans).changes
    this.#builder = this.#newBuilder(catalog, registry, openPlans)
    // A server that shuts down ends this connection first, and then waits until all it has sent is acknowledged. That must not
    // be done for its sake (G1), and it must not wait for a store that is away: so the stream goes, and comes back later.
    this.#control.on('error', (error) => this.#fail(linkFailure(`the control connection broke: ${error.message}`)))
    this.#stream = new ReplicationStream(
      replication,
      {
        slot: settings.slot,
        publication: settings.publication,
        startLsn: this.#start.askFrom,
        checkSlot: (asked) => checkSlotHeld(this.#control, settings.slot, asked),
        binary: mode.binary,
        walSenderTimeoutMs: this.#facts.walSenderTimeoutMs,
        unixSocket: settings.target.host.startsWith('/'),
        patience: this.#context.patience,
      },
      this.#builder,
    )
    this.#stream.done.catch(() => (this.#connected = false))
    await Promise.race([this.#stream.started, this.#stream.done, this.#failed])
    logStreaming(logger, settings, mode, this.#ledger.durable, this.#start.place.walEnd, openPlans.length)
    watchStream(this.#context.watch, this.#stream, this.#context.storeMoves)
    this.#context.metrics.lake(this.#start.totals)
    this.#guardian = this.#newGuardian()
    this.#copies.begin(this.#committer, registry, catalog, store)
    this.#context.onStreaming()
  }

  #newCommitter(log: CommitLog, store: ObjectStore): BatchCommitter {
    const { settings } = this.#context
    return new BatchCommitter({
      ...{ log, store, gate: this.#gate, slot: settings.slot },
      writer: randomUUID(),
      writerVersion: settings.version,
      timeline: this.#start.place.timeline,
      uploadConcurrency: settings.uploadConcurrency,
      totals: this.#start.totals,
      durableLsn: this.#start.durableLsn,
      checkpoint: this.#start.checkpoint,
      openPlans: this.#start.openPlans,
      connected: () => this.#connected,
      onPlanWon: () => this.#copies.planWon(store),
      onClosed: (batch) => this.#news.closed(batch),
      onDurable: (commit, batch) => this.#acknowledge(commit, batch),
      onFailure: (failure) => this.#fail(failure),
    })
  }

  #newBuilder(catalog: TypeCatalog, registry: SchemaRegistry, openPlans: readonly Plan[]): BatchBuilder {
    const { settings, logger } = this.#context
    return new BatchBuilder(
      {
        durableLsn: this.#ledger.durable,
        sentAgain: this.#start.sentAgain,
        quiet: this.#start.totals.quiet,
        openPlans,
        ...{ cut: settings.cut, flushIntervalMs: settings.flushIntervalMs },
        takes: (schema, table, filters) => settings.tables.writtenAs(filters).matches(schema, table),
        hides: (relation) => hiddenColumnsOf(settings, relation),
        textColumns: textColumnsOf(this.#facts.encoding),
        typesOf: (oids) => catalog.known(oids) ?? catalog.resolve(oids),
        register: (table, position, describe) => registry.register(table, position, describe),
        target: this.#files,
        now: () => performance.now(),
        onCommit: (endLsn) => this.#received(endLsn),
        onRelation: (table, version) =>
          logger.debug(
            { table: `${table.schema}.${table.table}`, version, columns: table.columns.length },
            'table seen',
          ),
        halted: new Promise(() => undefined),
      },
      this,
    )
  }

  #newGuardian(): SlotGuardian {
    const { settings, logger, metrics } = this.#context
    return new SlotGuardian({
      look: () => readSlotHealth(this.#control, settings.slot, this.#answerWithinMs),
      onBroken: (error) => this.#fail(linkFailure('the control connection gives no answer', error)),
      stream: () => ({
        ...{ lagSeconds: this.#news.lagSeconds, heldBytes: this.#gate.heldBytes },
        ...{ receivedBytes: this.#stream.bytesRead, pausedSeconds: this.#gate.pausedSeconds },
      }),
      metrics,
      logger,
    })
  }

  #received(endLsn: Lsn): void {
    this.#ledger.noteReceived(endLsn)
    this.#stream.noteReceived(endLsn)
    this.#passed(endLsn)
    if (this.#context.stop.aborted) setImmediate(this.#betweenTransactions)
  }

  /** What was durable when the stream began is acknowledged once it has come past that, which proves the server's history. */
  #passed(position: Lsn): void {
    const { durable } = this.#ledger
    if (position >= durable && this.#stream.acked < durable) this.#stream.acknowledge(durable)
    if (this.#copies.wait.hurries(position)) this.#builder.requestCut()
  }

  /** The commit is in the bucket: only now the slot may move (G1). */
  #acknowledge(commit: Commit, batch: ClosedBatch | undefined): void {
    this.#ledger.noteDurable(commit.fromLsn, commit.endLsn)
    this.#copies.wait.durable(commit.endLsn)
    // Positions that were left open by a crash are committed before the stream runs.
    if ((this.#stream as ReplicationStream | undefined) !== undefined) this.#stream.acknowledge(this.#ledger.durable)
    ;(this.#builder as BatchBuilder | undefined)?.reconsider()
    this.#context.onProgress(commit.endLsn)
    this.#news.durable(commit, batch)
  }

  /** Ends the batch at the last whole transaction and waits until everything that has ended is durable. */
  async #drain(): Promise<void> {
    const { logger } = this.#context
    logger.info('stopping: finishing what is on its way')
    void this.#copies.stop()
    const between = new Promise<void>((resolve) => (this.#betweenTransactions = resolve))
    this.#builder.stop()
    if (this.#builder.betweenTransactions) this.#betweenTransactions()
    await drainWithinBounds({
      between,
      onLeft: () => logger.info('a large transaction that is still arriving is left for the next start'),
      settle: () => this.#committer.settle(),
      broken: Promise.race([this.#failed, this.#stream.done]),
    })
  }

  /** What a failure means once the log has been asked where it ends now. */
  async #judged(failure: Failure): Promise<Failure> {
    if (failure.kind !== 'unsafe') return failure
    const { startStore, settings } = this.#context
    const log = await new CommitLog(startStore, settings.slot).recover().catch(() => undefined)
    return judgeMisfit(failure, this.#ledger.durable, log?.lastCommit?.endLsn)
  }

  async #close(inOrder: boolean): Promise<void> {
    clearTimeout(this.#flushTimer)
    this.#guardian?.stop()
    this.#connected = false
    void this.#copies.stop()
    if (inOrder) await (this.#stream as ReplicationStream | undefined)?.close(GOODBYE_MS)
    else (this.#stream as ReplicationStream | undefined)?.destroy()
    this.#ended.abort()
    await (this.#builder as BatchBuilder | undefined)?.discard()
    await this.#copies.stop()
    // What the next session holds comes on top of what is left of this one.
    collectGarbage()
  }

  /** Runs what a timer has asked for; a failure ends the session like any other. */
  #guarded(action: () => void): void {
    try {
      action()
    } catch (error) {
      this.#fail(error as Failure)
    }
  }
}
