// The two records that frame a batch in the bucket, as values. Plan n fixes for ever which transactions batch n holds
// and how they are cut into files; commit n says that they are all there (G1-G4).
import type { Lsn } from './lsn.js'

/** Everything but the stream's bytes that decides which rows lie in which file: a replay uses these, not the settings. */
export interface CutParameters {
  /** All files of a batch roll together when this many bytes of values have gone into them. */
  readonly rollBytes: number
  /** A single file rolls when this many bytes of values have gone into it. */
  readonly targetFileBytes: number
  /** Table filters in force, as configured. */
  readonly tables: string
  readonly excludeTables: string
}

export interface Plan {
  readonly batch: number
  /** `idle`: no transaction, only a position. */
  readonly kind: 'changes' | 'idle'
  /** End of the batch before. */
  readonly fromLsn: Lsn
  /** Commit LSN of the last transaction; of an idle batch the position itself. */
  readonly toLsn: Lsn
  readonly cut: CutParameters
  /** Random per session: tells our own record from another writer's after a lost answer. */
  readonly writer: string
  readonly writerVersion: string
}

export interface DataFile {
  readonly key: string
  readonly schema: string
  readonly table: string
  readonly schemaVersion: number
  readonly rows: number
  readonly bytes: number
  /** Hexadecimal. */
  readonly sha256: string
}

/** What a batch turned out to hold, once its last transaction has arrived. */
export interface BatchSummary {
  readonly toLsn: Lsn
  /** What may be acknowledged once the commit is durable. */
  readonly endLsn: Lsn
  /** Transactions with at least one row. */
  readonly transactions: number
  readonly rows: number
  /** Commit times, microseconds since 1970, UTC; absent in an idle batch. */
  readonly firstCommitMicros?: bigint
  readonly lastCommitMicros?: bigint
}

export interface Commit extends Plan, BatchSummary {
  /** Timeline of the server that sent the batch. */
  readonly timeline: number
  readonly files: readonly DataFile[]
}
