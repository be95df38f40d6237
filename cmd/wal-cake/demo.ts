// `./run.sh demo`: the whole job on a bare machine. A PostgreSQL of its own, a small shop at work, the real service, a
// local lake, and DuckDB over the files; ends by itself, with 1 when lake and database differ. `demo query` reads the lake
// again. Removes the database and keeps the lake.
import { access, constants, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import pg from 'pg'
import { LakeReader } from './demo/lake-reader.js'
import { startPostgres, type PostgresServer } from './demo/postgres-server.js'
import { reportOnLake } from './demo/report.js'
import { ServiceProcess } from './demo/service-process.js'
import { shopTables } from './demo/shop-schema.js'
import { openShop, trade, type ShopCounts } from './demo/shop.js'
import { ProgressBar } from './progress-bar.js'
import { formatBytes, formatCount, formatSeconds, textTable } from './text-table.js'

const SLOT = 'wal_cake_demo'
const STREAMING_LIMIT_MS = 15_000
const CATCH_UP_LIMIT_MS = 20_000
const STOP_LIMIT_MS = 10_000
const SHOWN_DIFFERENCES = 12
const SHOWN_EVERY_MS = 200
const exampleQuery =
  'SELECT status, count(*) AS orders, sum(total) AS revenue FROM orders GROUP BY status ORDER BY revenue DESC'

const usage = `./run.sh demo                  runs the demo
./run.sh demo --seconds 5      with a shorter day for the shop
./run.sh demo query "SELECT …" queries the lake of the last run with DuckDB

Tables: ${shopTables.map(({ name }) => name).join(', ')}; with _log, all changes of one: ${shopTables[0]?.name}_log.
LAKE_DIR puts the lake elsewhere.
`

/** What has to be ended, also when the demo is interrupted. */
const running: { server?: PostgresServer; service?: ServiceProcess; closing?: AbortController; interrupted?: boolean } =
  {}

class DemoFailure extends Error {}

async function main(argv: string[]): Promise<number> {
  const asked = readArguments(argv)
  if (asked === 'help') process.stdout.write(usage)
  else if (asked === undefined) process.stderr.write(usage)
  else return 'sql' in asked ? query(asked.sql) : demo(asked.seconds)
  return asked === undefined ? 2 : 0
}

/** Undefined for arguments that make no sense. */
function readArguments(args: string[]): { seconds: number } | { sql: string } | 'help' | undefined {
  const options = { seconds: { type: 'string', default: '20' }, help: { type: 'boolean', short: 'h' } } as const
  let parsed
  try {
    parsed = parseArgs({ args, allowPositionals: true, options })
  } catch {
    return undefined
  }
  const { values, positionals } = parsed
  if (values.help === true) return 'help'
  const [verb, sql, ...more] = positionals
  if (verb === 'query' && sql !== undefined && more.length === 0) return { sql }
  const seconds = Number(values.seconds)
  return verb === undefined && seconds > 0 && seconds < 86_400 ? { seconds } : undefined
}

async function demo(seconds: number): Promise<number> {
  // Somebody's PGSSLMODE or PGOPTIONS is meant for another server.
  for (const name of Object.keys(process.env)) if (name.startsWith('PG')) Reflect.deleteProperty(process.env, name)
  const began = performance.now()
  const folder = await freshLakeFolder()
  const server = await startPostgres()
  running.server = server
  say(`PostgreSQL ${server.version}: embedded, started in ${formatSeconds((performance.now() - began) / 1000)}`)
  const service = new ServiceProcess(folder, {
    PG_CONN_STRING: server.url,
    PG_SLOT: SLOT,
    FLUSH_INTERVAL: '1s',
    HTTP_ADDR: '',
  })
  running.service = service
  await until('the service streams', STREAMING_LIMIT_MS, () => service.progress.streaming)
  say(`wal-cake start: streaming, FLUSH_INTERVAL=1s, LAKE_DIR=${shownPath(folder)}`)

  await runShop(server.url, service, seconds)
  await until('everything is in the lake', CATCH_UP_LIMIT_MS, caughtUp(server.url))
  const stopping = performance.now()
  const code = await service.stop(STOP_LIMIT_MS)
  if (code !== 0) throw new DemoFailure(`the service ended with ${code} on SIGTERM, not with 0`)
  say(`Service: exit 0, ${formatSeconds((performance.now() - stopping) / 1000)} after SIGTERM\n`)

  const lake = await LakeReader.open(folder, shopTables)
  try {
    const { text, differences } = await reportOnLake(lake, server.url)
    say(`DuckDB over the files, current rows compared with the database:\n\n${text}`)
    if (differences.length > 0) throw new DemoFailure(differenceText(differences))
    say('Every value of every row equals the database, and no change is there twice.\n')
    await suggestQuery(lake, folder)
  } finally {
    lake.close()
  }
  await server.stop()
  say(`Done in ${formatSeconds((performance.now() - began) / 1000)}; the database is gone, the lake stays.`)
  return 0
}

async function runShop(url: string, service: ServiceProcess, seconds: number): Promise<void> {
  const began = performance.now()
  const elapsed = () => (performance.now() - began) / 1000
  const counts: ShopCounts = { committed: 0, rolledBack: 0 }
  await openShop(url)
  const closing = new AbortController()
  running.closing = closing
  const timer = setTimeout(() => closing.abort(), seconds * 1000)
  const bar = new ProgressBar(process.stdout)
  const looking = setInterval(() => {
    if (!service.running) closing.abort()
    const { changes, files, bytes } = service.progress
    const inLake = `${formatCount(changes)} changes in ${files} files, ${formatBytes(bytes)}`
    bar.show(`${formatCount(counts.committed)} transactions → ${inLake}`, Math.min(elapsed(), seconds), seconds)
  }, SHOWN_EVERY_MS)
  try {
    await trade(url, closing.signal, counts)
  } finally {
    clearTimeout(timer)
    clearInterval(looking)
    bar.end()
  }
  const { committed, rolledBack } = counts
  say(
    `Shop: ${formatCount(committed)} transactions on 3 connections in ${formatSeconds(elapsed())}, ${rolledBack} more rolled back`,
  )
}

/** Whether the slot has confirmed all that was written up to the first call. */
function caughtUp(url: string): () => Promise<boolean> {
  let target: string | undefined
  return async () => {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    try {
      target ??= await lastChange(client)
      const { rows } = await client.query<{ done: boolean }>(
        'SELECT confirmed_flush_lsn > $1::pg_lsn AS done FROM pg_replication_slots WHERE slot_name = $2',
        [target, SLOT],
      )
      return rows[0]?.done === true
    } finally {
      await client.end()
    }
  }
}

/**
 * A position before one more change, so that passing it means that all the others are in the lake. The server's own records
 * may follow the shop's last one, and positions without a change are acknowledged at their leisure.
 */
async function lastChange(client: pg.Client): Promise<string | undefined> {
  const { rows } = await client.query<{ lsn: string }>('SELECT pg_current_wal_insert_lsn()::text AS lsn')
  await client.query('UPDATE products SET stock = stock WHERE id = (SELECT min(id) FROM products)')
  return rows[0]?.lsn
}

async function until(what: string, limitMs: number, met: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + limitMs
  while (!(await met())) {
    if (running.service?.running === false) throw new DemoFailure(`the service ended before ${what}`)
    if (performance.now() > deadline) throw new DemoFailure(`not within ${limitMs / 1000} s: ${what}`)
    await delay(50)
  }
}

async function suggestQuery(lake: LakeReader, folder: string): Promise<void> {
  const elsewhere = folder === ownFolder ? '' : `LAKE_DIR=${shellWord(folder)} `
  say(`Query on, with no DuckDB to install:\n\n  ${elsewhere}./run.sh demo query "${exampleQuery}"\n`)
  say(indented(await answer(lake, exampleQuery)))
  say(`\nor in any DuckDB:\n\n  SELECT _op, count(*) FROM ${lake.source('orders')} GROUP BY _op;\n`)
}

async function query(sql: string): Promise<number> {
  const folder = namedFolder() ?? ownFolder
  let lake
  try {
    lake = await LakeReader.open(folder, shopTables)
  } catch {
    throw new DemoFailure(`there is no lake of the demo in ${shownPath(folder)}: run ./run.sh demo first`)
  }
  try {
    say(await answer(lake, sql))
  } catch (error) {
    throw new DemoFailure(error instanceof Error ? error.message : String(error))
  } finally {
    lake.close()
  }
  return 0
}

async function answer(lake: LakeReader, sql: string): Promise<string> {
  const { columns, rows } = await lake.query(sql)
  return textTable(
    columns,
    rows.map((row) => row.map((cell) => cell ?? '')),
  )
}

/** In the repository, where git and the formatter do not look. */
const ownFolder = fileURLToPath(new URL('../../../.cache/demo-lake', import.meta.url))

function namedFolder(): string | undefined {
  const { LAKE_DIR } = process.env
  return LAKE_DIR === undefined || LAKE_DIR === '' ? undefined : resolve(LAKE_DIR)
}

/** Empties the demo's own folder; never one that somebody named. */
async function freshLakeFolder(): Promise<string> {
  const folder = namedFolder()
  if (folder !== undefined) {
    await mkdir(folder, { recursive: true })
    if ((await readdir(folder)).length > 0) throw new DemoFailure(`LAKE_DIR=${folder} is not empty`)
    return folder
  }
  try {
    await rm(ownFolder, { recursive: true, force: true })
    await mkdir(ownFolder, { recursive: true })
    await access(ownFolder, constants.W_OK)
    return ownFolder
  } catch {
    // A repository that is not ours to write.
    return mkdtemp(join(tmpdir(), 'wal-cake-demo-lake-'))
  }
}

function differenceText(differences: readonly string[]): string {
  const more = differences.length - SHOWN_DIFFERENCES
  const lines = differences.slice(0, SHOWN_DIFFERENCES).map((line) => `  ${line}`)
  if (more > 0) lines.push(`  and ${formatCount(more)} more`)
  return [`lake and database differ:`, ...lines].join('\n')
}

function shownPath(path: string): string {
  const fromHere = relative(process.cwd(), path)
  return fromHere.startsWith('..') ? path : fromHere
}

function shellWord(word: string): string {
  return /^[\w./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}

function indented(text: string): string {
  return text.replaceAll(/^/gm, '  ')
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}

/** Ends what is running, in the order in which it depends on each other. */
async function endAll(): Promise<void> {
  running.closing?.abort()
  await running.service?.stop(STOP_LIMIT_MS)
  await running.server?.stop('immediate')
}

// A reader that has seen enough, such as head, is no reason to leave a run half done.
process.stdout.on('error', () => undefined)

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  process.once(signal, () => {
    running.interrupted = true
    void endAll().finally(() => process.exit(code))
  })
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  // What was cut off by a signal is no failure, and the signal's handler ends the process.
  if (running.interrupted !== true) {
    const log = running.service?.log ?? ''
    await endAll()
    console.error(error instanceof DemoFailure ? `\ndemo: ${error.message}` : error)
    if (log !== '') console.error(`\nThe service's log ended:\n${indented(log)}`)
    process.exitCode = 1
  }
}
