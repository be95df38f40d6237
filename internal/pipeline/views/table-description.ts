// What a view has to know of a table, whatever the engine: its columns in the lake over all versions of its schema, which of
// them are one column of the table, and by what its current rows are told. Derived from the schema records alone.
import type { SchemaColumn, TableSchema } from '../../model/table-schema.js'
import { lakeNames } from '../../transform/lake-names.js'
import {
  metaType,
  canBeRaw,
  canBeUnsent,
  castsExactly,
  parseColumnType,
  text,
  wider,
  type ColumnType,
} from './column-types.js'

/** A column of the files. */
export interface LakeColumn {
  readonly name: string
  /** The widest that it ever had. */
  readonly type: ColumnType
}

/** A column of the table, in one or several columns of the lake. */
export interface ViewColumn {
  /** That of its first column in the lake. */
  readonly name: string
  readonly type: ColumnType
  /** The newest one first; `isRaw`: its values may stand in `_raw`. */
  readonly sources: readonly (LakeColumn & { readonly isRaw: boolean })[]
  readonly isKey: boolean
  /** The newest version has it. */
  readonly isThere: boolean
  /** A change may come without its value. */
  readonly isUnsent: boolean
}

const metaNames = ['_op', '_lsn', '_seq', '_xid', '_commit_ts', '_unchanged', '_before', '_raw'] as const
export type MetaName = (typeof metaNames)[number]

export interface ViewTable {
  readonly schema: string
  readonly table: string
  /** In the order of their coming. */
  readonly lakeColumns: readonly LakeColumn[]
  /** What our columns are called in the files. */
  readonly meta: Readonly<Record<MetaName, string>>
  readonly dateColumn: 'dt' | 'dt_commit'
  /** Those that the table has, in its order, then those that it had. */
  readonly columns: readonly ViewColumn[]
  /** `rows`: there is no known key, and a row is told by all of its values; a text says why there is no current state. */
  readonly identity: 'key' | 'rows' | { readonly none: string }
  /** What the reader of the SQL must know. */
  readonly notes: readonly string[]
}

/** `versions`: of one table, oldest first, at least one. Throws Failure `unsafe` for a type that is not known. */
export function describeTable(versions: readonly TableSchema[]): ViewTable {
  const newest = versions.at(-1)!
  const { meta, dateColumn } = lakeNames([], metaNames, versions)
  const keys = versions.filter(({ replicaIdentity: identity }) => identity === 'd' || identity === 'i').map(keyOf)
  const key = keys.findLast((names) => names.length > 0) ?? []
  const isKeyThere = key.length > 0 && key.every((name) => newest.columns.some((column) => column.name === name))
  const columns = viewColumns(versions, isKeyThere ? key : [])
  return {
    schema: newest.schema,
    table: newest.table,
    lakeColumns: lakeColumns(versions),
    meta: Object.fromEntries(metaNames.map((name, k) => [name, meta[k]!])) as Record<MetaName, string>,
    dateColumn,
    columns,
    identity: isKeyThere ? 'key' : rowIdentity(versions, columns),
    notes: [...keyNotes(keys, key), ...hashNotes(versions, key), ...joinNotes(columns)],
  }
}

/** All columns of a table's files, that of the path last. */
export function filesColumns({ lakeColumns, meta, dateColumn }: ViewTable): LakeColumn[] {
  return [
    ...lakeColumns,
    ...metaNames.map((name) => ({ name: meta[name], type: metaType(name) })),
    { name: dateColumn, type: metaType('dt') },
  ]
}

/** The table as an engine sees it that has no columns with such a character in their names. */
export function without(table: ViewTable, character: string): ViewTable {
  const isLeft = ({ name }: { readonly name: string }): boolean => !name.includes(character)
  const columns = table.columns.flatMap((column) => {
    const sources = column.sources.filter(isLeft)
    return sources.length === 0 || !isLeft(column) ? [] : [{ ...column, sources }]
  })
  const lost = table.columns.find((column) => column.isKey && !columns.some(({ name }) => name === column.name))
  const identity =
    lost === undefined ? table.identity : { none: `the engine cannot read ${lost.name}, which is in the key` }
  return { ...table, lakeColumns: table.lakeColumns.filter(isLeft), columns, identity }
}

function keyOf({ columns }: TableSchema): string[] {
  return columns.filter(({ key }) => key).map(({ name }) => name)
}

function lakeColumns(versions: readonly TableSchema[]): LakeColumn[] {
  const types = new Map<string, ColumnType>()
  for (const { lakeName, parquet } of versions.flatMap(({ columns }) => columns)) {
    const type = parseColumnType(parquet)
    types.set(lakeName, wider(types.get(lakeName) ?? type, type))
  }
  return [...types].map(([name, type]) => ({ name, type }))
}

function viewColumns(versions: readonly TableSchema[], key: readonly string[]): ViewColumn[] {
  const types = new Map(lakeColumns(versions).map(({ name, type }) => [name, type]))
  const all = versions.toReversed().flatMap(({ columns }) => columns)
  const there = new Set(versions.at(-1)!.columns.map(kindOf))
  return [...new Map(all.map((column) => [kindOf(column), column])).entries()].map(([kind, { name }]) => {
    const own = all.filter((column) => kindOf(column) === kind)
    const sources = [...new Set(own.map(({ lakeName }) => lakeName))].map((lakeName) => {
      const type = types.get(lakeName)!
      return {
        name: lakeName,
        type,
        isRaw: own.some((column) => column.lakeName === lakeName && canBeRaw(type, column.type)),
      }
    })
    const newest = sources[0]!.type
    return {
      name: own.at(-1)!.lakeName,
      type: sources.every(({ type }) => castsExactly(type, newest)) ? newest : text,
      sources,
      isKey: key.includes(name) && there.has(kind),
      isThere: there.has(kind),
      isUnsent: own.some((column) => canBeUnsent(types.get(column.lakeName)!, column.type)) && !key.includes(name),
    }
  })
}

/** Hashes and values, or hashes under two salts, are not one column, whatever it is called. */
function kindOf({ name, hashed }: SchemaColumn): string {
  return JSON.stringify([name, hashed ?? null])
}

/** A row without a key is told by its values, which an old row has as text. */
function rowIdentity(versions: readonly TableSchema[], columns: readonly ViewColumn[]): ViewTable['identity'] {
  const hasOldRows = versions.some(({ replicaIdentity }) => replicaIdentity === 'f')
  const list = columns.find(({ sources }) => sources.some(({ type }) => type.list))
  return hasOldRows && list !== undefined
    ? { none: `no key is known, and the old rows cannot be told by the array ${list.name}` }
    : 'rows'
}

function keyNotes(keys: readonly (readonly string[])[], key: readonly string[]): string[] {
  const other = keys.find((names) => names.length > 0 && names.join('\0') !== key.join('\0'))
  return other === undefined
    ? []
    : [
        `Its key was (${other.join(', ')}) before: a row that was deleted under that key is still shown, until the table is copied again.`,
      ]
}

function hashNotes(versions: readonly TableSchema[], key: readonly string[]): string[] {
  const kinds = new Set(versions.flatMap(({ columns }) => columns.filter(({ name }) => key.includes(name)).map(kindOf)))
  return kinds.size <= key.length
    ? []
    : [
        'Its key was not always hashed with the same salt: rows from before cannot be told, until the table is copied again.',
      ]
}

function joinNotes(columns: readonly ViewColumn[]): string[] {
  return columns
    .filter(({ sources }) => sources.length > 1)
    .map(
      ({ name, sources }) => `${name} joins ${sources.map((source) => source.name).join(', ')}, the newest type first.`,
    )
}
