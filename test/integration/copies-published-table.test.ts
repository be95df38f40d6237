// What a copy is told of one published table is what pg_publication_tables says of all: columns, rows, and whether it is published.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sourceTable } from '../../internal/replication/copy-source.js'
import { columnIsSent } from '../../internal/replication/publication.js'
import { testDatabase } from '../support/postgres.js'

interface Published {
  readonly oid: number
  readonly columns: string[]
  readonly filter: string | null
}

test('one published table is told as the view of all tells it, of every kind of publication', async (t) => {
  const database = await testDatabase(t)
  const client = await database.client()
  const [{ version } = { version: 0 }] = await database.query<{ version: number }>(
    `SELECT current_setting('server_version_num')::int AS version`,
  )
  await client.query(`
    CREATE SCHEMA "Other"; CREATE SCHEMA third;
    CREATE TABLE plain (id int PRIMARY KEY, a text, b int, gone int); ALTER TABLE plain DROP gone;
    CREATE TABLE made (id int PRIMARY KEY, twice int GENERATED ALWAYS AS (id * 2) STORED, z int);
    CREATE TABLE "Other"."Odd" (id int PRIMARY KEY, "A b" text);
    CREATE TABLE third.t (id int PRIMARY KEY, v text);
    CREATE UNLOGGED TABLE light (id int PRIMARY KEY);
    CREATE TABLE whole (id int PRIMARY KEY, v text) PARTITION BY RANGE (id);
    CREATE TABLE part_1 PARTITION OF whole FOR VALUES FROM (0) TO (10);
    CREATE TABLE part_2 PARTITION OF whole FOR VALUES FROM (10) TO (20);
    CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE child (v text) INHERITS (parent);
    CREATE PUBLICATION every FOR ALL TABLES;
    CREATE PUBLICATION every_root FOR ALL TABLES WITH (publish_via_partition_root = true);
    CREATE PUBLICATION named FOR TABLE plain, "Other"."Odd", whole, ONLY parent;
    CREATE PUBLICATION named_root FOR TABLE made, whole, part_1, parent WITH (publish_via_partition_root = true);
    CREATE PUBLICATION leaf FOR TABLE part_2, plain;
    CREATE PUBLICATION empty`)
  if (version >= 150_000)
    await client.query(`
      CREATE PUBLICATION chosen FOR TABLE plain (id, b) WHERE (id > 3), made, whole (id) WHERE (id < 9) WITH (publish_via_partition_root = true);
      CREATE PUBLICATION schemas FOR TABLES IN SCHEMA "Other", public;
      CREATE PUBLICATION mixed FOR TABLES IN SCHEMA third, TABLE plain WHERE (b = 1), third.t WHERE (id = 2)`)
  if (version >= 180_000)
    await client.query(`
      CREATE PUBLICATION stored FOR ALL TABLES WITH (publish_generated_columns = stored);
      CREATE PUBLICATION listed FOR TABLE made (id, twice), plain WITH (publish_generated_columns = none)`)
  const publications = await database.query<{ name: string }>('SELECT pubname AS name FROM pg_publication')
  const tables = await database.query<{ oid: number }>(
    `SELECT oid::int8::float8 AS oid FROM pg_class WHERE relkind IN ('r', 'p') AND (oid >= 16384 OR relname = 'pg_class') ORDER BY oid`,
  )
  let published = 0
  for (const { name } of publications) {
    const wanted = await database.query<Published>(
      `SELECT c.oid::int8::float8 AS oid, ${version < 150_000 ? 'NULL' : 'p.rowfilter'} AS filter,
              (SELECT json_agg(a.attname ORDER BY a.attnum) FROM pg_attribute a
                WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND ${columnIsSent(version)}) AS columns
         FROM pg_publication_tables p JOIN pg_class c ON c.oid = format('%I.%I', p.schemaname, p.tablename)::regclass
        WHERE p.pubname = $1 ORDER BY c.oid`,
      [name],
    )
    const found: Published[] = []
    for (const { oid } of tables) {
      const table = await sourceTable(client, name, oid, version)
      if (table === undefined) continue
      found.push({ oid, columns: table.relation.columns.map((column) => column.name), filter: table.filter ?? null })
    }
    assert.deepEqual(found, wanted, name)
    published += found.length
  }
  t.diagnostic(`${published} published tables in ${publications.length} publications`)
})
