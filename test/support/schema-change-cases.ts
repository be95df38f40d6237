// Changes to a table while it is streamed, and what the lake's one table holds after each: for the tests that read it back.

export interface SchemaChange {
  readonly name: string
  /** Makes the table. */
  readonly table: string
  /** One transaction, with rows before and after the change. `t` is the table. */
  readonly work: string
  /** All of the lake's columns that are the table's, and those of ours that matter. */
  readonly columns: readonly string[]
  /** What they hold, in order of the changes. */
  readonly rows: readonly (readonly KnownCell[])[]
}

/** A text stands for itself, and for an integer or decimal that is too long for a number. */
export type KnownCell = string | number | null | readonly (string | number | null)[]

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
  {
    name: 'integers that widen twice, lengths that change, and texts of other types',
    table: 'id int PRIMARY KEY, a int2, v varchar(5), w text, j text',
    work: `INSERT INTO t VALUES (1, 32767, 'short', 'x', '{"a": 1}');
           ALTER TABLE t ALTER a TYPE int4, ALTER v TYPE varchar(20), ALTER w TYPE varchar(9), ALTER j TYPE jsonb USING j::jsonb;
           INSERT INTO t VALUES (2, 2147483647, 'a longer one', 'y', '{"a":2}');
           ALTER TABLE t ALTER a TYPE int8, ALTER v TYPE varchar(12), ALTER w TYPE text;
           INSERT INTO t VALUES (3, -9223372036854775808, '', 'z', '[]')`,
    columns: ['id', 'a', 'v', 'w', 'j'],
    rows: [
      [1, 32767, 'short', 'x', '{"a": 1}'],
      [2, 2147483647, 'a longer one', 'y', '{"a": 2}'],
      [3, '-9223372036854775808', '', 'z', '[]'],
    ],
  },
  {
    name: 'types that narrow, another scale, and arrays',
    table: 'id int PRIMARY KEY, a int8, n numeric(12,2), l int4[]',
    work: `INSERT INTO t VALUES (1, 9007199254740993, 1.25, '{1,NULL}');
           ALTER TABLE t ALTER a TYPE int4 USING 1, ALTER n TYPE numeric(30,4), ALTER l TYPE text[];
           INSERT INTO t VALUES (2, 7, 12345678901234567890.1234, '{x,NULL}')`,
    columns: ['id', 'a', 'a__int4', 'n', 'n__numeric_30_4', 'l', 'l__text_array'],
    rows: [
      [1, '9007199254740993', null, '1.25', null, [1, null], null],
      [2, null, 7, null, '12345678901234567890.1234', null, ['x', null]],
    ],
  },
  {
    name: 'NOT NULL on and off',
    table: 'id int PRIMARY KEY, a int',
    work: `INSERT INTO t VALUES (1, 5); ALTER TABLE t ALTER a SET NOT NULL; INSERT INTO t VALUES (2, 6);
           ALTER TABLE t ALTER a DROP NOT NULL; INSERT INTO t VALUES (3, NULL)`,
    columns: ['id', 'a'],
    rows: [
      [1, 5],
      [2, 6],
      [3, null],
    ],
  },
  {
    name: 'the table is made again with its columns in another order',
    table: 'id int PRIMARY KEY, a int, b text',
    work: `INSERT INTO t VALUES (1, 5, 'x'); DROP TABLE t; CREATE TABLE t (b text, id int PRIMARY KEY, a int);
           INSERT INTO t VALUES ('y', 2, 6)`,
    columns: ['_op', 'id', 'a', 'b'],
    rows: [
      ['I', 1, 5, 'x'],
      ['T', null, null, null],
      ['I', 2, 6, 'y'],
    ],
  },
  {
    name: 'columns whose names differ in case only',
    table: 'id int PRIMARY KEY, "A" int, a int',
    work: `INSERT INTO t VALUES (1, 2, 3); ALTER TABLE t ADD "ID" text; INSERT INTO t VALUES (4, 5, 6, 'x')`,
    columns: ['id', 'A', 'a__2', 'ID__2'],
    rows: [
      [1, 2, 3, null],
      [4, 5, 6, 'x'],
    ],
  },
  {
    name: 'columns that were called like ours and the path`s before',
    table: 'id int PRIMARY KEY, _op text, dt date',
    work: `INSERT INTO t VALUES (1, 'mine', '2020-02-02'); ALTER TABLE t ADD a int; DELETE FROM t`,
    columns: ['__op', 'id', '_op', 'dt', 'a'],
    rows: [
      ['I', 1, 'mine', '2020-02-02', null],
      ['D', 1, null, null, null],
    ],
  },
  {
    name: 'many changes at once, and a row before and after each',
    table: 'id int PRIMARY KEY, gone int, old text, wide int4, other int',
    work: `INSERT INTO t VALUES (1, 1, 'a', 1, 1);
           ALTER TABLE t DROP gone, ADD more bool DEFAULT true, ALTER wide TYPE int8, ALTER other TYPE text, ALTER old SET NOT NULL;
           INSERT INTO t VALUES (2, 'b', 2147483648, 'two', false); ALTER TABLE t RENAME old TO new;
           INSERT INTO t VALUES (3, 'c', 3, 'three'); UPDATE t SET more = NULL WHERE id = 1`,
    columns: ['_op', 'id', 'gone', 'old', 'wide', 'other', 'other__text', 'more', 'new'],
    rows: [
      ['I', 1, 1, 'a', 1, 1, null, null, null],
      ['I', 2, null, 'b', '2147483648', null, 'two', 'false', null],
      ['I', 3, null, null, 3, null, 'three', 'true', 'c'],
      ['U', 1, null, null, 1, null, '1', null, 'a'],
    ],
  },
]

/** More of them, for what is particular to the stream. */
export const furtherSchemaChanges: readonly SchemaChange[] = [
  {
    name: 'what a type is limited to, and types that the lake stores alike',
    table: 'id int PRIMARY KEY, v varchar(5), w text, n int NOT NULL, j text',
    work: `INSERT INTO t VALUES (1, 'abcde', 'w', 1, '{}');
           ALTER TABLE t ALTER v TYPE varchar(10), ALTER w TYPE varchar, ALTER n DROP NOT NULL, ALTER j TYPE jsonb USING j::jsonb;
           INSERT INTO t VALUES (2, 'abcdefghij', 'x', NULL, '{"a":1}');
           UPDATE t SET n = 0 WHERE id = 2; ALTER TABLE t ALTER n SET NOT NULL, ALTER v TYPE varchar(10); INSERT INTO t VALUES (3, 'v', 'y', 3, '[]')`,
    columns: ['_op', 'id', 'v', 'w', 'n', 'j'],
    rows: [
      ['I', 1, 'abcde', 'w', 1, '{}'],
      ['I', 2, 'abcdefghij', 'x', null, '{"a": 1}'],
      ['U', 2, 'abcdefghij', 'x', 0, '{"a": 1}'],
      ['I', 3, 'v', 'y', 3, '[]'],
    ],
  },
  {
    name: 'a type widens in steps and narrows again',
    table: 'id int PRIMARY KEY, a int2',
    work: `INSERT INTO t VALUES (1, 32767); ALTER TABLE t ALTER a TYPE int4; INSERT INTO t VALUES (2, 2147483647);
           ALTER TABLE t ALTER a TYPE int8; INSERT INTO t VALUES (3, 9223372036854775807); DELETE FROM t WHERE id > 1;
           ALTER TABLE t ALTER a TYPE int2; INSERT INTO t VALUES (4, -32768)`,
    columns: ['_op', 'id', 'a'],
    rows: [
      ['I', 1, 32767],
      ['I', 2, 2147483647],
      ['I', 3, '9223372036854775807'],
      ['D', 2, null],
      ['D', 3, null],
      ['I', 4, -32768],
    ],
  },
  {
    name: 'another width, scale, zone or dimension of a type is another column',
    table: 'id int PRIMARY KEY, price numeric(10,2), at timestamp, tags int[]',
    work: `INSERT INTO t VALUES (1, 1.25, '2024-01-01 12:00', '{1,2}');
           ALTER TABLE t ALTER price TYPE numeric(30,2), ALTER at TYPE timestamptz USING at AT TIME ZONE 'UTC', ALTER tags TYPE text[] USING tags::text[];
           INSERT INTO t VALUES (2, 1234567890123456789012345.25, '2024-01-02 12:00+00', '{a,b}');
           ALTER TABLE t ALTER price TYPE numeric(30,3); INSERT INTO t VALUES (3, 0.125, NULL, NULL)`,
    columns: [
      'id',
      'price',
      'price__numeric_30_2',
      'price__numeric_30_3',
      'at',
      'at__timestamptz',
      'tags',
      'tags__text_array',
    ],
    rows: [
      [1, '1.25', null, null, '2024-01-01 12:00:00', null, [1, 2], null],
      [2, null, '1234567890123456789012345.25', null, null, '2024-01-02 12:00:00+00', null, ['a', 'b']],
      [3, null, null, '0.125', null, null, null, null],
    ],
  },
  {
    name: 'two columns exchange their names',
    table: 'id int PRIMARY KEY, a text, b text',
    work: `INSERT INTO t VALUES (1, 'a', 'b'); ALTER TABLE t RENAME a TO c; ALTER TABLE t RENAME b TO a; ALTER TABLE t RENAME c TO b;
           INSERT INTO t (id, a, b) VALUES (2, 'a', 'b'); UPDATE t SET id = 3 WHERE id = 1`,
    columns: ['_op', 'id', 'a', 'b'],
    rows: [
      ['I', 1, 'a', 'b'],
      ['I', 2, 'a', 'b'],
      ['D', 1, null, null],
      ['U', 3, 'b', 'a'],
    ],
  },
  {
    name: 'the table is made again with other columns in another order, and once more without a row in between',
    table: 'id int PRIMARY KEY, a int, b text',
    work: `INSERT INTO t VALUES (1, 2, 'x'); DROP TABLE t; CREATE TABLE t (b text, a text, id int PRIMARY KEY);
           INSERT INTO t VALUES ('y', 'two', 1); DROP TABLE t; CREATE TABLE t (id int PRIMARY KEY); DROP TABLE t;
           CREATE TABLE t (id int PRIMARY KEY, b text); INSERT INTO t VALUES (1, 'z'); UPDATE t SET id = 2`,
    columns: ['_op', 'id', 'a', 'a__text', 'b'],
    rows: [
      ['I', 1, 2, null, 'x'],
      ['T', null, null, null, null],
      ['I', 1, null, 'two', 'y'],
      ['T', null, null, null, null],
      ['I', 1, null, null, 'z'],
      ['D', 1, null, null, null],
      ['U', 2, null, null, 'z'],
    ],
  },
  {
    name: 'another table takes the place of this one, and gives it back',
    table: 'id int PRIMARY KEY, a int',
    work: `INSERT INTO t VALUES (1, 5); CREATE TABLE shadow (id int PRIMARY KEY, a int); INSERT INTO shadow SELECT 10 + id, a FROM t;
           ALTER TABLE t RENAME TO away; ALTER TABLE shadow RENAME TO t; INSERT INTO t VALUES (2, 6);
           DROP TABLE t; ALTER TABLE away RENAME TO t; INSERT INTO t VALUES (3, 7)`,
    columns: ['_op', 'id', 'a'],
    rows: [
      ['I', 1, 5],
      ['T', null, null],
      ['I', 2, 6],
      ['T', null, null],
      ['I', 3, 7],
    ],
  },
  {
    name: 'the table goes to another schema and comes back',
    table: 'id int PRIMARY KEY, a int',
    work: `INSERT INTO t VALUES (1, 5); CREATE SCHEMA IF NOT EXISTS elsewhere; ALTER TABLE t SET SCHEMA elsewhere;
           INSERT INTO elsewhere.t VALUES (2, 6); ALTER TABLE elsewhere.t SET SCHEMA public; DELETE FROM t WHERE id = 2; INSERT INTO t VALUES (3, 7)`,
    columns: ['_op', 'id', 'a'],
    rows: [
      ['I', 1, 5],
      ['D', 2, null],
      ['I', 3, 7],
    ],
  },
  {
    name: 'the primary key is dropped, added and exchanged',
    table: 'id int PRIMARY KEY, a int NOT NULL, b int NOT NULL, v text',
    work: `INSERT INTO t VALUES (1, 10, 100, 'x'); ALTER TABLE t DROP CONSTRAINT t_pkey; INSERT INTO t VALUES (2, 20, 200, 'y');
           ALTER TABLE t ADD CONSTRAINT other PRIMARY KEY (b, a); UPDATE t SET v = 'z' WHERE id = 2; UPDATE t SET a = 11 WHERE id = 1;
           UPDATE t SET id = 3 WHERE id = 2; ALTER TABLE t DROP CONSTRAINT other, ADD PRIMARY KEY (id); DELETE FROM t WHERE id = 3`,
    columns: ['_op', 'id', 'a', 'b', 'v'],
    rows: [
      ['I', 1, 10, 100, 'x'],
      ['I', 2, 20, 200, 'y'],
      ['U', 2, 20, 200, 'z'],
      ['D', null, 10, 100, null],
      ['U', 1, 11, 100, 'x'],
      ['U', 3, 20, 200, 'z'],
      ['D', 3, null, null, null],
    ],
  },
  {
    name: 'the identity goes from nothing to an index to the whole row and back, each with a row before and after',
    table: 'id int PRIMARY KEY, k int NOT NULL UNIQUE, v text',
    work: `ALTER TABLE t REPLICA IDENTITY NOTHING; INSERT INTO t VALUES (1, 10, 'a'); ALTER TABLE t REPLICA IDENTITY USING INDEX t_k_key;
           UPDATE t SET v = 'b'; UPDATE t SET id = 2; UPDATE t SET k = 20; ALTER TABLE t REPLICA IDENTITY FULL; UPDATE t SET k = 30, v = NULL;
           ALTER TABLE t REPLICA IDENTITY USING INDEX t_k_key; DELETE FROM t; ALTER TABLE t REPLICA IDENTITY DEFAULT;
           INSERT INTO t VALUES (3, 1, 'c'); UPDATE t SET id = 4`,
    columns: ['_op', 'id', 'k', 'v', '_before'],
    rows: [
      ['I', 1, 10, 'a', null],
      ['U', 1, 10, 'b', null],
      ['U', 2, 10, 'b', null],
      ['D', null, 10, null, null],
      ['U', 2, 20, 'b', null],
      ['U', 2, 30, null, '{"id":"2","k":"20","v":"b"}'],
      ['D', null, 30, null, null],
      ['I', 3, 1, 'c', null],
      ['D', 3, null, null, null],
      ['U', 4, 1, 'c', null],
    ],
  },
]

/** With the table, and what is named after it, as `c<k>`, so that all cases can be in one database. */
export function inPlace(sql: string, k: number): string {
  return sql.replaceAll(/\b(t|t_pkey|t_k_key)\b/g, (name) => name.replace(/^t\b|^t(?=_)/, `c${k}`))
}
