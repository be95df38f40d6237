// A table as a Relation message describes it: the only trustworthy source of a row's shape, because the catalogue
// shows the schema after later transactions.

export interface RelationColumn {
  readonly name: string
  readonly typeOid: number
  /** -1: none. */
  readonly typmod: number
  /** Part of the replica identity; under FULL every column is. */
  readonly isKey: boolean
}

/** `d` default (primary key), `n` nothing, `f` full, `i` index: pg_class.relreplident. */
export type ReplicaIdentity = 'd' | 'n' | 'f' | 'i'

export interface Relation {
  readonly oid: number
  readonly schema: string
  readonly name: string
  readonly replicaIdentity: ReplicaIdentity
  readonly columns: readonly RelationColumn[]
}

/** True when rows of both have the same shape and the same meaning; servers send Relation messages again and again. */
export function sameRelation(a: Relation, b: Relation): boolean {
  return (
    a.oid === b.oid &&
    a.schema === b.schema &&
    a.name === b.name &&
    a.replicaIdentity === b.replicaIdentity &&
    a.columns.length === b.columns.length &&
    a.columns.every((column, index) => {
      const other = b.columns[index]!
      return (
        column.name === other.name &&
        column.typeOid === other.typeOid &&
        column.typmod === other.typmod &&
        column.isKey === other.isKey
      )
    })
  )
}
