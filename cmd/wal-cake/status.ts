// `status`: what the lake says of itself, read from the store alone, and what the running service says, where it can be asked.
// `--json`: for programs (docs/http.md).
import { formatMicros } from '../../internal/model/instant.js'
import { formatLsn } from '../../internal/model/lsn.js'
import { readLakeStatus, type LakeStatus } from '../../internal/pipeline/lake-status.js'
import { copyNumbers, isUnderWay, tableFields } from '../../internal/storage/copy-report.js'
import type { StatusReport } from '../../internal/observability/status-report.js'
import { askService, type ServiceAnswer } from './ask-service.js'
import { summaryOf } from './copy-bars.js'
import { gapsJson } from './gap-json.js'
import type { Invocation } from './main.js'
import { openStore } from './pieces.js'
import { formatBytes, formatCount, formatSeconds, textTable } from './text-table.js'

export async function status({ config, flags }: Invocation): Promise<void> {
  const store = await openStore(config)
  try {
    const [found, answer] = await Promise.all([readLakeStatus(store, config.slot), askService(config)])
    const now = Date.now()
    process.stdout.write(
      flags.json === true
        ? `${JSON.stringify({ ...jsonOf(found, now), service: serviceJson(answer) })}\n`
        : serviceText(answer) + textOf(found, config.slot, now),
    )
  } finally {
    store.close()
  }
}

function serviceJson({ report, ...rest }: ServiceAnswer): object {
  if (report === undefined) return { reachable: false, ...rest }
  const { state, reason, live, lag_seconds, lag_bytes, rows_per_second, wal } = report
  return {
    ...{ reachable: true, state, reason, live, lag_seconds, lag_bytes, rows_per_second },
    ...{ last_commit_at: report.last_commit_at, last_commit_age_seconds: report.last_commit_age_seconds },
    retained_wal_bytes: wal.retained_bytes,
    safe_wal_bytes: wal.safe_bytes,
    wal_bytes_per_second: wal.bytes_per_second,
    hours_left: wal.hours_left,
  }
}

function serviceText(answer: ServiceAnswer): string {
  if (answer.report === undefined) return `service   ${answer.why}: what follows is from the bucket alone\n`
  const { state, reason, lag_seconds: lag, lag_bytes: behind, rows_per_second: rows } = answer.report
  const numbers = [
    state === 'streaming' ? state : `${state}: ${reason}`,
    ...(lag === null || behind === null ? [] : [`lag ${formatSeconds(lag)}, ${formatBytes(behind)} behind`]),
    ...(rows === null ? [] : [`${formatCount(rows)} rows/s`]),
    ...lastCommitText(answer.report),
  ]
  return [`service   ${numbers.join('; ')}`, ...walText(answer.report.wal), ''].join('\n')
}

function lastCommitText({ last_commit_age_seconds: age }: StatusReport): string[] {
  return age === null ? [] : [`last commit ${formatSeconds(age)} ago`]
}

function walText({ status, retained_bytes, safe_bytes, hours_left, bytes_per_second }: StatusReport['wal']): string[] {
  if (retained_bytes === null) return []
  const left = safe_bytes === null ? 'no limit' : `${formatBytes(Math.max(0, safe_bytes))} left`
  const hours = hours_left === null ? '' : `, ${hours_left} h at this rate should the slot stand still`
  const rate = bytes_per_second === null ? '' : `; the server writes ${formatBytes(bytes_per_second)}/s`
  return [`wal       ${formatBytes(retained_bytes)} kept for the slot (${status ?? '?'}), ${left}${hours}${rate}`]
}

function jsonOf(
  { location, identity, durable, openBatches, gaps, tables, copy, rowsPerSecond }: LakeStatus,
  nowMs: number,
): object {
  return {
    lake: location,
    slot: identity?.slot ?? null,
    database: identity?.database ?? null,
    batch: durable?.batch ?? null,
    lsn: durable === undefined ? null : formatLsn(durable.lsn),
    last_transaction_at: durable?.micros === undefined ? null : formatMicros(durable.micros),
    last_transaction_age_seconds: durable?.micros === undefined ? null : ageOf(durable.micros, nowMs),
    rows_per_second: rowsPerSecond ?? null,
    open_batches: openBatches,
    gaps: gapsJson(gaps),
    copy: copy === undefined ? null : copyJson(copy, nowMs),
    tables: tables.map(({ schema, table, rows, files, bytes, isCopied }) => ({
      ...{ schema, table, rows, files, bytes, copied: isCopied },
    })),
  }
}

function copyJson(copy: NonNullable<LakeStatus['copy']>, nowMs: number): object {
  return {
    running: isUnderWay(copy, nowMs),
    ...copyNumbers(copy),
    seconds_left: copy.secondsLeft ?? null,
    tables: copy.tables.map(tableFields),
  }
}

function textOf(
  { location, identity, durable, openBatches, gaps, tables, copy, rowsPerSecond }: LakeStatus,
  slot: string,
  nowMs: number,
): string {
  if (identity === undefined) return `No lake of the slot ${slot} at ${location}: no service has begun one.\n`
  const lines = [
    `lake      ${location}, slot ${identity.slot} of database ${identity.database}`,
    `durable   ${durable === undefined ? 'nothing yet' : durableText(durable, nowMs)}` +
      (rowsPerSecond === undefined ? '' : `; ${formatCount(rowsPerSecond)} rows/s in the newest batches`),
    ...(openBatches === 0 ? [] : [`open      ${formatCount(openBatches)} batches are planned and not committed`]),
    ...gaps.map(
      ({ batch, reason, missingFrom, missingTo }) =>
        `gap       ${formatLsn(missingFrom)} to ${formatLsn(missingTo)} is missing (batch ${batch}: ${reason})`,
    ),
    ...(copy === undefined ? [] : [`copy      ${copyText(copy, nowMs)}`]),
  ]
  if (tables.length === 0) return `${lines.join('\n')}\n`
  const rows = tables.map(({ schema, table, rows, files, bytes, isCopied }) => [
    ...[`${schema}.${table}`, formatCount(rows), formatCount(files), formatBytes(bytes), isCopied ? 'yes' : 'no'],
  ])
  return `${lines.join('\n')}\n\n${textTable(['table', 'rows', 'files', 'size', 'copied'], rows)}\n`
}

function durableText({ batch, lsn, micros }: NonNullable<LakeStatus['durable']>, nowMs: number): string {
  const position = `batch ${formatCount(batch)}, up to ${formatLsn(lsn)}`
  if (micros === undefined) return position
  return `${position}; last transaction ${formatCount(ageOf(micros, nowMs))} s ago`
}

/** Whole seconds; clocks that disagree make it no less than 0. */
function ageOf(micros: bigint, nowMs: number): number {
  return Math.max(0, Math.round(nowMs / 1000 - Number(micros / 1_000_000n)))
}

function copyText(copy: NonNullable<LakeStatus['copy']>, nowMs: number): string {
  const state = copy.tablesLeft === 0 ? 'done' : isUnderWay(copy, nowMs) ? 'running' : 'interrupted'
  return `${state}: ${summaryOf(copy)}`
}
