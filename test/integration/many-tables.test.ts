// Many tables at once, tables without a key, and tables whose names are hard on paths, globs and SQL: each lies under its
// own folder, whole and once.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { auditLog } from '../support/log-audit.js'
import { makeRig } from '../support/rig.js'
import { assertLakeIsTable } from '../support/table-comparison.js'

const TABLES = 200

test('G2 G4: 200 tables written in one transaction and in many', async (t) => {
  const rig = await makeRig(t)
  const each = (statement: string) =>
    rig.source.query(`DO $$ BEGIN FOR n IN 1..${TABLES} LOOP ${statement} END LOOP; END $$`)
  await each(`EXECUTE format('CREATE TABLE t%s (id int PRIMARY KEY, note text, amount numeric(12,2))', n);`)
  const service = await rig.stream({ FLUSH_INTERVAL: '300ms' })
  await each(
    `EXECUTE format('INSERT INTO t%s SELECT g, ''row '' || g || '' of %s'', g * 0.25 FROM generate_series(1, 20) g', n, n);`,
  )
  await each(`EXECUTE format('UPDATE t%s SET note = note || ''!'' WHERE id <= %s', n, n % 20); COMMIT;`)
  await each(`EXECUTE format('DELETE FROM t%s WHERE id = 20', n); COMMIT;`)
  await rig.caughtUp(service)
  assert.equal(await service.stop(), 0)

  const { files } = await auditLog(rig.lake, rig.slot)
  const counts = await rig.lake.noDoubles()
  for (let n = 1; n <= TABLES; n++) assert.equal(counts[`public.t${n}`], 20 + (n % 20) + 1, `public.t${n}`)
  assert.equal(new Set(files.map((file) => file.table)).size, TABLES + 1)
  const columns = { id: 'INTEGER', note: 'VARCHAR', amount: 'DECIMAL(12,2)' }
  for (const n of [1, 20, 133, TABLES]) {
    await assertLakeIsTable(rig.source.url, rig.lake, { table: `public.t${n}`, key: ['id'], columns })
  }
  await rig.dropSlot()
})

test('a table without a primary key, with its whole old rows or with inserts alone', async (t) => {
  const rig = await makeRig(t)
  await rig.source.query(`
    CREATE TABLE whole (a int, b text); ALTER TABLE whole REPLICA IDENTITY FULL;
    CREATE TABLE events (a int, b text);
    CREATE PUBLICATION pub_whole FOR TABLE whole, marks;
    CREATE PUBLICATION pub_events FOR TABLE events, marks WITH (publish = 'insert')`)
  const inserts = await makeRig(t, { source: rig.source })
  const service = await rig.stream({ PG_PUBLICATION: 'pub_whole' })
  const insertService = await inserts.stream({ PG_PUBLICATION: 'pub_events' })
  assert.match(String(insertService.logged(/leaves out/)[0]?.missing), /update, delete, truncate/)

  await rig.source.query(`
    INSERT INTO whole VALUES (1, 'x'), (1, 'x'), (NULL, NULL); INSERT INTO events VALUES (1, 'x'), (1, 'x');
    UPDATE whole SET b = 'y' WHERE a IS NULL; DELETE FROM whole WHERE a = 1;
    UPDATE events SET b = 'y'; DELETE FROM events`)
  await rig.caughtUp(service)
  await inserts.caughtUp(insertService)
  assert.equal(await service.stop(), 0)
  assert.equal(await insertService.stop(), 0)

  await auditLog(rig.lake, rig.slot)
  const rows = await rig.lake.rows('public.whole')
  assert.deepEqual(
    rows.map((row) => [row._op, row.a, row.b, row._before]),
    [
      ['I', 1, 'x', null],
      ['I', 1, 'x', null],
      ['I', null, null, null],
      ['U', null, 'y', '{"a":null,"b":null}'],
      ['D', 1, 'x', '{"a":"1","b":"x"}'],
      ['D', 1, 'x', '{"a":"1","b":"x"}'],
    ],
  )
  await auditLog(inserts.lake, inserts.slot)
  assert.deepEqual(
    (await inserts.lake.rows('public.events')).map((row) => [row._op, row.a, row.b]),
    [
      ['I', 1, 'x'],
      ['I', 1, 'x'],
    ],
  )
  await rig.dropSlot()
  await inserts.dropSlot()
})

const oddNames = [
  'two words',
  'UPPER and lower',
  'dot.in.name',
  '100%',
  '%41',
  'a/b\\c',
  '..',
  "quote\"d and 'single'",
  'größe_名前_🧁',
  'star*[a-c]?{x}',
  'dt=2024-01-01',
  '_wal_cake',
  '.hidden',
  'line\nbreak\ttab',
  'x'.repeat(63),
  'é'.repeat(31),
]

test('tables, schemas and columns with names that are hard on paths, globs and SQL', async (t) => {
  const rig = await makeRig(t, { lake: 'folder' })
  const bucketRig = await makeRig(t, { source: rig.source })
  const services = [await rig.stream(), await bucketRig.stream()]
  const tables = oddNames.map((name, index) => ({ schema: oddNames[(index + 3) % oddNames.length]!, name }))
  for (const { schema, name } of tables) {
    const [quotedSchema, quotedName] = [quote(schema), quote(name)]
    await rig.source.query(`
      CREATE SCHEMA IF NOT EXISTS ${quotedSchema};
      CREATE TABLE ${quotedSchema}.${quotedName} (id int PRIMARY KEY, ${quote(name)} text);
      INSERT INTO ${quotedSchema}.${quotedName} VALUES (1, $v$${name}$v$), (2, NULL)`)
  }
  for (const [index, service] of services.entries()) {
    const { lake, slot } = [rig, bucketRig][index]!
    await [rig, bucketRig][index]!.caughtUp(service)
    assert.equal(await service.stop(), 0)
    const { files } = await auditLog(lake, slot)
    for (const { schema, name } of tables) {
      const listed = files.filter((file) => file.schema === schema && file.table === name)
      assert.equal(
        listed.reduce((sum, file) => sum + file.rows, 0),
        2,
        JSON.stringify([schema, name]),
      )
      const keys = listed.map((file) => file.key)
      for (const key of keys) {
        assert.match(key, /^data\/[A-Za-z0-9_.%-]+\/[A-Za-z0-9_.%-]+\/dt=\d{4}-\d\d-\d\d\/[A-Za-z0-9_.%-]+\.parquet$/)
        assert.ok(!key.split('/').some((segment) => segment === '.' || segment === '..'), key)
        assert.deepEqual(key.split('/').slice(1, 3).map(decodeURIComponent), [schema, name])
      }
      const folder = lake.path(keys[0]!.split('/').slice(0, 3).join('/')).replaceAll("'", "''")
      const rows = await lake.query(
        `SELECT * FROM read_parquet('${folder}/**/*.parquet', hive_partitioning = true) ORDER BY id`,
      )
      assert.deepEqual(
        rows.map((row) => [row.id, row[name], row._op]),
        [
          [1, name, 'I'],
          [2, null, 'I'],
        ],
      )
    }
    await [rig, bucketRig][index]!.dropSlot()
  }
})

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
