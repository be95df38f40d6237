// What the replication side hands to the right: protocol events, with rows as byte ranges of the receive buffer.
// A byte range is valid only during the call: the buffer is overwritten by the next read.
import type { Lsn } from './lsn.js'
import type { Relation } from './relation.js'

/** undefined: go on. A promise: hand on nothing more until it settles; a rejection ends the stream. */
export type Pause = Promise<void> | undefined

/**
 * Receives one transaction after another, each between begin() and commit(). `at` points behind the relation's OID in
 * an Insert, Update or Delete message: at the kind byte of its first tuple (`N`, `K`, `O`), then TupleData
 * (https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html); the message ends before `end`.
 */
export interface ChangeSink {
  /** `commitMicros`: microseconds since 1970, UTC. */
  begin(commitLsn: Lsn, commitMicros: bigint, xid: number): Pause
  relation(relation: Relation): Pause
  insert(relationOid: number, buffer: Buffer, at: number, end: number): Pause
  update(relationOid: number, buffer: Buffer, at: number, end: number): Pause
  delete(relationOid: number, buffer: Buffer, at: number, end: number): Pause
  truncate(relationOids: readonly number[]): Pause
  /** `endLsn` is the position just past the commit record: what is acknowledged and what a restart asks for. */
  commit(commitLsn: Lsn, endLsn: Lsn): Pause
  /** The server has sent every transaction that commits before `position`. `urgent`: it waits for an answer. */
  keepalive(position: Lsn, urgent: boolean): Pause
}
