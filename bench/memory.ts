// How much memory the service takes under the loads that are hardest on it, as the kernel counts it (VmHWM), against
// MEMORY_LIMIT. `./run.sh bench memory [PART OF A CASE'S NAME …]`.
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, connect, type AddressInfo, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { startPostgres, type PostgresServer } from '../cmd/wal-cake/demo/postgres-server.js'
import { memoryBound } from '../test/support/memory-bound.js'
import { startStore, type TestStore } from '../test/support/s3-stores.js'
import type { Figure } from './figures.js'
import { dropSlot, pause } from './measuring.js'
import { memoryCases, mib, type MemoryCase } from './memory-cases.js'
import { Program } from './program.js'

const SLOW_BYTES_PER_SECOND = 1e6

export interface Measured {
  readonly seconds: number
  readonly startBytes: number
  readonly peakBytes: number
  /** Highest resident size in each quarter of the run. */
  readonly quarters: readonly number[]
  readonly cpuSeconds: number
}

/** Of the cases whose name or store has one of the words; of all where there is none. */
export async function memory(words: readonly string[]): Promise<readonly Figure[]> {
  const chosen = memoryCases.filter(
    ({ name, store }) => words.length === 0 || words.some((word) => `${name} ${store}`.includes(word)),
  )
  const server = await startPostgres({ settings: { max_wal_size: '8GB', max_locks_per_transaction: '1024' } })
  const bucket = chosen.some(({ store }) => store !== 'folder') ? await startStore() : undefined
  try {
    const figures: Figure[] = []
    for (const chosenCase of chosen) figures.push(...(await runCase(chosenCase, server, bucket)))
    return figures
  } finally {
    await bucket?.stop()
    await server.stop('immediate')
  }
}

async function runCase(
  chosen: MemoryCase,
  server: PostgresServer,
  store: TestStore | undefined,
): Promise<readonly Figure[]> {
  const measured = await measure(chosen, server, store)
  const bound = memoryBound({ ...chosen, limitBytes: chosen.limitMiB * 2 ** 20 })
  const subject = `${chosen.name}, ${chosen.store}, MEMORY_LIMIT ${chosen.limitMiB}`
  process.stderr.write(
    `${subject}: ${measured.seconds.toFixed(1)} s; at start ${mib(measured.startBytes)} MiB, by quarter ${measured.quarters.map(mib).join(' ')}\n`,
  )
  const figure = { bench: 'memory', subject }
  return [
    { ...figure, measure: 'peak', value: mib(measured.peakBytes), unit: 'MiB', most: mib(bound) },
    { ...figure, measure: 'over the limit', value: mib(measured.peakBytes) - chosen.limitMiB, unit: 'MiB' },
    { ...figure, measure: 'CPU', value: measured.cpuSeconds, unit: 's' },
  ]
}

async function measure(chosen: MemoryCase, server: PostgresServer, store: TestStore | undefined): Promise<Measured> {
  const database = `memory_${randomBytes(4).toString('hex')}`
  const admin = new pg.Client(server.url)
  await admin.connect()
  await admin.query(`CREATE DATABASE ${database}`)
  const url = new URL(server.url)
  url.pathname = database
  const client = new pg.Client(url.href)
  await client.connect()
  const undo: (() => Promise<unknown>)[] = []
  try {
    await client.query('CREATE TABLE marks (id bigserial PRIMARY KEY); CREATE PUBLICATION bench FOR ALL TABLES')
    await client.query(chosen.prepare)
    if (chosen.copied !== undefined) await chosen.load(client)
    const place = await placeOf(chosen, store, undo)
    const run = new Program({
      PG_CONN_STRING: url.href,
      PG_SLOT: database,
      PG_PUBLICATION: 'bench',
      MEMORY_LIMIT: `${chosen.limitMiB}MiB`,
      FLUSH_INTERVAL: '2s',
      ...chosen.env,
      ...place,
    })
    undo.unshift(() => run.end())
    await run.logged('streaming')
    const startBytes = await run.peak()
    const started = performance.now()
    run.watch()
    if (chosen.copied === undefined) await chosen.load(client)
    else await Promise.all(chosen.copied.map((table) => run.logged('table copied', table)))
    await caughtUp(client, database, run)
    const seconds = (performance.now() - started) / 1000
    const measured = {
      seconds,
      startBytes,
      peakBytes: await run.peak(),
      quarters: run.quarters(),
      cpuSeconds: await run.cpuSeconds(),
    }
    await run.stop()
    return measured
  } finally {
    for (const step of undo) await step()
    await client.end()
    await dropSlot(admin, database)
    await admin.query(`DROP DATABASE ${database} WITH (FORCE)`)
    await admin.end()
  }
}

async function placeOf(
  { store }: MemoryCase,
  bucketStore: TestStore | undefined,
  undo: (() => Promise<unknown>)[],
): Promise<Record<string, string>> {
  if (store === 'folder') {
    const folder = await mkdtemp(join(tmpdir(), 'wal-cake-memory-'))
    undo.push(() => rm(folder, { recursive: true, force: true }))
    return { LAKE_DIR: folder }
  }
  const { endpoint, accessKeyId, secretAccessKey, region } = bucketStore!
  const bucket = `memory-${randomBytes(5).toString('hex')}`
  await bucketStore!.makeBucket(bucket)
  let reached = endpoint
  if (store === 'slow bucket') {
    const slow = new SlowLink(new URL(endpoint))
    reached = await slow.listen()
    undo.push(() => slow.close())
  }
  return {
    S3_BUCKET_NAME: bucket,
    AWS_ENDPOINT: reached,
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
  }
}

async function caughtUp(client: pg.Client, slot: string, run: Program): Promise<void> {
  const { rows } = await client.query<{ lsn: string }>('SELECT pg_current_wal_insert_lsn()::text AS lsn')
  await client.query('INSERT INTO marks DEFAULT VALUES')
  const passed = 'SELECT 1 FROM pg_replication_slots WHERE slot_name = $1 AND confirmed_flush_lsn > $2'
  while ((await client.query(passed, [slot, rows[0]!.lsn])).rowCount === 0) {
    if (run.ended) throw new Error('the program ended')
    await pause(100)
  }
}

/** Passes everything on to the store at a fixed rate for all connections together; answers pass at once. */
class SlowLink {
  readonly #target: URL
  readonly #sockets = new Set<Socket>()
  #freeAt = 0
  readonly #server = createServer((near) => this.#join(near))

  constructor(target: URL) {
    this.#target = target
  }

  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #join(near: Socket): void {
    const far = connect(Number(this.#target.port), this.#target.hostname)
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(from)
      from.on('error', () => undefined).on('close', () => (this.#sockets.delete(from), to.destroy()))
    }
    far.pipe(near)
    near.on('data', (chunk: Buffer) => {
      near.pause()
      this.#freeAt = Math.max(this.#freeAt, performance.now()) + (chunk.length / SLOW_BYTES_PER_SECOND) * 1000
      setTimeout(() => far.write(chunk, () => near.resume()), this.#freeAt - performance.now())
    })
    near.on('end', () => far.end())
  }
}
