// `status`: what the lake says of itself, read from the store alone. `--json`: for programs.
import { formatMicros } from '../../internal/model/instant.js'
import { formatLsn } from '../../internal/model/lsn.js'
import { readLakeStatus, type LakeStatus } from '../../internal/pipeline/lake-status.js'
import { copyNumbers, isUnderWay, tableFields } from '../../internal/storage/copy-report.js'
import { summaryOf } from './copy-bars.js'
import type { Invocation } from './main.js'
import { openStore } from './pieces.js'
import { formatBytes, formatCount, textTable } from './text-table.js'

export async function status({ config, flags }: Invocation): Promise<void> {
  const store = await openStore(config)
  try {
    const found = await readLakeStatus(store, config.slot)
    const now = Date.now()
    process.stdout.write(
      flags.json === true ? `${JSON.stringify(jsonOf(found, now))}\n` : textOf(found, config.slot, now),
    )
  } finally {
    store.close()
  }
}

function jsonOf({ location, identity, durable, openBatches, gaps, tables, copy }: LakeStatus, nowMs: number): object {
  return {
    lake: location,
    slot: identity?.slot ?? null,
    database: identity?.database ?? null,
    batch: durable?.batch ?? null,
    lsn: durable === undefined ? null : formatLsn(durable.lsn),
    last_transaction_at: durable?.micros === undefined ? null : formatMicros(durable.micros),
    open_batches: openBatches,
    gaps: gaps.map(({ batch, reason, missingFrom, missingTo }) => ({
      ...{ batch, reason, missing_from: formatLsn(missingFrom), missing_to: formatLsn(missingTo) },
    })),
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
  { location, identity, durable, openBatches, gaps, tables, copy }: LakeStatus,
  slot: string,
  nowMs: number,
): string {
  if (identity === undefined) return `No lake of the slot ${slot} at ${location}: no service has begun one.\n`
  const lines = [
    `lake      ${location}, slot ${identity.slot} of database ${identity.database}`,
    `durable   ${durable === undefined ? 'nothing yet' : durableText(durable, nowMs)}`,
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
  const seconds = Math.max(0, Math.round(nowMs / 1000 - Number(micros / 1_000_000n)))
  return `${position}; last transaction ${formatCount(seconds)} s ago`
}

function copyText(copy: NonNullable<LakeStatus['copy']>, nowMs: number): string {
  const state = copy.tablesLeft === 0 ? 'done' : isUnderWay(copy, nowMs) ? 'running' : 'interrupted'
  return `${state}: ${summaryOf(copy)}`
}
