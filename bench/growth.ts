// Does a row cost the same however many there have been, however many tables they are of, and does a start take the same time
// however long the lake's log is? `./run.sh bench growth [rows | tables | start]`.
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import { startPostgres } from '../cmd/wal-cake/demo/postgres-server.js'
import { drainIntoLake, withSlot } from './drain.js'
import type { Figure } from './figures.js'
import { folderPlace } from './lake-place.js'
import { dropSlot, median, pause, walPosition } from './measuring.js'
import { fillOrders, ordersTable } from './orders.js'
import { Program } from './program.js'

const MILLIONS = 20
/** What the last quarter of them may cost, of what the second one did. */
const MOST_GROWTH = 1.3
const TABLES = [1, 10, 100, 500, 2_000]
const ROWS_OVER_TABLES = 400_000
const LOG_LENGTHS = [10, 1_000, 3_000]
const STARTS = 5

interface Lab {
  readonly admin: pg.Client
  readonly url: string
}

const parts: Readonly<Record<string, (lab: Lab) => Promise<readonly Figure[]>>> = { rows, tables, start }

export async function growth(words: readonly string[]): Promise<readonly Figure[]> {
  const figures: Figure[] = []
  for (const [name, part] of Object.entries(parts)) {
    if (words.length > 0 && !words.includes(name)) continue
    const server = await startPostgres({ settings: { max_wal_size: '16GB', max_locks_per_transaction: 4096 } })
    const admin = new pg.Client(server.url)
    await admin.connect()
    try {
      figures.push(...(await part({ admin, url: server.url })))
    } finally {
      await admin.end()
      await server.stop('immediate')
    }
  }
  return figures
}

/** Drains a backlog of many rows, and asks its commits when they came. */
async function rows({ admin, url }: Lab): Promise<readonly Figure[]> {
  await admin.query(`${ordersTable} CREATE PUBLICATION bench FOR TABLE orders`)
  await admin.query("SELECT pg_create_logical_replication_slot('bench_base', 'pgoutput')")
  for (let million = 1; million <= MILLIONS; million++) {
    await admin.query(fillOrders(1_000, 1_000))
    process.stderr.write(`filled: ${million} of ${MILLIONS} million rows\r`)
  }
  const end = await walPosition(admin)
  const lake = await folderPlace()
  try {
    const { peakBytes } = await withSlot(admin, 'bench_base', (slot) => drainIntoLake(admin, url, slot, end, lake.env))
    const seconds = await secondsByQuarter(lake.folder)
    const figure = { bench: 'growth', subject: `${MILLIONS} million rows, by quarter` }
    return [
      ...seconds.map((took, k) => ({
        ...figure,
        measure: `rate of quarter ${k + 1}`,
        value: (MILLIONS * 250) / took,
        unit: 'k rows/s',
      })),
      {
        ...figure,
        measure: 'a row of the last',
        value: seconds[3]! / seconds[1]!,
        unit: 'x one of the second',
        most: MOST_GROWTH,
      },
      { ...figure, measure: 'peak', value: peakBytes / 2 ** 20, unit: 'MiB' },
    ]
  } finally {
    await lake.remove()
  }
}

/** How long each quarter of the rows took, by the times at which their commits were written. */
async function secondsByQuarter(folder: string): Promise<readonly number[]> {
  const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.commit.json')).sort()
  const commits = await Promise.all(
    names.map(async (name) => ({
      rows: (JSON.parse(await readFile(join(folder, name), 'utf8')) as { rows: number }).rows,
      atMs: (await stat(join(folder, name))).mtimeMs,
    })),
  )
  const total = commits.reduce((sum, commit) => sum + commit.rows, 0)
  // The first batch began when the program did, which no commit tells; so the quarters are of those behind it.
  let passed = commits[0]!.rows
  let [quarter, sinceMs, sinceRows] = [1, commits[0]!.atMs, passed]
  const rest = total - passed
  const seconds: number[] = []
  for (const { rows, atMs } of commits.slice(1)) {
    passed += rows
    if (passed - commits[0]!.rows < (rest * quarter) / 4) continue
    seconds.push(((atMs - sinceMs) / 1000 / (passed - sinceRows)) * (total / 4))
    ;[quarter, sinceMs, sinceRows] = [quarter + 1, atMs, passed]
  }
  return seconds
}

/** The same number of rows, over more and more tables. */
async function tables({ admin, url }: Lab): Promise<readonly Figure[]> {
  const figures: Figure[] = []
  for (const count of TABLES) {
    const value = await rateOver(admin, url, count)
    process.stderr.write(`${count} tables: ${Math.round(value)} k rows/s\n`)
    const subject = `${ROWS_OVER_TABLES.toLocaleString('en')} rows over ${count} tables`
    figures.push({ bench: 'growth', subject, measure: 'rate', value, unit: 'k rows/s' })
  }
  return figures
}

async function rateOver(admin: pg.Client, url: string, count: number): Promise<number> {
  const database = `tables_${count}`
  await admin.query(`CREATE DATABASE ${database}`)
  const own = new URL(url)
  own.pathname = database
  const client = new pg.Client(own.href)
  await client.connect()
  const lake = await folderPlace()
  try {
    await client.query(
      `DO $$ BEGIN FOR t IN 1..${count} LOOP EXECUTE format('CREATE TABLE t%s (id bigserial PRIMARY KEY, name text, at timestamptz)', t); END LOOP; END $$`,
    )
    await client.query('CREATE PUBLICATION bench FOR ALL TABLES')
    await client.query("SELECT pg_create_logical_replication_slot($1, 'pgoutput')", [database])
    await client.query(
      `DO $$ BEGIN FOR i IN 1..${ROWS_OVER_TABLES / 2_000} LOOP
         FOR k IN 0..${Math.min(count, 2_000) - 1} LOOP
           EXECUTE format('INSERT INTO t%s (name, at) SELECT ''row '' || $1, now() FROM generate_series(1, $2)', k + 1) USING i, ${2_000 / count};
         END LOOP; COMMIT; END LOOP; END $$`,
    )
    const end = await walPosition(client)
    const drain = await withSlot(client, database, (slot) => drainIntoLake(client, own.href, slot, end, lake.env))
    const { rows } = await lake.written()
    if (rows !== ROWS_OVER_TABLES) throw new Error(`${rows} rows of ${ROWS_OVER_TABLES} are in the lake`)
    return rows / drain.seconds / 1000
  } finally {
    await lake.remove()
    await dropSlot(client, database)
    await client.end()
  }
}

/** Starts on a lake whose log grows. */
async function start({ admin, url }: Lab): Promise<readonly Figure[]> {
  await admin.query('CREATE TABLE beats (id bigserial PRIMARY KEY); CREATE PUBLICATION bench FOR TABLE beats')
  const lake = await folderPlace()
  const env = { PG_CONN_STRING: url, PG_SLOT: 'start', PG_PUBLICATION: 'bench', FLUSH_INTERVAL: '50ms', ...lake.env }
  const figures: Figure[] = []
  try {
    for (const length of LOG_LENGTHS) {
      await growLog(admin, env, lake.folder, length)
      const took: number[] = []
      for (let k = 0; k < STARTS; k++) took.push(await startOnce(env))
      const subject = `start on a log of ${length.toLocaleString('en')} batches`
      figures.push({ bench: 'growth', subject, measure: 'until it streams', value: median(took), unit: 'ms' })
    }
    const [first, last] = [figures[0]!.value, figures.at(-1)!.value]
    const subject = 'start on the longest log'
    return [
      ...figures,
      { bench: 'growth', subject, measure: 'time', value: last / first, unit: 'x the shortest', most: 1.5 },
    ]
  } finally {
    await lake.remove()
    await dropSlot(admin, 'start')
  }
}

async function growLog(admin: pg.Client, env: Record<string, string>, folder: string, length: number): Promise<void> {
  const program = new Program(env)
  try {
    await program.logged('streaming')
    const batches = async (): Promise<number> =>
      (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.commit.json')).length
    while ((await batches()) < length)
      for (let k = 0; k < 50; k++) {
        await admin.query('INSERT INTO beats DEFAULT VALUES')
        await pause(10)
      }
    await program.stop()
  } finally {
    await program.end()
  }
}

/** Milliseconds until it streams. */
async function startOnce(env: Record<string, string>): Promise<number> {
  const began = performance.now()
  const program = new Program(env)
  try {
    const took = (await program.logged('streaming')) - began
    await program.stop()
    return took
  } finally {
    await program.end()
  }
}
