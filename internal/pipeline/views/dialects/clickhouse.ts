// The words of ClickHouse. It has neither tuples that are NULL nor arrays: what is missing has the parts of a default.
import { sameType, type ColumnType } from '../column-types.js'
import type { Dialect } from '../dialect.js'

export const clickhouse: Dialect = {
  identifier,
  literal,
  cast: (value, from, to) =>
    sameType(from, to) ? value : to.kind === 'string' ? textOf(value, from) : `CAST(${value} AS ${clickhouseType(to)})`,
  parse: (value, type) => parsed(value, type),
  firstOf: (values, { list }) =>
    list
      ? values.reduceRight((rest, value) => `if(notEmpty(${value}), ${value}, ${rest})`)
      : `coalesce(${values.join(', ')})`,
  differs: (a, b) => `NOT (${a} <=> ${b})`,
  record: (parts) => `tuple(${parts.join(', ')})`,
  part: (record, k) => `tupleElement(${record}, ${k + 1})`,
  last: (record, position, condition) =>
    condition === undefined ? `argMax(${record}, ${position})` : `argMaxIf(${record}, ${position}, ${condition})`,
  field: (object, name) => `JSONExtract(${object}, ${literal(name)}, 'Nullable(String)')`,
  hasAny: (array, names) =>
    `hasAny(JSONExtract(coalesce(${array}, '[]'), 'Array(String)'), [${names.map(literal).join(', ')}])`,
  withFields: (object, fields) => {
    const type = 'Map(String, Nullable(String))'
    const others = fields.map(([name, value]) => `${literal(name)}, ${value}`).join(', ')
    const kept = `mapFilter((k, v) -> v IS NOT NULL, CAST(map(${others}) AS ${type}))`
    return `nullIf(toJSONString(mapUpdate(JSONExtract(coalesce(${object}, '{}'), '${type}'), ${kept})), '{}')`
  },
  positionText: (lsn, seq) => `concat(toString(${lsn}), ':', toString(${seq}))`,
  roots: ({ links, lsn, seq, from, to, at, root }) => {
    const all = `arraySort(groupArray(tuple(${lsn}, ${seq}, ${from}, ${to})))`
    const step = `(m, x) -> mapUpdate(m, map(x.4, if(mapContains(m, x.3), m[x.3], x.3)))`
    const pairs = `arrayFold(${step}, ${all}, CAST(map() AS Map(String, String)))`
    return `SELECT tupleElement(pair, 1) AS ${at}, tupleElement(pair, 2) AS ${root}
  FROM (SELECT arrayJoin(CAST(${pairs} AS Array(Tuple(String, String)))) AS pair FROM ${links})`
  },
  recursive: false,
}

export function identifier(name: string): string {
  return `\`${name.replaceAll('\\', '\\\\').replaceAll('`', '\\`')}\``
}

export function literal(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}

function textOf(value: string, { kind, list }: ColumnType): string {
  if (list) return `if(empty(${value}), NULL, toString(${value}))`
  if (kind === 'bytes') return `concat('\\\\x', lower(hex(${value})))`
  if (kind !== 'timestamp' && kind !== 'timestamptz') return `toString(${value})`
  const text = `replaceRegexpOne(toString(${value}), '\\\\.?0+$', '')`
  return kind === 'timestamptz' ? `concat(${text}, '+00')` : text
}

function parsed(value: string, type: ColumnType): string {
  const { kind, precision, scale } = type
  if (kind === 'string') return value
  if (kind === 'bytes') return `unhex(substring(${value}, 3))`
  if (kind === 'bool') return `CAST(transform(${value}, ['t', 'f'], [1, 0], NULL) AS Nullable(Bool))`
  if (kind === 'date') return `toDate32OrNull(${value})`
  if (kind === 'timestamp' || kind === 'timestamptz') return `parseDateTime64BestEffortOrNull(${value}, 6, 'UTC')`
  return `accurateCastOrNull(${value}, '${kind === 'decimal' ? `Decimal(${precision}, ${scale})` : types[kind]}')`
}

const types = {
  ...{ bool: 'Bool', int16: 'Int16', int32: 'Int32', int64: 'Int64', float: 'Float32', double: 'Float64' },
  ...{ string: 'String', bytes: 'String', date: 'Date32' },
  ...{ timestamp: `DateTime64(6, 'UTC')`, timestamptz: `DateTime64(6, 'UTC')` },
}

export function clickhouseType({ kind, precision, scale, list }: ColumnType): string {
  const type = `Nullable(${kind === 'decimal' ? `Decimal(${precision}, ${scale})` : types[kind]})`
  return list ? `Array(${type})` : type
}
