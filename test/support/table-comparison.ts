// Is the current state of a table in the lake the table? Both are read by DuckDB, the table through CSV in the server's
// own text form, and compared row for row as values of the same types. The rule for the state is the contract's, in SQL.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { copyToCsv } from './copy-out.js'
import type { Lake } from './lake.js'

export interface ComparedTable {
  /** `schema.table`. */
  readonly table: string
  readonly key: readonly string[]
  /** Every column with its DuckDB type, such as `DECIMAL(12,2)` or `INTEGER[]`. */
  readonly columns: Readonly<Record<string, string>>
}

export interface ComparedCounts {
  /** In the change log. */
  readonly changes: number
  /** In the table now. */
  readonly rows: number
}

/** Fails with the first differing rows, or where a change is in the lake twice (G4). */
export async function assertLakeIsTable(url: string, lake: Lake, compared: ComparedTable): Promise<ComparedCounts> {
  const { table, columns } = compared
  const folder = await mkdtemp(join(tmpdir(), 'wal-cake-compare-'))
  try {
    const csv = join(folder, 'table.csv')
    const names = Object.keys(columns)
    await copyToCsv(
      url,
      `SELECT ${names.map((name) => serverExpression(name, columns[name]!)).join(', ')} FROM ${quoted(table)}`,
      csv,
    )
    assert.notEqual((await lake.files(table)).length, 0, `${table} has data files`)
    const [counts] = await lake.query(
      `SELECT count(*) AS changes, count(DISTINCT (_lsn, _seq)) AS positions FROM ${lake.from(table)}`,
    )
    assert.equal(counts?.changes, counts?.positions, `${table}: every change once, by (_lsn, _seq)`)
    const expected = `SELECT ${names.map((name) => lakeExpression(name, columns[name]!)).join(', ')} FROM ${csvSource(csv, names)}`
    const actual = currentStateQuery(lake.from(table), compared)
    await assertNone(lake, `(${actual}) EXCEPT ALL (${expected})`, `rows of the lake that ${table} does not have`)
    await assertNone(lake, `(${expected}) EXCEPT ALL (${actual})`, `rows of ${table} that the lake does not have`)
    const [rows] = await lake.query(`SELECT count(*) AS rows FROM (${expected})`)
    return { changes: Number(counts?.changes), rows: Number(rows?.rows) }
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** Per key the last row by (`_lsn`, `_seq`), unless it is a D; a T ends everything before it. */
function currentStateQuery(source: string, { key, columns }: ComparedTable): string {
  const list = Object.keys(columns)
    .map((name) => quoteName(name))
    .join(', ')
  return `
    WITH changes AS MATERIALIZED (SELECT * FROM ${source}),
    truncated AS (SELECT max((_lsn, _seq)) AS position FROM changes WHERE _op = 'T')
    SELECT ${list} FROM (
      SELECT *, row_number() OVER (PARTITION BY ${key.map(quoteName).join(', ')} ORDER BY _lsn DESC, _seq DESC) AS _newest
        FROM changes, truncated WHERE _op <> 'T' AND (position IS NULL OR (_lsn, _seq) > position)
    ) WHERE _newest = 1 AND _op <> 'D'`
}

async function assertNone(lake: Lake, difference: string, what: string): Promise<void> {
  const rows = await lake.query(`SELECT * FROM (${difference}) LIMIT 5`)
  assert.deepEqual(rows, [], what)
}

function csvSource(path: string, names: readonly string[]): string {
  const types = names.map((name) => `'${name.replaceAll("'", "''")}': 'VARCHAR'`).join(', ')
  return `read_csv('${path}', columns = {${types}}, auto_detect = false, delim = ',', header = false, nullstr = '\\N', allow_quoted_nulls = false, quote = '"', escape = '"', max_line_size = 16000000)`
}

/** Arrays travel as JSON, which both sides know. */
function serverExpression(name: string, type: string): string {
  return type.endsWith('[]') ? `to_json(${quoteName(name)})::text` : `${quoteName(name)}::text`
}

function lakeExpression(name: string, type: string): string {
  const column = quoteName(name)
  return `CAST(${type.endsWith('[]') ? `CAST(${column} AS JSON)` : column} AS ${type}) AS ${column}`
}

function quoted(table: string): string {
  const dot = table.indexOf('.')
  return [table.slice(0, dot), table.slice(dot + 1)].map(quoteName).join('.')
}

function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
