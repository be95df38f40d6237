// Ten thousand small tables are copied in one go: the time for each does not grow with their number.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { auditLog } from '../support/log-audit.js'
import { makeRig } from '../support/rig.js'

const TABLES = 10_000
const ROWS = 3
/** Tables to a batch, on average. */
const LEAST_A_BATCH = 5
const PATIENCE = { timeoutMs: 1_200_000, everyMs: 500 }

test(`${TABLES} small tables are copied`, async (t) => {
  const rig = await makeRig(t, { lake: 'folder' })
  await rig.source.query(`DO $$ BEGIN FOR n IN 1..${TABLES} LOOP
    EXECUTE format('CREATE TABLE t%s (id int PRIMARY KEY, v text)', n);
    EXECUTE format('INSERT INTO t%s SELECT g, ''v'' || g FROM generate_series(1, ${ROWS}) g', n);
    IF n % 100 = 0 THEN COMMIT; END IF; END LOOP; END $$`)
  const service = await rig.stream({ SNAPSHOT: 'initial', LOG_LEVEL: 'info' })
  const began = performance.now()
  // And `marks`.
  await service.waitFor('all to be copied', () => service.logged('table copied').length > TABLES, PATIENCE)
  const seconds = (performance.now() - began) / 1000
  await rig.caughtUp(service)
  assert.equal(await service.stop(), 0)
  const { commits } = await auditLog(rig.lake, rig.slot)
  const batches = commits.filter(({ kind }) => kind === 'copy').length
  const keys = (await rig.lake.keys()).length
  t.diagnostic(`${TABLES} tables in ${seconds.toFixed(1)} s and ${batches} batches; ${keys} objects in the lake`)
  assert.ok(batches * LEAST_A_BATCH <= TABLES, `${batches} batches`)
  const [found] = await rig.lake.query(
    `SELECT count(*) AS rows, count(DISTINCT filename) AS files, count(*) FILTER (_op = 'S' AND v = 'v' || id) AS exact
       FROM read_parquet('${rig.lake.path('data/public')}/t*/**/*.parquet', filename = true)`,
  )
  const rows = BigInt(TABLES * ROWS)
  assert.deepEqual(found, { rows, files: BigInt(TABLES), exact: rows })
  await rig.dropSlot()
})
