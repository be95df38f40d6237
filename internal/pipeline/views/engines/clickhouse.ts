// The views for ClickHouse.
import { headKey } from '../../../storage/keys.js'
import { clickhouse as dialect, clickhouseType, identifier, literal } from '../dialects/clickhouse.js'
import type { Engine, LakePlace, NamedTable } from '../engine.js'
import { stateQuery } from '../state-query.js'
import { filesColumns } from '../table-description.js'

export const clickhouse: Engine = {
  // It looks for a view that takes a time behind the first dot of its whole name.
  naming: { fit: (name) => name.replaceAll('.', '_'), flat: false },
  asksForTime: true,
  first: (_, schemas) => schemas.map((schema) => `CREATE DATABASE IF NOT EXISTS ${identifier(schema)}`),
  views: (table, place) => {
    const { description, names } = table
    const named = (name: string): string => `${identifier(names.schema!)}.${identifier(name)}`
    const view = (name: string, sql: string): string => `CREATE OR REPLACE VIEW ${named(name)} AS\n${sql}`
    const statements = [view(names.log, logQuery(table, place))]
    if (typeof description.identity !== 'string') return statements
    const end = endOfHead(place)
    const there = description.columns.filter(({ isThere }) => isThere)
    const time = `parseDateTime64BestEffort({as_of_time:String}, 6, 'UTC')`
    return [
      ...statements,
      view(names.state, stateQuery(description, there, dialect, named(names.log), { end })),
      view(names.asOf, stateQuery(description, description.columns, dialect, named(names.log), { end, time })),
    ]
  },
  notes: [
    'The state ends with the newest commit: head.json is read with every query. In a server, file() reads below user_files_path only.',
  ],
}

function logQuery({ description, folder }: NamedTable, place: LakePlace): string {
  const { meta } = description
  const never: readonly string[] = [meta._op, meta._lsn, meta._seq, meta._commit_ts]
  const columns = filesColumns(description)
  const typed = ({ name, type }: (typeof columns)[number]): string =>
    never.includes(name) ? clickhouseType(type).replace(/^Nullable\((.*)\)$/, '$1') : clickhouseType(type)
  const structure = columns.map((column) => `${identifier(column.name)} ${typed(column)}`).join(', ')
  const selected = columns.map(({ name }) => identifier(name)).join(', ')
  const files = source(place, `${folder}/**/*.parquet`, 'Parquet', literal(structure))
  return `SELECT ${selected}\nFROM ${files}\nSETTINGS use_hive_partitioning = 1`
}

function source({ root, url }: LakePlace, path: string, ...rest: readonly string[]): string {
  // A URL's percent signs are its own.
  const at = url === undefined ? ['file', `${root}/${path}`] : ['s3', `${url}/${path.replaceAll('%', '%25')}`]
  return `${at[0]!}(${[literal(at[1]!), ...rest].join(', ')})`
}

/** Where the newest commit ends, as an integer. */
function endOfHead(place: LakePlace): string {
  const halves = `arrayMap(x -> leftPad(x, 8, '0'), splitByChar('/', JSONExtractString(json, 'end_lsn')))`
  const number = `reinterpretAsInt64(reverse(unhex(arrayStringConcat(${halves}))))`
  return `(SELECT ${number} FROM ${source(place, headKey(place.slot), 'JSONAsString')})`
}
