// What the benches share: the middle of several runs, what a lake has, slots, and pauses.
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type pg from 'pg'

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!
}

/** What the commits of a lake in a folder list. */
export async function committed(lake: string): Promise<{ rows: number; bytes: number }> {
  const total = { rows: 0, bytes: 0 }
  for (const name of await readdir(lake, { recursive: true })) {
    if (!name.endsWith('.commit.json')) continue
    const commit = JSON.parse(await readFile(join(lake, name), 'utf8')) as { rows: number; files: { bytes: number }[] }
    total.rows += commit.rows
    total.bytes += commit.files.reduce((sum, file) => sum + file.bytes, 0)
  }
  return total
}

/** Where it is there. The program has ended. */
export async function dropSlot(admin: pg.Client, slot: string): Promise<void> {
  const drop = 'SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = $1'
  await admin.query(drop, [slot])
}

/** Where the server's WAL ends now. */
export async function walPosition(client: pg.Client): Promise<string> {
  const { rows } = await client.query<{ lsn: string }>('SELECT pg_current_wal_lsn()::text AS lsn')
  return rows[0]!.lsn
}

export async function pause(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms))
}
