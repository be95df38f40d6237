// The tables and views for Trino's Hive connector, and for Athena, which runs Trino and has tables of its own making.
import type { ColumnType } from '../column-types.js'
import { identifier, literal, trinoDialect, trinoType } from '../dialects/trino.js'
import { inBucket, type Engine, type NamedTable } from '../engine.js'
import { stateQuery } from '../state-query.js'
import { filesColumns, without, type ViewTable } from '../table-description.js'
import type { ViewNames } from '../view-names.js'

const HEAD = 'wal_cake_head'
/** A Hive metastore folds names, and takes few characters. */
const naming = { fit: (name: string) => name.toLowerCase().replaceAll(/[^a-z0-9_]/g, '_'), flat: false, reserved: HEAD }

export const trino: Engine = {
  naming,
  asksForTime: false,
  first: ({ root, slot }, schemas) =>
    schemas.flatMap((schema) => [
      `CREATE SCHEMA IF NOT EXISTS ${identifier(schema)}`,
      `DROP TABLE IF EXISTS ${identifier(schema)}.${HEAD}`,
      `CREATE TABLE ${identifier(schema)}.${HEAD} (line varchar)
WITH (format = 'TEXTFILE', external_location = ${literal(`${locationOf(root)}/_wal_cake/${slot}`)})`,
    ]),
  views: (table, { root }, asOf) => {
    const description = without(table.description, ',')
    const log = named(table.names, table.names.log)
    const columns = filesColumns(description).map(
      ({ name, type }) => `  ${identifier(name)} ${trinoType(type, 'timestamp(6)')}`,
    )
    const range = `ARRAY['${table.firstDate}', 'NOW']`
    return [
      `DROP TABLE IF EXISTS ${log}`,
      `CREATE TABLE ${log} (
${columns.join(',\n')}
    WITH (partition_projection_type = 'date', partition_projection_format = 'yyyy-MM-dd', partition_projection_range = ${range})
) WITH (
  format = 'PARQUET',
  external_location = ${literal(`${locationOf(root)}/${table.folder}`)},
  partitioned_by = ARRAY[${literal(description.dateColumn)}],
  partition_projection_enabled = true
)`,
      ...stateViews(table, description, { end: endOfHead(table.names.schema!) }, asOf, 'timestamp(6)'),
    ]
  },
  notes: [
    'For a catalogue of the Hive connector with the properties of docs/readers.md. The state ends with the newest commit.',
    'Columns with a comma in their names are left out, since a Hive metastore has none such.',
  ],
}

export const athena: Engine = {
  naming,
  asksForTime: false,
  first: (place, schemas) => {
    inBucket(place, 'Athena')
    return schemas.map((schema) => `CREATE DATABASE IF NOT EXISTS \`${schema}\``)
  },
  views: (table, { root }, asOf) => {
    const description = without(table.description, ',')
    const { schema, log } = table.names
    const columns = filesColumns(description).map(({ name, type }) => `  ${hiveName(name)} ${hiveType(type)}`)
    const date = description.dateColumn
    const location = `${root}/${table.folder}`
    return [
      `DROP TABLE IF EXISTS \`${schema}\`.\`${log}\``,
      `CREATE EXTERNAL TABLE \`${schema}\`.\`${log}\` (
${columns.slice(0, -1).join(',\n')}
)
PARTITIONED BY (\`${date}\` string)
STORED AS PARQUET
LOCATION '${location}/'
TBLPROPERTIES (
  'projection.enabled' = 'true',
  'projection.${date}.type' = 'date',
  'projection.${date}.format' = 'yyyy-MM-dd',
  'projection.${date}.range' = '${table.firstDate},NOW',
  'storage.location.template' = '${location}/${date}=\${${date}}/'
)`,
      ...stateViews(table, description, {}, asOf, 'timestamp(3)'),
    ]
  },
  notes: [
    'The state is that of all files: while a batch is written, a transaction with rows in several files may be seen in part. A state as of a time is whole.',
    'Columns with a comma in their names are left out, since a Hive metastore has none such.',
  ],
}

function stateViews(
  { names }: NamedTable,
  description: ViewTable,
  cut: { readonly end?: string },
  asOf: string | undefined,
  timestamp: 'timestamp(6)' | 'timestamp(3)',
): string[] {
  if (typeof description.identity !== 'string') return []
  const columns = description.columns.filter(({ isThere }) => asOf !== undefined || isThere)
  const until = asOf === undefined ? cut : { ...cut, time: `TIMESTAMP '${asOf}'` }
  const sql = stateQuery(description, columns, trinoDialect(timestamp), named(names, names.log), until)
  return [`CREATE OR REPLACE VIEW ${named(names, asOf === undefined ? names.state : names.asOf)} AS\n${sql}`]
}

function named({ schema }: ViewNames, name: string): string {
  return `${identifier(schema!)}.${identifier(name)}`
}

function locationOf(root: string): string {
  return root.startsWith('s3:') ? root : `local://${root}`
}

/** Where the newest commit ends, as an integer. */
function endOfHead(schema: string): string {
  const lsn = `regexp_extract(line, '"end_lsn": *"([0-9A-F]+/[0-9A-F]+)"', 1)`
  const digits = `concat(split_part(${lsn}, '/', 1), lpad(split_part(${lsn}, '/', 2), 8, '0'))`
  return `(SELECT max(from_base(${digits}, 16)) FROM ${identifier(schema)}.${HEAD} WHERE "$path" LIKE '%/head.json')`
}

function hiveName(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``
}

const hiveTypes = {
  ...{ bool: 'boolean', int16: 'smallint', int32: 'int', int64: 'bigint', float: 'float', double: 'double' },
  ...{ string: 'string', bytes: 'binary', date: 'date', timestamp: 'timestamp', timestamptz: 'timestamp' },
}

function hiveType({ kind, precision, scale, list }: ColumnType): string {
  const type = kind === 'decimal' ? `decimal(${precision},${scale})` : hiveTypes[kind]
  return list ? `array<${type}>` : type
}
