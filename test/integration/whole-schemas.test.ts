// Schemas that nobody here has thought up, with what their applications do: the lake is the server's log change by change,
// and comes to the same tables. The server is the oracle both times.
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import pg from 'pg'
import { auditLog } from '../support/log-audit.js'
import { makeRig, type Rig, type Source } from '../support/rig.js'
import { chinook } from '../support/schemas/chinook.js'
import { northwind } from '../support/schemas/northwind.js'
import { pagila } from '../support/schemas/pagila.js'
import { pgbench } from '../support/schemas/pgbench.js'
import { tpch } from '../support/schemas/tpch.js'
import type { WholeSchema } from '../support/schemas/whole-schema.js'
import { major } from '../support/table-kind.js'
import { assertStateIsTable, type StateOfTable } from '../support/table-state.js'
import { makeDecodingSlot, readTransactions, type DecodedTransaction } from '../support/test-decoding.js'
import { compareWithLog, readLakeRows } from '../support/wal-oracle.js'

for (const schema of [pagila, northwind, chinook, pgbench, tpch])
  test(`G1 G4 G7 G8: ${schema.name}, change by change and table by table`, async (t) => {
    const rig = await makeRig(t)
    await rig.source.query(schema.made)
    const oracle = `oracle_${rig.slot}`
    await makeDecodingSlot(rig.source, oracle)
    await stream(rig, schema)
    await auditLog(rig.lake, rig.slot)
    await compare(t, rig, schema, await asPublished(rig.source, await readTransactions(rig.source, oracle)))
    await rig.source.query('SELECT pg_drop_replication_slot($1)', [oracle])
    await rig.dropSlot()
  })

async function stream(rig: Rig, { seed, sessions = [], work, mode }: WholeSchema): Promise<void> {
  const service = await rig.stream({ FLUSH_INTERVAL: '300ms' })
  const [streaming] = service.logged('streaming')
  assert.equal(streaming?.mode, (await major(rig)) < 14 ? 'text' : mode)
  for (const transaction of seed) await rig.source.query(transaction)
  await Promise.all(sessions.map((transactions) => runSession(rig.source.url, transactions)))
  for (const transaction of work) await rig.source.query(transaction)
  await rig.caughtUp(service)
  assert.equal(await service.stop(), 0)
}

async function runSession(url: string, transactions: readonly string[]): Promise<void> {
  const client = new pg.Client({ connectionString: url, application_name: 'wal-cake test session' })
  await client.connect()
  try {
    for (const transaction of transactions) await client.query(transaction)
  } finally {
    await client.end()
  }
}

async function compare(
  t: TestContext,
  rig: Rig,
  { unchanged }: WholeSchema,
  logged: readonly DecodedTransaction[],
): Promise<void> {
  const tables = await tablesOf(rig.source)
  const rows = await readLakeRows(rig.lake)
  const counts = compareWithLog(logged, rows, (table) => tables.find((known) => known.table === table)?.key ?? [])
  assert.deepEqual(counts.problems, [], `of ${counts.rows} rows ${counts.lost} are lost, ${counts.twice} twice`)
  const operations = logged.flatMap(({ changes }) => changes.map(({ op }) => op))
  for (const op of ['I', 'U', 'D', 'T'] as const) assert.ok(operations.includes(op), `something is written as ${op}`)
  const kept = new Set(rows.flatMap((row) => row.unchanged))
  assert.deepEqual([...kept].sort(), unchanged, 'columns that are not sent')
  const written = new Set(rows.map(({ table }) => table))
  let left = 0
  for (const table of tables) {
    assert.ok(written.has(table.table), `${table.table} is written`)
    left += await assertStateIsTable(rig.source, rows, table)
  }
  t.diagnostic(`${tables.length} tables: ${counts.rows} changes in ${counts.transactions} transactions, ${left} rows`)
}

/** All tables, partitioned ones as one, with every column. */
async function tablesOf(source: Source): Promise<StateOfTable[]> {
  return source.query<StateOfTable>(
    `SELECT nspname || '.' || relname AS table,
       ARRAY(SELECT attname::text FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped ORDER BY attnum) AS columns,
       ARRAY(SELECT attname::text FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY (indkey)
              WHERE indrelid = c.oid AND indisprimary ORDER BY attnum) AS key
       FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
      WHERE relkind IN ('r', 'p') AND NOT relispartition AND nspname <> 'information_schema' AND nspname !~ '^pg_' ORDER BY 1`,
  )
}

/** The log knows partitions; they are published as the table that they are parts of, which a truncate names too. */
async function asPublished(
  source: Source,
  transactions: readonly DecodedTransaction[],
): Promise<readonly DecodedTransaction[]> {
  const partitions = await source.query<{ part: string; whole: string }>(
    `SELECT pn.nspname || '.' || p.relname AS part, wn.nspname || '.' || w.relname AS whole
       FROM pg_class p JOIN pg_namespace pn ON pn.oid = p.relnamespace
       JOIN pg_class w ON w.oid = pg_partition_root(p.oid) JOIN pg_namespace wn ON wn.oid = w.relnamespace
      WHERE p.relispartition`,
  )
  const wholes = new Map(partitions.map(({ part, whole }) => [part, whole]))
  return transactions.map((transaction) => ({
    ...transaction,
    changes: transaction.changes
      .filter(({ op, table }) => op !== 'T' || !wholes.has(table))
      .map((change) => ({ ...change, table: wholes.get(change.table) ?? change.table })),
  }))
}
