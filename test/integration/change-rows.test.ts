// What stands in the lake after a known transaction, row by row and column by column as contract.md says, read by DuckDB
// and by hyparquet; and the same rows whether the server sent binary or text.
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { auditLog } from '../support/log-audit.js'
import { lsn } from '../support/lsn-text.js'
import { makeRig, type Rig, type Source } from '../support/rig.js'
import type { Row } from '../support/lake.js'

const tables = `
  CREATE TABLE items (id int PRIMARY KEY, name text, big text);
  ALTER TABLE items ALTER big SET STORAGE EXTERNAL;
  CREATE TABLE whole (id int PRIMARY KEY, name text, amount numeric(12,2), big text);
  ALTER TABLE whole ALTER big SET STORAGE EXTERNAL, REPLICA IDENTITY FULL;
  CREATE TABLE emptied (id int PRIMARY KEY)`

const BIG = 'x'.repeat(5_000)

/** In one transaction; gives its id. */
const transaction = `
  BEGIN;
  INSERT INTO items VALUES (1, 'one', '${BIG}'), (2, 'two', NULL);
  UPDATE items SET name = 'zwei' WHERE id = 2;
  UPDATE items SET name = 'uno' WHERE id = 1;
  UPDATE items SET id = 10 WHERE id = 1;
  SAVEPOINT s;
  INSERT INTO items VALUES (3, 'never', NULL);
  DELETE FROM items WHERE id = 2;
  ROLLBACK TO SAVEPOINT s;
  DELETE FROM items WHERE id = 2;
  TRUNCATE emptied;
  INSERT INTO items VALUES (4, NULL, '');
  INSERT INTO whole VALUES (1, 'a "quoted" name', 1.50, '${BIG}');
  UPDATE whole SET name = NULL;
  UPDATE whole SET id = 2;
  DELETE FROM whole;
  COMMIT`

const unchanged = '["big"]'
const before = (id: number, name: string | null): string =>
  JSON.stringify({ id: String(id), name, amount: '1.50', big: BIG })

/** The columns of the table, then _op, _seq, _unchanged, _before. */
const expected: Readonly<Record<string, readonly (readonly unknown[])[]>> = {
  'public.items': [
    [1, 'one', BIG, 'I', 0n, null, null],
    [2, 'two', null, 'I', 1n, null, null],
    [2, 'zwei', null, 'U', 2n, null, null],
    [1, 'uno', null, 'U', 3n, unchanged, null],
    [1, null, null, 'D', 4n, null, null],
    [10, 'uno', null, 'U', 5n, unchanged, null],
    [2, null, null, 'D', 6n, null, null],
    [4, null, '', 'I', 8n, null, null],
  ],
  'public.emptied': [[null, 'T', 7n, null, null]],
  'public.whole': [
    [1, 'a "quoted" name', '1.50', BIG, 'I', 9n, null, null],
    // Under FULL the old row is there, so nothing is unknown.
    [1, null, '1.50', BIG, 'U', 10n, null, before(1, 'a "quoted" name')],
    [2, null, '1.50', BIG, 'U', 11n, null, before(1, null)],
    [2, null, '1.50', BIG, 'D', 12n, null, before(2, null)],
  ],
}

test('G7: one transaction with every kind of change, and what never was, row by row', async (t) => {
  const rig = await makeRig(t)
  await rig.source.query(tables)
  const service = await rig.stream({ FLUSH_INTERVAL: '200ms' })
  const from = Date.now()
  // Never committed, or without a change: neither leaves anything.
  await rig.source.query(`BEGIN; INSERT INTO items VALUES (99, 'never', NULL); ROLLBACK`)
  await rig.source.query('BEGIN; SELECT pg_current_xact_id(); COMMIT')
  await rig.source.query(transaction)
  await service.waitForLog('batch committed')
  const [xid] = await rig.source.query<{ xid: string }>(`SELECT xmin::text AS xid FROM items WHERE id = 10`)
  await rig.caughtUp(service)
  assert.equal(await service.stop(), 0)
  const to = Date.now()

  const { commits } = await auditLog(rig.lake, rig.slot)
  const commit = commits.find(({ files }) => files.some((file) => file.table === 'items'))!
  assert.equal(commit.transactions, 1)
  for (const [table, rows] of Object.entries(expected)) {
    const found = await rig.lake.rows(table)
    assert.deepEqual(found.map(valuesOf), rows, table)
    assert.deepEqual(
      (await rig.lake.rowsByHyparquet(table)).map(valuesOf),
      rows.map(asHyparquet),
      `${table} by hyparquet`,
    )
    for (const row of found) {
      assert.equal(row._lsn, lsn(commit.to_lsn), 'the LSN of the commit record')
      assert.equal(row._xid, BigInt(xid!.xid))
      assert.equal(row._raw, null)
      const micros = Date.parse(String(row._commit_ts).replace(' ', 'T').replace(/\+00$/, 'Z'))
      assert.ok(micros >= from - 1 && micros <= to + 1, `committed at ${String(row._commit_ts)}`)
      assert.equal(row._commit_ts, found[0]!._commit_ts)
    }
  }
  const state = await rig.lake.currentState('public.items', ['id'])
  assert.deepEqual(
    state.map((row) => [row.id, row.name, row.big]),
    [
      [4, null, ''],
      // What was not sent had been sent under the key before.
      [10, 'uno', BIG],
    ],
  )
  await rig.dropSlot()
})

function valuesOf({ _lsn, _xid, _commit_ts, _raw, ...rest }: Row): unknown[] {
  return Object.values(rest)
}

/** Decimals are numbers there. */
function asHyparquet(row: readonly unknown[]): unknown[] {
  return row.map((value) => (value === '1.50' ? 1.5 : value))
}

const samples = `
  CREATE TYPE mood AS ENUM ('glad', 'sad ''n'' "sorry"');
  CREATE DOMAIN percent AS numeric(5,2) CHECK (VALUE <= 100);
  CREATE TABLE samples (
    id int PRIMARY KEY, a_bool bool, a_int2 int2, a_int8 int8, a_float4 float4, a_float8 float8, a_numeric numeric(12,2),
    a_wide numeric(38,10), a_free numeric, a_text text, a_varchar varchar(20), a_char char(5), a_name name, a_bytea bytea,
    a_date date, a_time time, a_timetz timetz, a_timestamp timestamp, a_timestamptz timestamptz, an_interval interval,
    a_uuid uuid, a_json json, a_jsonb jsonb, an_inet inet, a_cidr cidr, a_macaddr macaddr, a_bit bit(5), a_varbit varbit,
    a_point point, a_box box, an_int4range int4range, a_tstzrange tstzrange, a_money money, a_mood mood, a_percent percent,
    an_oid oid, an_lsn pg_lsn, some_ints int[], some_texts text[], some_times timestamptz[], some_numbers numeric(8,3)[])`

const fillSamples = `
  INSERT INTO samples VALUES
    (1, true, -32768, 9223372036854775807, 1.17549435e-38, 0.1, 1234567890.12, 1234567890123456789012345678.0123456789,
     1e-30, E'tab\\t, quote ", \\\\, ünï 🧁', 'v', 'c', 'n', '\\x00ff10', '2024-02-29', '23:59:59.999999', '01:02:03.5+05:30',
     '1999-12-31 23:59:59.999999', '2024-06-30 12:00:00.000001+02', '1 year 2 mons -3 days 04:05:06.789',
     'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', '{"a" : [1, 2.50,null]}', '{"b": {"c": 1.50}, "a": "\\u00fc"}', '192.168.0.1/24',
     '10.0.0.0/8', '08:00:2b:01:02:03', B'10101', B'1', '(1.5,-2)', '(1,1),(0,0)', '[1,10)', '[2024-01-01 00:00+00,)', 1234.56,
     'sad ''n'' "sorry"', 99.99, 4294967295, '16/B374D848', '{1,NULL,-3}', '{"a,b","",NULL,"q\\"\\\\"}',
     '{"2024-01-01 00:00:00+00",NULL}', '{1.500,NULL}'),
    (2, false, 32767, -9223372036854775808, 'NaN', 'Infinity', 'NaN', 0, 'NaN', '', '', '', '', '', 'infinity', '24:00',
     '00:00:00-15:59', '-infinity', 'infinity', '-178000000 years', '00000000-0000-0000-0000-000000000000', 'null', 'null',
     '::1', '::/0', 'ff:ff:ff:ff:ff:ff', B'00000', B'', '(0,0)', '(0,0),(0,0)', 'empty', 'empty', -0.01, 'glad', 0, 0, '0/0',
     '{}', '{}', '{infinity}', '{NaN}'),
    (3, null, null, null, null, '-0', -0.01, -0.0000000001, 1e40, null, null, null, null, null, '4713-01-01 BC', null, null,
     '294276-12-31 23:59:59.999999', '4713-01-01 00:00:00+00 BC', null, null, null, null, null, null, null, null, null, null,
     null, null, null, null, null, null, null, null, '{{1,2},{3,4}}', '[0:1]={a,b}', null, null)`

test('G8: a server that sends binary and one that sends text give the same rows', async (t) => {
  const binary = await rigOfPublication(t, undefined, 'pub_binary', '')
  const { source } = binary
  // Its type is known in text only, and one such column is enough.
  const text = await rigOfPublication(t, source, 'pub_text', ', texts')
  const services = [
    [binary, await binary.stream({ PG_PUBLICATION: 'pub_binary' }), 'binary'],
    [text, await text.stream({ PG_PUBLICATION: 'pub_text' }), 'text'],
  ] as const
  for (const [, service, mode] of services) assert.equal(service.logged('streaming')[0]?.mode, mode)
  assert.match(String(services[1][1].logged('streaming')[0]?.why_text), /texts\.v has the type tsvector/)

  await source.query(transaction)
  await source.query(fillSamples)
  await source.query(
    `UPDATE samples SET a_text = 'changed'; UPDATE samples SET id = id + 10; DELETE FROM samples WHERE id = 11`,
  )
  await source.query(`INSERT INTO texts VALUES (1, to_tsvector('simple', 'the fat cat'))`)
  for (const [rig, service] of services) {
    await rig.caughtUp(service)
    assert.equal(await service.stop(), 0)
    await auditLog(rig.lake, rig.slot)
  }
  for (const table of ['public.items', 'public.emptied', 'public.whole', 'public.samples']) {
    const rows = await binary.lake.rows(table)
    assert.notEqual(rows.length, 0)
    assert.deepEqual(await text.lake.rows(table), rows, table)
    assert.deepEqual(await text.lake.rowsByHyparquet(table), await binary.lake.rowsByHyparquet(table), table)
  }
  assert.equal((await text.lake.rows('public.texts'))[0]?.v, `'cat':3 'fat':2 'the':1`)
  for (const [rig] of services) await rig.dropSlot()
})

async function rigOfPublication(t: TestContext, source: Source | undefined, name: string, more: string): Promise<Rig> {
  const rig = await makeRig(t, source === undefined ? {} : { source })
  if (source === undefined)
    await rig.source.query(`${tables}; ${samples}; CREATE TABLE texts (id int PRIMARY KEY, v tsvector)`)
  await rig.source.query(`CREATE PUBLICATION ${name} FOR TABLE marks, items, emptied, whole, samples${more}`)
  return rig
}
