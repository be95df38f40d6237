// What the bucket alone says of a lake: where its log ends, what is missing, what it holds of each table, and how far a copy is.
import type { Commit } from '../model/batch-record.js'
import type { Lsn } from '../model/lsn.js'
import { CommitLog } from '../storage/commit-log.js'
import { readCopyReport, type CopyReport } from '../storage/copy-report.js'
import type { LakeIdentity } from '../storage/log-records.js'
import type { RecordedGap, TableTotals } from '../storage/log-totals.js'
import type { ObjectStore } from '../storage/object-store.js'

export interface LakeStatus {
  readonly location: string
  /** Undefined where no service has begun a lake. */
  readonly identity: LakeIdentity | undefined
  /** The newest commit; undefined in an empty lake. `micros`: of its last transaction, or of the last one before. */
  readonly durable: { readonly batch: number; readonly lsn: Lsn; readonly micros: bigint | undefined } | undefined
  /** Batches that are planned and not committed. */
  readonly openBatches: number
  readonly gaps: readonly RecordedGap[]
  /** In order of their names. `isCopied`: its existing rows are there. */
  readonly tables: readonly (TableTotals & { readonly isCopied: boolean })[]
  readonly copy: CopyReport | undefined
  /** Of the transactions in the newest batches; undefined where that is no stretch of time. */
  readonly rowsPerSecond: number | undefined
}

/** So many of the newest batches are read for the rate. */
const RECENT_BATCHES = 16

/** Throws Failure where the store cannot be read or the log is damaged. */
export async function readLakeStatus(store: ObjectStore, slot: string): Promise<LakeStatus> {
  const log = new CommitLog(store, slot)
  const { lastCommit, openPlans, totals } = await log.recover()
  const finished = new Set(totals.copies.progress.finished.map(nameOf))
  return {
    location: store.location,
    identity: await log.readIdentity(),
    durable: lastCommit && {
      ...{ batch: lastCommit.batch, lsn: lastCommit.endLsn },
      micros: totals.lastTransaction?.commitMicros,
    },
    openBatches: openPlans.length,
    gaps: totals.gaps,
    tables: totals.tables
      .map((table) => ({ ...table, isCopied: finished.has(nameOf(table)) }))
      .sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1)),
    copy: await readCopyReport(store, slot),
    rowsPerSecond: lastCommit && rateOf(await recentCommits(log, lastCommit.batch)),
  }
}

function recentCommits(log: CommitLog, last: number): Promise<Commit[]> {
  const from = Math.max(0, last - RECENT_BATCHES + 1)
  return Promise.all(Array.from({ length: last - from + 1 }, (_, index) => log.readCommit(from + index)))
}

/** By the times of the transactions, of batches of changes only. */
function rateOf(commits: readonly Commit[]): number | undefined {
  const changes = commits.filter(({ kind }) => kind === 'changes')
  const from = changes[0]?.firstCommitMicros
  const to = changes.at(-1)?.lastCommitMicros
  if (from === undefined || to === undefined || to <= from) return undefined
  const rows = changes.reduce((sum, commit) => sum + commit.rows, 0)
  return Math.round((rows * 1_000_000) / Number(to - from))
}

function nameOf({ schema, table }: { schema: string; table: string }): string {
  return `${schema}.${table}`
}
