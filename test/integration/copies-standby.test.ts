// Copies that are read from a hot standby: as exact as those of the primary, which has no part in them; and a standby that cannot
// give them, for a while or at all.
import assert from 'node:assert/strict'
import { after, before, test, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { assertTables, copied, copying, endInOrder, finishedCopies } from '../support/copies.js'
import { writeCopiedTables } from '../support/copied-tables.js'
import { MAJOR, startPostgres, type PostgresServer } from '../support/postgres.js'
import { makeRig, type Env, type Rig } from '../support/rig.js'
import { S3Server } from '../support/s3-server.js'
import { serverSource } from '../support/server-source.js'
import type { LogLine, Service } from '../support/service.js'
import { startClone, startStandby } from '../support/standby.js'

let primary: PostgresServer
let standby: PostgresServer

before(async () => {
  primary = await startPostgres({ settings: { log_statement: 'all', log_replication_commands: 'on' } })
  standby = await startStandby(primary, { log_statement: 'all' })
})

after(async () => {
  await standby.stop('immediate')
  await primary.stop('immediate')
})

/** Of a database of its own: its standby, as a role that may do nothing but read, and the setting for it. */
async function rigOf(t: TestContext, database: string, lake?: S3Server): Promise<{ rig: Rig; env: Env }> {
  const rig = await makeRig(t, { lake: lake ?? 'folder', source: await serverSource(primary, database) })
  await rig.source.query(`
    CREATE ROLE reader_${database} LOGIN PASSWORD 'of-reader';
    ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO reader_${database};
    GRANT SELECT ON marks TO reader_${database}`)
  const url = new URL(standby.url)
  url.username = `reader_${database}`
  url.password = 'of-reader'
  url.pathname = `/${database}`
  return { rig, env: { ...copying, SNAPSHOT_CONN_STRING: url.href } }
}

interface RetryLine extends LogLine {
  readonly err?: { readonly kind: string; readonly message: string; readonly hint?: string }
}

function retries(service: Service): RetryLine[] {
  return service.logged('copy of existing rows: will try again')
}

async function onStandby(statement: string): Promise<void> {
  const source = await serverSource(standby)
  await source.query(statement)
}

test('G4 G7: tables with a key and without one are copied from the standby under a load, and the primary is not read', async (t) => {
  const { rig, env } = await rigOf(t, 'loaded')
  const tables = await writeCopiedTables(rig.source, { rows: 6000, everyMs: 2, seed: 7 })
  const service = await rig.stream({ ...env, TARGET_FILE_BYTES: '64KiB', SNAPSHOT_WORKERS: '2' })
  await copied(rig, service, ['keyed', 'added', 'changed', 'marks'])
  await tables.stopWriting()
  await endInOrder(rig, service)
  t.diagnostic(`${tables.written} statements, ${await tables.assertInLake(rig.lake)} rows`)
  const [ofPrimary, ofStandby] = [await primary.log(), await standby.log()]
  assert.match(ofStandby, /COPY \(SELECT "id"/)
  assert.match(ofPrimary, new RegExp(`CREATE_REPLICATION_SLOT.*${rig.slot}`), 'the log has what is looked for')
  assert.doesNotMatch(ofPrimary, /COPY \(SELECT|_copy_/)
  await rig.dropSlot()
})

test('a standby whose replay is paused: the stream goes on, what is wrong is said, and it is copied afterwards', async (t) => {
  const { rig, env } = await rigOf(t, 'paused')
  await rig.source.query(`
    CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT k, 'v' FROM generate_series(1, 1000) k;
    CREATE PUBLICATION wal_cake_pub FOR TABLE t, marks`)
  await delay(1_000)
  await onStandby('SELECT pg_wal_replay_pause()')
  t.after(() => onStandby('SELECT pg_wal_replay_resume()'))
  const service = await rig.stream(env)
  await rig.source.query(`UPDATE t SET v = 'new' WHERE id <= 10`)
  await rig.caughtUp(service)
  await service.waitFor('what is wrong', () => retries(service).length > 0, { timeoutMs: 60_000 })
  const { kind, message, hint } = retries(service)[0]!.err!
  assert.equal(kind, 'link')
  assert.match(message, /\(SNAPSHOT_CONN_STRING\) is behind: it has replayed up to/)
  assert.match(hint!, /pg_wal_replay_pause/)
  assert.deepEqual(await finishedCopies(rig), [])
  await onStandby('SELECT pg_wal_replay_resume()')
  await copied(rig, service, ['t', 'marks'])
  await endInOrder(rig, service)
  assert.equal(await assertTables(rig, ['t']), 1000)
  await rig.dropSlot()
})

const conflicts: Readonly<Record<string, string>> = {
  moves: `DELETE FROM t WHERE id % 4 = 0; UPDATE t SET id = id + 10000 WHERE id % 3 = 0; UPDATE t SET n = 0 WHERE id % 3 = 1; VACUUM t`,
  rewrites: `UPDATE t SET n = -1; VACUUM FULL t`,
}

for (const [name, change] of Object.entries(conflicts))
  test(`G4 G7: the standby ends a copy in its middle, because the primary ${name} rows`, async (t) => {
    await onStandby(`ALTER SYSTEM SET max_standby_streaming_delay = 0`)
    await onStandby('SELECT pg_reload_conf()')
    const store = await S3Server.start()
    t.after(() => store.stop())
    const { rig, env } = await rigOf(t, name, store)
    await rig.source.query(`
      CREATE TABLE t (id int PRIMARY KEY, v text, n int); ALTER TABLE t ALTER v SET STORAGE EXTERNAL;
      INSERT INTO t SELECT k, repeat('v' || k, CASE k % 5 WHEN 0 THEN 2000 ELSE 20 END), k FROM generate_series(1, 4000) k;
      CREATE PUBLICATION wal_cake_pub FOR TABLE t, marks`)
    let copiedOne = false
    let changed: Promise<void> | undefined
    const carryOut = async (): Promise<void> => {
      for (const statement of change.split('; ')) await rig.source.query(statement)
      await delay(1_000)
    }
    store.onBeforeRequest = ({ operation, key }) => {
      if (!key.includes('/public/t/')) return undefined
      if (operation === 'CompleteMultipartUpload') copiedOne = true
      return copiedOne && operation === 'UploadPart' ? (changed ??= carryOut()) : undefined
    }
    const service = await rig.stream({ ...env, TARGET_FILE_BYTES: '64KiB', SNAPSHOT_WORKERS: '3' })
    await copied(rig, service, ['t', 'marks'])
    await endInOrder(rig, service)
    assert.ok((await assertTables(rig, ['t'])) >= 2000)
    const copies = (await rig.lake.rows('public.t')).filter(({ _op }) => _op === 'S')
    t.diagnostic(`${copies.length} rows under ${new Set(copies.map(({ _lsn }) => _lsn)).size} snapshots`)
    // Servers before 14 have sent the whole table by then.
    if (name !== 'rewrites' && MAJOR >= 14) {
      assert.equal(new Set(copies.map(({ _lsn }) => _lsn)).size, 2, 'what was copied stays')
      assert.equal(retries(service).length, 1)
      assert.match(retries(service)[0]!.err!.hint!, /hot_standby_feedback = on/)
    }
    await rig.dropSlot()
  })

test('what is no standby of the primary, or cannot be reached, is named, and the stream goes on', async (t) => {
  const { rig, env } = await rigOf(t, 'refused')
  await rig.source.query('CREATE TABLE t (id int PRIMARY KEY); CREATE PUBLICATION wal_cake_pub FOR TABLE t, marks')
  const right = new URL(env.SNAPSHOT_CONN_STRING!)
  const service = await rig.stream({ SNAPSHOT: 'initial', SNAPSHOT_CONN_STRING: right.href })
  await copied(rig, service, ['t', 'marks'])
  await endInOrder(rig, service)

  const other = await startPostgres()
  t.after(() => other.stop('immediate'))
  const clone = await startClone(primary)
  t.after(() => clone.stop('immediate'))
  await (await serverSource(clone)).query('CREATE TABLE much AS SELECT k FROM generate_series(1, 500000) k')
  const ofClone = await startStandby(clone)
  t.after(() => ofClone.stop('immediate'))

  const at = ({ url }: PostgresServer): URL => Object.assign(new URL(url), { pathname: '/refused' })
  const wrong = (change: Partial<URL>): URL => Object.assign(new URL(right.href), change)
  const cases: [url: URL, kind: string, message: RegExp, hint: RegExp][] = [
    [new URL(other.url), 'config', /\(SNAPSHOT_CONN_STRING\) belongs to another cluster/, /Name a hot standby/],
    [at(primary), 'config', /\(SNAPSHOT_CONN_STRING\) is no standby/, /Name a hot standby/],
    [wrong({ pathname: '/postgres' }), 'config', /is the database postgres, and what is streamed is refused/, /Name/],
    [wrong({ pathname: '/none' }), 'config', /has no such database/, /SNAPSHOT_CONN_STRING/],
    [wrong({ password: 'wrong' }), 'config', /refused the password/, /SNAPSHOT_CONN_STRING/],
    [wrong({ port: '1' }), 'link', /cannot be reached/, /SNAPSHOT_CONN_STRING/],
    [at(ofClone), 'config', /has replayed more than the primary has written/, /Name a hot standby/],
  ]
  const look = async (k: number): Promise<void> => {
    const [url, kind, message, hint] = cases[k]!
    await rig.source.query(`CREATE TABLE t${k} (id int PRIMARY KEY); ALTER PUBLICATION wal_cake_pub ADD TABLE t${k}`)
    const service = await rig.stream({ SNAPSHOT: 'initial', SNAPSHOT_CONN_STRING: url.href })
    await service.waitFor(String(message), () => retries(service).length > 0, { timeoutMs: 30_000 })
    await rig.source.query(`INSERT INTO t${k} VALUES (1)`)
    await rig.caughtUp(service)
    assert.equal(await service.stop(), 0)
    const { err } = retries(service)[0]!
    assert.equal(err!.kind, kind)
    assert.match(err!.message, message)
    assert.match(err!.hint!, hint)
    assert.equal(JSON.stringify(service.lines).includes('of-reader'), false)
  }
  for (let k = 0; k < cases.length; k++) await look(k)

  await (await serverSource(ofClone)).query('SELECT pg_promote()')
  const later = await startStandby(ofClone)
  t.after(() => later.stop('immediate'))
  cases.push([
    at(later),
    'link',
    /was on timeline 2 at its last checkpoint, and the primary is on 1/,
    /After a failover/,
  ])
  await look(cases.length - 1)
  await rig.dropSlot()
})
