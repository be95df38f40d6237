// A backlog drained once: by pg_recvlogical, which throws it away, or by the program into a lake, at its defaults.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type pg from 'pg'
import { pause } from './measuring.js'
import { Program } from './program.js'

/** What the server has sent last is still in the sockets, and a stop takes no further transaction. Counts against us. */
const NOTHING_CAME_MS = 50

export interface Drain {
  readonly seconds: number
  readonly cpuSeconds: number
  readonly peakBytes: number
}

/** Runs `drain` on a fresh copy of the slot in front of the backlog. */
export async function withSlot<T>(admin: pg.Client, base: string, drain: (slot: string) => Promise<T>): Promise<T> {
  const slot = `bench_${process.hrtime.bigint()}`
  await admin.query('SELECT pg_copy_logical_replication_slot($1, $2)', [base, slot])
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

/** In seconds, from the start of the process to its end. */
export async function throwAway(recvlogical: string, url: string, slot: string, end: string): Promise<number> {
  const started = performance.now()
  const plugin = ['-o', 'proto_version=1', '-o', 'publication_names=bench']
  const args = ['-d', url, '-S', slot, '--start', '-f', '/dev/null', `--endpos=${end}`, ...plugin]
  const child = spawn(recvlogical, args, { stdio: 'inherit' })
  const [code] = (await once(child, 'exit')) as [number | null]
  if (code !== 0) throw new Error(`pg_recvlogical ended with code ${code}`)
  return (performance.now() - started) / 1000
}

/** From the start of the process to its end, which comes after its last commit. `place`: of the lake. */
export async function drainIntoLake(
  admin: pg.Client,
  url: string,
  slot: string,
  end: string,
  place: Readonly<Record<string, string>>,
): Promise<Drain> {
  const started = performance.now()
  const program = new Program({
    PG_CONN_STRING: url,
    PG_SLOT: slot,
    PG_PUBLICATION: 'bench',
    LOG_LEVEL: 'warn',
    ...place,
  })
  program.watch()
  try {
    const sent =
      'SELECT 1 FROM pg_stat_replication r JOIN pg_replication_slots s ON s.active_pid = r.pid WHERE s.slot_name = $1 AND r.sent_lsn >= $2'
    while ((await admin.query(sent, [slot, end])).rowCount === 0) {
      if (program.ended) throw new Error('the program ended before it had everything')
      await pause(20)
    }
    let read
    do {
      read = await program.bytesRead()
      await pause(NOTHING_CAME_MS)
    } while (read !== (await program.bytesRead()))
    await program.stop()
    return { seconds: (performance.now() - started) / 1000, ...program.seen }
  } finally {
    await program.end()
  }
}
