// What the role of PG_CONN_STRING may do: little is enough, and a table that it may not read whole holds up no other one.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertTables, copied, copying, endInOrder, finishedCopies } from '../support/copies.js'
import { makeRig, type Rig } from '../support/rig.js'
import { major } from '../support/table-kind.js'
import type { LogLine, Service } from '../support/service.js'

/** As a role that has LOGIN and REPLICATION, and may connect and see the schema. */
async function asStreamer(rig: Rig): Promise<{ role: string; env: Record<string, string>; drop: () => Promise<void> }> {
  const role = `streamer ${rig.slot}`
  await rig.source.query(`
    REVOKE ALL ON SCHEMA public FROM PUBLIC;
    CREATE ROLE "${role}" LOGIN REPLICATION PASSWORD 'of-streamer'; GRANT USAGE ON SCHEMA public TO "${role}"`)
  const url = new URL(rig.source.url)
  await rig.source.query(`GRANT CONNECT ON DATABASE ${url.pathname.slice(1)} TO "${role}"`)
  url.username = encodeURIComponent(role)
  url.password = 'of-streamer'
  const drop = async (): Promise<void> => {
    await rig.source.query(`DROP OWNED BY "${role}"; DROP ROLE "${role}"`)
  }
  return { role, env: { ...copying, PG_CONN_STRING: url.href }, drop }
}

interface RefusalLine extends LogLine {
  readonly table?: string
  readonly err?: { readonly message: string; readonly hint?: string }
}

function refusals(service: Service): RefusalLine[] {
  return service.logged('the server refuses to copy a table')
}

test('a role with LOGIN, REPLICATION, CONNECT, USAGE and SELECT is enough', async (t) => {
  const rig = await makeRig(t, { lake: 'folder' })
  const { role, env, drop } = await asStreamer(rig)
  await rig.source.query(`
    CREATE TYPE mood AS ENUM ('well'); CREATE TABLE a (id int PRIMARY KEY, m mood); INSERT INTO a SELECT k, 'well' FROM generate_series(1, 100) k;
    CREATE TABLE pt (id int PRIMARY KEY) PARTITION BY RANGE (id); CREATE TABLE pt_1 PARTITION OF pt DEFAULT; INSERT INTO pt VALUES (1);
    CREATE PUBLICATION wal_cake_pub FOR TABLE a, pt, marks WITH (publish_via_partition_root = true);
    GRANT SELECT ON a, pt, pt_1, marks TO "${role}"`)
  const service = await rig.stream(env)
  await copied(rig, service, ['a', 'pt', 'marks'])
  await endInOrder(rig, service)
  assert.equal(await assertTables(rig, ['a', 'pt']), 101)
  assert.deepEqual(refusals(service), [])
  await rig.dropSlot()
  await drop()
})

test('tables that the role may not read whole: the others are copied, the stream goes on, and each is told once with what to run', async (t) => {
  const rig = await makeRig(t, { lake: 'folder' })
  const { role, env, drop } = await asStreamer(rig)
  await rig.source.query(`
    CREATE TABLE "no ""select" (id int PRIMARY KEY, v text); INSERT INTO "no ""select" VALUES (1, 'x');
    CREATE TABLE by_rows (id int PRIMARY KEY, v text); INSERT INTO by_rows VALUES (1, 'x'), (2, 'y');
    ALTER TABLE by_rows ENABLE ROW LEVEL SECURITY; CREATE POLICY one ON by_rows FOR SELECT USING (id = 1);
    CREATE TABLE pt (id int PRIMARY KEY) PARTITION BY RANGE (id); CREATE TABLE pt_1 PARTITION OF pt DEFAULT; INSERT INTO pt VALUES (1);
    CREATE SCHEMA closed; CREATE TABLE closed.t (id int PRIMARY KEY); INSERT INTO closed.t VALUES (1);
    CREATE TABLE open (id int PRIMARY KEY, v text); INSERT INTO open VALUES (1, 'x');
    CREATE PUBLICATION wal_cake_pub FOR TABLE "no ""select", by_rows, pt, closed.t, open, marks WITH (publish_via_partition_root = true);
    GRANT SELECT ON by_rows, pt, closed.t, open, marks TO "${role}"`)
  const service = await rig.stream(env)
  await copied(rig, service, ['open', 'marks'])
  await service.waitFor('four refusals', () => refusals(service).length >= 4)
  await rig.source.query(
    `INSERT INTO open VALUES (2, 'y'); UPDATE "no ""select" SET v = 'z'; DELETE FROM by_rows WHERE id = 2`,
  )
  await endInOrder(rig, service)
  assert.equal(await assertTables(rig, ['open']), 2)
  assert.deepEqual((await finishedCopies(rig)).map(({ table }) => table).sort(), ['marks', 'open'])
  const told = Object.fromEntries<unknown>(
    refusals(service).map(({ table = '', level, err }) => [table, [level, err?.hint]]),
  )
  assert.deepEqual(told, {
    'public.no "select': ['error', `GRANT SELECT ON public."no ""select" TO "${role}";`],
    'public.by_rows': [
      'error',
      `Row level security would hide rows of public.by_rows from this role: ALTER ROLE "${role}" BYPASSRLS; or let the owner of the table copy it.`,
    ],
    'public.pt': ['error', `GRANT SELECT ON public.pt_1 TO "${role}";`],
    'closed.t': ['error', `GRANT USAGE ON SCHEMA closed TO "${role}";`],
  })
  assert.equal(refusals(service).length, 4, 'each once')

  await rig.source.query(`
    GRANT SELECT ON "no ""select", pt_1 TO "${role}"; GRANT USAGE ON SCHEMA closed TO "${role}"; ALTER ROLE "${role}" BYPASSRLS`)
  const again = await rig.stream(env)
  await copied(rig, again, ['no "select', 'by_rows', 'pt'])
  await again.waitFor('closed.t', async () => (await finishedCopies(rig)).some(({ schema }) => schema === 'closed'))
  await endInOrder(rig, again)
  assert.equal(await assertTables(rig, ['no "select', 'by_rows', 'pt', 'open']), 5)
  await rig.dropSlot()
  await drop()
})

test('a table whose rows the server cannot give is refused, and the others are copied', async (t) => {
  const rig = await makeRig(t, { lake: 'folder' })
  if ((await major(rig)) < 15) return
  await rig.source.query(`
    CREATE TABLE bad (id int PRIMARY KEY, n int); INSERT INTO bad VALUES (1, 0);
    CREATE TABLE good (id int PRIMARY KEY); INSERT INTO good VALUES (1);
    CREATE PUBLICATION wal_cake_pub FOR TABLE bad WHERE (id / 0 > 1), good, marks`)
  const service = await rig.stream(copying)
  await copied(rig, service, ['good', 'marks'])
  await service.waitFor('the refusal', () => refusals(service).length > 0)
  await endInOrder(rig, service)
  assert.match(refusals(service)[0]?.err?.message ?? '', /division by zero/)
  await rig.dropSlot()
})
