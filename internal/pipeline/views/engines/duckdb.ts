// The views for DuckDB.
import { headKey } from '../../../storage/keys.js'
import { castTo, duckdb as dialect, identifier, literal } from '../dialects/duckdb.js'
import type { Engine, LakePlace, NamedTable } from '../engine.js'
import { stateQuery } from '../state-query.js'
import { filesColumns } from '../table-description.js'

export const duckdb: Engine = {
  naming: { fit: (name) => name, flat: false },
  asksForTime: true,
  first: (_, schemas) => schemas.map((schema) => `CREATE SCHEMA IF NOT EXISTS ${identifier(schema)}`),
  views: (table, place) => {
    const { description, names } = table
    const named = (name: string): string => `${identifier(names.schema!)}.${identifier(name)}`
    const end = endOfHead(place)
    const statements = [`CREATE OR REPLACE VIEW ${named(names.log)} AS\n${logQuery(table, place)}`]
    if (typeof description.identity !== 'string') return statements
    const there = description.columns.filter(({ isThere }) => isThere)
    const time = 'as_of_time'
    return [
      ...statements,
      `CREATE OR REPLACE VIEW ${named(names.state)} AS\n${stateQuery(description, there, dialect, named(names.log), { end })}`,
      `CREATE OR REPLACE MACRO ${named(names.asOf)}(${time}) AS TABLE\n${stateQuery(
        ...[description, description.columns, dialect, named(names.log)],
        { end, time: `CAST(${time} AS TIMESTAMPTZ)` },
      )}`,
    ]
  },
  notes: ['The state ends with the newest commit: head.json is read with every query.'],
}

function logQuery({ description, folder }: NamedTable, { root }: LakePlace): string {
  const columns = filesColumns(description).map(
    ({ name, type }) => `${castTo(identifier(name), type)} AS ${identifier(name)}`,
  )
  const glob = literal(`${root}/${folder}/**/*.parquet`)
  return `SELECT ${columns.join(',\n  ')}\nFROM read_parquet(${glob}, union_by_name = true, hive_partitioning = true)`
}

/** Where the newest commit ends, as an integer. */
function endOfHead({ root, slot }: LakePlace): string {
  const digits = `split_part(end_lsn, '/', 1), lpad(split_part(end_lsn, '/', 2), 8, '0')`
  const head = `read_json(${literal(`${root}/${headKey(slot)}`)}, columns = {end_lsn: 'VARCHAR'})`
  return `(SELECT CAST(concat('0x', ${digits}) AS BIGINT) FROM ${head})`
}
