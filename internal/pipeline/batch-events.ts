// What an operator reads about batches: closed, committed, acknowledged; by table and operation, in bytes, seconds and LSNs.
// Never a value of a row.
import type { Commit } from '../model/batch-record.js'
import { formatLsn, type Lsn } from '../model/lsn.js'
import type { Logger } from '../observability/logger.js'
import type { RowCounts } from '../transform/batch-sink.js'
import type { ClosedBatch } from './batch-committer.js'
import type { StreamMode } from './stream-mode.js'

/** Tables named in one log line; the rest is a number. */
const TABLES_SHOWN = 20

export function logClosed(logger: Logger, batch: ClosedBatch, heldBytes: number): void {
  logger.debug(
    {
      batch: batch.batch,
      reason: batch.reason,
      rows: batch.summary.rows,
      transactions: batch.summary.transactions,
      files: batch.files,
      value_bytes: batch.valueBytes,
      held_bytes: heldBytes,
    },
    'batch closed',
  )
}

export function logDurable(
  logger: Logger,
  commit: Commit,
  batch: ClosedBatch,
  now: { received: Lsn; heldBytes: number },
): void {
  const bytes = commit.files.reduce((sum, file) => sum + file.bytes, 0)
  logger.info(
    {
      batch: commit.batch,
      reason: batch.reason,
      rows: commit.rows,
      transactions: commit.transactions,
      tables: Object.fromEntries(
        [...batch.counts].slice(0, TABLES_SHOWN).map(([table, counts]) => [table, compact(counts)]),
      ),
      ...(batch.counts.size > TABLES_SHOWN ? { tables_not_shown: batch.counts.size - TABLES_SHOWN } : {}),
      files: commit.files.length,
      bytes,
      compression_ratio: bytes === 0 ? 0 : Math.round((batch.valueBytes / bytes) * 10) / 10,
      from_lsn: formatLsn(commit.fromLsn),
      end_lsn: formatLsn(commit.endLsn),
      acked_lsn: formatLsn(commit.endLsn),
      commit_ms: Math.round(performance.now() - batch.closedMs),
      lag_bytes: Number(now.received - commit.endLsn),
      lag_seconds: secondsSince(commit.lastCommitMicros),
      held_bytes: now.heldBytes,
    },
    'batch committed',
  )
}

export function logWithoutChanges(logger: Logger, commit: Commit): void {
  const { batch, kind, rows, files } = commit
  if (kind === 'copy') logger.debug({ batch, rows, files: files.length }, 'copied rows committed')
  else
    logger.debug(
      { batch, end_lsn: formatLsn(commit.endLsn), acked_lsn: formatLsn(commit.endLsn) },
      'idle position recorded',
    )
}

export function logStreaming(
  logger: Logger,
  { slot, publication }: { slot: string; publication: string },
  mode: StreamMode,
  from: Lsn,
  walEnd: Lsn,
  replaying: number,
): void {
  logger.info(
    {
      slot,
      publication,
      from: formatLsn(from),
      behind_bytes: Math.max(0, Number(walEnd - from)),
      mode: mode.binary ? 'binary' : 'text',
      ...(mode.binary ? {} : { why_text: mode.why }),
      ...(replaying > 0 ? { replaying } : {}),
    },
    'streaming',
  )
}

/** Only the operations that occurred. */
function compact(counts: RowCounts): Partial<RowCounts> {
  return Object.fromEntries(Object.entries(counts).filter(([, rows]) => rows > 0))
}

/** Age of a commit by this machine's clock, to a millisecond; clocks that disagree can make it negative. */
function secondsSince(micros: bigint | undefined): number {
  return micros === undefined ? 0 : Math.round(Date.now() - Number(micros / 1000n)) / 1000
}
