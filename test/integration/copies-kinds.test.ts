// Kinds of tables as copies find them: the columns and rows that the stream would send, under the schema that it describes.
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { copying, endInOrder, finishedCopies } from '../support/copies.js'
import { assertRows, type ExpectedRows } from '../support/expected-rows.js'
import { makeRig, type Rig } from '../support/rig.js'
import { major } from '../support/table-kind.js'

interface CopiedKind {
  readonly name: string
  /** Oldest major version of the server that knows it. */
  readonly since?: number
  readonly made: string
  /** Once it is copied: what the stream then sends has to have the same schema. */
  readonly work?: string
  readonly logs: readonly ExpectedRows[]
  /** Tables of which nothing is in the lake. */
  readonly absent?: readonly string[]
}

const odd = { schema: `Ünï"c'ö de`, table: `таблица "x"; %s 表`, column: `a"b.c 'd' 列` }
const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

const kinds: readonly CopiedKind[] = [
  {
    name: 'partitions of several levels, with other columns and another order of them, are one table',
    made: `CREATE TABLE pt (id int, gone int, day date, v text, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
           ALTER TABLE pt DROP gone;
           CREATE TABLE pt_1 (v text, junk int, day date NOT NULL, id int NOT NULL);
           ALTER TABLE pt_1 DROP junk; ALTER TABLE pt ATTACH PARTITION pt_1 FOR VALUES FROM ('2024-01-01') TO ('2024-02-01');
           CREATE TABLE pt_2 PARTITION OF pt FOR VALUES FROM ('2024-02-01') TO ('2024-03-01') PARTITION BY HASH (id);
           CREATE TABLE pt_2_a PARTITION OF pt_2 FOR VALUES WITH (MODULUS 1, REMAINDER 0);
           CREATE TABLE pt_3 PARTITION OF pt DEFAULT;
           INSERT INTO pt VALUES (1, '2024-01-05', 'one'), (2, '2024-02-05', 'two'), (3, '2025-02-05', 'three')`,
    work: `UPDATE pt SET v = 'uno' WHERE id = 1`,
    logs: [
      {
        table: 'public.pt',
        columns: ['id', 'day', 'v'],
        rows: [
          ['S', 1, '2024-01-05', 'one'],
          ['S', 2, '2024-02-05', 'two'],
          ['S', 3, '2025-02-05', 'three'],
          ['U', 1, '2024-01-05', 'uno'],
        ],
      },
    ],
    absent: ['public.pt_1', 'public.pt_2', 'public.pt_2_a', 'public.pt_3'],
  },
  {
    name: 'inherited tables: each row in the table in which it is',
    made: `CREATE TABLE parent (id int PRIMARY KEY, v text); CREATE TABLE child (more int, PRIMARY KEY (id)) INHERITS (parent);
           INSERT INTO parent VALUES (1, 'p'); INSERT INTO child VALUES (2, 'c', 3)`,
    work: `UPDATE parent SET v = v || '!'`,
    logs: [
      {
        table: 'public.parent',
        columns: ['id', 'v'],
        rows: [
          ['S', 1, 'p'],
          ['U', 1, 'p!'],
        ],
      },
      {
        table: 'public.child',
        columns: ['id', 'v', 'more'],
        rows: [
          ['S', 2, 'c', 3],
          ['U', 2, 'c!', 3],
        ],
      },
    ],
  },
  {
    name: 'identity columns are columns, generated and dropped ones are not',
    made: `CREATE TABLE made (gone text, id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a int,
             twice int GENERATED ALWAYS AS (a * 2) STORED, z int DEFAULT 7);
           INSERT INTO made (gone, a) VALUES ('x', 1), ('y', 2); ALTER TABLE made DROP gone`,
    work: 'UPDATE made SET a = 3 WHERE id = 2',
    logs: [
      {
        table: 'public.made',
        columns: ['id', 'a', 'z'],
        rows: [
          ['S', 1, 1, 7],
          ['S', 2, 2, 7],
          ['U', 2, 3, 7],
        ],
      },
    ],
  },
  {
    name: 'virtual columns are not there',
    since: 18,
    made: `CREATE TABLE virtual (never int GENERATED ALWAYS AS (a * 3) VIRTUAL, a int PRIMARY KEY, v text);
           INSERT INTO virtual (a, v) VALUES (1, 'x')`,
    work: `UPDATE virtual SET v = 'y'`,
    logs: [
      {
        table: 'public.virtual',
        columns: ['a', 'v'],
        rows: [
          ['S', 1, 'x'],
          ['U', 1, 'y'],
        ],
      },
    ],
  },
  {
    name: 'keys with columns that they only carry along, and identities that are an index, all of the row, or nothing',
    made: `CREATE TABLE carrying (id int, v text, n int, PRIMARY KEY (id) INCLUDE (v));
           INSERT INTO carrying VALUES (1, 'x', 2);
           CREATE TABLE indexed (note text, b int NOT NULL, a int NOT NULL, c int);
           CREATE UNIQUE INDEX indexed_key ON indexed (a, b) INCLUDE (c); ALTER TABLE indexed REPLICA IDENTITY USING INDEX indexed_key;
           INSERT INTO indexed VALUES ('n', 1, 2, 3);
           CREATE TABLE whole (a int, v text); ALTER TABLE whole REPLICA IDENTITY FULL; INSERT INTO whole VALUES (1, 'x'), (1, 'x'), (NULL, NULL);
           CREATE TABLE none (id int PRIMARY KEY); ALTER TABLE none REPLICA IDENTITY NOTHING; INSERT INTO none VALUES (1);
           CREATE TABLE deferred (id int PRIMARY KEY DEFERRABLE); ALTER TABLE deferred REPLICA IDENTITY FULL; INSERT INTO deferred VALUES (1);
           CREATE TABLE put_off (id int PRIMARY KEY DEFERRABLE, v text); INSERT INTO put_off VALUES (1, 'x')`,
    work: `UPDATE carrying SET v = 'y'; UPDATE indexed SET note = 'm'; UPDATE whole SET v = 'y' WHERE a IS NULL; INSERT INTO none VALUES (2);
           UPDATE deferred SET id = 2; INSERT INTO put_off VALUES (2, 'y')`,
    logs: [
      {
        table: 'public.carrying',
        columns: ['id', 'v', 'n'],
        rows: [
          ['S', 1, 'x', 2],
          ['U', 1, 'y', 2],
        ],
      },
      {
        table: 'public.indexed',
        columns: ['note', 'b', 'a', 'c'],
        rows: [
          ['S', 'n', 1, 2, 3],
          ['U', 'm', 1, 2, 3],
        ],
      },
      {
        table: 'public.whole',
        columns: ['a', 'v'],
        rows: [
          ['S', 1, 'x'],
          ['S', 1, 'x'],
          ['S', null, null],
          ['U', null, 'y'],
        ],
      },
      {
        table: 'public.none',
        columns: ['id'],
        rows: [
          ['S', 1],
          ['I', 2],
        ],
      },
      {
        table: 'public.deferred',
        columns: ['id'],
        rows: [
          ['S', 1],
          ['U', 2],
        ],
      },
      {
        table: 'public.put_off',
        columns: ['id', 'v'],
        rows: [
          ['S', 1, 'x'],
          ['I', 2, 'y'],
        ],
      },
    ],
  },
  {
    name: 'names in other scripts, with quotes and dots',
    made: `CREATE SCHEMA ${quoted(odd.schema)};
           CREATE TABLE ${quoted(odd.schema)}.${quoted(odd.table)} (id int PRIMARY KEY, ${quoted(odd.column)} text);
           INSERT INTO ${quoted(odd.schema)}.${quoted(odd.table)} VALUES (1, 'x')`,
    work: `INSERT INTO ${quoted(odd.schema)}.${quoted(odd.table)} VALUES (2, 'y')`,
    logs: [
      {
        table: `${odd.schema}.${odd.table}`,
        columns: ['id', odd.column],
        rows: [
          ['S', 1, 'x'],
          ['I', 2, 'y'],
        ],
      },
    ],
  },
  {
    name: 'unlogged and temporary tables, views and empty tables leave nothing',
    made: `CREATE UNLOGGED TABLE quick (id int PRIMARY KEY); INSERT INTO quick VALUES (1); CREATE TEMP TABLE passing (id int PRIMARY KEY);
           INSERT INTO passing VALUES (1); CREATE VIEW seen AS SELECT * FROM quick; CREATE MATERIALIZED VIEW kept AS SELECT * FROM quick;
           CREATE TABLE empty (id int PRIMARY KEY); CREATE TABLE emptied (id int PRIMARY KEY); INSERT INTO emptied VALUES (1); DELETE FROM emptied;
           CREATE TABLE without_parts (id int PRIMARY KEY) PARTITION BY RANGE (id)`,
    logs: [],
    absent: ['public.quick', 'public.passing', 'public.seen', 'public.kept', 'public.empty', 'public.emptied'],
  },
  {
    name: 'a table without columns has as many rows',
    made: 'CREATE TABLE nothing (); INSERT INTO nothing SELECT FROM generate_series(1, 3)',
    work: 'INSERT INTO nothing DEFAULT VALUES',
    logs: [{ table: 'public.nothing', columns: [], rows: [['S'], ['S'], ['S'], ['I']] }],
  },
  {
    name: 'types that are known in text only, and those of another schema',
    made: `CREATE SCHEMA types; CREATE TYPE types.colour AS ENUM ('red', 'deep blue'); CREATE DOMAIN types.positive AS int CHECK (VALUE > 0);
           CREATE TYPE types.point3 AS (x int, y text, z types.colour); CREATE TYPE types.span AS RANGE (subtype = types.positive);
           CREATE DOMAIN types.spot AS types.point3;
           CREATE TABLE typed (id types.positive PRIMARY KEY, c types.colour, p types.point3, s types.span, ps types.point3[], cs types.colour[], sp types.spot);
           INSERT INTO typed VALUES (1, 'deep blue', (1, 'a "b"', 'red'), '[1,5)', ARRAY[(1, NULL, 'red')::types.point3, NULL], '{red,"deep blue",NULL}', (2, '', NULL)),
             (2, NULL, NULL, NULL, NULL, NULL, NULL), (3, 'red', (NULL, NULL, NULL), 'empty', '{}', '{}', (NULL, NULL, NULL))`,
    work: 'UPDATE typed SET id = id',
    logs: [
      {
        table: 'public.typed',
        columns: ['id', 'c', 'p', 's', 'ps', 'cs', 'sp'],
        rows: ['S', 'U'].flatMap((op) => [
          [op, 1, 'deep blue', '(1,"a ""b""",red)', '[1,5)', ['(1,,red)', null], ['red', 'deep blue', null], '(2,"",)'],
          [op, 2, null, null, null, null, null, null],
          [op, 3, 'red', '(,,)', 'empty', [], [], '(,,)'],
        ]),
      },
    ],
  },
  {
    name: 'a table with a column dt of its own',
    made: `CREATE TABLE dated (id int PRIMARY KEY, dt date, _op text); INSERT INTO dated VALUES (1, '2020-02-02', 'mine')`,
    work: `UPDATE dated SET dt = '2021-01-01'`,
    logs: [
      {
        table: 'public.dated',
        columns: ['id', '__op', 'dt'],
        rows: [
          ['mine', 1, 'S', '2020-02-02'],
          ['mine', 1, 'U', '2021-01-01'],
        ],
      },
    ],
  },
]

/** Copies those that the server knows, works on them, and looks at each in a test of its own. */
async function copyKinds(t: TestContext, rig: Rig, kinds: readonly CopiedKind[]): Promise<void> {
  const version = await major(rig)
  const known = kinds.filter(({ since = 0 }) => since <= version)
  for (const { made } of known) await rig.source.query(made)
  const service = await rig.stream(copying)
  const published = await rig.source.query<{ name: string }>(
    `SELECT format('%s.%s', schemaname, tablename) AS name FROM pg_publication_tables WHERE pubname = 'wal_cake_pub' ORDER BY 1`,
  )
  const finished = async (): Promise<string[]> =>
    (await finishedCopies(rig)).map(({ schema, table }) => `${schema}.${table}`).sort()
  await service.waitFor('all to be copied', async () => (await finished()).length >= published.length, {
    timeoutMs: 60_000,
  })
  for (const { work } of known) if (work !== undefined) await rig.source.query(work)
  await endInOrder(rig, service)
  assert.deepEqual(await finished(), published.map(({ name }) => name).sort())
  const tables = await rig.lake.tables()
  const keys = await rig.lake.keys(`_wal_cake/${rig.slot}/schemas/`)
  for (const { name, logs, absent = [] } of known)
    await t.test(name, async () => {
      for (const log of logs) await assertRows(rig.lake, log)
      assert.deepEqual(
        absent.filter((table) => tables.includes(table)),
        [],
      )
    })
  await t.test('copies and stream describe each table alike', () => {
    const folders = keys.map((key) => key.slice(0, key.lastIndexOf('/')))
    assert.deepEqual(
      folders.filter((folder, k) => folders.indexOf(folder) !== k),
      [],
      'one version of each',
    )
  })
  await rig.dropSlot()
}

test('G8: kinds of tables, copied as a publication of all has them', async (t) => {
  const rig = await makeRig(t, { lake: 'folder' })
  await rig.source.query(`CREATE PUBLICATION wal_cake_pub FOR ALL TABLES WITH (publish_via_partition_root = true)`)
  await copyKinds(t, rig, kinds)
})
