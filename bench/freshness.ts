// How soon a change is in a lake in S3: a commit every 20 ms, then single ones on a stream at rest, and when a file that holds
// each is listed. And what the program takes while nothing happens.
import pg from 'pg'
import { startPostgres } from '../cmd/wal-cake/demo/postgres-server.js'
import { startStore, type TestStore } from '../test/support/s3-stores.js'
import type { Figure } from './figures.js'
import { bucketPlace } from './lake-place.js'
import { filesInBucket, LakeWatch, latencies, percentile } from './lake-watch.js'
import { dropSlot, pause } from './measuring.js'
import { Program } from './program.js'

const FLUSH_INTERVALS_MS = [1_000, 100]
const BEATING_MS = 60_000
const EVERY_MS = 20
const SINGLE_COMMITS = 10
const AT_REST_MS = 3_000
const IDLE_MS = 20_000
/** What a start has left to do is done by then. */
const SETTLED_MS = 30_000
/** Beyond the interval: for 99 of 100 changes, and for the slowest. */
const USUAL_MS = 200
const SLOWEST_MS = 1_000

export async function freshness(): Promise<readonly Figure[]> {
  const server = await startPostgres()
  const admin = new pg.Client(server.url)
  await admin.connect()
  const store = await startStore()
  try {
    await admin.query('CREATE TABLE beats (id bigserial PRIMARY KEY); CREATE PUBLICATION bench FOR TABLE beats')
    const figures: Figure[] = []
    for (const flushMs of FLUSH_INTERVALS_MS) figures.push(...(await measured(admin, server.url, store, flushMs)))
    return figures
  } finally {
    await store.stop()
    await admin.end()
    await server.stop('immediate')
  }
}

async function measured(admin: pg.Client, url: string, store: TestStore, flushMs: number): Promise<readonly Figure[]> {
  const { bucket, env } = await bucketPlace(store)
  const slot = `bench_${process.hrtime.bigint()}`
  const program = new Program({
    ...{ PG_CONN_STRING: url, PG_SLOT: slot, PG_PUBLICATION: 'bench', SNAPSHOT: 'never', ...env },
    FLUSH_INTERVAL: `${flushMs}ms`,
  })
  try {
    await program.logged('streaming')
    await pause(SETTLED_MS)
    const idle = await idling(program)
    const watch = new LakeWatch(filesInBucket(bucket, 'default/data/public/beats/'))
    const beats = await beatUntil(admin, pause(BEATING_MS), EVERY_MS)
    const single = new Map<bigint, number>()
    for (let k = 0; k < SINGLE_COMMITS; k++) {
      await pause(AT_REST_MS + flushMs)
      single.set(...(await beat(admin)))
    }
    await pause(flushMs + SLOWEST_MS)
    await program.stop()
    await watch.stop()
    const listed = await watch.rows()
    return figuresOf(flushMs, latencies(beats, listed), latencies(single, listed), idle)
  } finally {
    await program.end()
    await dropSlot(admin, slot)
  }
}

interface Idle {
  /** Of a core. */
  readonly share: number
  readonly bytes: number
}

async function idling(program: Program): Promise<Idle> {
  const before = await program.cpuSeconds()
  await pause(IDLE_MS)
  return {
    share: (await program.cpuSeconds()) / (IDLE_MS / 1000) - before / (IDLE_MS / 1000),
    bytes: await program.size(),
  }
}

function figuresOf(flushMs: number, took: readonly number[], single: readonly number[], idle: Idle): readonly Figure[] {
  const figure = { bench: 'freshness', subject: `FLUSH_INTERVAL ${flushMs} ms, S3`, unit: 'ms' }
  const usual = flushMs + USUAL_MS
  return [
    { ...figure, measure: 'listed after, p50', value: percentile(took, 0.5) },
    { ...figure, measure: 'listed after, p95', value: percentile(took, 0.95) },
    { ...figure, measure: 'listed after, p99', value: percentile(took, 0.99), most: usual },
    { ...figure, measure: 'listed after, max', value: percentile(took, 1), most: flushMs + SLOWEST_MS },
    { ...figure, measure: 'single commit listed after, p50', value: percentile(single, 0.5) },
    { ...figure, measure: 'single commit listed after, max', value: percentile(single, 1), most: flushMs + SLOWEST_MS },
    { ...figure, measure: 'CPU while idle', value: idle.share * 100, unit: '% of a core', most: 1 },
    { ...figure, measure: 'size while idle', value: idle.bytes / 2 ** 20, unit: 'MiB', most: 100 },
  ]
}

/** Commits a row every `everyMs`. When each was committed, by its key. */
export async function beatUntil(
  admin: pg.Client,
  ended: Promise<unknown>,
  everyMs: number,
): Promise<ReadonlyMap<bigint, number>> {
  const stop = new AbortController()
  const onEnd = (): void => stop.abort()
  ended.then(onEnd, onEnd)
  const beats = new Map<bigint, number>()
  for (let due = performance.now(); !stop.signal.aborted; due += everyMs) {
    await pause(due - performance.now())
    beats.set(...(await beat(admin)))
  }
  return beats
}

async function beat(admin: pg.Client): Promise<[id: bigint, committedAtMs: number]> {
  const { rows } = await admin.query<{ id: string }>('INSERT INTO beats DEFAULT VALUES RETURNING id')
  return [BigInt(rows[0]!.id), performance.now()]
}
