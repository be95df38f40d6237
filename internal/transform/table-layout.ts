// How a table lies in the lake: its columns, then ours, with the names that no reader confuses. Derived from the relation
// and its types alone, so that a replay lays it out the same.
import type { LakeColumn, LeafType } from '../model/lake-column.js'
import { baseType, type PgType } from '../model/pg-type.js'
import type { Relation } from '../model/relation.js'
import type { TableSchema } from '../model/table-schema.js'
import { codecOf, type ValueCodec } from './values/value-codec.js'

export interface TableLayout {
  readonly relation: Relation
  /** The table's columns in its order. */
  readonly columns: readonly LakeColumn[]
  readonly codecs: readonly ValueCodec[]
  readonly meta: Readonly<Record<MetaName, LakeColumn>>
  /** All columns of a file, in order. */
  readonly fileColumns: readonly LakeColumn[]
  /** Partition column of the path; a table with a column `dt` is partitioned by another name. */
  readonly dateColumn: 'dt' | 'dt_commit'
  readonly schema: TableSchema
}

const string: LeafType = { physical: 'BYTE_ARRAY', logical: 'string' }
const int64: LeafType = { physical: 'INT64', logical: 'int64' }
const metaTypes = {
  _op: string,
  _lsn: int64,
  _seq: int64,
  _xid: int64,
  _commit_ts: { physical: 'INT64', logical: 'timestamptz' },
  _unchanged: string,
  _before: string,
  _raw: string,
} as const satisfies Record<string, LeafType>
export type MetaName = keyof typeof metaTypes

/** `types`: the relation's column types in order. `textColumns`: `bytes` where the database promises no encoding. */
export function layoutOf(relation: Relation, types: readonly PgType[], textColumns: 'string' | 'bytes'): TableLayout {
  const codecs = relation.columns.map((column, k) => codecOf(types[k]!, column.typmod, textColumns))
  const taken = new Set<string>()
  const names = relation.columns.map((column) => distinctName(column.name, taken))
  const columns = names.map((name, k) => ({ name, type: codecs[k]!.type, list: codecs[k]!.list }))
  const meta = Object.fromEntries(
    Object.entries(metaTypes).map(([name, type]) => [name, { name: metaName(name, taken), type, list: false }]),
  ) as unknown as Record<MetaName, LakeColumn>
  return {
    relation,
    columns,
    codecs,
    meta,
    fileColumns: [...columns, ...Object.values(meta)],
    dateColumn: taken.has('dt') ? 'dt_commit' : 'dt',
    schema: schemaOf(relation, types, columns),
  }
}

/** Names that differ only in case confuse readers: the later one gets a number behind it. */
function distinctName(name: string, taken: Set<string>): string {
  let distinct = name
  for (let n = 2; taken.has(distinct.toLowerCase()); n++) distinct = `${name}__${n}`
  taken.add(distinct.toLowerCase())
  return distinct
}

/** The user's column keeps the name, ours gets another underscore. */
function metaName(name: string, taken: Set<string>): string {
  let own = name
  while (taken.has(own)) own = `_${own}`
  taken.add(own)
  return own
}

function schemaOf(relation: Relation, types: readonly PgType[], columns: readonly LakeColumn[]): TableSchema {
  return {
    schema: relation.schema,
    table: relation.name,
    relationOid: relation.oid,
    replicaIdentity: relation.replicaIdentity,
    columns: relation.columns.map((column, k) => ({
      name: column.name,
      lakeName: columns[k]!.name,
      type: typeName(types[k]!),
      typmod: baseType(types[k]!, column.typmod).typmod,
      parquet: parquetText(columns[k]!),
      key: column.isKey,
    })),
  }
}

function typeName(type: PgType): string {
  return type.schema === 'pg_catalog' ? type.name : `${type.schema}.${type.name}`
}

function parquetText(column: LakeColumn): string {
  const { type } = column
  const logical = !('logical' in type)
    ? ''
    : type.logical === 'decimal'
      ? ` decimal(${type.precision},${type.scale})`
      : ` ${type.logical}`
  return `${column.list ? 'LIST ' : ''}${type.physical}${logical}`
}
