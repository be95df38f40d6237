// The views that `views` prints for DuckDB: the current state is the table, row for row, and was it at an earlier time.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api'
import { makeRig, type Rig } from '../support/rig.js'
import { makeViewLake, quoted, sorted, viewCases, type TextRow } from '../support/view-cases.js'

async function duckDb(t: { after(fn: () => void): void }): Promise<DuckDBConnection> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '2' })
  const connection = await instance.connect()
  t.after(() => {
    connection.closeSync()
    instance.closeSync()
  })
  await connection.run("SET TimeZone = 'UTC'")
  return connection
}

/** What the verb prints. */
async function printed(rig: Rig, ...args: string[]): Promise<string> {
  // It needs no server.
  const asking = rig.start({ PG_CONN_STRING: 'postgres://nobody@127.0.0.1:1/none' }, ['views', ...args])
  assert.deepEqual(await asking.waitForExit(), { code: 0, signal: null }, JSON.stringify(asking.lines))
  return asking.lines.map(({ msg }) => msg).join('\n')
}

/** As texts; what no column can hold comes from `_raw`. */
async function rowsOf(db: DuckDBConnection, from: string, columns: readonly string[]): Promise<TextRow[]> {
  const texts = columns.map((name) => {
    const pointer = `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`.replaceAll("'", "''")
    return `coalesce(CAST(${quoted(name)} AS VARCHAR), json_extract_string(_raw, '${pointer}')) AS ${quoted(name)}`
  })
  const rows = (await db.runAndReadAll(`SELECT ${texts.join(', ')} FROM ${from}`)).getRowObjects() as TextRow[]
  return rows.map((row) => Object.fromEntries(Object.entries(row).map(([name, text]) => [name, asPrinted(text)])))
}

/** DuckDB has other words for what is no number, and prints bytes as text where it can. */
function asPrinted(text: string | null): string | null {
  return text === null ? null : ({ inf: 'Infinity', nan: 'NaN', '\\x00\\xFF': '\\x00ff', '': text }[text] ?? text)
}

test('the views for DuckDB show what PostgreSQL has, now and as of a time', async (t) => {
  const rig = await makeRig(t, { lake: 'folder' })
  const [one, two] = await makeViewLake(rig)
  const db = await duckDb(t)
  await db.run(await printed(rig, '--engine', 'duckdb'))
  for (const [k, { schema, table }] of viewCases.entries()) {
    const name = `${quoted(schema)}.${quoted(table)}`
    const now = two.tables[k]!
    assert.deepEqual(sorted(await rowsOf(db, name, now.columns)), sorted(now.rows), `${name} now`)
    for (const { time, tables } of [one, two]) {
      const { columns, rows } = tables[k]!
      const asOf = `${quoted(schema)}.${quoted(`${table}_as_of`)}('${time}')`
      assert.deepEqual(sorted(await rowsOf(db, asOf, columns)), sorted(rows), `${name} as of ${time}`)
    }
  }
})
