// How fast a backlog is drained, as a ratio to pg_recvlogical writing the same backlog of the same server to /dev/null. Both
// start from copies of one slot, take turns, and the medians count; absolute times of a shared machine prove nothing.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { startPostgres } from '../cmd/wal-cake/demo/postgres-server.js'
import { nodeFlags } from '../cmd/wal-cake/node-flags.js'
import { findClientProgram } from './client-programs.js'
import { committed, median, pause } from './measuring.js'
import { fillOrders, ordersTable } from './orders.js'

const ROUNDS = 3
const TRANSACTIONS = 1_000
const ROWS_PER_TRANSACTION = 1_000
const ROWS = TRANSACTIONS * ROWS_PER_TRANSACTION
/** What the server has sent last is still in the sockets; a stop takes no further transaction. Counts against us. */
const IN_FLIGHT_MS = 150
/** Below this the bench fails. */
const LEAST_RATIO = 0.8
const program = fileURLToPath(new URL('../cmd/wal-cake/main.js', import.meta.url))

interface Drain {
  readonly seconds: number
  readonly bytes?: number
}

/** Runs the bench and prints a table. Resolves to false where the ratio is below the least one. */
export async function backlog(): Promise<boolean> {
  const recvlogical = await findClientProgram('pg_recvlogical')
  const server = await startPostgres({
    settings: { max_wal_size: '8GB', max_replication_slots: '20', max_wal_senders: '20' },
  })
  const admin = new pg.Client(server.url)
  await admin.connect()
  try {
    await admin.query(`${ordersTable} CREATE PUBLICATION bench FOR TABLE orders`)
    await admin.query("SELECT pg_create_logical_replication_slot('bench_base', 'pgoutput')")
    process.stdout.write(`filling: ${ROWS.toLocaleString('en')} rows in transactions of ${ROWS_PER_TRANSACTION}\n`)
    await admin.query(fillOrders(TRANSACTIONS, ROWS_PER_TRANSACTION))
    const { rows } = await admin.query<{ lsn: string }>('SELECT pg_current_wal_lsn()::text AS lsn')
    const end = rows[0]!.lsn
    const baseline: number[] = []
    const ours: number[] = []
    for (let round = 1; round <= ROUNDS; round++) {
      baseline.push((await withSlot(admin, (slot) => receive(recvlogical, server.url, slot, end))).seconds)
      const drain = await withSlot(admin, (slot) => drainIntoFolder(admin, server.url, slot, end))
      ours.push(drain.seconds)
      const rate = (seconds: number): string => `${Math.round(ROWS / seconds / 1000)} k rows/s`
      process.stdout.write(
        `round ${round}: pg_recvlogical ${rate(baseline.at(-1)!)}, wal-cake ${rate(drain.seconds)}, ${((drain.bytes ?? 0) / 1e6).toFixed(1)} MB of Parquet\n`,
      )
    }
    const ratio = median(baseline) / median(ours)
    process.stdout.write(
      `backlog: ${ratio.toFixed(2)} x pg_recvlogical to /dev/null (medians of ${ROUNDS}; at least ${LEAST_RATIO})\n`,
    )
    return ratio >= LEAST_RATIO
  } finally {
    await admin.end()
    await server.stop('immediate')
  }
}

/** Runs `drain` on a fresh copy of the slot in front of the backlog. */
async function withSlot(admin: pg.Client, drain: (slot: string) => Promise<Drain>): Promise<Drain> {
  const slot = `bench_${process.hrtime.bigint()}`
  await admin.query('SELECT pg_copy_logical_replication_slot($1, $2)', ['bench_base', slot])
  try {
    return await drain(slot)
  } finally {
    await released(admin, slot)
    await admin.query('SELECT pg_drop_replication_slot($1)', [slot])
  }
}

async function released(admin: pg.Client, slot: string): Promise<void> {
  const active = 'SELECT active FROM pg_replication_slots WHERE slot_name = $1'
  while ((await admin.query<{ active: boolean }>(active, [slot])).rows[0]?.active === true) await pause(20)
}

async function receive(recvlogical: string, url: string, slot: string, end: string): Promise<Drain> {
  const started = performance.now()
  const args = [
    '-d',
    url,
    '-S',
    slot,
    '--start',
    '-f',
    '/dev/null',
    `--endpos=${end}`,
    '-o',
    'proto_version=1',
    '-o',
    'publication_names=bench',
  ]
  const child = spawn(recvlogical, args, { stdio: 'inherit' })
  const [code] = (await once(child, 'exit')) as [number | null]
  if (code !== 0) throw new Error(`pg_recvlogical ended with code ${code}`)
  return { seconds: (performance.now() - started) / 1000 }
}

/** From the start of the process to its last commit in the folder, at the defaults. */
async function drainIntoFolder(admin: pg.Client, url: string, slot: string, end: string): Promise<Drain> {
  const lake = await mkdtemp(join(tmpdir(), 'wal-cake-bench-'))
  const env = {
    PATH: process.env.PATH,
    PG_CONN_STRING: url,
    PG_SLOT: slot,
    PG_PUBLICATION: 'bench',
    LAKE_DIR: lake,
    HTTP_ADDR: '',
    LOG_LEVEL: 'warn',
  }
  const started = performance.now()
  const child = spawn(process.execPath, [...nodeFlags, program, 'start'], { env, stdio: 'inherit' })
  const ended = once(child, 'exit')
  try {
    const sent =
      'SELECT 1 FROM pg_stat_replication r JOIN pg_replication_slots s ON s.active_pid = r.pid WHERE s.slot_name = $1 AND r.sent_lsn >= $2'
    while ((await admin.query(sent, [slot, end])).rowCount === 0) await pause(20)
    await pause(IN_FLIGHT_MS)
    child.kill('SIGTERM')
    const [code] = (await ended) as [number | null]
    const seconds = (performance.now() - started) / 1000
    const { rows, bytes } = await committed(lake)
    if (code !== 0 || rows !== ROWS) throw new Error(`wal-cake ended with code ${code} and ${rows} rows of ${ROWS}`)
    return { seconds, bytes }
  } finally {
    child.kill('SIGKILL')
    await rm(lake, { recursive: true, force: true })
  }
}
