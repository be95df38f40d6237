// The first signal ends the program in order and within a bound, wherever it is; the second at once. Either way nothing is
// lost and nothing is twice (G1, G4).
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { after, before, describe, test, type TestContext } from 'node:test'
import pg from 'pg'
import { startBreaking } from '../support/breaking.js'
import { eventually } from '../support/eventually.js'
import { lsn } from '../support/lsn-text.js'
import { startPostgres, type PostgresServer } from '../support/postgres.js'
import type { Env, Rig, RigOptions } from '../support/rig.js'
import type { FaultAction } from '../support/s3-faults.js'
import { S3Server } from '../support/s3-server.js'
import { lastingSource, serverSource } from '../support/server-source.js'
import type { Service } from '../support/service.js'
import { openPlansOf, watchLake, type WatchedLake } from '../support/watched-lake.js'

/** A stop that waits for nothing, on a busy machine; what it must not wait for takes longer, or for ever. */
const AT_ONCE = { timeoutMs: 12_000 }
/** Uploads that do not end while a test runs. */
const NEVER_MS = 600_000
const AWAY: FaultAction = { do: 'answer', status: 503, code: 'SlowDown' }

let postgres: PostgresServer
before(async () => void (postgres = await startPostgres({ settings: { log_line_prefix: '%d|' } })))
after(() => postgres.stop('immediate'))

describe('a stop while it streams', { concurrency: 4 }, () => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    test(`G1: ${signal} finishes and acknowledges what is on its way, and takes leave of the server`, async (t) => {
      const { lake, database } = await watched(t)
      const { rig } = lake
      const service = await withSlowUploads(t, rig, 500)
      await severalOnTheirWay(lake, service)
      service.signal(signal)
      assert.equal((await service.waitForExit()).code, 0)
      assert.equal(service.lines.at(-1)?.msg, 'stopped')
      assert.equal(openPlansOf(await rig.lake.keys()), 0)
      const end = lsn((await rig.lake.commits(rig.slot)).at(-1)!.end_lsn as string)
      await eventually(async () => (await rig.confirmed()) === end)
      const lines = (await postgres.log()).split('\n').filter((line) => line.startsWith(`${database}|`))
      const errors = lines.filter((line) => /ERROR|FATAL|unexpected|could not/.test(line))
      assert.deepEqual(errors, [], 'the server sees an orderly end')
      await startsWhole(lake)
    })

  test('G1 G4: with the store away it gives up at its bound with code 5', async (t) => {
    const store = await ownStore(t)
    const { lake } = await watched(t, store)
    const service = await lake.rig.stream()
    await lake.write()
    await lake.rig.caughtUp(service)
    const away = store.faults.add({ operation: 'PutObject', count: Infinity, action: AWAY })
    await lake.write()
    await service.waitForLog('store: will try again')
    const from = performance.now()
    assert.equal(await service.stop({ timeoutMs: 60_000 }), 5)
    const seconds = (performance.now() - from) / 1000
    // Orchestrators kill what still runs 30 s after the first signal.
    assert.ok(seconds > 15 && seconds < 29, `took ${seconds} s`)
    assert.match(service.lines.at(-1)!.msg!, /could not be finished within \d+ s/)
    away.remove()
    await startsWhole(lake)
  })

  test('G1 G4: the second signal ends it at once with code 5', async (t) => {
    const { lake } = await watched(t)
    const service = await withSlowUploads(t, lake.rig, NEVER_MS)
    await severalOnTheirWay(lake, service)
    service.signal('SIGTERM')
    await service.waitForLog('stopping: finishing what is on its way')
    service.signal('SIGINT')
    assert.equal((await service.waitForExit(AT_ONCE)).code, 5)
    assert.match(service.lines.at(-1)!.msg!, /^second signal: stopping at once/)
    await startsWhole(lake)
  })

  test('G4: a large transaction that is still arriving is not waited for', async (t) => {
    const { lake } = await watched(t)
    // Reading pauses before the transaction is here whole, because nothing gets out.
    const service = await withSlowUploads(t, lake.rig, NEVER_MS, { MEMORY_LIMIT: '16MiB' })
    await lake.writeLarge(30)
    await service.waitFor('its early plan', async () => openPlansOf(await lake.rig.lake.keys()) === 1)
    assert.equal(await service.stop(AT_ONCE), 0)
    await service.waitForLog(/transaction that is still arriving/)
    await startsWhole(lake)
  })

  test('G4: the rest of a replay is not waited for', async (t) => {
    const { lake } = await watched(t)
    const rolling: Env = { FLUSH_INTERVAL: '1h', FLUSH_BYTES: '8MiB' }
    const first = startBreaking(t, lake.rig, { at: 'after plan' }, rolling)
    await first.waitForLog('streaming')
    await lake.write()
    await lake.writeLarge(30)
    await first.exited
    const second = await withSlowUploads(t, lake.rig, NEVER_MS, { MEMORY_LIMIT: '16MiB' })
    assert.equal(second.logged('streaming')[0]?.replaying, 1)
    assert.equal(await second.stop(AT_ONCE), 0)
    await startsWhole(lake)
  })
})

describe('a stop before it streams ends it at once with code 0', { concurrency: 4 }, () => {
  test('while it lists the schemas of its tables', async (t) => {
    const store = await ownStore(t)
    const { lake } = await watched(t, store)
    let held = 0
    store.onBeforeRequest = async ({ query }) => {
      if (query.get('prefix')?.includes('/schemas/') !== true) return
      held++
      await new Promise(() => undefined)
    }
    const service = lake.rig.start()
    await service.waitFor('the listing', () => held > 0)
    assert.equal(await service.stop(AT_ONCE), 0)
  })

  test('while the server takes the connection and says nothing', async (t) => {
    const { lake } = await watched(t)
    const silent = createServer().listen(0, '127.0.0.1')
    await once(silent, 'listening')
    t.after(() => silent.close())
    const url = new URL(lake.rig.source.url)
    url.port = String((silent.address() as AddressInfo).port)
    const service = lake.rig.start({ PG_CONN_STRING: url.href })
    const [socket] = (await once(silent, 'connection')) as [{ destroy: () => void }]
    assert.equal(await service.stop(AT_ONCE), 0)
    socket.destroy()
  })

  test('while it waits for a store that is away, having streamed before', async (t) => {
    const store = await ownStore(t)
    const { lake } = await watched(t, store)
    const { rig } = lake
    const service = await rig.stream()
    store.faults.add({ count: Infinity, action: AWAY })
    await rig.source.query('SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = $1', [
      rig.slot,
    ])
    await service.waitForLog('store: will try again')
    assert.equal(await service.stop(AT_ONCE), 0)
  })

  test('while an old transaction holds up the creation of the slot, and while the server is down', async (t) => {
    // Nobody else could create a slot meanwhile.
    const other = await startPostgres()
    t.after(() => other.stop('immediate'))
    const { rig } = await watchLake(t, { lake: 'folder', tables: 1, source: await serverSource(other) })
    const old = new pg.Client({ connectionString: rig.source.url })
    old.on('error', () => undefined)
    await old.connect()
    await old.query('BEGIN; SELECT pg_current_xact_id()')
    const creating = rig.start()
    await eventually(async () => {
      const walsenders = await rig.source.query(
        `SELECT 1 FROM pg_stat_activity WHERE query ~ '^CREATE_REPLICATION_SLOT'`,
      )
      return walsenders.length === 1
    })
    assert.equal(await creating.stop(AT_ONCE), 0)

    await old.end()
    const waiting = await rig.stream()
    await other.down('fast')
    await waiting.waitForLog('will try again')
    assert.equal(await waiting.stop(AT_ONCE), 0)
  })
})

let databases = 0

/** In a database of its own on this file's server. */
async function watched(
  t: TestContext,
  lake: NonNullable<RigOptions['lake']> = 'folder',
): Promise<{ lake: WatchedLake; database: string }> {
  const database = `shutdown_${databases++}`
  return { lake: await watchLake(t, { lake, tables: 2, source: await lastingSource(t, postgres, database) }), database }
}

async function ownStore(t: TestContext): Promise<S3Server> {
  const store = await S3Server.start()
  t.after(() => store.stop())
  return store
}

async function withSlowUploads(t: TestContext, rig: Rig, uploadMs: number, env: Env = {}): Promise<Service> {
  const never = { at: 'closed', pass: Infinity } as const
  const service = startBreaking(t, rig, never, { SLOW_DATA_MS: String(uploadMs), FLUSH_BYTES: '1KiB', ...env })
  await service.waitForLog('streaming')
  return service
}

/** Batches that are planned and not committed. */
async function severalOnTheirWay(lake: WatchedLake, service: Service): Promise<void> {
  for (let batch = 0; batch < 3; batch++) await lake.write()
  await service.waitFor('several plans', async () => openPlansOf(await lake.rig.lake.keys()) > 1)
}

/** The program starts again, and everything is there once. */
async function startsWhole(lake: WatchedLake): Promise<void> {
  await lake.write()
  await lake.endsWhole(await lake.rig.stream())
}
