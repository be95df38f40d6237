// The loads that are hardest on memory, each many times as large as what the process may hold: its peak, as the kernel counts
// it, stays under what docs/memory.md promises, and every row is in the lake once (G10). In a soak at full size.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { auditLog, type AuditedLog } from '../support/log-audit.js'
import { assertMemoryBound } from '../support/memory-bound.js'
import { memoryUncounted } from '../support/memory-watch.js'
import { makeRig, type Rig } from '../support/rig.js'
import type { Service } from '../support/service.js'
import { unlessSoaking } from '../support/soak.js'

const MIB = 1 << 20
const TRANSACTION_ROWS = unlessSoaking(1_000_000, 20_000_000)
const TABLES = unlessSoaking(1_000, 5_000)
/** Only for a program that has stopped moving. */
const PATIENCE = { timeoutMs: unlessSoaking(200_000, 1_200_000), everyMs: 100 }
const LIMIT = { MEMORY_LIMIT: '16MiB' }
const limitBytes = 16 * MIB

test(
  `G10: a transaction of ${TRANSACTION_ROWS} rows, many times the limit, leaves in several files of one batch`,
  { skip: memoryUncounted },
  async (t) => {
    const rig = await makeRig(t)
    await rig.source.query('CREATE TABLE rows (id bigint PRIMARY KEY, note text, amount numeric(12,2), at timestamptz)')
    const service = await rig.stream(LIMIT)
    await rig.source.query(
      `INSERT INTO rows SELECT g, md5(g::text), g * 0.25, timestamptz '2026-01-01' + g * interval '1 ms'
         FROM generate_series(1, $1) g`,
      [TRANSACTION_ROWS],
    )
    await rig.caughtUp(service, PATIENCE)
    await assertMemoryBound(t, service, { limitBytes })
    const { commits } = await stopped(rig, service)
    const batch = commits.find(({ rows }) => rows >= TRANSACTION_ROWS)
    const files = batch?.files.filter(({ table }) => table === 'rows') ?? []
    assert.ok(files.length >= 5, `in ${files.length} files of one batch`)
    const [found] = await rig.lake.query(
      `SELECT count(*) AS rows, count(DISTINCT _seq) AS changes, count(DISTINCT _lsn) AS commits, count(DISTINCT id) AS ids,
         max(id) AS last, count(*) FILTER (note = md5(id::varchar) AND amount = id * 0.25 AND epoch_ms("at") = epoch_ms(TIMESTAMP '2026-01-01') + id) AS exact
         FROM ${rig.lake.from('public.rows')}`,
    )
    const all = BigInt(TRANSACTION_ROWS)
    assert.deepEqual(found, { rows: all, changes: all, commits: 1n, ids: all, last: all, exact: all })
  },
)

test(`G10: ${TABLES} tables in one batch`, { skip: memoryUncounted }, async (t) => {
  const rig = await makeRig(t, { lake: 'folder' })
  // Without a key a table takes one lock, and a transaction may take so many.
  const each = (statement: string) =>
    rig.source.query(`DO $$ BEGIN FOR n IN 1..${TABLES} LOOP ${statement} END LOOP; END $$`)
  await each(
    `EXECUTE format('CREATE TABLE t%s (id int, a bigint, b varchar(40), c numeric(12,2), d timestamptz, e uuid)', n);
     EXECUTE format('ALTER TABLE t%s REPLICA IDENTITY FULL', n); IF n % 100 = 0 THEN COMMIT; END IF;`,
  )
  const service = await rig.stream(LIMIT)
  await each(
    `EXECUTE format('INSERT INTO t%s SELECT g, g, md5(g::text), g * 0.5, now(), gen_random_uuid() FROM generate_series(1, 2) g', n);`,
  )
  await rig.caughtUp(service, PATIENCE)
  await assertMemoryBound(t, service, { limitBytes, tables: TABLES })
  const { commits } = await stopped(rig, service)
  const batch = commits.find(({ rows }) => rows >= 2 * TABLES)
  const written = new Set(batch?.files.map(({ table }) => table).filter((table) => table !== 'marks'))
  assert.equal(written.size, TABLES, 'tables in one batch')
  const [found] = await rig.lake.query(
    `SELECT count(*) AS rows, count(DISTINCT (_lsn, _seq)) AS changes, count(*) FILTER (b = md5(id::varchar)) AS exact
       FROM read_parquet('${rig.lake.path('data/public')}/t*/**/*.parquet')`,
  )
  const all = BigInt(2 * TABLES)
  assert.deepEqual(found, { rows: all, changes: all, exact: all })
})

/** Ends the program; every file is in its log, once and as it says. */
async function stopped(rig: Rig, service: Service): Promise<AuditedLog> {
  assert.equal(await service.stop(), 0)
  return auditLog(rig.lake, rig.slot)
}
