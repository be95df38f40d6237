// The first start and the ones after it, and the verbs around it: what is created, what is adopted, what is left alone.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { assertHeadIsNewest, auditLog } from '../support/log-audit.js'
import { lsn } from '../support/lsn-text.js'
import { footprint } from '../support/refusal.js'
import { makeRig, type Rig } from '../support/rig.js'
import { S3Server } from '../support/s3-server.js'
import { runVerb } from '../support/service.js'

test('the first start creates publication, slot and identity, and streams what comes after', async (t) => {
  const rig = await makeRig(t)
  await rig.source.query('CREATE TABLE old (id int PRIMARY KEY); INSERT INTO old VALUES (1)')
  const service = await rig.stream()
  await rig.source.query('INSERT INTO old VALUES (2)')
  await rig.caughtUp(service)
  assert.equal(await service.stop(), 0)
  assert.deepEqual(await publication(rig), [{ puballtables: true, pubviaroot: true }])
  const rows = await rig.lake.rows('public.old')
  assert.deepEqual(
    rows.map((row) => [row._op, row.id]),
    [['I', 2]],
  )
  await assertHeadIsNewest(rig.lake, rig.slot, await auditLog(rig.lake, rig.slot))
  await rig.dropSlot()
})

test('an existing slot is adopted for an empty lake, with every change since it was made', async (t) => {
  const rig = await makeRig(t)
  await rig.source.query('CREATE TABLE t (id int PRIMARY KEY)')
  await rig.source.query('CREATE PUBLICATION wal_cake_pub FOR ALL TABLES')
  await rig.source.query('INSERT INTO t VALUES (1)')
  await rig.source.query(`SELECT pg_create_logical_replication_slot($1, 'pgoutput')`, [rig.slot])
  await rig.source.query('INSERT INTO t VALUES (2)')
  const made = await rig.confirmed()
  await rig.source.query('INSERT INTO t VALUES (3)')
  const service = await rig.stream()
  assert.equal(service.logged(/adopted/).length, 1)
  await rig.caughtUp(service)
  assert.equal(await service.stop(), 0)
  const ids = (await rig.lake.rows('public.t')).map((row) => row.id)
  assert.deepEqual(ids, [2, 3])
  const { commits } = await auditLog(rig.lake, rig.slot)
  assert.equal(lsn(commits[0]!.from_lsn), made, 'the log begins where the slot stood')
  await rig.dropSlot()
})

test('an adopted slot that was advanced begins there', async (t) => {
  const rig = await makeRig(t, { lake: 'folder' })
  await rig.source.query('CREATE PUBLICATION wal_cake_pub FOR ALL TABLES')
  await rig.source.query(`SELECT pg_create_logical_replication_slot($1, 'pgoutput')`, [rig.slot])
  await rig.source.query('INSERT INTO marks DEFAULT VALUES')
  await rig.source.query('SELECT pg_replication_slot_advance($1, pg_current_wal_lsn())', [rig.slot])
  const service = await rig.stream()
  await rig.caughtUp(service)
  assert.equal(await service.stop(), 0)
  assert.deepEqual(
    (await rig.lake.rows('public.marks')).map((row) => row.id),
    [2n],
  )
  await auditLog(rig.lake, rig.slot)
  await rig.dropSlot()
})

test('init creates publication, slot and identity and nothing more; a second one changes nothing', async (t) => {
  const rig = await makeRig(t)
  const first = await runVerb(t, ['init'], rig.env)
  assert.equal(first.code, 0, first.output)
  const made = await footprint(rig)
  assert.deepEqual(await rig.lake.keys(), [`_wal_cake/${rig.slot}/identity.json`])
  const identity = JSON.parse(await readFile(rig.lake.path(`_wal_cake/${rig.slot}/identity.json`), 'utf8')) as unknown
  const [server] = await rig.source.query<{ id: string; db: string }>(
    'SELECT system_identifier::text AS id, current_database() AS db FROM pg_control_system()',
  )
  assert.deepEqual(identity, {
    format: 1,
    system_identifier: server!.id,
    database: server!.db,
    slot: rig.slot,
    publication: 'wal_cake_pub',
    copies: false,
  })
  // What comes between init and the first start is streamed.
  await rig.source.query('INSERT INTO marks DEFAULT VALUES')

  const second = await runVerb(t, ['init'], rig.env)
  assert.equal(second.code, 0, second.output)
  assert.deepEqual(await footprint(rig), made)

  const service = await rig.stream()
  await rig.caughtUp(service)
  assert.equal(await service.stop(), 0)
  assert.deepEqual(
    (await rig.lake.rows('public.marks')).map((row) => row.id),
    [1n, 2n],
  )
  const afterwards = await footprint(rig)
  const third = await runVerb(t, ['init'], rig.env)
  assert.equal(third.code, 0, third.output)
  assert.deepEqual(await footprint(rig), afterwards)
  await rig.dropSlot()
})

test('TABLES named in full are what is published; the publication that is there stays as it is', async (t) => {
  const rig = await makeRig(t, { lake: 'folder' })
  await rig.source.query('CREATE TABLE taken (id int PRIMARY KEY); CREATE TABLE "left out" (id int)')
  const tables = { TABLES: 'public.taken,public.marks' }
  let service = await rig.stream(tables)
  assert.deepEqual(await publishedTables(rig), ['marks', 'taken'])
  await rig.source.query('INSERT INTO taken VALUES (1); INSERT INTO "left out" VALUES (1)')
  await rig.caughtUp(service)
  assert.equal(await service.stop(), 0)
  service = await rig.stream({ TABLES: 'public.*' })
  assert.deepEqual(await publishedTables(rig), ['marks', 'taken'])
  assert.equal(await service.stop(), 0)
  assert.deepEqual(await rig.lake.tables(), ['public.marks', 'public.taken'])
  await rig.dropSlot()
})

test('TABLES that an existing publication leaves out are named in a warning', async (t) => {
  const rig = await makeRig(t, { lake: 'folder' })
  await rig.source.query('CREATE TABLE kept (id int PRIMARY KEY); CREATE TABLE left_out (id int PRIMARY KEY)')
  await rig.source.query('CREATE PUBLICATION wal_cake_pub FOR TABLE kept')
  const service = await rig.stream({ TABLES: 'public.kept,public.left_out' })
  const [warning] = service.logged(/TABLES names tables that the publication does not publish/)
  assert.equal(warning?.tables, 'public.left_out')
  assert.match(String(warning.hint), /ALTER PUBLICATION "wal_cake_pub" ADD TABLE/)
  assert.equal(await service.stop(), 0)
  await rig.dropSlot()
})

test('drop gives the slot back, and the publication when asked; the lake stays, and a second drop is harmless', async (t) => {
  const rig = await makeRig(t)
  const service = await rig.stream()
  await rig.caughtUp(service)

  const busy = await runVerb(t, ['drop'], rig.env)
  assert.equal(busy.code, 5, `a slot in use is not dropped: ${busy.output}`)
  assert.match(busy.output, new RegExp(rig.slot))
  assert.notEqual(await rig.confirmed(), undefined)
  assert.equal(await service.stop(), 0)
  const keys = await rig.lake.keys()

  const dropped = await runVerb(t, ['drop'], rig.env)
  assert.equal(dropped.code, 0, dropped.output)
  assert.equal(await rig.confirmed(), undefined)
  assert.equal((await publication(rig)).length, 1)

  const again = await runVerb(t, ['drop', '--publication'], rig.env)
  assert.equal(again.code, 0, again.output)
  assert.match(again.output, /no such slot/)
  assert.equal((await publication(rig)).length, 0)
  assert.deepEqual(await rig.lake.keys(), keys)
})

test('head.json names the newest commit after an orderly stop, however slow the store is', async (t) => {
  const server = await S3Server.start()
  t.after(() => server.stop())
  const rig = await makeRig(t, { lake: server })
  const service = await rig.stream({ FLUSH_INTERVAL: '1h' })
  server.faults.add({ key: /head\.json$/, count: 10, action: { do: 'delay', ms: 500 } })
  await rig.source.query('INSERT INTO marks DEFAULT VALUES')
  // The batch is open: nothing but the stop ends it.
  await service.waitForLog('table seen')
  assert.equal(await service.stop(), 0)
  const audited = await auditLog(rig.lake, rig.slot)
  assert.equal(audited.rows, 1)
  await assertHeadIsNewest(rig.lake, rig.slot, audited)
  await rig.dropSlot()
})

function publication(rig: Rig): Promise<unknown[]> {
  return rig.source.query(`SELECT puballtables, pubviaroot FROM pg_publication WHERE pubname = 'wal_cake_pub'`)
}

async function publishedTables(rig: Rig): Promise<string[]> {
  const rows = await rig.source.query<{ tablename: string }>('SELECT tablename FROM pg_publication_tables ORDER BY 1')
  return rows.map((row) => row.tablename)
}
