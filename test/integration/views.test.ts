// The views that `views` prints for DuckDB: the current state is the table, row for row, and was it at an earlier time.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api'
import { sectionOf } from '../readers/page.js'
import { makingOf, sequences, transactionsOf } from '../support/key-changes.js'
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
async function rowsOf(
  db: DuckDBConnection,
  from: string,
  columns: readonly string[],
  bytes: readonly string[] = [],
): Promise<TextRow[]> {
  const texts = columns.map((name) => {
    const pointer = `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`.replaceAll("'", "''")
    const text = bytes.includes(name) ? `'\\x' || lower(hex(${quoted(name)}))` : `CAST(${quoted(name)} AS VARCHAR)`
    return `coalesce(${text}, json_extract_string(_raw, '${pointer}')) AS ${quoted(name)}`
  })
  return (await db.runAndReadAll(`SELECT ${texts.join(', ')} FROM ${from}`)).getRowObjects() as TextRow[]
}

test('the views for DuckDB show what PostgreSQL has, now and as of a time', async (t) => {
  const rig = await makeRig(t, { lake: 'folder' })
  const [one, two] = await makeViewLake(rig)
  const db = await duckDb(t)
  await db.run(await printed(rig, '--engine', 'duckdb'))
  for (const [k, { schema, table, bytes }] of viewCases.entries()) {
    const name = `${quoted(schema)}.${quoted(table)}`
    const now = two.tables[k]!
    assert.deepEqual(sorted(await rowsOf(db, name, now.columns, bytes)), sorted(now.rows), `${name} now`)
    for (const { time, tables } of [one, two]) {
      const { columns, rows } = tables[k]!
      const asOf = `${quoted(schema)}.${quoted(`${table}_as_of`)}('${time}')`
      assert.deepEqual(sorted(await rowsOf(db, asOf, columns, bytes)), sorted(rows), `${name} as of ${time}`)
    }
  }
  // What the page shows.
  const page = await readFile(new URL('../../../docs/querying.md', import.meta.url), 'utf8')
  const [, shown = ''] = /```sql\n(.*?)```/s.exec(sectionOf(page, 'DuckDB')) ?? []
  const [first, ...others] = shown.split(/;\n/).filter((sql) => sql !== '')
  const byStatus = await db.runAndReadAll(first!)
  assert.equal(byStatus.currentRowCount, new Set(two.tables[0]!.rows.map(({ status }) => status)).size)
  for (const sql of others) await db.run(sql)
})

test('G7: the views for DuckDB give the table, whatever was done to it', async (t) => {
  const rig = await makeRig(t, { lake: 'folder' })
  const { source, lake } = rig
  const all = sequences()
  for (const sequence of all) await source.query(makingOf(sequence))
  await source.query('CREATE PUBLICATION wal_cake_pub FOR ALL TABLES')
  const service = await rig.stream()
  for (const sequence of all) for (const transaction of transactionsOf(sequence)) await source.query(transaction)
  await rig.caughtUp(service)
  assert.equal(await service.stop(), 0)
  const db = await duckDb(t)
  await db.run(await printed(rig, '--engine', 'duckdb'))
  const columns = 'id::VARCHAR AS id, note, md5(big) AS big'
  let unsent = 0
  for (const { table, identity, work } of all) {
    if ((await lake.files(`public.${table}`)).length === 0) continue
    const rows = await source.query<TextRow>(`SELECT id::text AS id, note, md5(big) AS big FROM ${table}`)
    const found = await db.runAndReadAll(`SELECT ${columns} FROM public.${table}`)
    const message = `${identity}: ${JSON.stringify(work, null, 1)}`
    assert.deepEqual(sorted(found.getRowObjects() as TextRow[]), sorted(rows), message)
    const counted = await db.runAndReadAll(`SELECT count(_unchanged) FROM public.${table}_log`)
    unsent += Number(counted.getRows()[0]?.[0])
  }
  assert.ok(unsent > 0, 'some values were not sent again')
  await rig.dropSlot()
})

test('views says what is wrong with what it is asked for', async (t) => {
  const rig = await makeRig(t, { lake: 'folder' })
  const refused = async (args: readonly string[], message: RegExp): Promise<void> => {
    const asking = rig.start({}, ['views', ...args])
    assert.equal((await asking.waitForExit()).code, 2)
    const [line, ...others] = asking.lines
    assert.match(`${line?.msg} ${String((line?.err as { hint?: string } | undefined)?.hint)}`, message)
    assert.deepEqual(others, [])
  }
  await refused([], /views needs an engine .*duckdb/)
  await refused(['--engine', 'duck'], /no views for "duck" .*duckdb/)
  await refused(['--engine', 'duckdb'], /there is no lake of the slot s_/)
  await rig.source.query('CREATE TABLE orders (id int PRIMARY KEY); CREATE TABLE other (id int PRIMARY KEY)')
  await rig.source.query('CREATE PUBLICATION wal_cake_pub FOR ALL TABLES')
  const service = await rig.stream()
  await refused(['--engine', 'duckdb'], /has no rows yet/)
  await rig.source.query('INSERT INTO orders VALUES (1)')
  await rig.caughtUp(service)
  assert.equal(await service.stop(), 0)
  await refused(
    ['--engine', 'duckdb', '--table', 'public.order'],
    /no table public\.order It has public\.orders, public\.marks/,
  )
  await refused(['--engine', 'duckdb', '--table', 'orders'], /--table "orders" cannot be read as schema\.table/)
  await refused(['--engine', 'duckdb', '--as-of', '2026-01-01T00:00:00Z'], /take the time when they are asked/)
  const sql = await printed(rig, '--engine', 'duckdb', '--table', 'public.orders')
  assert.match(sql, /VIEW "public"\."orders_log" AS/)
  assert.doesNotMatch(sql, /marks/)
  await rig.dropSlot()
})
