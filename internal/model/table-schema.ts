// The shape of a table as the lake records it: one version for as long as its files can share a schema.
import type { Lsn } from './lsn.js'
import type { ReplicaIdentity } from './relation.js'

export interface SchemaColumn {
  readonly name: string
  /** Name in the files, where it differs. */
  readonly lakeName: string
  /** Type as PostgreSQL names it, qualified outside pg_catalog. */
  readonly type: string
  readonly typmod: number
  /** Parquet type, as text for people. */
  readonly parquet: string
  readonly key: boolean
  /** Of the version before; only in a version that was read from the lake. */
  readonly likelyRenamedFrom?: string
  /** Fingerprint of the salt, where the column holds hashes of its values. */
  readonly hashed?: string
}

export interface TableSchema {
  readonly schema: string
  readonly table: string
  readonly relationOid: number
  readonly replicaIdentity: ReplicaIdentity
  readonly columns: readonly SchemaColumn[]
}

/** Where in the stream something holds from: the transaction's commit and the change in it. */
export interface StreamPosition {
  readonly lsn: Lsn
  readonly seq: number
}

export function isAfter(a: StreamPosition, b: StreamPosition): boolean {
  return a.lsn > b.lsn || (a.lsn === b.lsn && a.seq > b.seq)
}
