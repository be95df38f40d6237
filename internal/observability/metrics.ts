// The numbers that a Prometheus server collects, under documented names (docs/metrics.md). It only keeps what it is told;
// what is not known now is absent, never zero.
import { Counter, Gauge, Registry } from 'prom-client'

/** What the slot guardian reports. Bytes and seconds. */
export interface SlotReport {
  readonly walStatus: string
  readonly retainedBytes: number
  readonly behindBytes: number
  readonly safeBytes: number | undefined
  readonly checkpointAgeSeconds: number
  readonly lagSeconds: number
  readonly heldBytes: number
}

const gauges = {
  streaming: 'Is the stream up (1) or not (0)',
  slot_retained_wal_bytes: 'WAL that the server keeps for the slot',
  slot_behind_bytes: "From the slot's position to the end of the server's WAL",
  slot_safe_wal_bytes: 'WAL that may still be written before the slot is lost; absent without max_slot_wal_keep_size',
  server_checkpoint_age_seconds: "Since the server's last checkpoint, at which WAL is removed",
  lag_seconds: 'Age of the oldest change that has arrived and is not in the lake; 0 when there is none',
  held_bytes: 'Change data in memory, against MEMORY_LIMIT',
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
  session_failures_total: 'Sessions that ended in a failure and were begun again',
  store_retries_total: 'Requests to the store that failed and were tried again',
} as const

type GaugeName = keyof typeof gauges | keyof typeof copyGauges

export class Metrics {
  readonly #registry = new Registry()
  readonly #labels: { readonly slot: string }
  readonly #gauges = new Map<GaugeName, Gauge<'slot'>>()
  readonly #counters = new Map<keyof typeof counters, Counter<'slot'>>()
  readonly #walStatus: Gauge<'slot' | 'status'>
  readonly #copyTables = new Map<keyof typeof copyTableGauges, Gauge<'slot' | 'schema' | 'table'>>()

  constructor(slot: string) {
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
    this.set('streaming', 0)
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

  count(name: keyof typeof counters): void {
    this.#counters.get(name)?.inc(this.#labels)
  }

  /** `undefined`: nobody is connected who could say. */
  slot(report: SlotReport | undefined): void {
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
