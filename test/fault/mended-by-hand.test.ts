// What a person has to mend while the service is at work, in the store and in the server: it says so in the log and at
// /readyz, goes on trying, slowly, and is at work again when it is mended, without a restart (G11).
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { eventually } from '../support/eventually.js'
import { healthProbe, type HealthProbe } from '../support/health.js'
import { auditLog } from '../support/log-audit.js'
import { createOrders, loadOrders, orders } from '../support/orders.js'
import { startPostgres, type PostgresServer } from '../support/postgres.js'
import { makeRig, type Rig } from '../support/rig.js'
import { S3Server } from '../support/s3-server.js'
import { serverSource } from '../support/server-source.js'
import type { Service } from '../support/service.js'
import { assertLakeIsTable } from '../support/table-comparison.js'

let store: S3Server
before(async () => void (store = await S3Server.start()))
after(() => store.stop())

interface AtWork {
  readonly rig: Rig
  readonly service: Service
  readonly probe: HealthProbe
}

interface Breakage {
  /** Of each failure that it makes. */
  readonly says: RegExp
  /** Returns what mends it. */
  readonly spoil: () => Promise<() => unknown>
  /** Lines of such failures to wait for. */
  readonly lines: number
  /** Nobody can write to the tables meanwhile. */
  readonly nobodyWrites?: boolean
}

/** Breaks something, sees that the service waits for it, mends it, and sees that the service goes on. */
async function outlasts(
  { rig, service, probe }: AtWork,
  { says, spoil, lines, nobodyWrites }: Breakage,
): Promise<void> {
  const [failures, recoveries] = [failuresOf(service).length, recoveriesOf(service)]
  const load = async (): Promise<void> => {
    const [row] = await rig.source.query<{ after: number }>(
      'SELECT coalesce(max(id), 0)::int / 100 AS after FROM orders',
    )
    await loadOrders(rig.source, { transactions: 5, rowsPerTransaction: 100, after: row!.after })
  }
  const mend = await spoil()
  if (nobodyWrites !== true) await load()
  await service.waitFor('the first failure', () => failuresOf(service).length > failures, { everyMs: 5 })
  let looksReady = 0
  await service.waitFor(`${lines} lines`, async () => {
    if ((await probe.ask()).ready) looksReady++
    return failuresOf(service).length >= failures + lines
  })
  assert.equal(looksReady, 0, 'a session that only begins is not at work')
  for (const { message } of failuresOf(service).slice(failures)) assert.match(message, says)
  const health = await probe.ask()
  assert.deepEqual([health.ready, health.live], [false, true])
  assert.match(health.reason, says)
  assert.equal(recoveriesOf(service), recoveries, 'nothing is told to have recovered before it has')

  await mend()
  await load()
  await rig.caughtUp(service)
  assert.deepEqual(await probe.ask(), { ready: true, live: true, reason: 'streaming' })
  assert.equal(recoveriesOf(service), recoveries + 1)
}

/** Lines of failures that a person has to mend. They are told at the first, the second, the fourth … */
function failuresOf(service: Service): { kind: string; message: string }[] {
  const told = service.logged('will try again').map((line) => line.err as { kind: string; message: string })
  return told.filter(({ kind }) => kind === 'config')
}

function recoveriesOf(service: Service): number {
  return service.logged('recovered: streaming again').length
}

async function assertWhole(rig: Rig, service: Service): Promise<void> {
  assert.equal(await service.stop(), 0)
  await auditLog(rig.lake, rig.slot)
  await assertLakeIsTable(rig.source.url, rig.lake, orders)
}

interface BrokenStore {
  readonly name: string
  readonly says: RegExp
  /** `faulty` is the program's way to the store, `bucket` its bucket. */
  readonly spoil: (faulty: S3Server, bucket: string) => () => unknown
}

const refuse =
  (status: number, code: string, which: { key?: RegExp; method?: string } = {}) =>
  (faulty: S3Server) => {
    const fault = faulty.faults.add({ ...which, count: Infinity, action: { do: 'answer', status, code } })
    return () => fault.remove()
  }

const stores: readonly BrokenStore[] = [
  { name: 'the key is no longer known', says: /InvalidAccessKeyId/, spoil: refuse(403, 'InvalidAccessKeyId') },
  {
    name: 'data may not be written',
    says: /cannot write data\/public\/.*AccessDenied/,
    spoil: refuse(403, 'AccessDenied', { method: 'PUT', key: /\/data\// }),
  },
  {
    name: 'the log may not be written',
    says: /cannot write _wal_cake\/.*AccessDenied/,
    spoil: refuse(403, 'AccessDenied', { method: 'PUT', key: /\/_wal_cake\// }),
  },
  { name: 'nothing may be done', says: /AccessDenied/, spoil: refuse(403, 'AccessDenied') },
  {
    name: 'the bucket is deleted, and put back as it was',
    says: /NoSuchBucket/,
    spoil: (faulty, bucket) => faulty.objects.withdraw(bucket),
  },
]

describe('G11: a store that a person has to mend', { concurrency: 3 }, () => {
  for (const { name, says, spoil } of stores) {
    test(name, async (t) => {
      const faulty = await S3Server.start(store.objects)
      t.after(() => faulty.stop())
      const rig = await makeRig(t, { lake: store })
      await createOrders(rig.source)
      const probe = await healthProbe()
      const service = await rig.stream({ ...probe.env, AWS_ENDPOINT: faulty.endpoint })
      await rig.caughtUp(service)
      const breaks = { spoil: () => Promise.resolve(spoil(faulty, rig.bucket!.bucket)), says, lines: 2 }
      await outlasts({ rig, service, probe }, breaks)
      await assertWhole(rig, service)
    })
  }

  test('keys of a session that expire and are renewed: the link stays up', async (t) => {
    const faulty = await S3Server.start(store.objects)
    t.after(() => faulty.stop())
    const rig = await makeRig(t, { lake: store })
    await createOrders(rig.source)
    const service = await rig.stream({ AWS_ENDPOINT: faulty.endpoint })
    await rig.caughtUp(service)
    const renew = refuse(400, 'ExpiredToken')(faulty)
    await loadOrders(rig.source, { transactions: 5, rowsPerTransaction: 100 })
    await service.waitForLog((line) => line.msg === 'store: will try again' && line.attempt === 4)
    renew()
    await rig.caughtUp(service)
    // Readers' head.json may still wait for its next attempt when the slot has moved already.
    await service.waitForLog('store: recovered', { timeoutMs: 60_000 })
    await assertWhole(rig, service)
    assert.equal(service.logged('streaming').length, 1)
    assert.equal(service.logged('store: recovered').length, 1)
  })
})

describe('G11: a server that a person has to mend', () => {
  let server: PostgresServer
  before(async () => void (server = await startPostgres({ password: 'of-postgres' })))
  after(() => server.stop('immediate'))

  test('password, right to stream, pg_hba.conf and the name of the database, one after the other', async (t) => {
    const admin = await serverSource(server)
    await admin.query(`CREATE ROLE streamer LOGIN REPLICATION PASSWORD 'of-streamer'`)
    const source = await serverSource(server, 'mended')
    const rig = await makeRig(t, { lake: store, source })
    await createOrders(source)
    await source.query('CREATE PUBLICATION wal_cake_pub FOR ALL TABLES')
    const url = new URL(source.url)
    ;[url.username, url.password] = ['streamer', 'of-streamer']
    const probe = await healthProbe()
    const service = await rig.stream({ ...probe.env, PG_CONN_STRING: url.href })
    await rig.caughtUp(service)

    /** Of what is changed a connection notices only when it is made. */
    const cut = () =>
      admin.query(`SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = 'streamer'`)
    const statements = (sql: string, back: string) => async () => {
      await admin.query(sql)
      await cut()
      return () => admin.query(back)
    }
    const hba = join(server.dataDir, 'pg_hba.conf')
    const rejected = async () => {
      const allowed = await readFile(hba, 'utf8')
      const write = async (content: string): Promise<void> => {
        await writeFile(hba, content)
        await admin.query('SELECT pg_reload_conf()')
      }
      await write(`host all streamer all reject\n${allowed}`)
      await cut()
      return () => write(allowed)
    }
    const renamed = (from: string, to: string) =>
      // Nobody may be connected to it, and the service tries to be.
      eventually(() => cut().then(() => admin.query(`ALTER DATABASE ${from} RENAME TO ${to}`)))
    const breakages: readonly Omit<Breakage, 'lines'>[] = [
      {
        says: /refused the password/,
        spoil: statements(`ALTER ROLE streamer PASSWORD 'other'`, `ALTER ROLE streamer PASSWORD 'of-streamer'`),
      },
      {
        says: /may not stream changes/,
        spoil: statements('ALTER ROLE streamer NOREPLICATION', 'ALTER ROLE streamer REPLICATION'),
      },
      { says: /does not let this user in: pg_hba\.conf rejects/, spoil: rejected },
      {
        says: /no such database/,
        spoil: async () => {
          await renamed('mended', 'elsewhere')
          return () => renamed('elsewhere', 'mended')
        },
        nobodyWrites: true,
      },
    ]
    for (const breakage of breakages) await outlasts({ rig, service, probe }, { ...breakage, lines: 1 })
    await assertWhole(rig, service)
    await rig.dropSlot()
  })
})
