// The backlogs that are drained: what their tables are, what has been written to them, and how fast we must be at least.
import { fillOrders, ordersTable } from './orders.js'

export interface BacklogCase {
  readonly name: string
  /** Tables, and the publication `bench`. */
  readonly tables: string
  /** What is there before the slot. */
  readonly before?: string
  /** What is written then; each a statement of its own. */
  readonly load: readonly string[]
  /** Rows that the lake gets of it. */
  readonly rows: number
  /** How the program reaches the server; absent: by TCP. */
  readonly link?: 'unix' | 'tls'
  /** The lake is a bucket of a real store on this machine, whose work counts against us; absent: a folder. */
  readonly bucket?: true
  /** Of pg_recvlogical's speed: below this the bench fails. Half of what idle cores give, so that noise does not fail it. */
  readonly least: number
}

/** A type without a binary form in some published column makes the server send everything as text. */
const textOnly = 'CREATE TABLE texts (id bigserial PRIMARY KEY, value aclitem); '
const publication = 'CREATE PUBLICATION bench FOR ALL TABLES; '
const orders = `${ordersTable} ${publication}`
const thousandARow = [fillOrders(1_000, 1_000)]

function times(count: number, of: (k: number) => string, separator = ', '): string {
  return Array.from({ length: count }, (_, k) => of(k + 1)).join(separator)
}

/** Runs `body`, in which the loop's number is `i`, in transactions of its own. */
function transactions(count: number, body: string): string {
  return `DO $$ BEGIN FOR i IN 1..${count} LOOP ${body} COMMIT; END LOOP; END $$`
}

const wideColumns = 100
const wideValue = ['i * 7 + r', "'value ' || (random() * 1000)::int", 'random()', 'random() < 0.5']
const wideType = ['bigint', 'text', 'float8', 'boolean']

const manyTables = 500

export const backlogCases: readonly BacklogCase[] = [
  { name: 'orders', tables: orders, load: thousandARow, rows: 1_000_000, least: 0.8 },
  { name: 'orders into S3', tables: orders, load: thousandARow, rows: 1_000_000, bucket: true, least: 0.8 },
  { name: 'orders over a Unix socket', tables: orders, load: thousandARow, rows: 1_000_000, link: 'unix', least: 0.7 },
  { name: 'orders over TLS', tables: orders, load: thousandARow, rows: 1_000_000, link: 'tls', least: 0.7 },
  { name: 'orders in text mode', tables: textOnly + orders, load: thousandARow, rows: 1_000_000, least: 0.7 },
  {
    name: 'transactions of a single row',
    tables: orders,
    load: [fillOrders(200_000, 1)],
    rows: 200_000,
    least: 1,
  },
  {
    name: '100 columns',
    tables: `CREATE TABLE wide (id bigserial PRIMARY KEY, ${times(wideColumns - 1, (k) => `c${k} ${wideType[k % 4]}`)}); ${publication}`,
    load: [
      transactions(
        100,
        `INSERT INTO wide (${times(wideColumns - 1, (k) => `c${k}`)})
         SELECT ${times(wideColumns - 1, (k) => wideValue[k % 4]!)} FROM generate_series(1, 1000) r;`,
      ),
    ],
    rows: 100_000,
    least: 0.4,
  },
  {
    name: 'texts of 2 KB',
    tables: `CREATE TABLE documents (id bigserial PRIMARY KEY, body text NOT NULL); ALTER TABLE documents ALTER body SET STORAGE PLAIN; ${publication}`,
    load: [
      transactions(
        200,
        `INSERT INTO documents (body) SELECT (SELECT string_agg(md5(random()::text), ' ') FROM generate_series(1, 60) WHERE r > 0)
           FROM generate_series(1, 1000) r;`,
      ),
    ],
    rows: 200_000,
    least: 0.4,
  },
  {
    name: 'updates under REPLICA IDENTITY FULL',
    tables: `${ordersTable} ALTER TABLE orders REPLICA IDENTITY FULL; ${publication}`,
    before: fillOrders(100, 1_000),
    load: [
      transactions(
        300,
        'UPDATE orders SET amount = amount + 1 WHERE id BETWEEN (i % 100) * 1000 + 1 AND (i % 100 + 1) * 1000;',
      ),
    ],
    rows: 300_000,
    least: 0.4,
  },
  {
    name: "pgbench's tables and transactions",
    tables: `
      CREATE TABLE pgbench_branches (bid int PRIMARY KEY, bbalance int, filler char(88));
      CREATE TABLE pgbench_tellers (tid int PRIMARY KEY, bid int, tbalance int, filler char(84));
      CREATE TABLE pgbench_accounts (aid int PRIMARY KEY, bid int, abalance int, filler char(84));
      CREATE TABLE pgbench_history (tid int, bid int, aid int, delta int, mtime timestamp, filler char(22)); ${publication}`,
    before: `
      INSERT INTO pgbench_branches SELECT i, 0, '' FROM generate_series(1, 10) i;
      INSERT INTO pgbench_tellers SELECT i, (i - 1) / 10 + 1, 0, '' FROM generate_series(1, 100) i;
      INSERT INTO pgbench_accounts SELECT i, (i - 1) / 10000 + 1, 0, '' FROM generate_series(1, 100000) i;`,
    load: [
      transactions(
        60_000,
        `UPDATE pgbench_accounts SET abalance = abalance + i % 100 WHERE aid = i * 7919 % 100000 + 1;
         UPDATE pgbench_tellers SET tbalance = tbalance + i % 100 WHERE tid = i % 100 + 1;
         UPDATE pgbench_branches SET bbalance = bbalance + i % 100 WHERE bid = i % 10 + 1;
         INSERT INTO pgbench_history VALUES (i % 100 + 1, i % 10 + 1, i * 7919 % 100000 + 1, i % 100, now(), '');`,
      ),
    ],
    rows: 240_000,
    least: 0.7,
  },
  {
    name: `${manyTables} tables at once`,
    tables: `${times(manyTables, (k) => `CREATE TABLE t${k} (id bigserial PRIMARY KEY, name text, at timestamptz)`, '; ')}; ${publication}`,
    load: [
      transactions(
        400,
        times(manyTables, (k) => `INSERT INTO t${k} (name, at) VALUES ('row ' || i, now())`, '; ') + ';',
      ),
    ],
    rows: 400 * manyTables,
    least: 0.2,
  },
]
