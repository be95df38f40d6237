// How a table lies in the lake: its columns, then ours, with the names that no reader confuses. Derived from the relation
// and its types alone, so that a replay lays it out the same.
import type { LakeColumn, LeafType } from '../model/lake-column.js'
import { baseType, type PgType } from '../model/pg-type.js'
import type { Relation } from '../model/relation.js'
import type { TableSchema } from '../model/table-schema.js'
import { lakeNames } from './lake-names.js'
import { codecOf, type TextColumns, type ValueCodec } from './values/value-codec.js'

export interface TableLayout {
  readonly relation: Relation
  /** The table's columns in its order. */
  readonly columns: readonly LakeColumn[]
  readonly codecs: readonly ValueCodec[]
  /** `bytes` where the database promises no encoding. */
  readonly textColumns: TextColumns
  /** All columns of a file, in order. */
  readonly fileColumns: readonly LakeColumn[]
  /** Partition column of the path; a table with a column `dt` is partitioned by another name. */
  readonly dateColumn: 'dt' | 'dt_commit'
  readonly schema: TableSchema
}

const string: LeafType = { physical: 'BYTE_ARRAY', logical: 'string' }
const int64: LeafType = { physical: 'INT64', logical: 'int64' }
const metaTypes: Readonly<Record<string, LeafType>> = {
  _op: string,
  _lsn: int64,
  _seq: int64,
  _xid: int64,
  _commit_ts: { physical: 'INT64', logical: 'timestamptz' },
  _unchanged: string,
  _before: string,
  _raw: string,
}
/** Our columns as nearly all tables have them. */
const usualMeta: readonly LakeColumn[] = Object.entries(metaTypes).map(([name, type]) => ({ name, type, list: false }))

/**
 * `types`: the relation's column types in order. `textColumns`: `bytes` where the database promises no encoding. `earlier`:
 * the versions of the table's schema so far, oldest first.
 */
export function layoutOf(
  relation: Relation,
  types: readonly PgType[],
  textColumns: TextColumns,
  earlier: readonly TableSchema[] = [],
): TableLayout {
  const codecs = relation.columns.map((column, k) => codecOf(types[k]!, column.typmod, textColumns))
  const described = relation.columns.map(({ name, typmod, isKey }, k) => ({
    name,
    type: typeName(types[k]!),
    typmod: baseType(types[k]!, typmod).typmod,
    parquet: parquetText(codecs[k]!),
    detail: decimalDetail(codecs[k]!.type),
    key: isKey,
  }))
  const names = lakeNames(described, Object.keys(metaTypes), earlier)
  const columns = codecs.map(({ type, list }, k) => ({ name: names.columns[k]!, type, list }))
  const meta = usualMeta.map((usual, k) => (names.meta[k] === usual.name ? usual : { ...usual, name: names.meta[k]! }))
  return {
    relation,
    columns,
    codecs,
    textColumns,
    fileColumns: [...columns, ...meta],
    dateColumn: names.dateColumn,
    schema: {
      schema: relation.schema,
      table: relation.name,
      relationOid: relation.oid,
      replicaIdentity: relation.replicaIdentity,
      columns: described.map(({ name, type, typmod, parquet, key }, k) => ({
        ...{ name, lakeName: names.columns[k]!, type, typmod, parquet, key },
      })),
    },
  }
}

function typeName(type: PgType): string {
  return type.schema === 'pg_catalog' ? type.name : `${type.schema}.${type.name}`
}

function decimalDetail(type: LeafType): string {
  return 'logical' in type && type.logical === 'decimal' ? `${type.precision}_${type.scale}` : ''
}

function parquetText({ type, list }: Pick<LakeColumn, 'type' | 'list'>): string {
  const logical = !('logical' in type)
    ? ''
    : type.logical === 'decimal'
      ? ` decimal(${type.precision},${type.scale})`
      : ` ${type.logical}`
  return `${list ? 'LIST ' : ''}${type.physical}${logical}`
}
