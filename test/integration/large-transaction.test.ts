// One transaction that is many times as large as what the process may hold: it is planned before it has arrived, leaves in
// parts, and is in the lake whole, once (G10).
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { auditLog } from '../support/log-audit.js'
import { memoryBound } from '../support/memory-bound.js'
import { MemoryWatch } from '../support/memory-watch.js'
import { createOrders, loadOrders, orders } from '../support/orders.js'
import { RequestHold } from '../support/request-hold.js'
import { makeRig } from '../support/rig.js'
import { S3Server } from '../support/s3-server.js'
import { unlessSoaking } from '../support/soak.js'
import { assertLakeIsTable } from '../support/table-comparison.js'

const ROWS = unlessSoaking(300_000, 600_000)
const MIB = 1 << 20
const LIMIT_BYTES = 32 * MIB

let server: S3Server
before(async () => void (server = await S3Server.start()))
after(() => server.stop())

test('G4 G10: a transaction much larger than the memory limit leaves in parts, planned before its end, within the limit', async (t) => {
  const rig = await makeRig(t, { lake: server })
  await createOrders(rig.source)
  const service = await rig.stream({ FLUSH_BYTES: '8MiB', MEMORY_LIMIT: '32MiB', UPLOAD_CONCURRENCY: '4' })
  const memory = new MemoryWatch(t, service.pid)
  // No data file goes up: the process fills its memory and must stop reading.
  const hold = new RequestHold(t, server, { key: /\/data\// })
  await loadOrders(rig.source, { transactions: 1, rowsPerTransaction: ROWS })
  await hold.reached(4, { timeoutMs: 60_000 })
  const records = (await rig.lake.keys(`_wal_cake/${rig.slot}/log/`)).map((key) => key.split('.').at(-2))
  assert.equal(records.filter((kind) => kind === 'plan').length, records.filter((kind) => kind === 'commit').length + 1)
  await service.waitFor('the server to wait for us to read', async () => {
    const [row] = await rig.source.query<{ waits: boolean }>(
      `SELECT wait_event = 'WalSenderWriteData' AS waits FROM pg_stat_activity
        WHERE pid = (SELECT active_pid FROM pg_replication_slots WHERE slot_name = $1)`,
      [rig.slot],
    )
    return row?.waits === true
  })
  hold.letGo()
  await rig.caughtUp(service)
  assert.equal(await service.stop(), 0)

  const { commits } = await auditLog(rig.lake, rig.slot)
  const batch = commits.find((commit) => commit.rows >= ROWS)!
  assert.equal(batch.transactions, 1)
  assert.ok(batch.files.length >= 5, `in ${batch.files.length} files`)
  const { rows } = await assertLakeIsTable(rig.source.url, rig.lake, orders)
  assert.equal(rows, ROWS)
  if (!existsSync('/proc/self/status')) return
  const peak = Math.round(memory.peakBytes / MIB)
  t.diagnostic(`peak memory ${peak} MiB`)
  assert.ok(memory.peakBytes <= memoryBound({ limitBytes: LIMIT_BYTES }), `peak memory ${peak} MiB`)
})
