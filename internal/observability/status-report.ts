// What `/status.json` answers (docs/http.md): the page at `/` shows it, and `status` asks for it. Names, times, counts and sizes;
// never a value of a row or a secret.
import { formatLsn } from '../model/lsn.js'
import type { Metrics } from './metrics.js'
import type { BatchEntry, EventEntry, Sample } from './run-history.js'

/** Tables that are named; all are counted. */
const TABLES_SHOWN = 200

/** What stays the same as long as the process runs. */
export interface RunFacts {
  readonly version: string
  readonly slot: string
  /** Without a password. */
  readonly source: string
  readonly lake: string
  readonly startedMs: number
  readonly memoryLimitBytes: number
}

/** How the service says it is. */
export interface ServiceFacts {
  readonly state: string
  readonly reason: string
  readonly live: boolean
  /** Up to there everything is durable. */
  readonly durable: bigint | undefined
}

/** `nowMs`: milliseconds since 1970. What is not known is null. */
export function statusReport(run: RunFacts, service: ServiceFacts, metrics: Metrics, nowMs: number) {
  const { history, slotReport: slot, copyReport: copy } = metrics
  const { flow, lastCommit } = history
  return {
    version: run.version,
    slot: run.slot,
    source: run.source,
    lake: run.lake,
    started_at: timeOf(run.startedMs),
    now: timeOf(nowMs),
    state: service.state,
    reason: service.reason,
    live: service.live,
    durable_lsn: service.durable === undefined ? null : formatLsn(service.durable),
    lag_seconds: slot?.lagSeconds ?? null,
    lag_bytes: slot?.behindBytes ?? null,
    rows_per_second: rounded(flow?.rowsPerSecond),
    received_bytes_per_second: rounded(flow?.bytesPerSecond),
    last_commit_at: lastCommit === undefined ? null : timeOf(lastCommit.atMs),
    last_commit_age_seconds: lastCommit === undefined ? null : Math.max(0, (nowMs - lastCommit.atMs) / 1000),
    wal: walFields(metrics),
    memory: { held_bytes: slot?.heldBytes ?? null, limit_bytes: run.memoryLimitBytes },
    copy: copy === undefined ? null : copyFields(copy),
    tables_total: metrics.tables.length,
    tables: tableFields(metrics),
    batches: history.batches.map(batchFields),
    events: history.events.map(eventFields),
    samples: history.samples.map(sampleFields),
  }
}

export type StatusReport = ReturnType<typeof statusReport>

function walFields({ history, slotReport: slot }: Metrics) {
  const { walBytesPerSecond: rate } = history
  const safe = slot?.safeBytes
  return {
    status: slot?.walStatus ?? null,
    retained_bytes: slot?.retainedBytes ?? null,
    safe_bytes: safe ?? null,
    bytes_per_second: rounded(rate),
    hours_left: safe === undefined ? null : hoursLeft(safe, rate),
    checkpoint_age_seconds: slot?.checkpointAgeSeconds ?? null,
  }
}

/** Until the slot is lost, should it stand still while the server writes as it does now. Null where it writes nothing. */
function hoursLeft(safeBytes: number, walBytesPerSecond: number | undefined): number | null {
  if (safeBytes <= 0) return 0
  return walBytesPerSecond === undefined || walBytesPerSecond <= 0
    ? null
    : Math.round((safeBytes / walBytesPerSecond / 3600) * 10) / 10
}

/** Those with the newest commits first, then the largest. */
function tableFields({ tables, history }: Metrics) {
  return tables
    .map((table) => ({ ...table, atMs: history.committedAt(table.schema, table.table) }))
    .sort((a, b) => (b.atMs ?? 0) - (a.atMs ?? 0) || b.rows - a.rows)
    .slice(0, TABLES_SHOWN)
    .map(({ schema, table, rows, files, bytes, atMs }) => ({
      ...{ schema, table, rows, files, bytes },
      last_commit_at: atMs === undefined ? null : timeOf(atMs),
    }))
}

function batchFields({ atMs, batch, kind, reason, rows, transactions, files, bytes, commitSeconds }: BatchEntry) {
  return {
    ...{ batch, kind, reason: reason ?? null, committed_at: timeOf(atMs), rows, transactions, files, bytes },
    commit_seconds: commitSeconds === undefined ? null : Math.round(commitSeconds * 1000) / 1000,
  }
}

function eventFields({ atMs, level, message }: EventEntry) {
  return { at: timeOf(atMs), level, message }
}

function sampleFields({ atMs, stream }: Sample) {
  return {
    at: timeOf(atMs),
    lag_seconds: stream?.lagSeconds ?? null,
    lag_bytes: stream?.behindBytes ?? null,
    retained_bytes: stream?.retainedBytes ?? null,
  }
}

function copyFields(copy: NonNullable<Metrics['copyReport']>) {
  return {
    tables_copied: copy.tablesCopied,
    tables_left: copy.tablesLeft,
    rows: copy.rows,
    rows_expected: copy.rowsExpected,
    bytes: copy.bytes,
    rows_per_second: copy.rowsPerSecond,
    seconds_left: copy.secondsLeft ?? null,
    tables: copy.tables.map(({ schema, table, rows, rowsExpected, bytes }) => ({
      ...{ schema, table, rows, rows_expected: rowsExpected, bytes },
    })),
  }
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString()
}

function rounded(value: number | undefined): number | null {
  return value === undefined ? null : Math.round(value)
}
