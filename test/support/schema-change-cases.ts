// Changes to a table while it is streamed, and what the lake's one table holds after each: for the tests that read it back.

export interface SchemaChange {
  readonly name: string
  /** Makes the table. */
  readonly table: string
  /** One transaction, with rows before and after the change. `t` is the table. */
  readonly work: string
  /** The lake's columns to look at, and what they hold in order of the changes, as text. */
  readonly columns: readonly string[]
  readonly rows: readonly (readonly (string | number | null)[])[]
}

export const schemaChanges: readonly SchemaChange[] = [
  {
    name: 'a column is added, without a default and with one',
    table: 'id int PRIMARY KEY',
    work: `INSERT INTO t VALUES (1); ALTER TABLE t ADD a text; INSERT INTO t VALUES (2, 'x');
           ALTER TABLE t ADD b int DEFAULT 7; INSERT INTO t VALUES (3, 'y'); UPDATE t SET a = 'z' WHERE id = 1`,
    columns: ['_op', 'id', 'a', 'b'],
    rows: [
      ['I', 1, null, null],
      ['I', 2, 'x', null],
      ['I', 3, 'y', 7],
      ['U', 1, 'z', 7],
    ],
  },
  {
    name: 'a column is dropped, and comes again with another type',
    table: 'id int PRIMARY KEY, a int',
    work: `INSERT INTO t VALUES (1, 5); ALTER TABLE t DROP a; INSERT INTO t VALUES (2);
           ALTER TABLE t ADD a text; INSERT INTO t VALUES (3, 'x')`,
    columns: ['id', 'a', 'a__text'],
    rows: [
      [1, 5, null],
      [2, null, null],
      [3, null, 'x'],
    ],
  },
  {
    name: 'a column is renamed',
    table: 'id int PRIMARY KEY, old text',
    work: `INSERT INTO t VALUES (1, 'x'); ALTER TABLE t RENAME old TO new; INSERT INTO t VALUES (2, 'y')`,
    columns: ['id', 'old', 'new'],
    rows: [
      [1, 'x', null],
      [2, null, 'y'],
    ],
  },
  {
    name: 'types that widen',
    table: 'id int2 PRIMARY KEY, a int4, f float4, v varchar(5), n numeric(8,2)',
    work: `INSERT INTO t VALUES (1, 2147483647, 0.5, 'short', 999999.99);
           ALTER TABLE t ALTER id TYPE int4, ALTER a TYPE int8, ALTER f TYPE float8, ALTER v TYPE text, ALTER n TYPE numeric(12,2);
           INSERT INTO t VALUES (70000, 9007199254740993, 0.1, 'longer than that', 9999999999.99)`,
    columns: ['id', 'a', 'f', 'v', 'n'],
    rows: [
      [1, '2147483647', 0.5, 'short', '999999.99'],
      [70000, '9007199254740993', 0.1, 'longer than that', '9999999999.99'],
    ],
  },
  {
    name: 'types that do not unite, and the way back',
    table: 'id int PRIMARY KEY, a int, n numeric(8,2)',
    work: `INSERT INTO t VALUES (1, 5, 1.25);
           ALTER TABLE t ALTER a TYPE text, ALTER n TYPE numeric; INSERT INTO t VALUES (2, 'five', 1e-20);
           DELETE FROM t WHERE id = 2; ALTER TABLE t ALTER a TYPE int USING a::int, ALTER n TYPE numeric(8,2); INSERT INTO t VALUES (3, 6, 2.5)`,
    columns: ['_op', 'id', 'a', 'a__text', 'n', 'n__numeric'],
    rows: [
      ['I', 1, 5, null, '1.25', null],
      ['I', 2, null, 'five', null, '0.00000000000000000001'],
      ['D', 2, null, null, null, null],
      ['I', 3, 6, null, '2.50', null],
    ],
  },
  {
    name: 'the table is dropped and made again',
    table: 'id int PRIMARY KEY, a int',
    work: `INSERT INTO t VALUES (1, 5); DROP TABLE t; CREATE TABLE t (id int PRIMARY KEY, a int);
           INSERT INTO t VALUES (1, 6); INSERT INTO t VALUES (2, 7)`,
    columns: ['_op', 'id', 'a'],
    rows: [
      ['I', 1, 5],
      ['T', null, null],
      ['I', 1, 6],
      ['I', 2, 7],
    ],
  },
  {
    name: 'the replica identity changes',
    table: 'id int PRIMARY KEY, a text',
    work: `INSERT INTO t VALUES (1, 'x'); UPDATE t SET a = 'y'; ALTER TABLE t REPLICA IDENTITY FULL; UPDATE t SET a = 'z';
           ALTER TABLE t REPLICA IDENTITY DEFAULT; DELETE FROM t`,
    columns: ['_op', 'id', 'a', '_before'],
    rows: [
      ['I', 1, 'x', null],
      ['U', 1, 'y', null],
      ['U', 1, 'z', '{"id":"1","a":"y"}'],
      ['D', 1, null, null],
    ],
  },
  {
    name: 'a column gets a name that was ours, or the path`s',
    table: 'id int PRIMARY KEY',
    work: `INSERT INTO t VALUES (1); ALTER TABLE t ADD _op text, ADD dt date; INSERT INTO t VALUES (2, 'mine', '2020-02-02')`,
    columns: ['_op', 'id', '_op__2', 'dt__2'],
    rows: [
      ['I', 1, null, null],
      ['I', 2, 'mine', '2020-02-02'],
    ],
  },
]
