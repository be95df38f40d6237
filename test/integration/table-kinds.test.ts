// Every kind of table that PostgreSQL knows, and what can happen to one beside its rows: all in one stream of all tables,
// where partitions are sent as the table that they are parts of.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertRows } from '../support/expected-rows.js'
import { auditLog } from '../support/log-audit.js'
import { makeRig } from '../support/rig.js'
import { S3Server } from '../support/s3-server.js'
import { streamKinds, type TableKind } from '../support/table-kind.js'

const kinds: readonly TableKind[] = [
  {
    name: 'TRUNCATE: a T in each of its tables, also in those that CASCADE takes, and keys that begin again',
    made: `CREATE TABLE tr_a (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v text);
           CREATE TABLE tr_b (id int PRIMARY KEY);
           CREATE TABLE tr_c (id int PRIMARY KEY, a int REFERENCES tr_a)`,
    work: [
      `INSERT INTO tr_a (v) VALUES ('x'), ('y'); INSERT INTO tr_b VALUES (1); INSERT INTO tr_c VALUES (1, 1)`,
      `UPDATE tr_a SET v = 'gone'; TRUNCATE tr_a, tr_b RESTART IDENTITY CASCADE; INSERT INTO tr_a (v) VALUES ('z')`,
      'BEGIN; TRUNCATE tr_a CASCADE; ROLLBACK',
    ],
    logs: [
      {
        table: 'public.tr_a',
        columns: ['id', 'v'],
        rows: [
          ['I', 1, 'x'],
          ['I', 2, 'y'],
          ['U', 1, 'gone'],
          ['U', 2, 'gone'],
          ['T', null, null],
          ['I', 1, 'z'],
        ],
      },
      {
        table: 'public.tr_b',
        columns: ['id'],
        rows: [
          ['I', 1],
          ['T', null],
        ],
      },
      {
        table: 'public.tr_c',
        columns: ['id', 'a'],
        rows: [
          ['I', 1, 1],
          ['T', null, null],
        ],
      },
    ],
  },
  {
    name: 'a partitioned table is one table, with partitions of partitions and columns in another order; a row that moves is a D and an I',
    made: `CREATE TABLE pt (id int, day date, v text, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
           CREATE TABLE pt_1 PARTITION OF pt FOR VALUES FROM ('2024-01-01') TO ('2024-02-01');
           CREATE TABLE pt_2 (v text, gone int, day date NOT NULL, id int NOT NULL, PRIMARY KEY (id, day));
           ALTER TABLE pt_2 DROP gone;
           ALTER TABLE pt ATTACH PARTITION pt_2 FOR VALUES FROM ('2024-02-01') TO ('2024-03-01');
           CREATE TABLE pt_3 PARTITION OF pt FOR VALUES FROM ('2024-03-01') TO ('2024-04-01') PARTITION BY HASH (id);
           CREATE TABLE pt_3_a PARTITION OF pt_3 FOR VALUES WITH (MODULUS 2, REMAINDER 0);
           CREATE TABLE pt_3_b PARTITION OF pt_3 FOR VALUES WITH (MODULUS 2, REMAINDER 1)`,
    work: [
      `INSERT INTO pt VALUES (1, '2024-01-05', 'one'), (2, '2024-02-05', 'two'), (3, '2024-03-05', 'three')`,
      `UPDATE pt SET v = v || '!'; DELETE FROM pt WHERE id = 3`,
      `UPDATE pt SET day = '2024-02-06' WHERE id = 1; UPDATE pt SET id = 4 WHERE id = 2`,
      // The stream of the whole table says nothing of that.
      'TRUNCATE pt_1',
      `TRUNCATE pt; INSERT INTO pt_2 VALUES ('direct', '2024-02-07', 5)`,
    ],
    logs: [
      {
        table: 'public.pt',
        columns: ['id', 'day', 'v'],
        rows: [
          ['I', 1, '2024-01-05', 'one'],
          ['I', 2, '2024-02-05', 'two'],
          ['I', 3, '2024-03-05', 'three'],
          ['U', 1, '2024-01-05', 'one!'],
          ['U', 2, '2024-02-05', 'two!'],
          ['U', 3, '2024-03-05', 'three!'],
          ['D', 3, '2024-03-05', null],
          ['D', 1, '2024-01-05', null],
          ['I', 1, '2024-02-06', 'one!'],
          ['D', 2, '2024-02-05', null],
          ['U', 4, '2024-02-05', 'two!'],
          ['T', null, null, null],
          ['I', 5, '2024-02-07', 'direct'],
        ],
      },
    ],
    absent: ['public.pt_1', 'public.pt_2', 'public.pt_3', 'public.pt_3_a', 'public.pt_3_b'],
  },
  {
    name: 'a partition that is attached and detached while it is written: its rows are those of the table that it belongs to then',
    // Older servers send it under its own name until we connect again.
    since: 15,
    made: `CREATE TABLE pa (id int, day date, v text, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
           CREATE TABLE pa_1 PARTITION OF pa FOR VALUES FROM ('2024-01-01') TO ('2024-02-01');
           CREATE TABLE pa_2 (v text, day date NOT NULL, id int NOT NULL, PRIMARY KEY (id, day))`,
    work: [
      `INSERT INTO pa_2 VALUES ('alone', '2024-02-01', 1); INSERT INTO pa VALUES (2, '2024-01-01', 'in pa_1')`,
      `ALTER TABLE pa ATTACH PARTITION pa_2 FOR VALUES FROM ('2024-02-01') TO ('2024-03-01')`,
      `INSERT INTO pa VALUES (3, '2024-02-02', 'by the whole'); INSERT INTO pa_2 VALUES ('by the part', '2024-02-03', 4)`,
      `UPDATE pa SET v = 'was alone' WHERE id = 1`,
      'ALTER TABLE pa DETACH PARTITION pa_2',
      `INSERT INTO pa_2 VALUES ('alone again', '2025-01-01', 5); DELETE FROM pa_2 WHERE id = 5`,
      `UPDATE pa_2 SET v = 'in mid-transaction' WHERE id = 3;
       ALTER TABLE pa ATTACH PARTITION pa_2 FOR VALUES FROM ('2024-02-01') TO ('2024-03-01');
       DELETE FROM pa WHERE id = 4`,
      `CREATE TABLE pa_3 PARTITION OF pa FOR VALUES FROM ('2024-03-01') TO ('2024-04-01');
       INSERT INTO pa VALUES (6, '2024-03-01', 'in a new one'); DROP TABLE pa_3; INSERT INTO pa VALUES (7, '2024-01-07', 'last')`,
    ],
    logs: [
      {
        table: 'public.pa_2',
        columns: ['v', 'day', 'id'],
        rows: [
          ['I', 'alone', '2024-02-01', 1],
          ['I', 'alone again', '2025-01-01', 5],
          ['D', null, '2025-01-01', 5],
          ['U', 'in mid-transaction', '2024-02-02', 3],
        ],
      },
      {
        table: 'public.pa',
        columns: ['id', 'day', 'v'],
        rows: [
          ['I', 2, '2024-01-01', 'in pa_1'],
          ['I', 3, '2024-02-02', 'by the whole'],
          ['I', 4, '2024-02-03', 'by the part'],
          ['U', 1, '2024-02-01', 'was alone'],
          ['D', 4, '2024-02-03', null],
          ['I', 6, '2024-03-01', 'in a new one'],
          ['I', 7, '2024-01-07', 'last'],
        ],
      },
    ],
    absent: ['public.pa_1', 'public.pa_3'],
  },
  {
    name: 'inherited tables: each row in the table in which it is, whichever was named',
    made: `CREATE TABLE parent (id int PRIMARY KEY, v text);
           CREATE TABLE child (more int, PRIMARY KEY (id)) INHERITS (parent)`,
    work: [
      `INSERT INTO parent VALUES (1, 'p'); INSERT INTO child VALUES (2, 'c', 3); UPDATE parent SET v = v || '!'`,
      'TRUNCATE ONLY parent; DELETE FROM parent',
    ],
    logs: [
      {
        table: 'public.parent',
        columns: ['id', 'v'],
        rows: [
          ['I', 1, 'p'],
          ['U', 1, 'p!'],
          ['T', null, null],
        ],
      },
      {
        table: 'public.child',
        columns: ['id', 'v', 'more'],
        rows: [
          ['I', 2, 'c', 3],
          ['U', 2, 'c!', 3],
          ['D', 2, null, null],
        ],
      },
    ],
  },
  {
    name: 'identity columns are columns; generated ones are not sent, wherever they stand, and their types do not matter',
    made: `CREATE TABLE made (id int GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, a int,
             twice int GENERATED ALWAYS AS (a * 2) STORED, v text,
             words tsvector GENERATED ALWAYS AS (to_tsvector('simple', v)) STORED, z int DEFAULT 7)`,
    work: [
      `INSERT INTO made (a, v) VALUES (1, 'x'); INSERT INTO made (id, a, v) OVERRIDING SYSTEM VALUE VALUES (10, 2, 'y')`,
      'UPDATE made SET a = 3, z = DEFAULT WHERE id = 1; DELETE FROM made WHERE id = 10',
    ],
    logs: [
      {
        table: 'public.made',
        columns: ['id', 'a', 'v', 'z'],
        rows: [
          ['I', 1, 1, 'x', 7],
          ['I', 10, 2, 'y', 7],
          ['U', 1, 3, 'x', 7],
          ['D', 10, null, null, null],
        ],
      },
    ],
  },
  {
    name: 'unlogged and temporary tables, sequences and views are not there; an unlogged one is from the moment it is logged',
    made: `CREATE UNLOGGED TABLE quick (id int PRIMARY KEY); CREATE SEQUENCE numbers;
           CREATE VIEW seen AS SELECT * FROM quick; CREATE MATERIALIZED VIEW kept AS SELECT * FROM quick`,
    work: [
      `INSERT INTO quick VALUES (1); CREATE TEMP TABLE passing (id int PRIMARY KEY); INSERT INTO passing VALUES (1);
       SELECT nextval('numbers'); REFRESH MATERIALIZED VIEW kept`,
      'ALTER TABLE quick SET LOGGED',
      'INSERT INTO quick VALUES (2)',
      'ALTER TABLE quick SET UNLOGGED; INSERT INTO quick VALUES (3)',
    ],
    logs: [{ table: 'public.quick', columns: ['id'], rows: [['I', 2]] }],
    absent: ['public.passing', 'pg_temp.passing', 'public.numbers', 'public.seen', 'public.kept'],
  },
  {
    name: 'what a statement does through others is there in the order in which it was done',
    made: `CREATE TABLE owner (id int PRIMARY KEY, n int DEFAULT 0);
           CREATE TABLE owned (id int PRIMARY KEY, owner int REFERENCES owner ON UPDATE CASCADE ON DELETE CASCADE);
           CREATE FUNCTION counted() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN UPDATE owner SET n = n + 1 WHERE id = NEW.owner; RETURN NULL; END $$;
           CREATE TRIGGER counted AFTER INSERT ON owned FOR EACH ROW EXECUTE FUNCTION counted()`,
    work: [
      `INSERT INTO owner VALUES (1); INSERT INTO owned VALUES (10, 1)`,
      `INSERT INTO owner VALUES (1), (2) ON CONFLICT (id) DO UPDATE SET n = owner.n + 10; INSERT INTO owner VALUES (2) ON CONFLICT DO NOTHING`,
      'UPDATE owner SET id = 5 WHERE id = 1',
      'WITH gone AS (DELETE FROM owner WHERE id = 5 RETURNING n) INSERT INTO owner SELECT 6, n FROM gone',
    ],
    logs: [
      {
        table: 'public.owner',
        columns: ['id', 'n'],
        rows: [
          ['I', 1, 0],
          ['U', 1, 1],
          ['U', 1, 11],
          ['I', 2, 0],
          ['D', 1, null],
          ['U', 5, 11],
          ['D', 5, null],
          ['I', 6, 11],
        ],
      },
      {
        table: 'public.owned',
        columns: ['id', 'owner'],
        rows: [
          ['I', 10, 1],
          ['U', 10, 5],
          ['D', 10, null],
        ],
      },
    ],
  },
  {
    name: 'a table that is written anew as a whole has no new rows',
    made: 'CREATE TABLE anew (id int PRIMARY KEY, v text)',
    work: [
      `INSERT INTO anew VALUES (1, 'x'), (2, 'y'); DELETE FROM anew WHERE id = 2`,
      'ALTER TABLE anew ADD r float8 DEFAULT random() + 1',
      'VACUUM FULL anew',
      'CLUSTER anew USING anew_pkey',
      'ALTER TABLE anew DROP r, ALTER v TYPE varchar(5); UPDATE anew SET v = v',
    ],
    logs: [
      {
        table: 'public.anew',
        columns: ['id', 'v'],
        rows: [
          ['I', 1, 'x'],
          ['I', 2, 'y'],
          ['D', 2, null],
          ['U', 1, 'x'],
        ],
      },
    ],
  },
  {
    name: 'a prepared transaction is there from its COMMIT PREPARED on, and one that is rolled back never was',
    made: 'CREATE TABLE twice (id int PRIMARY KEY, v text)',
    work: [
      `BEGIN; INSERT INTO twice VALUES (1, 'prepared first'); PREPARE TRANSACTION 'a'`,
      `BEGIN; INSERT INTO twice VALUES (2, 'never'); PREPARE TRANSACTION 'b'`,
      `INSERT INTO twice VALUES (3, 'committed first')`,
      `ROLLBACK PREPARED 'b'`,
      `COMMIT PREPARED 'a'`,
      `UPDATE twice SET v = 'later' WHERE id = 1`,
    ],
    logs: [
      {
        table: 'public.twice',
        columns: ['id', 'v'],
        rows: [
          ['I', 3, 'committed first'],
          ['I', 1, 'prepared first'],
          ['U', 1, 'later'],
        ],
      },
    ],
  },
  {
    name: 'COPY is inserts; what a savepoint or a caught error took back never was',
    made: 'CREATE TABLE copied (id int PRIMARY KEY, v text)',
    work: [
      String.raw`COPY copied FROM PROGRAM $$printf '1\tone\n2\t\\N\n3\t\n'$$`,
      `BEGIN; INSERT INTO copied VALUES (4, 'kept'); SAVEPOINT a; INSERT INTO copied VALUES (5, 'never'); SAVEPOINT b;
       UPDATE copied SET v = 'never'; RELEASE SAVEPOINT b; ROLLBACK TO SAVEPOINT a; INSERT INTO copied VALUES (6, 'kept');
       SAVEPOINT c; DELETE FROM copied WHERE id = 1; RELEASE SAVEPOINT c; COMMIT`,
      `DO $$ BEGIN INSERT INTO copied VALUES (7, 'never'); RAISE 'no';
         EXCEPTION WHEN raise_exception THEN INSERT INTO copied VALUES (8, 'caught'); END $$`,
    ],
    logs: [
      {
        table: 'public.copied',
        columns: ['id', 'v'],
        rows: [
          ['I', 1, 'one'],
          ['I', 2, null],
          ['I', 3, ''],
          ['I', 4, 'kept'],
          ['I', 6, 'kept'],
          ['D', 1, null],
          ['I', 8, 'caught'],
        ],
      },
    ],
  },
  {
    name: 'without a key, under FULL: updates and deletes of each of several equal rows, and of NULLs',
    made: 'CREATE TABLE bag (a int, v text); ALTER TABLE bag REPLICA IDENTITY FULL',
    work: [
      `INSERT INTO bag VALUES (1, 'x'), (1, 'x'), (NULL, NULL)`,
      `UPDATE bag SET v = 'y' WHERE ctid = '(0,1)'; UPDATE bag SET a = 0 WHERE a IS NULL; DELETE FROM bag WHERE v = 'x'`,
    ],
    logs: [
      {
        table: 'public.bag',
        columns: ['a', 'v', '_before'],
        rows: [
          ['I', 1, 'x', null],
          ['I', 1, 'x', null],
          ['I', null, null, null],
          ['U', 1, 'y', '{"a":"1","v":"x"}'],
          ['U', 0, null, '{"a":null,"v":null}'],
          ['D', 1, 'x', '{"a":"1","v":"x"}'],
        ],
      },
    ],
  },
  {
    name: 'a key of columns that are not the first, and not in its order',
    made: 'CREATE TABLE behind (v text, c int, b int, a text, PRIMARY KEY (a, c))',
    work: [
      `INSERT INTO behind VALUES ('x', 1, 2, 'k'), ('y', 2, 3, 'k')`,
      `UPDATE behind SET b = 0, v = NULL WHERE c = 1; UPDATE behind SET c = 5 WHERE c = 1; UPDATE behind SET a = '' WHERE c = 2; DELETE FROM behind`,
    ],
    logs: [
      {
        table: 'public.behind',
        columns: ['v', 'c', 'b', 'a'],
        rows: [
          ['I', 'x', 1, 2, 'k'],
          ['I', 'y', 2, 3, 'k'],
          ['U', null, 1, 0, 'k'],
          ['D', null, 1, null, 'k'],
          ['U', null, 5, 0, 'k'],
          ['D', null, 2, null, 'k'],
          ['U', 'y', 2, 3, ''],
          ['D', null, 5, null, 'k'],
          ['D', null, 2, null, ''],
        ],
      },
    ],
  },
  {
    name: 'virtual generated columns are not sent, wherever they stand',
    since: 18,
    made: 'CREATE TABLE virtual (never int GENERATED ALWAYS AS (a * 3) VIRTUAL, a int PRIMARY KEY, more int GENERATED ALWAYS AS (a * 4), v text)',
    work: [`INSERT INTO virtual (a, v) VALUES (1, 'x'); UPDATE virtual SET a = 2; DELETE FROM virtual`],
    logs: [
      {
        table: 'public.virtual',
        columns: ['a', 'v'],
        rows: [
          ['I', 1, 'x'],
          ['D', 1, null],
          ['U', 2, 'x'],
          ['D', 2, null],
        ],
      },
    ],
  },
  {
    name: 'MERGE is what it did',
    since: 15,
    made: 'CREATE TABLE merged (id int PRIMARY KEY, v text)',
    work: [
      `INSERT INTO merged VALUES (1, 'x'), (2, 'y')`,
      `MERGE INTO merged m USING (VALUES (1), (2), (3)) n (id) ON m.id = n.id
         WHEN MATCHED AND m.id = 2 THEN DELETE WHEN MATCHED THEN UPDATE SET v = 'merged' WHEN NOT MATCHED THEN INSERT VALUES (n.id, 'new')`,
    ],
    logs: [
      {
        table: 'public.merged',
        columns: ['id', 'v'],
        rows: [
          ['I', 1, 'x'],
          ['I', 2, 'y'],
          ['U', 1, 'merged'],
          ['D', 2, null],
          ['I', 3, 'new'],
        ],
      },
    ],
  },
]

test('kinds of tables, in a publication of all of them', async (t) => {
  await streamKinds(t, await makeRig(t), kinds)
})

test('G4: kinds of tables, in a publication of all of them, and the batches are replayed', async (t) => {
  const store = await S3Server.start()
  const rig = await makeRig(t, { lake: store })
  t.after(() => store.stop())
  await streamKinds(t, rig, kinds, { store })
})

test('G1 G4: a transaction that was prepared before a restart is there when it is committed after it', async (t) => {
  const rig = await makeRig(t)
  await rig.source.query('CREATE TABLE kept (id int PRIMARY KEY, v text)')
  const first = await rig.stream()
  const prepare = (id: number, name: string): Promise<unknown> =>
    rig.source.query(`BEGIN; INSERT INTO kept VALUES (${id}, 'prepared'); PREPARE TRANSACTION '${rig.slot}_${name}'`)
  await prepare(1, 'a')
  await prepare(2, 'b')
  await prepare(3, 'c')
  await rig.source.query(`INSERT INTO kept VALUES (10, 'before the restart')`)
  // The slot passes what is prepared: the server itself keeps it for the slot until it is known what becomes of it.
  await rig.caughtUp(first)
  assert.equal(await first.stop(), 0)
  await rig.source.query(`COMMIT PREPARED '${rig.slot}_a'`)
  const second = await rig.stream()
  await rig.source.query(`INSERT INTO kept VALUES (11, 'after it')`)
  await rig.caughtUp(second)
  await second.kill()
  await rig.source.query(`ROLLBACK PREPARED '${rig.slot}_b'`)
  const third = await rig.stream()
  await rig.source.query(`COMMIT PREPARED '${rig.slot}_c'`)
  await rig.caughtUp(third)
  assert.equal(await third.stop(), 0)
  await auditLog(rig.lake, rig.slot)
  await rig.lake.noDoubles()
  await assertRows(rig.lake, {
    table: 'public.kept',
    columns: ['id', 'v'],
    rows: [
      ['I', 10, 'before the restart'],
      ['I', 1, 'prepared'],
      ['I', 11, 'after it'],
      ['I', 3, 'prepared'],
    ],
  })
  await rig.dropSlot()
})
