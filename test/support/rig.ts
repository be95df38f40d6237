// The setting of one test: a database, a slot and a lake of their own, and the environment with which the program joins
// them. Real servers unless the test brings its own; all of it goes with the test.
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, type TestContext } from 'node:test'
import pg from 'pg'
import { bucketLake, folderLake, type Lake, type LakeBucket } from './lake.js'
import { lsn } from './lsn-text.js'
import { testDatabase } from './postgres.js'
import type { S3Server } from './s3-server.js'
import type { TestStore } from './s3-stores.js'
import { startService, type Service } from './service.js'
import type { Patience } from './eventually.js'

export interface Source {
  readonly url: string
  query<Row extends pg.QueryResultRow>(sql: string, values?: unknown[]): Promise<Row[]>
}

export interface RigOptions {
  /** `bucket` (when absent): the real store; an S3Server: a bucket there; `folder`: LAKE_DIR. */
  readonly lake?: 'bucket' | 'folder' | S3Server
  /** Absent: a new database on the tests' server. */
  readonly source?: Source
}

export type Env = Readonly<Record<string, string>>

/** Quick batches, so that a test waits for the program and not for a timer. Rows that were there before are another matter. */
const usual: Env = { FLUSH_INTERVAL: '100ms', SNAPSHOT: 'never' }

export async function makeRig(t: TestContext, options: RigOptions = {}): Promise<Rig> {
  const source = options.source ?? (await testDatabase(t))
  const place = await makePlace(t, options.lake ?? 'bucket')
  // Slots are shared by the databases of a server.
  const slot = `s_${randomBytes(6).toString('hex')}`
  await source.query('CREATE TABLE IF NOT EXISTS marks (id bigserial PRIMARY KEY)')
  return new Rig(t, source, slot, place)
}

interface Place {
  readonly lake: Lake
  readonly env: Env
  readonly bucket?: LakeBucket
  readonly folder?: string
}

export class Rig {
  readonly source: Source
  readonly slot: string
  readonly lake: Lake
  /** Where the lake lies, one of the two. */
  readonly bucket: LakeBucket | undefined
  readonly folder: string | undefined
  /** What the program gets. */
  readonly env: Env
  readonly #t: TestContext

  /** Use makeRig(). */
  constructor(t: TestContext, source: Source, slot: string, place: Place) {
    this.#t = t
    this.source = source
    this.slot = slot
    this.lake = place.lake
    this.bucket = place.bucket
    this.folder = place.folder
    this.env = { PG_CONN_STRING: source.url, PG_SLOT: slot, ...usual, ...place.env }
  }

  /** `start`, with `env` on top. */
  start(env: Env = {}, args: readonly string[] = ['start']): Service {
    return startService(this.#t, { ...this.env, ...env }, args)
  }

  /** Starts and waits until it streams. */
  async stream(env: Env = {}): Promise<Service> {
    const service = this.start(env)
    await service.waitForLog('streaming')
    return service
  }

  /** Where the slot stands, undefined where there is none. */
  async confirmed(): Promise<bigint | undefined> {
    const [row] = await this.source.query<{ lsn: string | null }>(
      'SELECT confirmed_flush_lsn AS lsn FROM pg_replication_slots WHERE slot_name = $1',
      [this.slot],
    )
    return typeof row?.lsn === 'string' ? lsn(row.lsn) : undefined
  }

  /**
   * Resolves when everything that has been committed so far is acknowledged, and so in the lake. Needs `marks` to be
   * published and taken: a row there makes the stream pass the position.
   */
  async caughtUp(service: Service, patience: Patience = { timeoutMs: 120_000 }): Promise<void> {
    const [row] = await this.source.query<{ lsn: string }>('SELECT pg_current_wal_insert_lsn() AS lsn')
    const goal = lsn(row!.lsn)
    await this.source.query('INSERT INTO marks DEFAULT VALUES')
    await service.waitFor(`the slot to pass ${row!.lsn}`, async () => ((await this.confirmed()) ?? 0n) > goal, patience)
  }

  /** Gives the slot back. The program has ended. */
  async dropSlot(): Promise<void> {
    await this.source.query(
      'SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = $1',
      [this.slot],
    )
  }
}

async function makePlace(t: TestContext, kind: 'bucket' | 'folder' | S3Server): Promise<Place> {
  if (kind === 'folder') {
    const folder = await mkdtemp(join(tmpdir(), 'wal-cake-rig-'))
    t.after(() => rm(folder, { recursive: true }))
    return { lake: folderLake(folder), folder, env: { LAKE_DIR: folder } }
  }
  const name = `rig-${process.pid}-${randomBytes(5).toString('hex')}`
  const bucket = {
    ...(kind === 'bucket' ? await sharedStore() : { endpoint: kind.endpoint, ...kind.keys, region: 'us-east-1' }),
    bucket: name,
  }
  // Loads the SDK, which a folder needs not.
  const { bucketEnv, makeBucket } = await import('./lake-bucket.js')
  await makeBucket(bucket)
  return { lake: await bucketLake(t, bucket), bucket, env: bucketEnv(bucket) }
}

let store: Promise<TestStore> | undefined

/** One for all tests of a file; ended after the last. */
export function sharedStore(): Promise<TestStore> {
  store ??= import('./s3-stores.js').then(({ startStore }) => startStore())
  return store
}

after(async () => {
  await (await store?.catch(() => undefined))?.stop()
})
