// How a table lies in the lake: its columns, then ours, with the names that no reader confuses. Derived from the relation
// and its types alone, so that a replay lays it out the same.
import type { ColumnRule } from '../model/column-rule.js'
import type { LakeColumn, LeafType } from '../model/lake-column.js'
import { baseType, type PgType } from '../model/pg-type.js'
import type { Relation } from '../model/relation.js'
import type { TableSchema } from '../model/table-schema.js'
import { lakeNames } from './lake-names.js'
import { codecOf, type TextColumns, type ValueCodec } from './values/value-codec.js'
import { hashedCodec, type ValueHash } from './values/value-hash.js'

/** Of a table of which not every column reaches the lake in clear. */
export interface HiddenColumns {
  /** Of each column, in the relation's order. */
  readonly rules: readonly ColumnRule[]
  /** Present where one of them is hashed. */
  readonly hash: ValueHash | undefined
}

export interface TableLayout {
  readonly relation: Relation
  /** The relation's columns in its order; undefined where one is left out of the lake. */
  readonly columns: readonly (LakeColumn | undefined)[]
  readonly codecs: readonly (ValueCodec | undefined)[]
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
 * the versions of the table's schema so far, oldest first. `hidden`: absent where all columns are taken in clear.
 */
export function layoutOf(
  relation: Relation,
  types: readonly PgType[],
  textColumns: TextColumns,
  earlier: readonly TableSchema[] = [],
  hidden?: HiddenColumns,
): TableLayout {
  const codecs = relation.columns.map((column, k) => {
    const rule = hidden?.rules[k] ?? 'clear'
    if (rule === 'excluded') return undefined
    const codec = codecOf(types[k]!, column.typmod, textColumns)
    return rule === 'hashed' ? hashedCodec(codec, hidden!.hash!, textColumns) : codec
  })
  const described = relation.columns.flatMap(({ name, typmod, isKey }, k) => {
    const codec = codecs[k]
    if (codec === undefined) return []
    return {
      name,
      type: typeName(types[k]!),
      typmod: baseType(types[k]!, typmod).typmod,
      parquet: parquetText(codec),
      detail: decimalDetail(codec.type),
      key: isKey,
      ...(hidden?.rules[k] === 'hashed' ? { hashed: hidden.hash!.fingerprint } : {}),
    }
  })
  const names = lakeNames(described, Object.keys(metaTypes), earlier)
  const named = names.columns.values()
  const columns = codecs.map((codec) => codec && { name: named.next().value!, type: codec.type, list: codec.list })
  const meta = usualMeta.map((usual, k) => (names.meta[k] === usual.name ? usual : { ...usual, name: names.meta[k]! }))
  return {
    relation,
    columns,
    codecs,
    textColumns,
    fileColumns: [...columns.filter((column) => column !== undefined), ...meta],
    dateColumn: names.dateColumn,
    schema: {
      schema: relation.schema,
      table: relation.name,
      relationOid: relation.oid,
      replicaIdentity: relation.replicaIdentity,
      columns: described.map(({ detail: _, name, ...column }, k) => ({
        ...{ name, lakeName: names.columns[k]!, ...column },
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
