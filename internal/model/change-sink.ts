// What the replication side hands to the right: protocol events, with rows as byte ranges of the receive buffer.
// A byte range is valid only during the call: the buffer is overwritten by the next read.
import type { Lsn } from './lsn.js'
import type { Relation } from './relation.js'

/** Kind of the old tuple in an Update or Delete: only the key columns (`K`), the whole row (`O`), or not sent. */
export type OldTupleKind = 'K' | 'O' | 'none'

/**
 * Receives one transaction after another, each between begin() and commit(). Tuples are pgoutput TupleData
 * (https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html) at `buffer[at]`, all within `end`.
 * A returned promise makes the stream wait before it hands on the next message.
 */
export interface ChangeSink {
  begin(commitLsn: Lsn, commitMicros: bigint, xid: number): Promise<void> | undefined
  relation(relation: Relation): Promise<void> | undefined
  insert(relationOid: number, buffer: Buffer, at: number, end: number): void
  update(relationOid: number, buffer: Buffer, oldKind: OldTupleKind, oldAt: number, newAt: number, end: number): void
  delete(relationOid: number, buffer: Buffer, oldKind: OldTupleKind, oldAt: number, end: number): void
  truncate(relationOids: readonly number[]): void
  /** `endLsn` is the position just past the commit record: what is acknowledged and what a restart asks for. */
  commit(commitLsn: Lsn, endLsn: Lsn): Promise<void> | undefined
}
