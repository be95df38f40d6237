// Which tables are copied: those that the publication has, as they come, under the name that they have; and whether any are at all.
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { assertTables, copied, copying, endInOrder, finishedCopies } from '../support/copies.js'
import { makeRig, type Env, type Rig } from '../support/rig.js'
import { S3Server } from '../support/s3-server.js'
import type { Service } from '../support/service.js'

test('G4: a table that is published later, made anew or renamed while the service runs is copied by itself', async (t) => {
  const rig = await makeRig(t, { lake: 'folder' })
  await rig.source.query(`
    CREATE TABLE anew (id int PRIMARY KEY, v text); INSERT INTO anew SELECT k, 'old' FROM generate_series(1, 500) k;
    CREATE TABLE keyless (n int, v text); INSERT INTO keyless SELECT k, 'old' FROM generate_series(1, 500) k;
    CREATE TABLE called (id int PRIMARY KEY); INSERT INTO called SELECT generate_series(1, 50);
    CREATE TABLE late (id int PRIMARY KEY, v text); INSERT INTO late SELECT k, 'late' FROM generate_series(1, 100) k;
    CREATE PUBLICATION wal_cake_pub FOR TABLE anew, keyless, called, marks`)
  const service = await rig.stream(copying)
  await copied(rig, service, ['anew', 'keyless', 'called'])
  for (const [table, ...columns] of [
    ['anew', 'id int PRIMARY KEY', 'v text'],
    ['keyless', 'n int', 'v text'],
  ] as const)
    await rig.source.query(`
      BEGIN; DROP TABLE ${table}; CREATE TABLE ${table} (${columns.join(', ')});
      INSERT INTO ${table} SELECT k, 'new' FROM generate_series(400, 450) k; ALTER PUBLICATION wal_cake_pub ADD TABLE ${table}; COMMIT`)
  await rig.source.query('ALTER PUBLICATION wal_cake_pub ADD TABLE late; ALTER TABLE called RENAME TO renamed')
  await rig.source.query(`INSERT INTO renamed VALUES (51); INSERT INTO keyless VALUES (0, 'newest')`)
  await copied(rig, service, ['anew', 'keyless', 'renamed', 'late'])
  await endInOrder(rig, service)
  assert.equal(await assertTables(rig, ['anew', 'keyless', 'renamed', 'late']), 51 + 52 + 51 + 100)
  assert.equal((await rig.lake.rows('public.called')).length, 50, 'what was copied under a name stays')
  await rig.dropSlot()
})

test('G4: what another table of the name has left is gone, though the piece that says so comes last and the service is killed before', async (t) => {
  const store = await S3Server.start()
  const rig = await makeRig(t, { lake: store })
  t.after(() => store.stop())
  const pieces = { ...copying, TARGET_FILE_BYTES: '64KiB', SNAPSHOT_WORKERS: '2' }
  await rig.source.query(`
    CREATE TABLE anew (id int PRIMARY KEY, v text); INSERT INTO anew SELECT k, 'old' FROM generate_series(1, 100) k;
    CREATE PUBLICATION wal_cake_pub FOR TABLE anew, marks`)
  const first = await rig.stream(pieces)
  await copied(rig, first, ['anew'])
  await endInOrder(rig, first)
  // The stream tells of the new table only by its rows, which it has to send before they are published.
  await rig.source.query(`
    DROP TABLE anew; CREATE TABLE anew (id int PRIMARY KEY, v text);
    INSERT INTO anew SELECT k, repeat('new', 300) FROM generate_series(1000, 1100) k; CREATE TABLE other (id int PRIMARY KEY); INSERT INTO other VALUES (1); ALTER PUBLICATION wal_cake_pub ADD TABLE anew, other`)
  let uploads = 0
  const blocked: (() => void)[] = []
  t.after(() => blocked.forEach((go) => go()))
  store.onBeforeRequest = ({ operation, key }) => {
    const isFirst = operation === 'UploadPart' && key.includes('/anew/') && uploads++ === 0
    return isFirst ? new Promise<void>((go) => blocked.push(go)) : undefined
  }
  const second = await rig.stream(pieces)
  await second.waitFor('the other piece', () => uploads > 1)
  // What is copied after the other piece is committed with it, or after it.
  await copied(rig, second, ['other'])
  await second.kill()
  store.onBeforeRequest = undefined
  blocked.forEach((go) => go())
  const third = await rig.stream(pieces)
  await copied(rig, third, ['anew'])
  await endInOrder(rig, third)
  assert.equal(await assertTables(rig, ['anew']), 101)
  await rig.dropSlot()
})

test('TABLES and EXCLUDE_TABLES choose what is copied', async (t) => {
  const rig = await makeRig(t, { lake: 'folder' })
  await rig.source.query(`
    CREATE SCHEMA other; CREATE TABLE other.t (id int PRIMARY KEY); INSERT INTO other.t VALUES (1);
    CREATE TABLE taken (id int PRIMARY KEY); INSERT INTO taken VALUES (1), (2);
    CREATE TABLE left_out (id int PRIMARY KEY); INSERT INTO left_out VALUES (1)`)
  const service = await rig.stream({ ...copying, TABLES: 'public.*', EXCLUDE_TABLES: 'public.left_*' })
  await copied(rig, service, ['taken', 'marks'])
  await endInOrder(rig, service)
  assert.deepEqual((await finishedCopies(rig)).map(({ table }) => table).sort(), ['marks', 'taken'])
  assert.deepEqual((await rig.lake.tables()).sort(), ['public.marks', 'public.taken'])
  assert.equal(await assertTables(rig, ['taken']), 2)
  await rig.dropSlot()
})

/** A table with rows, and nothing running. */
async function rigWithRows(t: Parameters<typeof makeRig>[0]): Promise<Rig> {
  const rig = await makeRig(t, { lake: 'folder' })
  await rig.source.query('CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 10)')
  return rig
}

/** Streams for a while; a copy would begin with the stream. */
async function copiesNothing(rig: Rig, env: Env): Promise<void> {
  const service = await rig.stream(env)
  for (let times = 0; times < 3; times++) await rig.caughtUp(service)
  assert.equal(await service.stop(), 0)
  assert.deepEqual(service.logged('copying existing rows'), [])
  assert.deepEqual(await rig.lake.rows('public.t'), [])
}

async function copiesAll(rig: Rig, env: Env): Promise<Service> {
  const service = await rig.stream(env)
  await copied(rig, service, ['t', 'marks'])
  await endInOrder(rig, service)
  assert.equal(await assertTables(rig, ['t']), 10)
  return service
}

test('SNAPSHOT=never copies nothing, and a lake that was begun so stays without copies', async (t) => {
  const rig = await rigWithRows(t)
  await copiesNothing(rig, { SNAPSHOT: 'never' })
  await copiesNothing(rig, copying)
  await copiesNothing(rig, { SNAPSHOT: 'adopted' })
})

test('SNAPSHOT=never stops the copies of a lake that has them, and without it they go on', async (t) => {
  const rig = await rigWithRows(t)
  // Before anything can be copied.
  assert.equal((await rig.start(copying, ['init']).waitForExit()).code, 0)
  await copiesNothing(rig, { SNAPSHOT: 'never' })
  await copiesAll(rig, copying)
})

test('a lake that is older than copies stays without them', async (t) => {
  const rig = await rigWithRows(t)
  assert.equal((await rig.start(copying, ['init']).waitForExit()).code, 0)
  const path = join(rig.folder!, 'default', '_wal_cake', rig.slot, 'identity.json')
  const { copies, ...older } = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>
  assert.equal(copies, true)
  await writeFile(path, JSON.stringify(older))
  // What nothing was planned into yet begins anew.
  await copiesNothing(rig, { SNAPSHOT: 'never' })
  await copiesNothing(rig, copying)
})

test('a slot that is found: SNAPSHOT=initial copies nothing, SNAPSHOT=adopted all', async (t) => {
  for (const [mode, copies] of [
    ['initial', copiesNothing],
    ['adopted', copiesAll],
  ] as const) {
    const rig = await rigWithRows(t)
    await rig.source.query('CREATE PUBLICATION wal_cake_pub FOR ALL TABLES')
    await rig.source.query(`SELECT pg_create_logical_replication_slot($1, 'pgoutput')`, [rig.slot])
    await copies(rig, { SNAPSHOT: mode })
    await rig.dropSlot()
  }
})
