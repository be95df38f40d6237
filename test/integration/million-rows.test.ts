// Hundreds of thousands of rows, in a soak a million, through a real server into a real bucket: the lake's current state is the table, row for row, and its log
// lists what lies there, no more and no less.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertHeadIsNewest, auditLog } from '../support/log-audit.js'
import { changesPerTransaction, createOrders, loadOrders, orders } from '../support/orders.js'
import { makeRig } from '../support/rig.js'
import { unlessSoaking } from '../support/soak.js'
import { assertLakeIsTable } from '../support/table-comparison.js'

const TRANSACTIONS = unlessSoaking(300, 1_000)
const ROWS = 1_000

test('G1 G2 G4: inserts in transactions of 1,000, hundreds of thousands with updates and deletes, and in a soak a million, are in the lake exactly once', async (t) => {
  const rig = await makeRig(t)
  await createOrders(rig.source)
  const service = await rig.stream({
    FLUSH_INTERVAL: '2s',
    FLUSH_BYTES: '24MiB',
    TARGET_FILE_BYTES: '16MiB',
    LOG_LEVEL: 'info',
  })
  await loadOrders(rig.source, { transactions: TRANSACTIONS, rowsPerTransaction: ROWS })
  await rig.caughtUp(service, { timeoutMs: 120_000, everyMs: 100 })
  assert.equal(await service.stop(), 0)

  const audited = await auditLog(rig.lake, rig.slot)
  await assertHeadIsNewest(rig.lake, rig.slot, audited)
  const { changes } = await assertLakeIsTable(rig.source.url, rig.lake, orders)
  assert.equal(changes, ROWS + (TRANSACTIONS - 1) * changesPerTransaction(ROWS))
  const counted = audited.files.filter((file) => file.table === 'orders').reduce((sum, file) => sum + file.rows, 0)
  assert.equal(counted, changes, 'rows by the log and by the files')
  assert.equal(
    audited.commits.reduce((sum, commit) => sum + commit.transactions, 0),
    TRANSACTIONS + 1,
  )
})
