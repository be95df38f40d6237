// What a publication chooses: tables that come and go while the stream runs, partitions under their own names, rows and
// columns that it leaves out, tables that have no identity.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeRig } from '../support/rig.js'
import { S3Server } from '../support/s3-server.js'
import { major, streamKinds, type TableKind } from '../support/table-kind.js'

const BIG = 'x'.repeat(5_000)

const kinds: readonly TableKind[] = [
  {
    name: 'a table that the publication takes in while the stream runs is there from then on, and one that it drops until then',
    made: `CREATE TABLE early (id int PRIMARY KEY); CREATE TABLE late (id int PRIMARY KEY);
           ALTER PUBLICATION chosen ADD TABLE early`,
    work: [
      'INSERT INTO early VALUES (1); INSERT INTO late VALUES (1)',
      'ALTER PUBLICATION chosen ADD TABLE late',
      'INSERT INTO early VALUES (2); INSERT INTO late VALUES (2)',
      `INSERT INTO early VALUES (3); ALTER PUBLICATION chosen DROP TABLE early;
       INSERT INTO early VALUES (4); INSERT INTO late VALUES (4)`,
      'INSERT INTO early VALUES (5); UPDATE late SET id = 5 WHERE id = 1',
      'ALTER PUBLICATION chosen ADD TABLE early; DELETE FROM early WHERE id = 5; INSERT INTO early VALUES (6)',
    ],
    logs: [
      {
        table: 'public.early',
        columns: ['id'],
        rows: [
          ['I', 1],
          ['I', 2],
          ['I', 3],
          ['D', 5],
          ['I', 6],
        ],
      },
      {
        table: 'public.late',
        columns: ['id'],
        rows: [
          ['I', 2],
          ['I', 4],
          ['D', 1],
          ['U', 5],
        ],
      },
    ],
  },
  {
    name: 'kinds of change that a publication leaves out for a while',
    made: 'CREATE TABLE choosy (id int PRIMARY KEY); ALTER PUBLICATION chosen ADD TABLE choosy',
    work: [
      'INSERT INTO choosy VALUES (1), (2)',
      `ALTER PUBLICATION chosen SET (publish = 'insert')`,
      'INSERT INTO choosy VALUES (3); DELETE FROM choosy WHERE id = 1; TRUNCATE choosy',
      `ALTER PUBLICATION chosen SET (publish = 'insert, update, delete, truncate')`,
      'INSERT INTO choosy VALUES (4); DELETE FROM choosy',
    ],
    logs: [
      {
        table: 'public.choosy',
        columns: ['id'],
        rows: [
          ['I', 1],
          ['I', 2],
          ['I', 3],
          ['I', 4],
          ['D', 4],
        ],
      },
    ],
  },
  {
    name: 'partitions under their own names; what is truncated as a whole is truncated in each',
    made: `CREATE TABLE parts (id int, v text, PRIMARY KEY (id)) PARTITION BY RANGE (id);
           CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (10);
           CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (10) TO (20);
           ALTER PUBLICATION chosen ADD TABLE parts`,
    work: [`INSERT INTO parts VALUES (1, 'a'), (11, 'b')`, 'UPDATE parts SET id = 12 WHERE id = 1', 'TRUNCATE parts'],
    logs: [
      {
        table: 'public.parts_1',
        columns: ['id', 'v'],
        rows: [
          ['I', 1, 'a'],
          ['D', 1, null],
          ['T', null, null],
        ],
      },
      {
        table: 'public.parts_2',
        columns: ['id', 'v'],
        rows: [
          ['I', 11, 'b'],
          ['I', 12, 'a'],
          ['T', null, null],
        ],
      },
    ],
    absent: ['public.parts'],
  },
  {
    name: 'a partition of a published table is published from where it is attached to where it is detached',
    // Older servers notice at the next connection.
    since: 15,
    made: `CREATE TABLE joined (id int, v text, PRIMARY KEY (id)) PARTITION BY RANGE (id);
           CREATE TABLE joined_1 (v text, id int PRIMARY KEY); ALTER PUBLICATION chosen ADD TABLE joined`,
    work: [
      `INSERT INTO joined_1 VALUES ('not yet', 1)`,
      'ALTER TABLE joined ATTACH PARTITION joined_1 FOR VALUES FROM (0) TO (10)',
      `INSERT INTO joined VALUES (2, 'now'); UPDATE joined SET v = 'now too' WHERE id = 1`,
      `DELETE FROM joined WHERE id = 2; ALTER TABLE joined DETACH PARTITION joined_1; DELETE FROM joined_1`,
      `INSERT INTO joined_1 VALUES ('no more', 3)`,
    ],
    logs: [
      {
        table: 'public.joined_1',
        columns: ['v', 'id'],
        rows: [
          ['I', 'now', 2],
          ['U', 'now too', 1],
          ['D', null, 2],
        ],
      },
    ],
    absent: ['public.joined'],
  },
  {
    name: 'the identity is an index whose columns are not the first, and not in its order; the key changes with a large value unsent',
    made: `CREATE TABLE indexed (note text, b int NOT NULL, big text, a int NOT NULL, id int PRIMARY KEY);
           ALTER TABLE indexed ALTER big SET STORAGE EXTERNAL; CREATE UNIQUE INDEX indexed_key ON indexed (a, b);
           ALTER TABLE indexed REPLICA IDENTITY USING INDEX indexed_key; ALTER PUBLICATION chosen ADD TABLE indexed`,
    work: [
      `INSERT INTO indexed VALUES ('n', 2, '${BIG}', 1, 9); UPDATE indexed SET note = 'm', id = 10;
       UPDATE indexed SET a = 3; DELETE FROM indexed`,
    ],
    logs: [
      {
        table: 'public.indexed',
        columns: ['note', 'b', 'big', 'a', 'id', '_unchanged'],
        rows: [
          ['I', 'n', 2, BIG, 1, 9, null],
          ['U', 'm', 2, null, 1, 10, '["big"]'],
          ['D', null, 2, null, 1, null, null],
          ['U', 'm', 2, null, 3, 10, '["big"]'],
          ['D', null, 2, null, 3, null, null],
        ],
      },
    ],
  },
  {
    name: 'without an identity there are inserts and truncates, and PostgreSQL itself refuses the rest',
    made: `CREATE TABLE keyless (id int, v text);
           CREATE TABLE nothing (id int PRIMARY KEY, v text); ALTER TABLE nothing REPLICA IDENTITY NOTHING;
           ALTER PUBLICATION chosen ADD TABLE keyless, nothing`,
    work: [
      `INSERT INTO keyless VALUES (1, 'x'), (1, 'x'); INSERT INTO nothing VALUES (1, 'x')`,
      `DO $$ BEGIN UPDATE nothing SET v = 'y'; ASSERT false; EXCEPTION WHEN object_not_in_prerequisite_state THEN END $$`,
      `DO $$ BEGIN DELETE FROM keyless; ASSERT false; EXCEPTION WHEN object_not_in_prerequisite_state THEN END $$`,
      'TRUNCATE keyless; INSERT INTO keyless VALUES (2, NULL)',
      `ALTER TABLE nothing REPLICA IDENTITY DEFAULT; UPDATE nothing SET v = 'z'`,
    ],
    logs: [
      {
        table: 'public.keyless',
        columns: ['id', 'v'],
        rows: [
          ['I', 1, 'x'],
          ['I', 1, 'x'],
          ['T', null, null],
          ['I', 2, null],
        ],
      },
      {
        table: 'public.nothing',
        columns: ['id', 'v'],
        rows: [
          ['I', 1, 'x'],
          ['U', 1, 'z'],
        ],
      },
    ],
  },
  {
    name: 'an index with NULLs is refused as the identity, and one that is dropped leaves none',
    made: `CREATE TABLE nullable (id int PRIMARY KEY, k int UNIQUE, v text); ALTER PUBLICATION chosen ADD TABLE nullable`,
    work: [
      `DO $$ BEGIN ALTER TABLE nullable REPLICA IDENTITY USING INDEX nullable_k_key; ASSERT false;
         EXCEPTION WHEN wrong_object_type THEN END $$`,
      `INSERT INTO nullable VALUES (1, NULL, 'x'); UPDATE nullable SET k = 10;
       ALTER TABLE nullable ALTER k SET NOT NULL, REPLICA IDENTITY USING INDEX nullable_k_key; UPDATE nullable SET k = 11`,
      `ALTER TABLE nullable DROP CONSTRAINT nullable_k_key; INSERT INTO nullable VALUES (2, 20, 'y')`,
      `DO $$ BEGIN DELETE FROM nullable; ASSERT false; EXCEPTION WHEN object_not_in_prerequisite_state THEN END $$`,
      'ALTER TABLE nullable REPLICA IDENTITY DEFAULT; DELETE FROM nullable WHERE id = 2',
    ],
    logs: [
      {
        table: 'public.nullable',
        columns: ['id', 'k', 'v'],
        rows: [
          ['I', 1, null, 'x'],
          ['U', 1, 10, 'x'],
          ['D', null, 10, null],
          ['U', 1, 11, 'x'],
          ['I', 2, 20, 'y'],
          ['D', 2, null, null],
        ],
      },
    ],
  },
  {
    name: 'TRUNCATE of tables of which one is published',
    made: `CREATE TABLE public_one (id int PRIMARY KEY); CREATE TABLE private_one (id int PRIMARY KEY, one int REFERENCES public_one);
           ALTER PUBLICATION chosen ADD TABLE public_one`,
    work: [
      'INSERT INTO public_one VALUES (1); INSERT INTO private_one VALUES (1, 1)',
      'TRUNCATE public_one CASCADE; TRUNCATE private_one; INSERT INTO public_one VALUES (2)',
    ],
    logs: [
      {
        table: 'public.public_one',
        columns: ['id'],
        rows: [
          ['I', 1],
          ['T', null],
          ['I', 2],
        ],
      },
    ],
    absent: ['public.private_one'],
  },
  {
    name: 'partitions are sent under the name of the whole for a while',
    since: 15,
    made: `CREATE TABLE rooted (id int, v text, PRIMARY KEY (id)) PARTITION BY RANGE (id);
           CREATE TABLE rooted_1 (v text, id int PRIMARY KEY); ALTER TABLE rooted ATTACH PARTITION rooted_1 FOR VALUES FROM (0) TO (10);
           ALTER PUBLICATION chosen ADD TABLE rooted`,
    work: [
      `INSERT INTO rooted VALUES (1, 'by the part')`,
      'ALTER PUBLICATION chosen SET (publish_via_partition_root = true)',
      `INSERT INTO rooted VALUES (2, 'by the whole'); UPDATE rooted SET v = 'moved' WHERE id = 1`,
      'ALTER PUBLICATION chosen SET (publish_via_partition_root = false)',
      'DELETE FROM rooted WHERE id = 2',
    ],
    logs: [
      {
        table: 'public.rooted_1',
        columns: ['v', 'id'],
        rows: [
          ['I', 'by the part', 1],
          ['D', null, 2],
        ],
      },
      {
        table: 'public.rooted',
        columns: ['id', 'v'],
        rows: [
          ['I', 2, 'by the whole'],
          ['U', 1, 'moved'],
        ],
      },
    ],
  },
  {
    name: 'a row filter on the key: a key that leaves is a delete of the old one, one that comes is an insert',
    since: 15,
    made: `CREATE TABLE low (id int PRIMARY KEY, v text); ALTER PUBLICATION chosen ADD TABLE low WHERE (id < 10)`,
    work: [
      `INSERT INTO low VALUES (1, 'in'), (20, 'out'); UPDATE low SET id = 30 WHERE id = 1; UPDATE low SET id = 5 WHERE id = 20;
       UPDATE low SET id = 6 WHERE id = 5; UPDATE low SET id = 31 WHERE id = 30; DELETE FROM low; TRUNCATE low`,
    ],
    logs: [
      {
        table: 'public.low',
        columns: ['id', 'v'],
        rows: [
          ['I', 1, 'in'],
          ['D', 1, null],
          ['I', 5, 'out'],
          ['D', 5, null],
          ['U', 6, 'out'],
          ['D', 6, null],
          ['T', null, null],
        ],
      },
    ],
  },
  {
    name: 'a row filter: a row that comes to match is an insert, one that does no more is a delete',
    since: 15,
    made: `CREATE TABLE filtered (id int PRIMARY KEY, active bool, v text); ALTER TABLE filtered REPLICA IDENTITY FULL;
           ALTER PUBLICATION chosen ADD TABLE filtered WHERE (active)`,
    work: [
      `INSERT INTO filtered VALUES (1, true, 'in'), (2, false, 'out'), (3, NULL, 'out')`,
      `UPDATE filtered SET v = v || '!'`,
      'UPDATE filtered SET active = NOT active',
      'DELETE FROM filtered WHERE id < 3',
      `ALTER PUBLICATION chosen DROP TABLE filtered; ALTER PUBLICATION chosen ADD TABLE filtered WHERE (id > 2);
       UPDATE filtered SET v = 'other filter'`,
    ],
    logs: [
      {
        table: 'public.filtered',
        columns: ['id', 'active', 'v', '_before'],
        rows: [
          ['I', 1, true, 'in', null],
          ['U', 1, true, 'in!', '{"id":"1","active":"t","v":"in"}'],
          ['D', 1, true, 'in!', '{"id":"1","active":"t","v":"in!"}'],
          ['I', 2, true, 'out!', null],
          ['D', 2, true, 'out!', '{"id":"2","active":"t","v":"out!"}'],
          ['U', 3, null, 'other filter', '{"id":"3","active":null,"v":"out!"}'],
        ],
      },
    ],
  },
  {
    name: 'a column list: what it leaves out is nowhere, and a column that it takes in is there from then on',
    since: 15,
    made: `CREATE TABLE listed (secret text, id int PRIMARY KEY, v text, more text, words tsvector);
           ALTER PUBLICATION chosen ADD TABLE listed (v, id)`,
    work: [
      `INSERT INTO listed VALUES ('s', 1, 'x', 'm', 'w'); UPDATE listed SET secret = 't'`,
      'ALTER PUBLICATION chosen DROP TABLE listed; ALTER PUBLICATION chosen ADD TABLE listed (id, v, more)',
      `UPDATE listed SET v = 'y'; DELETE FROM listed`,
    ],
    logs: [
      {
        table: 'public.listed',
        columns: ['id', 'v', 'more'],
        rows: [
          ['I', 1, 'x', null],
          ['U', 1, 'x', null],
          ['U', 1, 'y', 'm'],
          ['D', 1, null, null],
        ],
      },
    ],
  },
  {
    name: 'stored generated columns come when the publication publishes them, and go when it does no more',
    since: 18,
    made: `CREATE TABLE optional (a int PRIMARY KEY, twice int GENERATED ALWAYS AS (a * 2) STORED, never int GENERATED ALWAYS AS (a * 3) VIRTUAL);
           ALTER PUBLICATION chosen ADD TABLE optional`,
    work: [
      'INSERT INTO optional VALUES (1)',
      'ALTER PUBLICATION chosen SET (publish_generated_columns = stored)',
      'INSERT INTO optional VALUES (2); UPDATE optional SET a = 3 WHERE a = 1',
      'ALTER PUBLICATION chosen SET (publish_generated_columns = none); INSERT INTO optional VALUES (4)',
    ],
    logs: [
      {
        table: 'public.optional',
        columns: ['a', 'twice'],
        rows: [
          ['I', 1, null],
          ['I', 2, 4],
          ['D', 1, null],
          ['U', 3, 6],
          ['I', 4, null],
        ],
      },
    ],
  },
  {
    name: 'generated columns that are published are columns like others',
    since: 18,
    made: `CREATE TABLE generated (a int PRIMARY KEY, twice int GENERATED ALWAYS AS (a * 2) STORED,
             never int GENERATED ALWAYS AS (a * 3) VIRTUAL, v text);
           ALTER PUBLICATION chosen ADD TABLE generated (a, twice, v)`,
    work: [
      `INSERT INTO generated VALUES (1, DEFAULT, DEFAULT, 'x'); UPDATE generated SET a = 2; DELETE FROM generated`,
    ],
    logs: [
      {
        table: 'public.generated',
        columns: ['a', 'twice', 'v'],
        rows: [
          ['I', 1, 2, 'x'],
          ['D', 1, null, null],
          ['U', 2, 4, 'x'],
          ['D', 2, null, null],
        ],
      },
    ],
  },
]

for (const replayed of [false, true])
  test(`${replayed ? 'G4: ' : ''}kinds of tables, as a publication chooses them${replayed ? ', and the batches are replayed' : ''}`, async (t) => {
    const store = replayed ? await S3Server.start() : undefined
    const rig = await makeRig(t, store === undefined ? {} : { lake: store })
    t.after(() => store?.stop())
    await rig.source.query('CREATE PUBLICATION chosen FOR TABLE marks WITH (publish_via_partition_root = false)')
    const env = { PG_PUBLICATION: 'chosen' }
    const service = await streamKinds(t, rig, kinds, store === undefined ? { env } : { env, store })
    // Neither the words that no list names nor what is generated needs text.
    const modes = service.logged('streaming').map(({ mode }) => mode)
    assert.deepEqual([...new Set(modes)], [(await major(rig)) < 14 ? 'text' : 'binary'])
  })
