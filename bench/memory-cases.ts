// What the memory bench puts the service through: the loads that are hardest on memory, each with its settings.
import type pg from 'pg'
import { fillOrders, ordersTable } from './orders.js'

const MIB = 1 << 20

export interface MemoryCase {
  readonly name: string
  /** `slow bucket`: the store takes 1 MB/s. */
  readonly store: 'folder' | 'bucket' | 'slow bucket'
  readonly limitMiB: number
  readonly env?: Readonly<Record<string, string>>
  /** Bytes of the largest messages that the server sends at the same time; absent where rows are small. */
  readonly rowBytes?: number
  /** While rows are copied. */
  readonly workers?: number
  /** Written in one batch, where there are thousands. */
  readonly tables?: number
  /** Tables that are copied: then they are loaded before the program starts. */
  readonly copied?: readonly string[]
  readonly prepare: string
  /** Committed when it returns; the bench then waits until the lake has it. */
  readonly load: (client: pg.Client) => Promise<void>
}

/** Incompressible, and made only once. */
function noise(bytes: number): Buffer {
  const buffer = Buffer.allocUnsafe(bytes)
  let state = 0x9e3779b9
  for (let at = 0; at + 4 <= bytes; at += 4) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    buffer.writeInt32LE(state, at)
  }
  return buffer
}

const ROW_BYTES = 200_000_000

function largeTransaction(rows: number): Pick<MemoryCase, 'prepare' | 'load'> {
  return {
    prepare: 'CREATE TABLE rows (id bigint PRIMARY KEY, note text, amount numeric(12,2), at timestamptz)',
    load: async (client) => {
      await client.query(`INSERT INTO rows
        SELECT g, md5(g::text), g * 0.25, timestamptz '2026-01-01' + g * interval '1 ms' FROM generate_series(1, ${rows}) g`)
    },
  }
}

/** `text` has half of its bits random; pglz would only cost the bench time. */
const blobs = `CREATE TABLE blobs (id int PRIMARY KEY, data bytea, note text);
  ALTER TABLE blobs ALTER data SET STORAGE EXTERNAL, ALTER note SET STORAGE EXTERNAL`

async function insertBytes(client: pg.Client, rows: number, data: Buffer): Promise<void> {
  for (let id = 1; id <= rows; id++) await client.query('INSERT INTO blobs (id, data) VALUES ($1, $2)', [id, data])
}

async function insertText(client: pg.Client, rows: number): Promise<void> {
  for (let id = 1; id <= rows; id++)
    await client.query(
      `INSERT INTO blobs (id, note) SELECT $1, string_agg(md5((g * $1)::text), '') FROM generate_series(1, ${ROW_BYTES / 32}) g`,
      [id],
    )
}

const TABLES = 5_000
const columns = (from: number, to: number, type: string): string =>
  Array.from({ length: to - from + 1 }, (_, k) => `c${from + k} ${type}`).join(', ')

function manyTables(rows: number, batches: number): Pick<MemoryCase, 'tables' | 'prepare' | 'load'> {
  return {
    tables: TABLES,
    prepare: `DO $$ BEGIN FOR n IN 1..${TABLES} LOOP
      EXECUTE format('CREATE TABLE t%s (id int PRIMARY KEY, a int, b bigint, c text, d text, e numeric(12,2), f timestamptz, g boolean, h float8, i uuid)', n);
      IF n % 500 = 0 THEN COMMIT; END IF; END LOOP; END $$`,
    load: async (client) => {
      for (let batch = 0; batch < batches; batch++)
        await client.query(`DO $$ BEGIN FOR n IN 1..${TABLES} LOOP
          EXECUTE format('INSERT INTO t%s SELECT g, g, g, ''row'' || g, md5(g::text), g * 0.5, now(), true, g / 3.0, gen_random_uuid() FROM generate_series(${batch * rows + 1}, ${(batch + 1) * rows}) g', n);
          END LOOP; END $$`)
    },
  }
}

const many: Pick<MemoryCase, 'prepare' | 'load'> = {
  prepare: 'CREATE TABLE rows (id bigserial PRIMARY KEY, note text)',
  load: async (client) => {
    for (let k = 0; k < 2_000; k++)
      await client.query(`INSERT INTO rows (note) SELECT md5(g::text) FROM generate_series(1, 200) g`)
  },
}

const WORKERS = 4

const copying: Pick<MemoryCase, 'env' | 'workers'> = { env: { SNAPSHOT_WORKERS: String(WORKERS) }, workers: WORKERS }

/** As many tables as are copied at the same time, each with so many values that do not compress. */
function copiedValues(
  rows: number,
  bytes: number,
): Pick<MemoryCase, 'env' | 'workers' | 'rowBytes' | 'copied' | 'prepare' | 'load'> {
  const tables = Array.from({ length: WORKERS }, (_, k) => `blobs_${k}`)
  return {
    ...copying,
    rowBytes: WORKERS * bytes,
    copied: tables.map((table) => `public.${table}`),
    prepare: blobs,
    load: async (client) => {
      await insertBytes(client, rows, noise(bytes))
      for (const table of tables)
        await client.query(`CREATE TABLE ${table} (LIKE blobs INCLUDING ALL); INSERT INTO ${table} SELECT * FROM blobs`)
      await client.query('TRUNCATE blobs')
    },
  }
}

const copiedRows: Pick<MemoryCase, 'env' | 'workers' | 'copied' | 'prepare' | 'load'> = {
  ...copying,
  copied: ['public.orders'],
  prepare: ordersTable,
  load: async (client) => {
    await client.query(fillOrders(200, 10_000))
  },
}

export const memoryCases: readonly MemoryCase[] = [
  { name: 'idle', store: 'folder', limitMiB: 128, prepare: 'SELECT 1', load: () => Promise.resolve() },
  { name: '20 M rows in one transaction', store: 'folder', limitMiB: 128, ...largeTransaction(20_000_000) },
  { name: '20 M rows in one transaction', store: 'bucket', limitMiB: 128, ...largeTransaction(20_000_000) },
  { name: '5 M rows in one transaction', store: 'bucket', limitMiB: 32, ...largeTransaction(5_000_000) },
  {
    name: 'four rows of 200 MB, bytea, binary',
    store: 'folder',
    limitMiB: 128,
    rowBytes: ROW_BYTES,
    prepare: blobs,
    load: (client) => insertBytes(client, 4, noise(ROW_BYTES)),
  },
  {
    name: 'four rows of 200 MB, bytea, binary',
    store: 'bucket',
    limitMiB: 128,
    rowBytes: ROW_BYTES,
    prepare: blobs,
    load: (client) => insertBytes(client, 4, noise(ROW_BYTES)),
  },
  {
    name: 'four rows of 200 MB, bytea, text mode',
    store: 'folder',
    limitMiB: 128,
    rowBytes: 2 * ROW_BYTES,
    prepare: `${blobs}, ADD extra tsvector`,
    load: (client) => insertBytes(client, 4, noise(ROW_BYTES)),
  },
  {
    name: 'four rows of 200 MB, bytea, all zero',
    store: 'folder',
    limitMiB: 128,
    rowBytes: ROW_BYTES,
    prepare: blobs,
    load: (client) => insertBytes(client, 4, Buffer.alloc(ROW_BYTES)),
  },
  {
    name: 'four rows of 200 MB, text',
    store: 'folder',
    limitMiB: 32,
    rowBytes: ROW_BYTES,
    prepare: blobs,
    load: (client) => insertText(client, 4),
  },
  {
    name: 'update of a row of 200 MB with its old one, text',
    store: 'folder',
    limitMiB: 128,
    rowBytes: 2 * ROW_BYTES,
    prepare: `${blobs}, REPLICA IDENTITY FULL`,
    load: async (client) => {
      await insertText(client, 1)
      await client.query(`UPDATE blobs SET note = note || 'x'`)
    },
  },
  {
    name: 'update of a row of 200 MB with its old one, bytea',
    store: 'folder',
    limitMiB: 128,
    rowBytes: 2 * ROW_BYTES,
    prepare: `${blobs}, REPLICA IDENTITY FULL`,
    load: async (client) => {
      await insertBytes(client, 1, noise(ROW_BYTES))
      await client.query(`UPDATE blobs SET data = data || 'x'`)
    },
  },
  { name: '5,000 tables, 1 row each, 4 batches', store: 'folder', limitMiB: 128, ...manyTables(1, 4) },
  { name: '5,000 tables, 1 row each, 4 batches', store: 'bucket', limitMiB: 32, ...manyTables(1, 4) },
  { name: '5,000 tables, 100 rows each, 4 batches', store: 'folder', limitMiB: 128, ...manyTables(100, 4) },
  { name: '3 M rows at 1 MB/s', store: 'slow bucket', limitMiB: 128, ...largeTransaction(3_000_000) },
  {
    name: '2 M rows in transactions of 1,000 at 1 MB/s',
    store: 'slow bucket',
    limitMiB: 32,
    prepare: largeTransaction(0).prepare,
    load: async (client) => {
      await client.query(`DO $$ BEGIN FOR n IN 0..1999 LOOP
        INSERT INTO rows SELECT g, md5(g::text), g * 0.25, now() FROM generate_series(n * 1000 + 1, n * 1000 + 1000) g;
        COMMIT; END LOOP; END $$`)
    },
  },
  {
    name: 'rows of 1,600 columns',
    store: 'folder',
    limitMiB: 128,
    prepare: `CREATE TABLE wide (c1 int PRIMARY KEY, ${columns(2, 800, 'int')}, ${columns(801, 1600, 'text')})`,
    load: async (client) => {
      const values = Array.from({ length: 1600 }, (_, k) => (k < 800 ? 'g' : k % 3 === 0 ? 'NULL' : `'v' || g`))
      for (let n = 0; n < 30; n++)
        await client.query(
          `INSERT INTO wide SELECT ${values.join(',')} FROM generate_series(${n * 1000 + 1}, ${n * 1000 + 1000}) g`,
        )
    },
  },
  {
    name: '100 columns, mostly NULL',
    store: 'folder',
    limitMiB: 128,
    prepare: `CREATE TABLE wide (c1 int PRIMARY KEY, ${columns(2, 50, 'int')}, ${columns(51, 100, 'text')})`,
    load: async (client) => {
      await client.query(`INSERT INTO wide (c1, c7, c77, c99)
        SELECT g, nullif(g % 3, 0), CASE WHEN g % 5 = 0 THEN md5(g::text) END, CASE WHEN g % 2 = 0 THEN 'v' || g END
        FROM generate_series(1, 2000000) g`)
    },
  },
  { name: 'a copy of 2 M rows', store: 'folder', limitMiB: 32, ...copiedRows },
  { name: 'a copy of 2 M rows', store: 'bucket', limitMiB: 128, ...copiedRows },
  { name: 'a copy of 4 x 500 values of 1 MB', store: 'folder', limitMiB: 32, ...copiedValues(500, 1_000_000) },
  { name: 'a copy of 4 x 500 values of 1 MB', store: 'bucket', limitMiB: 128, ...copiedValues(500, 1_000_000) },
  { name: 'a copy of 4 x 2 rows of 200 MB', store: 'folder', limitMiB: 128, ...copiedValues(2, ROW_BYTES) },
  {
    name: 'a copy of 100 columns',
    store: 'folder',
    limitMiB: 32,
    ...copying,
    copied: ['public.wide'],
    prepare: `CREATE TABLE wide (c1 int PRIMARY KEY, ${columns(2, 50, 'int')}, ${columns(51, 100, 'text')})`,
    load: async (client) => {
      const values = Array.from({ length: 100 }, (_, k) => (k < 50 ? `g + ${k}` : `md5((g + ${k})::text)`))
      await client.query(`INSERT INTO wide SELECT ${values.join(',')} FROM generate_series(1, 200000) g`)
    },
  },
  { name: '2,000 batches', store: 'folder', limitMiB: 128, env: { FLUSH_BYTES: '1KiB' }, ...many },
  { name: '2,000 batches', store: 'bucket', limitMiB: 128, env: { FLUSH_BYTES: '1KiB' }, ...many },
]

export const mib = (bytes: number): number => Math.round(bytes / MIB)
