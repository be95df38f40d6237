// How soon a change is in the lake while another table is copied: a row every 100 ms, and when a file that holds it lies there.
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import type pg from 'pg'
import { dropSlot, pause } from './measuring.js'
import { Program } from './program.js'

const FLUSH_MS = 1_000
const EVERY_MS = 100
const LOOK_MS = 20
/** What 19 of 20 changes may take; the slowest is told too, and a busy machine holds it up. */
const LONGEST_MS = 2 * FLUSH_MS

/** Copies the table `orders` and prints a line. Resolves to false where changes took longer than they may. */
export async function freshness(admin: pg.Client, url: string): Promise<boolean> {
  await admin.query(`CREATE TABLE beats (id bigserial PRIMARY KEY); CREATE PUBLICATION beats FOR TABLE orders, beats`)
  const lake = await mkdtemp(join(tmpdir(), 'wal-cake-bench-'))
  const slot = `bench_${process.hrtime.bigint()}`
  const program = new Program({
    ...{ PG_CONN_STRING: url, PG_SLOT: slot, PG_PUBLICATION: 'beats', LAKE_DIR: lake },
    ...{ SNAPSHOT: 'initial', SNAPSHOT_WORKERS: '2', FLUSH_INTERVAL: `${FLUSH_MS}ms` },
  })
  const watch = new FolderWatch(join(lake, 'default', 'data', 'public', 'beats'))
  try {
    const began = await program.logged('copying existing rows')
    const ended = program.logged('table copied', 'public.orders')
    const beats = await beatUntil(admin, ended)
    const seconds = ((await ended) - began) / 1000
    await pause(LONGEST_MS)
    await program.stop()
    await watch.stop()
    const seen = await watch.rows()
    const latencies = [...beats].map(([id, at]) => (seen.get(id) ?? Infinity) - at).toSorted((a, b) => a - b)
    const at = (part: number): number => latencies[Math.ceil(latencies.length * part) - 1]!
    process.stdout.write(
      `beside a copy of ${seconds.toFixed(1)} s: ${latencies.length} changes of another table, in the lake after ` +
        `${Math.round(at(0.5))} ms (p50), ${Math.round(at(0.95))} ms (p95; at most ${LONGEST_MS}), ${Math.round(at(1))} ms (max), ` +
        `FLUSH_INTERVAL ${FLUSH_MS} ms\n`,
    )
    return at(0.95) <= LONGEST_MS && at(1) < Infinity
  } finally {
    await program.end()
    await watch.stop()
    await dropSlot(admin, slot)
    await rm(lake, { recursive: true, force: true })
  }
}

/** By their key: when each was committed. */
async function beatUntil(admin: pg.Client, ended: Promise<unknown>): Promise<ReadonlyMap<bigint, number>> {
  const stop = new AbortController()
  const onEnd = (): void => stop.abort()
  ended.then(onEnd, onEnd)
  const beats = new Map<bigint, number>()
  for (let due = performance.now(); !stop.signal.aborted; due += EVERY_MS) {
    await pause(due - performance.now())
    const { rows } = await admin.query<{ id: string }>('INSERT INTO beats DEFAULT VALUES RETURNING id')
    beats.set(BigInt(rows[0]!.id), performance.now())
  }
  return beats
}

/** Notes when files come to lie in a folder. */
class FolderWatch {
  readonly #folder: string
  readonly #seen = new Map<string, number>()
  readonly #watching: Promise<void>
  #stopped = false

  constructor(folder: string) {
    this.#folder = folder
    this.#watching = this.#watch()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.#watching
  }

  /** When the file of each row was seen first. */
  async rows(): Promise<ReadonlyMap<bigint, number>> {
    const ids = new Map<bigint, number>()
    for (const [path, atMs] of this.#seen) {
      const file = await asyncBufferFromFile(path)
      for (const { id } of (await parquetReadObjects({ file, columns: ['id'], compressors })) as { id: bigint }[])
        ids.set(id, atMs)
    }
    return ids
  }

  async #watch(): Promise<void> {
    while (!this.#stopped) {
      await this.#look()
      await pause(LOOK_MS)
    }
    await this.#look()
  }

  async #look(): Promise<void> {
    for (const name of await readdir(this.#folder, { recursive: true }).catch(() => [])) {
      const path = join(this.#folder, name)
      if (name.endsWith('.parquet') && !this.#seen.has(path)) this.#seen.set(path, performance.now())
    }
  }
}
