// How fast existing rows are copied, as a ratio to psql throwing away the same table in COPY's binary format. Both read the same
// table of the same server, take turns, and the medians count; then how soon a change of another table is in the lake meanwhile.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import pg from 'pg'
import { startPostgres } from '../cmd/wal-cake/demo/postgres-server.js'
import { memoryBound } from '../test/support/memory-bound.js'
import { findClientProgram } from './client-programs.js'
import { freshnessBesideCopy } from './copy-freshness.js'
import type { Figure } from './figures.js'
import { folderPlace } from './lake-place.js'
import { dropSlot, median } from './measuring.js'
import { mib } from './memory-cases.js'
import { fillOrders, ordersTable } from './orders.js'
import { Program } from './program.js'

const ROUNDS = 3
const TRANSACTIONS = 500
const ROWS_PER_TRANSACTION = 10_000
const ROWS = TRANSACTIONS * ROWS_PER_TRANSACTION
/** Below this the bench fails. */
const LEAST_RATIO = 0.5
const WORKERS = 2
const MEMORY_LIMIT_BYTES = 128 << 20

interface Copied {
  readonly seconds: number
  /** Of Parquet. */
  readonly bytes: number
  /** Of the program, all its threads, while it copied. */
  readonly cpuSeconds: number
  readonly peakBytes: number
}

export async function copy(): Promise<readonly Figure[]> {
  const psql = await findClientProgram('psql')
  const server = await startPostgres({ settings: { max_wal_size: '8GB' } })
  const admin = new pg.Client(server.url)
  await admin.connect()
  try {
    await admin.query(`${ordersTable} CREATE PUBLICATION bench FOR TABLE orders`)
    process.stderr.write(`filling: ${ROWS.toLocaleString('en')} rows of ten columns\n`)
    await admin.query(fillOrders(TRANSACTIONS, ROWS_PER_TRANSACTION))
    // Whoever reads a row first writes down that it is committed.
    await admin.query('VACUUM (ANALYZE) orders')
    const sent = await bytesOfCopy(psql, server.url)
    const figures = await rounds(admin, psql, server.url, sent)
    return [...figures, ...(await freshnessBesideCopy(admin, server.url))]
  } finally {
    await admin.end()
    await server.stop('immediate')
  }
}

async function rounds(admin: pg.Client, psql: string, url: string, sent: number): Promise<readonly Figure[]> {
  const baseline: number[] = []
  const ours: Copied[] = []
  for (let round = 1; round <= ROUNDS; round++) {
    baseline.push(await throwAway(psql, url))
    ours.push(await copyIntoFolder(admin, url))
    const { seconds, bytes } = ours.at(-1)!
    process.stderr.write(
      `round ${round}: psql ${rate(baseline.at(-1)!, sent)}; wal-cake ${rate(seconds, sent)}, ${(bytes / 1e6).toFixed(1)} MB of Parquet\n`,
    )
  }
  const figure = { bench: 'copy', subject: `${ROWS.toLocaleString('en')} rows, ${WORKERS} workers` }
  const middle = (of: (copied: Copied) => number): number => median(ours.map(of))
  const peak = Math.max(...ours.map(({ peakBytes }) => peakBytes))
  const most = memoryBound({ limitBytes: MEMORY_LIMIT_BYTES, workers: WORKERS })
  const speed = median(baseline) / middle(({ seconds }) => seconds)
  const cpu = middle(({ cpuSeconds }) => cpuSeconds) / (ROWS / 1e6)
  return [
    { ...figure, measure: 'speed', value: speed, unit: 'x COPY to psql', least: LEAST_RATIO },
    { ...figure, measure: 'CPU', value: cpu, unit: 's per million rows' },
    { ...figure, measure: 'peak', value: peak / 2 ** 20, unit: 'MiB', most: most / 2 ** 20 },
  ]
}

function rate(seconds: number, bytes: number): string {
  return `${Math.round(ROWS / seconds / 1000)} k rows/s and ${Math.round(bytes / seconds / 1e6)} MB/s`
}

const copyStatement = 'COPY orders TO STDOUT (FORMAT binary)'

/** What the server sends. Also brings the table into the system's cache. */
async function bytesOfCopy(psql: string, url: string): Promise<number> {
  const child = spawn(psql, ['-X', '-q', '-d', url, '-c', copyStatement], { stdio: ['ignore', 'pipe', 'inherit'] })
  let bytes = 0
  child.stdout.on('data', (chunk: Buffer) => (bytes += chunk.length))
  const [code] = (await once(child, 'close')) as [number | null]
  if (code !== 0) throw new Error(`psql ended with code ${code}`)
  return bytes
}

/** From the start of the process to its end, in seconds. */
async function throwAway(psql: string, url: string): Promise<number> {
  const started = performance.now()
  const args = ['-X', '-q', '-d', url, '-o', '/dev/null', '-c', copyStatement]
  const child = spawn(psql, args, { stdio: ['ignore', 'ignore', 'inherit'] })
  const [code] = (await once(child, 'exit')) as [number | null]
  if (code !== 0) throw new Error(`psql ended with code ${code}`)
  return (performance.now() - started) / 1000
}

/** From `copying existing rows` to `table copied`, which is told when the last rows are durable. */
async function copyIntoFolder(admin: pg.Client, url: string): Promise<Copied> {
  const lake = await folderPlace()
  const slot = `bench_${process.hrtime.bigint()}`
  const program = new Program({
    ...{ PG_CONN_STRING: url, PG_SLOT: slot, PG_PUBLICATION: 'bench', ...lake.env },
    ...{
      SNAPSHOT: 'initial',
      SNAPSHOT_WORKERS: String(WORKERS),
      ZSTD_LEVEL: '3',
      MEMORY_LIMIT: `${mib(MEMORY_LIMIT_BYTES)}MiB`,
    },
  })
  try {
    const began = await program.logged('copying existing rows')
    const cpuBefore = await program.cpuSeconds()
    const ended = await program.logged('table copied')
    const cpuSeconds = (await program.cpuSeconds()) - cpuBefore
    const peakBytes = await program.peak()
    await program.stop()
    const { rows, bytes } = await lake.written()
    if (rows !== ROWS) throw new Error(`${rows} rows of ${ROWS} were copied`)
    return { seconds: (ended - began) / 1000, bytes, cpuSeconds, peakBytes }
  } finally {
    await program.end()
    await dropSlot(admin, slot)
    await lake.remove()
  }
}
