// A table of millions of rows is copied while thousands of its rows change every second, at rest and killed again and again: the
// current state in the lake is the table, row for row.
import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { test, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { auditLog } from '../support/log-audit.js'
import { createOrders, loadOrders, orders } from '../support/orders.js'
import { makeRig, type Rig } from '../support/rig.js'
import type { LogLine, Service } from '../support/service.js'
import { SteadyChanges } from '../support/steady-changes.js'
import { assertLakeIsTable } from '../support/table-comparison.js'

const TRANSACTIONS = 500
const ROWS_PER_TRANSACTION = 10_000
const ROWS = TRANSACTIONS * ROWS_PER_TRANSACTION
const CHANGES_PER_SECOND = 2_000
/** Of the rate, what has to be reached. */
const NEAR = 0.95
const KILLS = 10
/** From the begin of a copy to its kill: ten of them are shorter than a whole copy. */
const LONGEST_LIFE_MS = 4_000
const env = { SNAPSHOT: 'initial', SNAPSHOT_WORKERS: '2', FLUSH_INTERVAL: '1s', LOG_LEVEL: 'info' }
/** Only for a program that has stopped moving. */
const PATIENCE = { timeoutMs: 900_000, everyMs: 500 }

const isWhole = ({ msg, table }: LogLine): boolean => msg === 'table copied' && table === 'public.orders'

async function makeLargeTable(t: TestContext): Promise<Rig> {
  const rig = await makeRig(t, { lake: 'folder' })
  await createOrders(rig.source)
  await loadOrders(rig.source, { transactions: TRANSACTIONS, rowsPerTransaction: ROWS_PER_TRANSACTION })
  await rig.source.query('CREATE PUBLICATION wal_cake_pub FOR TABLE orders, marks')
  return rig
}

async function comesToTheTable(
  t: TestContext,
  rig: Rig,
  service: Service,
  { changes, began }: { changes: SteadyChanges; began: number },
): Promise<void> {
  await service.waitForLog(isWhole, PATIENCE)
  const seconds = (performance.now() - began) / 1000
  const perSecond = await changes.stop()
  await rig.caughtUp(service, PATIENCE)
  assert.equal(await service.stop(), 0)
  t.diagnostic(
    `copied in ${seconds.toFixed(1)} s, ${changes.changes} changes meanwhile, ${perSecond.toFixed(0)} a second`,
  )
  const { commits } = await auditLog(rig.lake, rig.slot)
  const copies = commits.filter(({ kind }) => kind === 'copy')
  const copiedRows = copies.reduce((sum, { rows }) => sum + rows, 0)
  const compared = await assertLakeIsTable(rig.source.url, rig.lake, orders)
  t.diagnostic(
    `${compared.rows} rows compared, from ${compared.changes} rows of the lake, ${copiedRows} of them copied in ${copies.length} batches`,
  )
  assert.ok(perSecond >= CHANGES_PER_SECOND * NEAR, `${perSecond.toFixed(0)} changes a second`)
  await rig.dropSlot()
}

test(`G4 G7: ${ROWS} rows are copied beside ${CHANGES_PER_SECOND} changes a second`, async (t) => {
  const rig = await makeLargeTable(t)
  const changes = new SteadyChanges(t, rig.source, { perSecond: CHANGES_PER_SECOND, rows: ROWS })
  const began = performance.now()
  await comesToTheTable(t, rig, await rig.stream(env), { changes, began })
})

test(`G4 G7: the same, killed ${KILLS} times while it copies`, async (t) => {
  const rig = await makeLargeTable(t)
  const changes = new SteadyChanges(t, rig.source, { perSecond: CHANGES_PER_SECOND, rows: ROWS })
  const began = performance.now()
  for (let kill = 1; kill <= KILLS; kill++) {
    const service = rig.start(env)
    await service.waitForLog('copying existing rows', { timeoutMs: 60_000 })
    await delay(randomInt(LONGEST_LIFE_MS))
    assert.equal(service.logged(isWhole).length, 0, `the copy had ended before kill ${kill}`)
    await service.kill()
  }
  await comesToTheTable(t, rig, await rig.stream(env), { changes, began })
})
