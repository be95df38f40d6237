// The SQL that `views` prints: for each table its log and its current state, in the words of one engine.
import { Failure } from '../../model/failure.js'
import { editDistance } from '../../config/misspelt-variables.js'
import { TableFilter } from '../../config/table-filter.js'
import type { Engine, LakePlace, NamedTable } from './engine.js'
import { clickhouse } from './engines/clickhouse.js'
import { duckdb } from './engines/duckdb.js'
import { spark } from './engines/spark.js'
import { athena, trino } from './engines/trino.js'
import type { LakeTable } from './lake-tables.js'
import { nameViews } from './view-names.js'

const engines: Readonly<Record<string, Engine>> = { duckdb, athena, spark, trino, clickhouse }

export interface ViewRequest {
  readonly engine: string | undefined
  /** As `TABLES` names them; absent: all. */
  readonly tables: readonly string[]
  /** RFC 3339. */
  readonly asOf: string | undefined
}

/** Throws Failure `config` naming what of the request is wrong. */
export function checkRequest({ engine: name, asOf }: ViewRequest): { engine: Engine; asOf: string | undefined } {
  const known = Object.keys(engines).join(', ')
  if (name === undefined) throw new Failure('config', 'views needs an engine', { hint: `--engine is one of ${known}.` })
  const engine = Object.hasOwn(engines, name) ? engines[name]! : undefined
  if (engine === undefined)
    throw new Failure('config', `there are no views for ${JSON.stringify(name)}`, {
      hint: `--engine is one of ${known}.`,
    })
  if (asOf !== undefined && engine.asksForTime)
    throw new Failure('config', `views of ${name} take the time when they are asked, and no --as-of`, {
      hint: `Print them without it; each table has a view with _as_of behind its name, which takes a time.`,
    })
  return { engine, asOf: asOf === undefined ? undefined : timeOf(asOf) }
}

/** `YYYY-MM-DD HH:MM:SS.ffffff` in UTC. */
function timeOf(text: string): string {
  const match = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.(\d{1,6}))?(?:Z|[+-]\d\d:\d\d)$/.exec(text)
  const milliseconds = match === null ? NaN : Date.parse(text.replace(/\.\d+/, ''))
  if (Number.isNaN(milliseconds))
    throw new Failure('config', `--as-of is no time: ${JSON.stringify(text)}`, {
      hint: 'Write it with a zone: 2026-01-31T12:00:00Z, 2026-01-31T12:00:00.5+01:00.',
    })
  const [date, time] = new Date(milliseconds).toISOString().slice(0, 19).split('T')
  return `${date} ${time}.${(match?.[1] ?? '').padEnd(6, '0')}`
}

/** The whole text. Throws Failure `config` where a table is asked for that is not there. */
export function printViews(place: LakePlace, all: readonly LakeTable[], request: ViewRequest): string {
  const { engine, asOf } = checkRequest(request)
  const names = nameViews(
    all.map(({ description }) => description),
    engine.naming,
  )
  const named = all.map((table, k): NamedTable => ({ ...table, names: names[k]! }))
  const tables = request.tables.length === 0 ? named : chosen(named, request.tables)
  const schemas = [...new Set(tables.flatMap(({ names }) => names.schema ?? []))]
  return [
    comment([
      `Views of the lake at ${place.root}, made by wal-cake views. Print them again after an ALTER TABLE.`,
      ...engine.notes,
    ]),
    ...engine.first(place, schemas).map(statement),
    ...tables.flatMap((table) => [comment(notesOf(table)), ...engine.views(table, place, asOf).map(statement)]),
  ].join('\n')
}

function notesOf({ description }: NamedTable): string[] {
  const { schema, table, identity, notes } = description
  const kind =
    identity === 'key'
      ? []
      : identity === 'rows'
        ? [
            'No key is known: a row is told by all of its values. Exact where its copied rows, if any, were read under one snapshot.',
          ]
        : [`There is no view of the current state: ${identity.none}.`]
  return [`${schema}.${table}`, ...kind, ...notes]
}

function statement(sql: string): string {
  return `${sql};\n`
}

/** Names may hold a line's end. */
function comment(lines: readonly string[]): string {
  return lines.map((line) => `-- ${line.replaceAll(/[\r\n]/g, ' ')}`).join('\n')
}

function chosen(tables: readonly NamedTable[], patterns: readonly string[]): NamedTable[] {
  const found = new Set<NamedTable>()
  for (const pattern of patterns) {
    const filter = filterOf(pattern)
    const matching = tables.filter(({ description: { schema, table } }) => filter.matches(schema, table))
    if (matching.length === 0) throw notThere(pattern, tables)
    for (const table of matching) found.add(table)
  }
  return tables.filter((table) => found.has(table))
}

function filterOf(pattern: string): TableFilter {
  try {
    return new TableFilter(pattern)
  } catch (error) {
    throw new Failure('config', `--table ${JSON.stringify(pattern)} ${(error as Error).message}`, { cause: error })
  }
}

const MOST_NAMED = 5

function notThere(pattern: string, tables: readonly NamedTable[]): Failure {
  const near = tables
    .map(({ description: { schema, table } }) => `${schema}.${table}`)
    .map((name) => ({ name, distance: editDistance(pattern.toLowerCase(), name.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance)
    .map(({ name }) => name)
  const more = near.length > MOST_NAMED ? ` and ${near.length - MOST_NAMED} more` : ''
  return new Failure('config', `the lake has no table ${pattern}`, {
    hint: `It has ${near.slice(0, MOST_NAMED).join(', ')}${more}.`,
  })
}
