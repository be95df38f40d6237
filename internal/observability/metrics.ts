// The numbers that a Prometheus server collects, under documented names (docs/metrics.md), and those of the status page. It only
// keeps what it is told; what is not known now is absent, never zero.
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { Commit } from '../model/batch-record.js'
import { RunHistory } from './run-history.js'

/** What the slot guardian reports. Bytes and seconds. */
export interface SlotReport {
  readonly walStatus: string
  readonly retainedBytes: number
  readonly behindBytes: number
  readonly safeBytes: number | undefined
  readonly checkpointAgeSeconds: number
  /** Position of the server's WAL. */
  readonly walBytes: number
  readonly lagSeconds: number
  readonly heldBytes: number
  /** Since the stream began. */
  readonly receivedBytes: number
  readonly pausedSeconds: number
}

/** Of the lake's log, as far as it is folded. */
export interface LakeTotals {
  readonly tables: readonly {
    readonly schema: string
    readonly table: string
    readonly rows: number
    readonly files: number
    readonly bytes: number
  }[]
  readonly gaps: readonly unknown[]
}

/** What is known of a batch beside its commit; absent for one that no change was in. */
export interface CommittedBatch {
  readonly reason: string | undefined
  /** From its end to its commit. */
  readonly commitSeconds: number | undefined
  /** By table. */
  readonly counts: ReadonlyMap<string, Readonly<Record<ChangeOp, number>>> | undefined
}

const changeOps = ['insert', 'update', 'delete', 'truncate'] as const
type ChangeOp = (typeof changeOps)[number]

const gauges = {
  streaming: 'Is the stream up (1) or not (0)',
  stuck: 'Does something not move any more that nothing tries again (1) or not (0): /livez answers 503',
  start_timestamp_seconds: 'When the process began, seconds since 1970',
  slot_retained_wal_bytes: 'WAL that the server keeps for the slot',
  slot_behind_bytes: "From the slot's position to the end of the server's WAL",
  slot_safe_wal_bytes: 'WAL that may still be written before the slot is lost; absent without max_slot_wal_keep_size',
  server_checkpoint_age_seconds: "Since the server's last checkpoint, at which WAL is removed",
  lag_seconds: 'Age of the oldest change that has arrived and is not in the lake; 0 when there is none',
  held_bytes: 'Change data in memory, against MEMORY_LIMIT',
  memory_limit_bytes: 'MEMORY_LIMIT',
  server_wal_bytes: "Position of the server's WAL; its rate is the WAL that the server writes",
  lake_gaps: 'Ranges of transactions that the log records as missing',
  last_commit_timestamp_seconds: 'When the newest batch became durable, seconds since 1970',
} as const

/** Of the copy that runs, or ran last. */
const copyGauges = {
  copy_tables_left: 'Tables that are still to be copied, or are being copied',
  copy_tables_copied: 'Tables that are copied',
  copy_rows: 'Rows that the server has sent',
  copy_rows_expected: 'Rows that it will have sent in the end, estimated',
  copy_bytes: 'Bytes that the server has sent',
  copy_rows_per_second: 'Rows of the last half minute',
  copy_seconds_left: 'Until the copy is done, estimated; absent when nothing comes, and at the end',
} as const

const copyTableGauges = {
  copy_table_rows: 'Rows of a table that is being copied, that the server has sent',
  copy_table_rows_expected: 'Rows that it will have sent in the end, estimated',
  copy_table_bytes: 'Bytes that the server has sent of the table',
} as const

/** How far a copy of existing rows is. */
export interface CopyNumbers {
  readonly tablesLeft: number
  readonly tablesCopied: number
  readonly rows: number
  readonly rowsExpected: number
  readonly bytes: number
  readonly rowsPerSecond: number
  readonly secondsLeft?: number
  readonly tables: readonly {
    readonly schema: string
    readonly table: string
    readonly rows: number
    readonly rowsExpected: number
    readonly bytes: number
  }[]
}

const counters = {
  transactions_total: 'Transactions made durable',
  files_total: 'Data files made durable',
  file_bytes_total: 'Bytes of them',
  received_bytes_total: 'Bytes that the replication connection has brought',
  reading_paused_seconds_total: 'How long nothing was read because MEMORY_LIMIT was reached',
  session_failures_total: 'Sessions that ended in a failure and were begun again',
  store_retries_total: 'Requests to the store that failed and were tried again',
} as const

const histograms = {
  commit_seconds: 'From the end of a batch of changes to its commit',
  upload_seconds: 'Storing one data file, with all tries',
} as const
const SECONDS = [0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300]

type GaugeName = keyof typeof gauges | keyof typeof copyGauges

export class Metrics {
  readonly #registry = new Registry()
  readonly #labels: { readonly slot: string }
  readonly #gauges = new Map<GaugeName, Gauge<'slot'>>()
  readonly #counters = new Map<keyof typeof counters, Counter<'slot'>>()
  readonly #walStatus: Gauge<'slot' | 'status'>
  readonly #copyTables = new Map<keyof typeof copyTableGauges, Gauge<'slot' | 'schema' | 'table'>>()

  readonly #histograms = new Map<keyof typeof histograms, Histogram<'slot'>>()
  readonly #rows: Counter<'slot' | 'op'>
  readonly #batches: Counter<'slot' | 'kind'>
  /** What a number that only grows was when it was last told. */
  readonly #told = new Map<keyof typeof counters, number>()
  readonly history: RunHistory
  #slotReport: SlotReport | undefined
  #copyReport: CopyNumbers | undefined
  #lake: LakeTotals = { tables: [], gaps: [] }

  /** `history` is told what has happened. */
  constructor(slot: string, history = new RunHistory()) {
    this.history = history
    this.#labels = { slot }
    const common = { registers: [this.#registry], labelNames: ['slot'] as const }
    for (const [name, help] of entriesOf({ ...gauges, ...copyGauges }))
      this.#gauges.set(name, new Gauge({ name: `wal_cake_${name}`, help, ...common }))
    for (const [name, help] of entriesOf(counters)) {
      const counter = new Counter({ name: `wal_cake_${name}`, help, ...common })
      counter.inc(this.#labels, 0)
      this.#counters.set(name, counter)
    }
    this.#walStatus = new Gauge({
      name: 'wal_cake_slot_wal_status',
      help: 'wal_status of the slot as its label: reserved, extended, unreserved or lost',
      registers: [this.#registry],
      labelNames: ['slot', 'status'],
    })
    for (const [name, help] of entriesOf(copyTableGauges)) {
      const labelNames = ['slot', 'schema', 'table'] as const
      this.#copyTables.set(name, new Gauge({ name: `wal_cake_${name}`, help, registers: [this.#registry], labelNames }))
    }
    for (const [name, help] of entriesOf(histograms)) {
      const histogram = new Histogram({ name: `wal_cake_${name}`, help, buckets: SECONDS, ...common })
      histogram.zero(this.#labels)
      this.#histograms.set(name, histogram)
    }
    const { registers } = common
    this.#rows = new Counter({
      ...{ name: 'wal_cake_rows_total', help: 'Rows made durable, by what became of them', registers },
      labelNames: ['slot', 'op'],
    })
    for (const op of [...changeOps, 'snapshot']) this.#rows.inc({ ...this.#labels, op }, 0)
    this.#batches = new Counter({
      ...{ name: 'wal_cake_batches_total', help: 'Batches made durable', registers },
      labelNames: ['slot', 'kind'],
    })
    for (const kind of ['changes', 'idle', 'copy']) this.#batches.inc({ ...this.#labels, kind }, 0)
    this.set('streaming', 0)
    this.set('stuck', 0)
    this.set('start_timestamp_seconds', Date.now() / 1000)
  }

  /** Told last; undefined while nobody is connected who could say. */
  get slotReport(): SlotReport | undefined {
    return this.#slotReport
  }

  get copyReport(): CopyNumbers | undefined {
    return this.#copyReport
  }

  get tables(): LakeTotals['tables'] {
    return this.#lake.tables
  }

  readonly contentType = 'text/plain; version=0.0.4; charset=utf-8'

  /** In the text format of Prometheus. */
  render(): Promise<string> {
    return this.#registry.metrics()
  }

  /** `undefined`: not known now. */
  set(name: GaugeName, value: number | undefined): void {
    const gauge = this.#gauges.get(name)
    if (value === undefined) gauge?.remove(this.#labels)
    else gauge?.set(this.#labels, value)
  }

  count(name: keyof typeof counters, by = 1): void {
    this.#counters.get(name)?.inc(this.#labels, by)
  }

  /** One data file was stored. */
  uploaded(seconds: number): void {
    this.#histograms.get('upload_seconds')?.observe(this.#labels, seconds)
  }

  /** The log, in which commits are folded as they come. */
  lake(totals: LakeTotals): void {
    this.#lake = totals
    this.set('lake_gaps', totals.gaps.length)
  }

  committed(commit: Commit, { reason, commitSeconds, counts }: CommittedBatch): void {
    const { kind, rows, transactions, files } = commit
    this.set('last_commit_timestamp_seconds', Date.now() / 1000)
    this.#batches.inc({ ...this.#labels, kind })
    this.count('transactions_total', transactions)
    this.count('files_total', files.length)
    this.count(
      'file_bytes_total',
      files.reduce((sum, { bytes }) => sum + bytes, 0),
    )
    if (commitSeconds !== undefined) this.#histograms.get('commit_seconds')?.observe(this.#labels, commitSeconds)
    if (kind === 'copy') this.#rows.inc({ ...this.#labels, op: 'snapshot' }, rows)
    for (const table of counts?.values() ?? [])
      for (const op of changeOps) this.#rows.inc({ ...this.#labels, op }, table[op])
    this.history.committed(commit, reason, commitSeconds)
  }

  /** Takes the numbers of now down for the status page. */
  sample(): void {
    this.history.sample(this.#slotReport)
  }

  /** Counts what `total` has grown by; one that is smaller than before has begun anew. */
  #grown(name: keyof typeof counters, total: number): number {
    const before = this.#told.get(name) ?? 0
    this.#told.set(name, total)
    const more = total < before ? total : total - before
    this.count(name, more)
    return more
  }

  /** `undefined`: nobody is connected who could say. */
  slot(report: SlotReport | undefined): void {
    this.#slotReport = report
    if (report !== undefined) {
      this.history.received(this.#grown('received_bytes_total', report.receivedBytes))
      this.#grown('reading_paused_seconds_total', report.pausedSeconds)
    }
    this.set('server_wal_bytes', report?.walBytes)
    this.#walStatus.reset()
    if (report !== undefined) this.#walStatus.set({ ...this.#labels, status: report.walStatus }, 1)
    this.set('slot_retained_wal_bytes', report?.retainedBytes)
    this.set('slot_behind_bytes', report?.behindBytes)
    this.set('slot_safe_wal_bytes', report?.safeBytes)
    this.set('server_checkpoint_age_seconds', report?.checkpointAgeSeconds)
    this.set('lag_seconds', report?.lagSeconds)
    this.set('held_bytes', report?.heldBytes)
  }

  copy(report: CopyNumbers): void {
    this.#copyReport = report
    this.set('copy_tables_left', report.tablesLeft)
    this.set('copy_tables_copied', report.tablesCopied)
    this.set('copy_rows', report.rows)
    this.set('copy_rows_expected', report.rowsExpected)
    this.set('copy_bytes', report.bytes)
    this.set('copy_rows_per_second', report.rowsPerSecond)
    this.set('copy_seconds_left', report.secondsLeft)
    for (const gauge of this.#copyTables.values()) gauge.reset()
    for (const { schema, table, rows, rowsExpected, bytes } of report.tables) {
      const labels = { ...this.#labels, schema, table }
      this.#copyTables.get('copy_table_rows')?.set(labels, rows)
      this.#copyTables.get('copy_table_rows_expected')?.set(labels, rowsExpected)
      this.#copyTables.get('copy_table_bytes')?.set(labels, bytes)
    }
  }
}

function entriesOf<Name extends string>(table: Readonly<Record<Name, string>>): [Name, string][] {
  return Object.entries(table) as [Name, string][]
}
