// What a publication chooses of the tables that are copied: columns, rows, partitions under their own names; and tables and databases
// at the edge of what a server can have.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import pg from 'pg'
import { copied, copying, endInOrder } from '../support/copies.js'
import { assertRows } from '../support/expected-rows.js'
import { serverSource } from '../support/server-source.js'
import { auditLog } from '../support/log-audit.js'
import { startPostgres } from '../support/postgres.js'
import { makeRig } from '../support/rig.js'
import { versionsOf } from '../support/schema-audit.js'
import { major } from '../support/table-kind.js'

test('G8: partitions that are published under their own names are copied so', async (t) => {
  const rig = await makeRig(t, { lake: 'folder' })
  await rig.source.query(`
    CREATE TABLE pt (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);
    CREATE TABLE pt_1 (junk int, v text, id int PRIMARY KEY); ALTER TABLE pt_1 DROP junk;
    ALTER TABLE pt ATTACH PARTITION pt_1 FOR VALUES FROM (0) TO (10);
    CREATE TABLE pt_2 PARTITION OF pt DEFAULT; INSERT INTO pt VALUES (1, 'a'), (11, 'b');
    CREATE PUBLICATION wal_cake_pub FOR TABLE pt, marks`)
  const service = await rig.stream(copying)
  await copied(rig, service, ['pt_1', 'pt_2', 'marks'])
  await rig.source.query(`UPDATE pt SET v = 'c'`)
  await endInOrder(rig, service)
  const columns = { pt_1: ['v', 'id'], pt_2: ['id', 'v'] }
  await assertRows(rig.lake, {
    table: 'public.pt_1',
    columns: columns.pt_1,
    rows: [
      ['S', 'a', 1],
      ['U', 'c', 1],
    ],
  })
  await assertRows(rig.lake, {
    table: 'public.pt_2',
    columns: columns.pt_2,
    rows: [
      ['S', 11, 'b'],
      ['U', 11, 'c'],
    ],
  })
  assert.deepEqual(await rig.lake.files('public.pt'), [])
  for (const table of ['pt_1', 'pt_2'])
    assert.equal((await versionsOf(rig.lake, rig.slot, `public.${table}`)).length, 1)
  await rig.dropSlot()
})

test('G8: columns and rows that a publication leaves out are not copied', async (t) => {
  const rig = await makeRig(t, { lake: 'folder' })
  if ((await major(rig)) < 15) return
  await rig.source.query(`
    CREATE TABLE columns (a int, id int PRIMARY KEY, secret text, b text); INSERT INTO columns VALUES (1, 2, 'x', 'y');
    CREATE TABLE "Rows" (id int PRIMARY KEY, "It's" text); INSERT INTO "Rows" VALUES (1, 'in'), (2, 'out'), (3, NULL);
    CREATE TABLE roots (id int, kind text, PRIMARY KEY (id, kind)) PARTITION BY LIST (kind);
    CREATE TABLE roots_1 PARTITION OF roots DEFAULT; INSERT INTO roots VALUES (1, 'in'), (2, 'out');
    CREATE TABLE keyless (id int PRIMARY KEY, v text); INSERT INTO keyless SELECT k, repeat('v' || k, 20) FROM generate_series(1, 1500) k;
    CREATE PUBLICATION wal_cake_pub FOR TABLE columns (b, id), "Rows" WHERE ("It's" = 'in' OR id > 2), roots WHERE (kind = 'in'),
      keyless (v), marks WITH (publish_via_partition_root = true, publish = 'insert')`)
  const service = await rig.stream({ ...copying, TARGET_FILE_BYTES: '64KiB' })
  await copied(rig, service, ['columns', 'Rows', 'roots', 'keyless', 'marks'])
  await rig.source.query(`
    INSERT INTO columns VALUES (2, 3, 'x', 'z'); INSERT INTO "Rows" VALUES (4, 'no'); INSERT INTO "Rows" VALUES (0, 'in');
    INSERT INTO roots VALUES (3, 'in'); INSERT INTO keyless VALUES (0, 'new')`)
  await endInOrder(rig, service)
  await assertRows(rig.lake, {
    table: 'public.columns',
    columns: ['id', 'b'],
    rows: [
      ['S', 2, 'y'],
      ['I', 3, 'z'],
    ],
  })
  await assertRows(rig.lake, {
    table: 'public.Rows',
    columns: ['id', "It's"],
    rows: [
      ['S', 1, 'in'],
      ['S', 3, null],
      ['I', 4, 'no'],
      ['I', 0, 'in'],
    ],
  })
  await assertRows(rig.lake, {
    table: 'public.roots',
    columns: ['id', 'kind'],
    rows: [
      ['S', 1, 'in'],
      ['I', 3, 'in'],
    ],
  })
  // Without its key a table's rows cannot be told apart: it becomes visible as a whole.
  assert.equal((await rig.lake.rows('public.keyless')).length, 1501)
  const { commits } = await auditLog(rig.lake, rig.slot)
  assert.deepEqual(
    commits.flatMap(({ copied }) => copied?.pieces ?? []).filter(({ table }) => table === 'keyless'),
    [],
  )
  const files = commits.flatMap(({ kind, files }) => (kind === 'copy' ? files : []))
  assert.ok(files.filter(({ table }) => table === 'keyless').length > 1, 'of several pieces')
  for (const table of ['columns', 'Rows', 'roots', 'keyless'])
    assert.equal((await versionsOf(rig.lake, rig.slot, `public.${table}`)).length, 1, table)
  await rig.dropSlot()
})

test('G8: generated columns that are published are copied', async (t) => {
  const rig = await makeRig(t, { lake: 'folder' })
  if ((await major(rig)) < 18) return
  await rig.source.query(`
    CREATE TABLE made (id int PRIMARY KEY, twice int GENERATED ALWAYS AS (id * 2) STORED, never int GENERATED ALWAYS AS (id * 3) VIRTUAL, v text);
    INSERT INTO made (id, v) VALUES (1, 'x');
    CREATE PUBLICATION wal_cake_pub FOR TABLE made, marks WITH (publish_generated_columns = stored)`)
  const service = await rig.stream(copying)
  await copied(rig, service, ['made'])
  await rig.source.query(`UPDATE made SET v = 'y'`)
  await endInOrder(rig, service)
  const rows = [
    ['S', 1, 2, 'x'],
    ['U', 1, 2, 'y'],
  ]
  await assertRows(rig.lake, { table: 'public.made', columns: ['id', 'twice', 'v'], rows })
  assert.equal((await versionsOf(rig.lake, rig.slot, 'public.made')).length, 1)
  await rig.dropSlot()
})

test('G8: a table of 1,600 columns', async (t) => {
  const rig = await makeRig(t, { lake: 'folder' })
  const names = Array.from({ length: 1600 }, (_, k) => `c${k}`)
  await rig.source.query(`
    CREATE TABLE wide (c0 int PRIMARY KEY, ${names
      .slice(1)
      .map((name) => `${name} smallint`)
      .join(', ')});
    INSERT INTO wide VALUES (${names.map((_, k) => k).join(', ')}); INSERT INTO wide (c0, c1599) VALUES (1, 7)`)
  const service = await rig.stream(copying)
  await copied(rig, service, ['wide'])
  await endInOrder(rig, service)
  const rows = await rig.lake.rows('public.wide')
  assert.deepEqual(
    rows.map((row) => names.map((name) => (row[name] === null ? null : Number(row[name])))),
    [names.map((_, k) => k), names.map((_, k) => ({ 0: 1, 1599: 7 })[k] ?? null)],
  )
  await rig.dropSlot()
})

test('G8: text of a SQL_ASCII database that is no UTF-8', async (t) => {
  const server = await startPostgres()
  t.after(() => server.stop('immediate'))
  const admin = await serverSource(server)
  await admin.query(`CREATE DATABASE bytes ENCODING 'SQL_ASCII' TEMPLATE template0`)
  const url = new URL(admin.url)
  url.pathname = '/bytes'
  const client = new pg.Client({ connectionString: url.href })
  client.on('error', () => undefined)
  await client.connect()
  t.after(() => client.end())
  const source = {
    url: url.href,
    query: async <Row extends pg.QueryResultRow>(sql: string, values: unknown[] = []) =>
      (await client.query<Row>(sql, values)).rows,
  }
  const rig = await makeRig(t, { lake: 'folder', source })
  await source.query(
    String.raw`CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, E'a\xffb'), (2, E'\xc3\xa4')`,
  )
  const service = await rig.stream(copying)
  await copied(rig, service, ['t'])
  await source.query('UPDATE t SET id = id + 10')
  await endInOrder(rig, service)
  const values = (op: string): Promise<unknown[]> =>
    rig.lake.rows('public.t').then((rows) => rows.filter((row) => row._op === op).map(({ v }) => v))
  assert.deepEqual(await values('S'), await values('U'), 'as the stream writes them')
  assert.equal((await values('S')).length, 2)
})
