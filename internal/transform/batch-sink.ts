// What stands on both sides of the batch builder: where its output goes, and what it is given to work with.
import type {
  BatchSummary,
  CutParameters,
  FilterSettings,
  LastTransaction,
  Plan,
  QuietStretch,
} from '../model/batch-record.js'
import type { Pause } from '../model/change-sink.js'
import type { Lsn } from '../model/lsn.js'
import type { PgType } from '../model/pg-type.js'
import type { Relation } from '../model/relation.js'
import type { StreamPosition, TableSchema } from '../model/table-schema.js'
import type { CutReason, Pressure } from './batch-cutter.js'
import type { OP } from './meta-columns.js'
import type { ClosedFile } from './open-file.js'
import type { HiddenColumns } from './table-layout.js'
import type { FileTarget } from './table-writer.js'

/** Where the builder's output goes. Calls for one batch come in this order: started, plan and files, end. */
export interface BatchSink {
  /** The open batch has its first whole transaction. */
  started(): void
  /** The open batch will end with the transaction that commits at `toLsn`, and with no other. */
  plan(fromLsn: Lsn, toLsn: Lsn, cut: CutParameters): void
  file(file: ClosedFile, part: number, schema: RegisteredVersion): void
  end(summary: BatchSummary, counts: ReadonlyMap<string, RowCounts>, reason: CutReason | 'replay'): void
  /** Nothing is open and every transaction before `position` has been seen; `urgent`: the server waits for it. */
  idle(position: Lsn, urgent: boolean): void
  /** May more be taken in? A promise: not before it settles. */
  room(): Pause
  pressure(): Pressure
}

export interface RegisteredVersion {
  readonly version: number
  readonly recorded: Promise<void>
}

export interface BegunVersion extends RegisteredVersion {
  /** The rows of another table of the same name end here. */
  readonly replaces: boolean
}

export interface BuilderOptions {
  /** End of what is durable: transactions that commit before it are dropped. */
  readonly durableLsn: Lsn
  /** The last durable transaction, where the server was asked to send it once more: it must be the same. */
  readonly sentAgain?: LastTransaction | undefined
  /** Positions before the end of what is durable at which nothing had happened. */
  readonly quiet?: readonly QuietStretch[]
  /** Plans to be replayed first, in order. */
  readonly openPlans: readonly Plan[]
  readonly cut: CutParameters
  /** Does the lake take this table? By the given filters, which may be an open plan's or an idle position's. */
  readonly takes: (schema: string, table: string, filters: FilterSettings) => boolean
  /** What of a table's columns is not taken in clear; undefined: all are. May throw Failure. */
  readonly hides: (relation: Relation) => HiddenColumns | undefined
  readonly flushIntervalMs: number
  readonly textColumns: 'string' | 'bytes'
  /** The types of a relation's columns: at once where they are known, else from the catalogue. */
  readonly typesOf: (oids: readonly number[]) => readonly PgType[] | Promise<readonly PgType[]>
  /** The version of the table's schema that holds at `position`; `describe` makes it from those before, oldest first. */
  readonly register: (
    table: Pick<TableSchema, 'schema' | 'table'>,
    position: StreamPosition,
    describe: (earlier: readonly TableSchema[]) => TableSchema,
  ) => BegunVersion | Promise<BegunVersion>
  readonly target: FileTarget
  /** Milliseconds of a clock that only goes forward. */
  readonly now: () => number
  /** A transaction has arrived whole. */
  readonly onCommit: (endLsn: Lsn) => void
  readonly onRelation: (table: TableSchema, version: number) => void
  /** Never settles: what a stopping builder gives a transaction that it will not take. */
  readonly halted: Promise<void>
}

/** Rows by operation, for logs and metrics: insert, update, delete, truncate. */
export type RowCounts = Record<Exclude<keyof typeof OP, 'snapshot'>, number>
