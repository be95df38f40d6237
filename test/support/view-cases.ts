// A lake with all that makes a current state hard to tell, and what PostgreSQL has of each of its tables at two moments: for
// the tests of the views, in every engine.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { finishedCopies } from './copies.js'
import type { Rig } from './rig.js'

export interface ViewCase {
  readonly schema: string
  readonly table: string
  /** Before the service starts. */
  readonly make: string
  readonly first: string
  readonly second: string
  /** Columns that the lake calls otherwise. */
  readonly renamed?: Readonly<Record<string, string>>
  /** Columns that are `bytea`. */
  readonly bytes?: readonly string[]
  /** Columns that are arrays, for the engine to which none and an empty one are one. */
  readonly arrays?: readonly string[]
}

export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

const long = (seed: string): string => `repeat(md5('${seed}'), 120)`

export const viewCases: readonly ViewCase[] = [
  {
    ...{ schema: 'public', table: 'orders' },
    make: `CREATE TABLE orders (id bigint PRIMARY KEY, customer_id int, status text, amount numeric(12,2), created_at timestamptz);
      INSERT INTO orders SELECT n, n % 3, 'new', n * 1.25, '2026-01-01 12:00+00' FROM generate_series(1, 9) n`,
    first: `UPDATE orders SET status = 'paid' WHERE id % 2 = 0; DELETE FROM orders WHERE id IN (3, 4); INSERT INTO orders VALUES (10, NULL, '', 0, NULL)`,
    second: `UPDATE orders SET id = id + 100 WHERE id < 3; DELETE FROM orders WHERE id = 10; INSERT INTO orders VALUES (10, 7, 'again', 1, 'epoch');
      BEGIN; INSERT INTO orders VALUES (11); UPDATE orders SET id = 12 WHERE id = 11; DELETE FROM orders WHERE id = 12; COMMIT`,
  },
  {
    ...{ schema: 'public', table: 'truncated' },
    make: `CREATE TABLE truncated (id int PRIMARY KEY, v text); INSERT INTO truncated VALUES (1, 'gone'), (2, 'gone')`,
    first: `INSERT INTO truncated VALUES (3, 'gone too'); BEGIN; TRUNCATE truncated; INSERT INTO truncated VALUES (1, 'new'); COMMIT`,
    second: `UPDATE truncated SET v = 'newer'; BEGIN; INSERT INTO truncated VALUES (5, 'x'); TRUNCATE truncated; COMMIT`,
  },
  {
    ...{ schema: 'public', table: 'documents' },
    make: `CREATE TABLE documents (id int PRIMARY KEY, note text, big text, tags timestamp[]);
      ALTER TABLE documents ALTER big SET STORAGE EXTERNAL, ALTER tags SET STORAGE EXTERNAL;
      INSERT INTO documents SELECT n, 'n', ${long('a')}, NULL FROM generate_series(1, 4) n`,
    first: `UPDATE documents SET note = 'a' WHERE id = 1; UPDATE documents SET big = ${long('b')} WHERE id = 2; UPDATE documents SET note = NULL WHERE id = 2;
      UPDATE documents SET id = 13 WHERE id = 3; UPDATE documents SET id = 23 WHERE id = 13; UPDATE documents SET note = 'moved twice' WHERE id = 23;
      INSERT INTO documents SELECT 9, 'raw', 'small', array_agg('infinity'::timestamp) FROM generate_series(1, 900); UPDATE documents SET note = 'kept' WHERE id = 9`,
    second: `UPDATE documents SET id = 33 WHERE id = 23; UPDATE documents SET id = 43, big = ${long('c')} WHERE id = 33; UPDATE documents SET id = 53 WHERE id = 43;
      BEGIN; DELETE FROM documents WHERE id = 1; UPDATE documents SET note = 'z' WHERE id = 2; COMMIT;
      INSERT INTO documents VALUES (23, 'other', ${long('d')}, NULL); UPDATE documents SET id = 1 WHERE id = 23; UPDATE documents SET big = NULL WHERE id = 4; UPDATE documents SET id = 19 WHERE id = 9`,
    arrays: ['tags'],
  },
  {
    ...{ schema: 'public', table: 'whole' },
    make: `CREATE TABLE whole (a int, b text, v text, PRIMARY KEY (a, b)); INSERT INTO whole VALUES (1, 'x', 'one'), (2, 'y', 'two')`,
    first: `INSERT INTO whole VALUES (3, 'z', 'three'); ALTER TABLE whole REPLICA IDENTITY FULL;
      UPDATE whole SET b = 'moved' WHERE a = 1; UPDATE whole SET a = 5 WHERE a = 3; DELETE FROM whole WHERE a = 2`,
    second: `UPDATE whole SET a = 1, b = 'back' WHERE a = 5; INSERT INTO whole VALUES (5, 'z', 'again'); ALTER TABLE whole REPLICA IDENTITY DEFAULT;
      UPDATE whole SET b = 'end' WHERE b = 'back'`,
  },
  {
    ...{ schema: 'public', table: 'made_again' },
    make: `CREATE TABLE made_again (id int PRIMARY KEY, a int); INSERT INTO made_again VALUES (1, 1)`,
    first: `INSERT INTO made_again VALUES (2, 2)`,
    second: `BEGIN; INSERT INTO made_again VALUES (3, 3); DROP TABLE made_again; CREATE TABLE made_again (b text, id int PRIMARY KEY);
      INSERT INTO made_again VALUES ('new', 1); COMMIT`,
  },
  {
    ...{ schema: 'public', table: 'typed' },
    make: `CREATE TABLE typed (id int2 PRIMARY KEY, a int, n numeric(8,2), w int4, f float4, d date, gone int);
      INSERT INTO typed VALUES (1, 5, 1.25, 7, 0.5, '2024-02-29', 1), (2, 6, 2.5, 8, 1.5, 'infinity', 2)`,
    first: `INSERT INTO typed VALUES (3, 7, 'NaN', 2147483647, 'Infinity', '-infinity', 3)`,
    second: `ALTER TABLE typed ALTER id TYPE int4, ALTER a TYPE text, ALTER n TYPE numeric(12,4), ALTER w TYPE int8, ALTER f TYPE float8, DROP gone, ADD later text;
      INSERT INTO typed VALUES (70000, 'seven', 3.1234, 9007199254740993, 0.25, '0044-03-15', 'x'); UPDATE typed SET later = 'y' WHERE id = 1; UPDATE typed SET n = 9 WHERE id = 3`,
  },
  {
    ...{ schema: 'Odd Schema', table: 'Ünï "quoted" 漢字.x' },
    make: `CREATE SCHEMA "Odd Schema"; CREATE TABLE "Odd Schema"."Ünï ""quoted"" 漢字.x" ("Key ""k""" int PRIMARY KEY, "it's/a~b" text, "ы" text, "$.x" text);
      ALTER TABLE "Odd Schema"."Ünï ""quoted"" 漢字.x" ALTER "it's/a~b" SET STORAGE EXTERNAL, REPLICA IDENTITY FULL;
      INSERT INTO "Odd Schema"."Ünï ""quoted"" 漢字.x" VALUES (1, ${long('o')}, 'x', '$')`,
    first: `ALTER TABLE "Odd Schema"."Ünï ""quoted"" 漢字.x" REPLICA IDENTITY DEFAULT; UPDATE "Odd Schema"."Ünï ""quoted"" 漢字.x" SET "ы" = 'ü'`,
    second: `UPDATE "Odd Schema"."Ünï ""quoted"" 漢字.x" SET "Key ""k""" = 2; ALTER TABLE "Odd Schema"."Ünï ""quoted"" 漢字.x" REPLICA IDENTITY FULL;
      UPDATE "Odd Schema"."Ünï ""quoted"" 漢字.x" SET "Key ""k""" = 3, "$.x" = NULL`,
  },
  {
    ...{ schema: 'Odd Schema', table: 'orders' },
    make: `CREATE TABLE "Odd Schema".orders (id int PRIMARY KEY, "ID" text, dt date, _op text); INSERT INTO "Odd Schema".orders VALUES (1, 'x', '2020-02-02', 'mine')`,
    first: `INSERT INTO "Odd Schema".orders VALUES (2, 'y', NULL, NULL)`,
    second: `DELETE FROM "Odd Schema".orders WHERE id = 1; UPDATE "Odd Schema".orders SET "ID" = 'z'`,
    renamed: { ID: 'ID__2' },
  },
  {
    ...{ schema: 'public', table: 'documents_log' },
    make: `CREATE TABLE documents_log (x0 int PRIMARY KEY, x_lsn text); INSERT INTO documents_log VALUES (1, 'copied')`,
    first: `INSERT INTO documents_log VALUES (2, 'I')`,
    second: `UPDATE documents_log SET x_lsn = 'U'`,
  },
  {
    ...{ schema: 'public', table: 'lines' },
    make: `CREATE TABLE lines (a int, b text); INSERT INTO lines VALUES (1, 'x'), (1, 'x'), (NULL, NULL)`,
    first: `INSERT INTO lines VALUES (1, 'x'), (2, 'y')`,
    second: `BEGIN; TRUNCATE lines; INSERT INTO lines VALUES (3, 'z'), (3, 'z'), (NULL, ''); COMMIT`,
  },
  {
    ...{ schema: 'public', table: 'bags' },
    make: `CREATE TABLE bags (a int, b text, c date, n numeric(6,2), t timestamptz, f float8, y bytea, o bool); ALTER TABLE bags REPLICA IDENTITY FULL;
      INSERT INTO bags SELECT n % 2, 'x', '2024-01-01', 1.5, '2024-01-01 12:00:00.5+00', 0.1, '\\x00ff', true FROM generate_series(1, 6) n`,
    first: `INSERT INTO bags VALUES (7, NULL, 'infinity', 'NaN', 'infinity', 'NaN', NULL, false), (7, NULL, 'infinity', 'NaN', 'infinity', 'NaN', NULL, false);
      UPDATE bags SET b = 'y' WHERE ctid = (SELECT min(ctid) FROM bags WHERE a = 1); DELETE FROM bags WHERE ctid = (SELECT min(ctid) FROM bags WHERE a = 0)`,
    second: `DELETE FROM bags WHERE ctid = (SELECT min(ctid) FROM bags WHERE a = 7); UPDATE bags SET a = 1; UPDATE bags SET b = 'z', y = NULL WHERE b = 'y'; UPDATE bags SET c = '2025-05-05' WHERE c = 'infinity'`,
    bytes: ['y'],
  },
]

/** Its rows as texts, by the names of its columns. */
export type TextRow = Readonly<Record<string, string | null>>

export interface Moment {
  /** `YYYY-MM-DDTHH:MM:SS.ffffffZ`: after the last commit of the moment, before the next. */
  readonly time: string
  /** In the order of the cases. */
  readonly tables: readonly { readonly columns: readonly string[]; readonly rows: readonly TextRow[] }[]
}

/** Streams all of it, with the rows that were there before; the service has ended then. Gives the two moments. */
export async function makeViewLake(rig: Rig): Promise<readonly [Moment, Moment]> {
  const { source } = rig
  for (const { make } of viewCases) await source.query(make)
  await source.query('CREATE PUBLICATION wal_cake_pub FOR ALL TABLES')
  const service = await rig.stream({ SNAPSHOT: 'initial' })
  // While the copies run.
  for (const { first } of viewCases) await source.query(first)
  await service.waitFor(
    'every table to be copied',
    async () => {
      const finished = await finishedCopies(rig)
      return viewCases.every(({ schema, table }) =>
        finished.some((copy) => copy.schema === schema && copy.table === table),
      )
    },
    { timeoutMs: 120_000 },
  )
  const one = await momentOf(rig)
  for (const { second } of viewCases) await source.query(second)
  const two = await momentOf(rig)
  await rig.caughtUp(service)
  assert.equal(await service.stop(), 0)
  await rig.dropSlot()
  return [one, two]
}

async function momentOf({ source }: Rig): Promise<Moment> {
  const tables: Moment['tables'][number][] = []
  for (const { schema, table, renamed = {} } of viewCases) {
    const columns = await source.query<{ name: string }>(
      `SELECT attname AS name FROM pg_attribute WHERE attnum > 0 AND NOT attisdropped AND attrelid = format('%I.%I', $1::text, $2::text)::regclass`,
      [schema, table],
    )
    const named = columns.map(({ name }) => ({ name, shown: renamed[name] ?? name }))
    const texts = named.map(({ name, shown }) => `${quoted(name)}::text AS ${quoted(shown)}`)
    const rows = await source.query<TextRow>(`SELECT ${texts.join(', ')} FROM ${quoted(schema)}.${quoted(table)}`)
    tables.push({ columns: named.map(({ shown }) => shown), rows })
  }
  // Commits of before and after have other times.
  const [{ time } = { time: '' }] = await source.query<{ time: string }>(
    `SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS time FROM pg_sleep(0.002)`,
  )
  await source.query('SELECT pg_sleep(0.002)')
  return { time, tables }
}

const LONG = 200

/** In one order, whatever the rows' own is, and in one form, whatever the engine's is. */
export function sorted(rows: readonly TextRow[]): string[] {
  return rows
    .map((row) => Object.entries(row).map(([name, text]) => [name, text === null ? null : inOneForm(text)] as const))
    .map((row) => JSON.stringify(row.sort(([a], [b]) => (a < b ? -1 : 1))))
    .sort()
}

/** Times without their zone, which is UTC; decimals without the scale that their column has now. */
function inOneForm(text: string): string {
  // So that a failure can be read.
  if (text.length > LONG) return `${createHash('sha256').update(text).digest('hex')} (${text.length})`
  if (text === 'inf') return 'Infinity'
  if (text === 'nan') return 'NaN'
  if (/^-?\d\.\d+E-?\d+$/.test(text)) return String(Number(text))
  if (/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?(\+00)?$/.test(text))
    return text
      .replace('+00', '')
      .replace(/(\.\d*?)0+$/, '$1')
      .replace(/\.$/, '')
  return /^-?\d+\.\d+$/.test(text) ? text.replace(/\.?0+$/, '') : text
}
