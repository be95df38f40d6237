// The whole proof of a fault, around it: the table is written and the slot is watched all the while, and at the end the log,
// the rows and the number of changes are compared (G1, G4, G11).
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { AckWatch } from './ack-watch.js'
import { auditLog } from './log-audit.js'
import { changesPerTransaction, createOrders, orders, RunningLoad } from './orders.js'
import type { Rig } from './rig.js'
import type { Service } from './service.js'
import { assertLakeIsTable } from './table-comparison.js'

const ROWS = 70
/** After each transaction: the stream is never at rest, and the machine is not full. */
const PAUSE_MS = 40

/**
 * Creates `orders`, starts the program with `stream`, and returns when it is under load. `finish` ends load and program, and
 * compares.
 */
export async function underLoad(
  t: TestContext,
  rig: Rig,
  stream: () => Promise<Service>,
): Promise<{ service: Service; finish: () => Promise<void> }> {
  await createOrders(rig.source)
  const service = await stream()
  const watch = new AckWatch(t, rig)
  const load = new RunningLoad(t, rig.source, ROWS, PAUSE_MS)
  await service.waitForLog('batch committed')
  const finish = async (): Promise<void> => {
    await load.stop()
    await rig.caughtUp(service)
    assert.equal(await service.stop(), 0)
    await watch.stop()
    assert.deepEqual(watch.faults, [])
    await auditLog(rig.lake, rig.slot)
    const { changes } = await assertLakeIsTable(rig.source.url, rig.lake, orders)
    assert.equal(changes, ROWS + (load.transactions - 1) * changesPerTransaction(ROWS))
  }
  return { service, finish }
}
