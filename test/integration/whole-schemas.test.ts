// Whole schemas that everybody knows, with the work that is done on them: each table of the lake is held against the table of
// the server, every column in the server's own text form, and its changes against an independent decoding of the same log.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import pg from 'pg'
import { auditLog } from '../support/log-audit.js'
import { makeRig, type Rig, type Source } from '../support/rig.js'
import { chinook } from '../support/schemas/chinook.js'
import { northwind } from '../support/schemas/northwind.js'
import { pagila } from '../support/schemas/pagila.js'
import { pgbench } from '../support/schemas/pgbench.js'
import { assertTableAsText, tablesOf } from '../support/schemas/tables-as-text.js'
import { tpch } from '../support/schemas/tpch.js'
import type { WholeSchema } from '../support/schemas/whole-schema.js'
import { major } from '../support/table-kind.js'
import { makeDecodingSlot, readTransactions } from '../support/test-decoding.js'

const FIRST_BINARY_MAJOR = 14

for (const schema of [pagila, northwind, chinook, pgbench, tpch])
  test(`G2 G4 G7: ${schema.name}, table by table`, async (t) => {
    const rig = await makeRig(t, { lake: schema.lake })
    const { source, lake } = rig
    await source.query(schema.made)
    // Made by hand, since one table of pgbench has no key.
    const publication = `CREATE PUBLICATION wal_cake_pub FOR ALL TABLES WITH (publish_via_partition_root = true)`
    await source.query(publication)
    const decoded = `${rig.slot}_log`
    await makeDecodingSlot(source, decoded)
    const service = await rig.stream({ FLUSH_INTERVAL: '300ms' })
    await work(source, schema)
    await rig.caughtUp(service)
    assert.equal(await service.stop(), 0)

    const [streaming, ...others] = service.logged('streaming')
    const inText = schema.onlyInText !== undefined || (await major(rig)) < FIRST_BINARY_MAJOR
    assert.deepEqual([streaming?.mode, others], [inText ? 'text' : 'binary', []])
    if (schema.onlyInText !== undefined && (await major(rig)) >= FIRST_BINARY_MAJOR)
      assert.match(String(streaming?.why_text), new RegExp(`${schema.onlyInText} has the type`))
    const { rows } = await auditLog(lake, rig.slot)
    const logged = await loggedCounts(source, decoded)
    assert.deepEqual(await countsOf(rig), logged, 'changes of each table by operation')
    const all = Object.values(logged).flatMap((counts) => Object.values(counts))
    assert.equal(
      rows,
      all.reduce((sum, count) => sum + count, 0),
      'rows that the commits list',
    )
    const tables = await tablesOf(source)
    assert.deepEqual(
      tables.map(({ name }) => name).filter((name) => !(name in logged)),
      [],
      'tables without a change',
    )
    assert.deepEqual(
      (schema.absent ?? []).filter((name) => name in logged),
      [],
    )
    for (const [table, column] of Object.entries(schema.unchanged ?? {}))
      assert.ok((await lake.rows(table)).some(({ _unchanged }) => _unchanged === JSON.stringify([column])))
    for (const table of tables) await t.test(table.name, () => assertTableAsText(source, lake, table))
    await rig.dropSlot()
  })

/** Sessions have connections of their own. */
async function work(source: Source, schema: WholeSchema): Promise<void> {
  for (const step of schema.work)
    if (typeof step === 'string') await source.query(step)
    else await Promise.all(step.map((transactions) => inSession(source.url, transactions)))
}

async function inSession(url: string, transactions: readonly string[]): Promise<void> {
  const client = new pg.Client({ connectionString: url, application_name: 'wal-cake test session' })
  await client.connect()
  try {
    for (const transaction of transactions) await client.query(transaction)
  } finally {
    await client.end()
  }
}

/** Of each table, how many of each operation. */
type Counts = Record<string, Record<string, number>>

async function countsOf({ lake }: Rig): Promise<Counts> {
  const counts: Counts = {}
  await lake.noDoubles()
  for (const table of await lake.tables())
    for (const { _op, n } of await lake.query(`SELECT _op, count(*) AS n FROM ${lake.from(table)} GROUP BY ALL`))
      counts[table] = { ...counts[table], [String(_op)]: Number(n) }
  return counts
}

/** What the server's log comes to by the contract: partitions are the whole table, and a changed key is a D and a U. */
async function loggedCounts(source: Source, slot: string): Promise<Counts> {
  const partitions = await source.query<{ part: string; whole: string }>(
    `SELECT 'public.' || inhrelid::regclass AS part, 'public.' || inhparent::regclass AS whole
       FROM pg_inherits JOIN pg_class ON oid = inhrelid WHERE relkind = 'r' AND relispartition`,
  )
  const wholeOf = new Map(partitions.map(({ part, whole }) => [part, whole]))
  const counts: Counts = {}
  for (const { op, table, old } of (await readTransactions(source, slot)).flatMap(({ changes }) => changes)) {
    const whole = wholeOf.get(table)
    // A truncate names the whole table beside its partitions.
    if (op === 'T' && whole !== undefined) continue
    const ofTable = (counts[whole ?? table] ??= {})
    for (const each of op === 'U' && old !== undefined ? ['D', 'U'] : [op]) ofTable[each] = (ofTable[each] ?? 0) + 1
  }
  return counts
}
