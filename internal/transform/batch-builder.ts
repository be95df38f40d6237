// Transactions into batches: routes each change to its table's writer, ends batches at commit boundaries, rolls files. It
// decides nothing by the clock or by memory that could lie differently in a replay: where rows are cut into files depends
// on the transactions, the plan and its parameters alone.
import type { CutParameters, Plan } from '../model/batch-record.js'
import type { ChangeSink, Pause } from '../model/change-sink.js'
import type { Lsn } from '../model/lsn.js'
import type { PgType } from '../model/pg-type.js'
import type { Relation } from '../model/relation.js'
import type { TableSchema } from '../model/table-schema.js'
import { cutAtCommit, type CutReason } from './batch-cutter.js'
import type { BatchSink, BegunVersion, BuilderOptions, RowCounts } from './batch-sink.js'
import { DescribedTables, type Table } from './described-tables.js'
import { KnownPast } from './known-past.js'
import { OpenBatch } from './open-batch.js'
import { notAsPlanned } from './other-history.js'
import { placeOfPosition, placeOfTransaction } from './stream-place.js'
import { layoutOf, type TableLayout } from './table-layout.js'
import { openFileBytes, TableWriter } from './table-writer.js'
import { stampOf, type TransactionStamp } from './transaction-stamp.js'

/** A part of memory use is looked at each time this many bytes of values have come in. */
const LOOK_EVERY_BYTES = 4 << 20
/** Where memory is short, open pages are compressed each time this part of what rolls the files has come in. */
const SEALED_PART = 1 / 8

export class BatchBuilder implements ChangeSink {
  readonly #options: BuilderOptions
  readonly #sink: BatchSink
  readonly #tables = new DescribedTables()
  /** Tables with an open file, in the order of their first rows. */
  readonly #written = new Set<Table>()
  readonly #openPlans: Plan[]
  readonly #past: KnownPast
  /** End of the batch before the open one. */
  #from: Lsn
  #stopping = false
  #cutDue = false
  #filterChanged = false

  #batch = new OpenBatch()
  /** Bytes in the batch at which memory is looked at next. */
  #nextLook = LOOK_EVERY_BYTES
  /** Bytes in the batch when pages were compressed early. */
  #sealedAt = 0

  // The open transaction
  #stamp: TransactionStamp | undefined
  #commitLsn: Lsn | undefined
  #dropped = false
  #seq = 0
  #rowsAtBegin = 0
  #bytesAtBegin = 0

  constructor(options: BuilderOptions, sink: BatchSink) {
    this.#options = options
    this.#sink = sink
    this.#openPlans = [...options.openPlans]
    this.#from = options.durableLsn
    this.#past = new KnownPast(options)
  }

  /** A batch that another run has planned is being replayed. */
  get replaying(): boolean {
    return this.#openPlans.length > 0
  }

  /** Ends the open batch now if no transaction is open, else at its commit. A replayed batch ends by its plan alone. */
  requestCut(): void {
    this.#cutDue = true
    this.reconsider()
  }

  /** What held a cut back may be over. */
  reconsider(): void {
    if (this.#commitLsn === undefined) this.#cutIfDue()
  }

  /** Nothing happened before `position`: the next batch begins there. Only while the open batch is empty. */
  skipTo(position: Lsn): void {
    this.#from = position
  }

  /** No transaction is half taken in. */
  get betweenTransactions(): boolean {
    return this.#commitLsn === undefined
  }

  /** The open batch ends at the next commit, and no further transaction is taken. */
  stop(): void {
    this.#stopping = true
    this.requestCut()
  }

  begin(commitLsn: Lsn, commitMicros: bigint, xid: number): Pause {
    if (this.#stopping) return this.#options.halted
    this.#past.reached(commitLsn, commitMicros)
    const planned = this.#openPlans[0]
    const place = placeOfTransaction(commitLsn, this.#from, planned)
    if (place === 'misfit') throw notAsPlanned(planned!, commitLsn)
    this.#commitLsn = commitLsn
    this.#seq = 0
    this.#rowsAtBegin = this.#batch.rows
    this.#bytesAtBegin = this.#batch.bytes
    this.#dropped = place === 'drop'
    this.#stamp = stampOf(commitLsn, commitMicros, xid, this.#stamp)
    return this.#filterChanged ? this.#judgeTablesAgain() : undefined
  }

  relation(relation: Relation): Pause {
    if (this.#tables.has(relation)) return undefined
    const known = this.#tables.find(relation.oid)
    if (known !== undefined) this.#closeFile(known)
    if (!this.#options.takes(relation.schema, relation.name, this.#cut)) {
      this.#tables.set({ relation })
      return undefined
    }
    return this.#take(relation)
  }

  insert(oid: number, buffer: Buffer, at: number, end: number): Pause {
    const table = this.#tables.get(oid, at)
    const seq = this.#seq++
    if (this.#leavesOut(table)) return undefined
    return this.#taken(table, 'insert', this.#writer(table).insert(this.#stamp!, seq, buffer, at, end))
  }

  update(oid: number, buffer: Buffer, at: number, end: number): Pause {
    const table = this.#tables.get(oid, at)
    const seq = this.#seq++
    if (this.#leavesOut(table)) return undefined
    const { bytes, keyChanged } = this.#writer(table).update(this.#stamp!, seq, buffer, at, end)
    if (keyChanged) {
      this.#seq++
      this.#count(table, 'delete')
    }
    return this.#taken(table, 'update', bytes)
  }

  delete(oid: number, buffer: Buffer, at: number, end: number): Pause {
    const table = this.#tables.get(oid, at)
    const seq = this.#seq++
    if (this.#leavesOut(table)) return undefined
    return this.#taken(table, 'delete', this.#writer(table).delete(this.#stamp!, seq, buffer, at, end))
  }

  truncate(oids: readonly number[]): Pause {
    for (const oid of oids) {
      const table = this.#tables.get(oid)
      const seq = this.#seq++
      if (this.#leavesOut(table)) continue
      this.#count(table, 'truncate')
      const bytes = this.#writer(table).truncate(this.#stamp!, seq)
      this.#batch.bytes += bytes
    }
    return undefined
  }

  commit(commitLsn: Lsn, endLsn: Lsn): Pause {
    // Still open: a cut that is asked for now comes after it.
    this.#options.onCommit(endLsn)
    this.#commitLsn = undefined
    if (this.#dropped) return undefined
    if (this.#batch.rows > this.#rowsAtBegin) this.#noteTransaction(commitLsn, endLsn)
    if (!this.replaying) this.#cutIfDue()
    else if (commitLsn === this.#openPlans[0]!.toLsn) this.#endBatch('replay')
    return this.#sink.room()
  }

  keepalive(position: Lsn, urgent: boolean): Pause {
    this.#past.reached(position, undefined)
    const planned = this.#openPlans[0]
    const place = placeOfPosition(position, this.#batch.rows, planned)
    if (place === 'misfit') throw notAsPlanned(planned!, position)
    if (place === 'idle') this.#sink.idle(position, urgent)
    else if (place === 'busy' && urgent) this.requestCut()
    return undefined
  }

  /** Drops the open batch. Resolves when its memory is back. */
  async discard(): Promise<void> {
    for (const { lake } of this.#written) await lake?.writer?.discard()
    this.#written.clear()
  }

  get #cut(): CutParameters {
    return this.#openPlans[0]?.cut ?? this.#options.cut
  }

  /** Its rows are not taken now: by the filters, or because they are durable already. */
  #leavesOut({ relation, lake }: Table): boolean {
    if (this.#dropped) this.#past.row(this.#commitLsn!, relation)
    return this.#dropped || lake === undefined
  }

  /** The server describes a table once a session: what a replayed plan took or left out is not what holds after it. */
  async #judgeTablesAgain(): Promise<void> {
    this.#filterChanged = false
    for (const { relation, lake } of this.#tables.all) {
      const takes = this.#options.takes(relation.schema, relation.name, this.#cut)
      if (takes && lake === undefined) await this.#take(relation)
      else if (!takes) this.#tables.set({ relation })
    }
  }

  #take(relation: Relation): Pause {
    const types = this.#options.typesOf(relation.columns.map((column) => column.typeOid))
    return types instanceof Promise ? types.then((found) => this.#open(relation, found)) : this.#open(relation, types)
  }

  #open(relation: Relation, types: readonly PgType[]): Pause {
    let layout: TableLayout | undefined
    const { textColumns, hides } = this.#options
    const hidden = hides(relation)
    const describe = (earlier: readonly TableSchema[]): TableSchema =>
      (layout = layoutOf(relation, types, textColumns, earlier, hidden)).schema
    const set = (version: BegunVersion): void => {
      this.#tables.set({ relation, lake: { layout: layout!, version } })
      this.#options.onRelation(layout!.schema, version.version)
      if (version.replaces) void this.truncate([relation.oid])
    }
    const position = { lsn: this.#commitLsn ?? this.#from, seq: this.#seq }
    const version = this.#options.register({ schema: relation.schema, table: relation.name }, position, describe)
    if (version instanceof Promise) return version.then(set)
    set(version)
    return undefined
  }

  /** The table's writer; a file holds the commits of one day. */
  #writer(table: Table): TableWriter {
    const lake = table.lake!
    if (lake.writer !== undefined && lake.writer.date !== this.#stamp!.date) this.#closeFile(table)
    return (lake.writer ??= this.#openFile(table, lake.layout))
  }

  /** An open file takes memory whatever is in it, so it counts where the batch's files roll. */
  #openFile(table: Table, layout: TableLayout): TableWriter {
    this.#written.add(table)
    this.#batch.bytes += openFileBytes(layout)
    return new TableWriter(layout, this.#stamp!.date, this.#options.target)
  }

  #taken(table: Table, operation: keyof RowCounts, bytes: number): Pause {
    this.#count(table, operation)
    this.#batch.bytes += bytes
    if (table.lake!.writer!.valueBytes >= this.#cut.targetFileBytes) this.#closeFile(table)
    return this.#batch.bytes >= this.#nextLook ? this.#look() : undefined
  }

  #count(table: Table, operation: keyof RowCounts): void {
    this.#batch.rows++
    if (table.tally?.batch !== this.#batch) {
      const counts = this.#batch.countsOf(`${table.relation.schema}.${table.relation.name}`)
      table.tally = { batch: this.#batch, counts }
    }
    table.tally.counts[operation]++
  }

  /**
   * Every few megabytes: a transaction that is large itself rolls the batch's files, so that they leave memory before it
   * ends. The rule sees only bytes of values, so a replay rolls at the same row.
   */
  #look(): Pause {
    this.#nextLook = this.#batch.bytes + LOOK_EVERY_BYTES
    const { rollBytes } = this.#cut
    if (this.#batch.bytes >= rollBytes && this.#batch.bytes - this.#bytesAtBegin >= rollBytes / 4) {
      // Begin has told the commit's position: the batch ends with this transaction, and can be planned now.
      this.#plan(this.#openPlans[0]?.toLsn ?? this.#commitLsn!)
      this.#closeFiles()
      this.#batch.bytes = this.#bytesAtBegin = this.#sealedAt = 0
      this.#nextLook = LOOK_EVERY_BYTES
    } else if (this.#batch.bytes - this.#sealedAt >= rollBytes * SEALED_PART && this.#sink.pressure().memoryShort) {
      for (const { lake } of this.#written) lake?.writer?.sealPages()
      this.#sealedAt = this.#batch.bytes
    }
    return this.#sink.room()
  }

  #plan(toLsn: Lsn): void {
    if (!this.#batch.planned) this.#sink.plan(this.#from, toLsn, this.#cut)
    this.#batch.planned = true
  }

  #closeFiles(): void {
    for (const table of this.#written) this.#closeFile(table)
  }

  #closeFile(table: Table): void {
    const { relation, lake } = table
    const writer = lake?.writer
    if (lake === undefined || writer === undefined) return
    this.#written.delete(table)
    lake.writer = undefined
    const part = this.#batch.nextPart(JSON.stringify([relation.schema, relation.name, writer.date]))
    this.#sink.file(writer.close(), part, lake.version)
  }

  #noteTransaction(commitLsn: Lsn, endLsn: Lsn): void {
    const first = !this.#batch.begun
    this.#batch.noteTransaction(commitLsn, endLsn, this.#stamp!.micros, this.#options.now())
    if (first) this.#sink.started()
  }

  #cutIfDue(): void {
    if (this.replaying || !this.#batch.begun) return
    const limits = { rollBytes: this.#cut.rollBytes, flushIntervalMs: this.#options.flushIntervalMs }
    const ageMs = this.#cutDue ? Infinity : this.#options.now() - this.#batch.startedMs
    const now = { stopping: this.#stopping, ...this.#sink.pressure() }
    // Files of a large transaction went up under a plan that ends with it.
    const reason = this.#batch.planned ? 'bytes' : cutAtCommit({ bytes: this.#batch.bytes, ageMs }, limits, now)
    if (reason !== undefined) this.#endBatch(reason)
  }

  #endBatch(reason: CutReason | 'replay'): void {
    const batch = this.#batch
    const summary = batch.summary()
    if (summary === undefined) throw notAsPlanned(this.#openPlans[0]!, this.#openPlans[0]!.toLsn)
    this.#plan(summary.toLsn)
    this.#closeFiles()
    const { tables, excludeTables } = this.#cut
    this.#openPlans.shift()
    this.#filterChanged ||= tables !== this.#cut.tables || excludeTables !== this.#cut.excludeTables
    this.#from = summary.endLsn
    this.#batch = new OpenBatch()
    this.#nextLook = LOOK_EVERY_BYTES
    this.#sealedAt = 0
    this.#cutDue = false
    this.#sink.end(summary, batch.counts, reason)
  }
}
