// The words of Spark SQL, 3.5 and 4.
import { sameType, type ColumnType } from '../column-types.js'
import type { Dialect } from '../dialect.js'

export const spark: Dialect = {
  identifier,
  literal,
  cast: (value, from, to) =>
    sameType(from, to) ? value : to.kind === 'string' ? textOf(value, from) : `CAST(${value} AS ${sparkType(to)})`,
  parse: (value, type) => {
    if (type.kind === 'string') return value
    return type.kind === 'bytes' ? `unhex(substr(${value}, 3))` : `try_cast(${value} AS ${sparkType(type)})`
  },
  firstOf: (values) => `coalesce(${values.join(', ')})`,
  differs: (a, b) => `NOT (${a} <=> ${b})`,
  record: (parts) => `named_struct(${parts.map((part, k) => `'p${k}', ${part}`).join(', ')})`,
  part: (record, k) => `${record}.p${k}`,
  last: (record, position, condition) =>
    `max_by(${record}, ${position})${condition === undefined ? '' : ` FILTER (WHERE ${condition})`}`,
  field: (object, name) => `try_element_at(${textsOf(object)}, ${literal(name)})`,
  hasAny: (array, names) =>
    `coalesce(arrays_overlap(from_json(${array}, 'array<string>'), array(${names.map(literal).join(', ')})), false)`,
  withFields: (object, fields) => {
    const names = fields.map(([name]) => literal(name)).join(', ')
    const others = fields.map(([name, value]) => `${literal(name)}, ${value}`).join(', ')
    const kept = `map_filter(${textsOf(`coalesce(${object}, '{}')`)}, (k, v) -> k NOT IN (${names}))`
    return `nullif(to_json(map_concat(${kept}, map_filter(map(${others}), (k, v) -> v IS NOT NULL))), '{}')`
  },
  positionText: (lsn, seq) => `concat(${lsn}, ':', ${seq})`,
  roots: ({ links, lsn, seq, from, to, at, root }) => {
    const all = `array_sort(collect_list(named_struct('l', ${lsn}, 's', ${seq}, 'f', ${from}, 't', ${to})))`
    const step = `(m, x) -> map_concat(m, map(x.t, coalesce(try_element_at(m, x.f), x.f)))`
    return `SELECT explode(aggregate(${all}, CAST(map() AS map<string, string>), ${step})) AS (${at}, ${root}) FROM ${links}`
  },
  recursive: false,
}

/** A JSON object of texts as a map. */
function textsOf(object: string): string {
  return `from_json(${object}, 'map<string,string>')`
}

export function identifier(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``
}

export function literal(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}

function textOf(value: string, { kind, list }: ColumnType): string {
  if (kind === 'bytes' && !list) return `concat('\\\\x', lower(hex(${value})))`
  if (kind !== 'timestamptz' || list) return `CAST(${value} AS STRING)`
  return `concat(CAST(to_utc_timestamp(${value}, current_timezone()) AS STRING), '+00')`
}

const types = {
  ...{ bool: 'BOOLEAN', int16: 'SMALLINT', int32: 'INT', int64: 'BIGINT', float: 'FLOAT', double: 'DOUBLE' },
  ...{ string: 'STRING', bytes: 'BINARY', date: 'DATE', timestamp: 'TIMESTAMP_NTZ', timestamptz: 'TIMESTAMP' },
}

export function sparkType({ kind, precision, scale, list }: ColumnType): string {
  const type = kind === 'decimal' ? `DECIMAL(${precision}, ${scale})` : types[kind]
  return list ? `ARRAY<${type}>` : type
}
