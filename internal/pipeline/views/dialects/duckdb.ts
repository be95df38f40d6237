// The words of DuckDB.
import { sameType, type ColumnType } from '../column-types.js'
import type { Dialect } from '../dialect.js'

export const duckdb: Dialect = {
  identifier,
  literal,
  cast: (value, from, to) =>
    sameType(from, to) ? value : to.kind === 'string' ? textOf(value, from) : castTo(value, to),
  parse: (value, type) => {
    if (type.kind === 'string') return value
    return type.kind === 'bytes' ? `unhex(substr(${value}, 3))` : `TRY_CAST(${value} AS ${duckdbType(type)})`
  },
  firstOf: (values) => `coalesce(${values.join(', ')})`,
  differs: (a, b) => `${a} IS DISTINCT FROM ${b}`,
  record: (parts) => `{${parts.map((part, k) => `'p${k}': ${part}`).join(', ')}}`,
  part: (record, k) => `${record}['p${k}']`,
  last: (record, position, condition) =>
    `max_by(${record}, ${position})${condition === undefined ? '' : ` FILTER (${condition})`}`,
  field: (object, name) => `json_extract_string(${object}, ${literal(pointer(name))})`,
  hasAny: (array, names) =>
    `(${names.map((name) => `coalesce(json_contains(${array}, ${literal(JSON.stringify(name))}), false)`).join(' OR ')})`,
  withFields: (object, fields) => {
    const others = fields.map(([name, value]) => `${literal(name)}, ${value}`).join(', ')
    return `nullif(CAST(json_merge_patch(coalesce(${object}, '{}'), json_object(${others})) AS VARCHAR), '{}')`
  },
  positionText: (lsn, seq) => `concat(${lsn}, ':', ${seq})`,
  roots: ({ links, own, from, to, at, root, roots }) =>
    [
      `SELECT ${to} AS ${at}, ${from} AS ${root} FROM ${links} WHERE ${from} NOT IN (SELECT ${to} FROM ${links})`,
      `UNION ALL`,
      `SELECT ${own}.${to}, known.${root} FROM ${links} AS ${own} JOIN ${roots} AS known ON known.${at} = ${own}.${from}`,
    ].join('\n  '),
  recursive: true,
}

export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

export function castTo(value: string, type: ColumnType): string {
  return `CAST(${value} AS ${duckdbType(type)})`
}

function textOf(value: string, { kind, list }: ColumnType): string {
  if (list) return `CAST(${value} AS VARCHAR)`
  if (kind === 'bytes') return `concat('\\x', lower(hex(${value})))`
  return kind === 'timestamptz' ? `CAST(${value} AT TIME ZONE 'UTC' AS VARCHAR) || '+00'` : `CAST(${value} AS VARCHAR)`
}

const types = {
  ...{ bool: 'BOOLEAN', int16: 'SMALLINT', int32: 'INTEGER', int64: 'BIGINT', float: 'FLOAT', double: 'DOUBLE' },
  ...{ string: 'VARCHAR', bytes: 'BLOB', date: 'DATE', timestamp: 'TIMESTAMP', timestamptz: 'TIMESTAMPTZ' },
}

function duckdbType({ kind, precision, scale, list }: ColumnType): string {
  const type = kind === 'decimal' ? `DECIMAL(${precision}, ${scale})` : types[kind]
  return list ? `${type}[]` : type
}

/** A name as JSON Pointer, since a path would take some of its characters for its own. */
function pointer(name: string): string {
  return `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`
}
