// The words of Trino, and so of Athena, whose timestamps have milliseconds.
import { sameType, type ColumnType } from '../column-types.js'
import type { Dialect } from '../dialect.js'

export function trinoDialect(timestamp: 'timestamp(6)' | 'timestamp(3)'): Dialect {
  const typed = (type: ColumnType): string => trinoType(type, timestamp)
  return {
    identifier,
    literal,
    cast: (value, from, to) =>
      sameType(from, to) ? value : to.kind === 'string' ? textOf(value, from) : `CAST(${value} AS ${typed(to)})`,
    parse: (value, type) => {
      if (type.kind === 'string') return value
      if (type.kind === 'bytes') return `from_hex(substr(${value}, 3))`
      const plain = type.kind === 'timestamptz' ? `regexp_replace(${value}, '\\+00$')` : value
      return `TRY_CAST(${plain} AS ${typed(type)})`
    },
    firstOf: (values) => `coalesce(${values.join(', ')})`,
    differs: (a, b) => `${a} IS DISTINCT FROM ${b}`,
    record: (parts) => `ROW(${parts.join(', ')})`,
    part: (record, k) => `${record}[${k + 1}]`,
    last: (record, position, condition) =>
      `max_by(${record}, ${position})${condition === undefined ? '' : ` FILTER (WHERE ${condition})`}`,
    field: (object, name) => `element_at(${textsOf(object)}, ${literal(name)})`,
    hasAny: (array, names) =>
      `coalesce(arrays_overlap(CAST(json_parse(${array}) AS array(varchar)), ARRAY[${names.map(literal).join(', ')}]), false)`,
    withFields: (object, fields) => {
      const names = fields.map(([name]) => literal(name)).join(', ')
      const values = fields.map(([, value]) => `CAST(${value} AS varchar)`).join(', ')
      const others = `map_filter(CAST(map(ARRAY[${names}], ARRAY[${values}]) AS map(varchar, varchar)), (k, v) -> v IS NOT NULL)`
      return `nullif(json_format(CAST(map_concat(${textsOf(`coalesce(${object}, '{}')`)}, ${others}) AS json)), '{}')`
    },
    positionText: (lsn, seq) => `concat(CAST(${lsn} AS varchar), ':', CAST(${seq} AS varchar))`,
    roots: ({ links, lsn, seq, from, to, at, root }) => {
      const all = `array_agg(ROW(${from}, ${to}) ORDER BY ${lsn}, ${seq})`
      const step = `(m, x) -> map_concat(m, map(ARRAY[x[2]], ARRAY[coalesce(element_at(m, x[1]), x[1])]))`
      return `SELECT pair.${at}, pair.${root}
  FROM (SELECT reduce(${all}, CAST(map() AS map(varchar, varchar)), ${step}, m -> m) AS pairs FROM ${links})
  CROSS JOIN UNNEST(pairs) AS pair (${at}, ${root})`
    },
    recursive: false,
  }
}

/** A JSON object of texts as a map. */
function textsOf(object: string): string {
  return `CAST(json_parse(${object}) AS map(varchar, varchar))`
}

export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

function textOf(value: string, { kind, list }: ColumnType): string {
  if (list) return `json_format(CAST(${value} AS json))`
  if (kind === 'bytes') return `concat('\\x', lower(to_hex(${value})))`
  if (kind !== 'timestamp' && kind !== 'timestamptz') return `CAST(${value} AS varchar)`
  const text = `regexp_replace(CAST(${value} AS varchar), '\\.?0+$')`
  return kind === 'timestamptz' ? `concat(${text}, '+00')` : text
}

const types = {
  ...{ bool: 'boolean', int16: 'smallint', int32: 'integer', int64: 'bigint', float: 'real', double: 'double' },
  ...{ string: 'varchar', bytes: 'varbinary', date: 'date' },
}

export function trinoType({ kind, precision, scale, list }: ColumnType, timestamp: string): string {
  const type =
    kind === 'decimal'
      ? `decimal(${precision},${scale})`
      : kind === 'timestamp' || kind === 'timestamptz'
        ? timestamp
        : types[kind]
  return list ? `array(${type})` : type
}
