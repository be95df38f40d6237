// The two records that frame a batch in the bucket, as values. Plan n fixes for ever which transactions batch n holds
// and how they are cut into files; commit n says that they are all there (G1-G4).
import type { Lsn } from './lsn.js'

/** Table filters in force, as configured. */
export interface FilterSettings {
  readonly tables: string
  readonly excludeTables: string
}

/** Which columns do not reach the lake in clear, as configured. */
export interface ColumnSettings {
  readonly excludeColumns: string
  readonly hashColumns: string
  /** Tells salts apart, empty where nothing is hashed; the salt itself is in no record. */
  readonly saltFingerprint: string
}

/** Everything but the stream's bytes that decides which rows lie in which file: a replay uses these, not the settings. */
export interface CutParameters extends FilterSettings {
  /** All files of a batch roll together when this many bytes of values have gone into them. */
  readonly rollBytes: number
  /** A single file rolls when this many bytes of values have gone into it. */
  readonly targetFileBytes: number
  /** Absent: all columns are taken in clear. */
  readonly columns?: ColumnSettings
}

/**
 * `idle`: no transaction, only a position. `gap`: transactions that can no longer be had, on an operator's word. `copy`: rows
 * that were there before, at no position of the stream's.
 */
export type BatchKind = 'changes' | 'idle' | 'gap' | 'copy'

export interface Plan {
  readonly batch: number
  readonly kind: BatchKind
  /** End of the batch before. */
  readonly fromLsn: Lsn
  /** Commit LSN of the last transaction; of an idle batch or a gap the position itself. */
  readonly toLsn: Lsn
  readonly cut: CutParameters
  /** Random per session: tells our own record from another writer's after a lost answer. */
  readonly writer: string
  readonly writerVersion: string
  /** Of a copy. */
  readonly copy?: PlannedCopy
}

/** What a copy's batch will make visible. */
export interface PlannedCopy extends CopyProgress {
  readonly files: readonly StagedFile[]
}

/** A file that lies in the store where no reader looks. */
export interface StagedFile extends DataFile {
  /** By which the store makes it visible. */
  readonly receipt: string
  /** Holds the T that supersedes what was there: becomes visible after the files that have none. */
  readonly supersedes: boolean
}

/** What was copied of which tables. */
export interface CopyProgress {
  readonly pieces: readonly CopiedPiece[]
  /** Tables of which nothing is left to copy. */
  readonly finished: readonly CopiedTable[]
}

/** A published table, as a copy saw it. */
export interface CopiedTable {
  readonly schema: string
  readonly table: string
  readonly relationOid: number
  /** `_lsn` of its rows. */
  readonly lsn: Lsn
}

/** A range of a table's pages whose rows were copied. */
export interface CopiedPiece extends CopiedTable {
  /** The relation that holds the rows: the table, or a partition of it. */
  readonly sourceOid: number
  /** Of the table, by which its rows were laid out. */
  readonly schemaVersion: number
  /** Which storage of it was read: another one holds the rows at other places. */
  readonly fileNode: number
  /** Columns that the source has ever had: one that was dropped and made again is another one. */
  readonly attributes: number
  /** Every transaction before this one had ended when the snapshot was taken: pg_snapshot_xmin, 64 bits. */
  readonly xmin: bigint
  /** From 0. */
  readonly fromPage: number
  /** Excluded. */
  readonly toPage: number
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

/** The last transaction with rows in the lake, by which a server's history is known again. */
export interface LastTransaction {
  readonly commitLsn: Lsn
  readonly commitMicros: bigint
}

/** Positions at which no transaction with rows committed, `to` excluded: the log says so, of the tables that were taken then. */
export interface QuietStretch extends FilterSettings {
  readonly from: Lsn
  readonly to: Lsn
}

/** Why transactions are missing from the lake. */
export type GapReason = 'slot_missing' | 'slot_lost' | 'slot_ahead' | 'other_timeline'

export interface Gap {
  readonly reason: GapReason
  /** Of the transactions that ended after this and up to the batch's end the lake has the rows of the batch's files only. */
  readonly missingFrom: Lsn
  /** When the operator gave them up, microseconds since 1970, UTC. */
  readonly recordedMicros: bigint
}

export interface Commit extends Omit<Plan, 'copy'>, BatchSummary {
  /** Timeline of the server that sent the batch. */
  readonly timeline: number
  readonly files: readonly DataFile[]
  /** Of a gap, and of a planned batch that a gap has swallowed. */
  readonly gap?: Gap
  /** Of a copy. */
  readonly copied?: CopyProgress
}
