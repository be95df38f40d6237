// The program is stopped, in order or by force, while the table is being written, and started again: nothing is lost,
// nothing is twice, and the slot is never ahead of the lake, watched from outside all the while.
import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { test, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { AckWatch } from '../support/ack-watch.js'
import { auditLog } from '../support/log-audit.js'
import { changesPerTransaction, createOrders, orders, RunningLoad } from '../support/orders.js'
import { makeRig, type Rig, type RigOptions } from '../support/rig.js'
import type { Service } from '../support/service.js'
import { unlessSoaking } from '../support/soak.js'
import { assertLakeIsTable } from '../support/table-comparison.js'

const STOPS = unlessSoaking(3, 5)
const KILLS = 5
/** In each transaction, and the pause after each: the stream is never at rest, and the machine is not full. */
const ROWS = unlessSoaking(70, 200)
const PAUSE_MS = unlessSoaking(20, 4)

for (const lake of unlessSoaking(['folder'] as const, ['bucket', 'folder'] as const)) {
  test(`G1 G2 G4: stopped by SIGTERM in the middle of a load and started again, with a ${lake}`, (t) =>
    survives(t, { lake }, STOPS, async (service) => {
      // Something of this run is in the lake, and more is under way.
      await service.waitForLog('batch committed')
      assert.equal(await service.stop(), 0)
    }))
}

test('G1 G2 G4: killed at random moments of a load and started again', (t) =>
  survives(t, {}, KILLS, async (service, stop) => {
    // The moment is what is tried here, not waited for: of a start, which may not have committed yet, and of a stream at work.
    if (stop % 2 === 1) await service.waitForLog('batch committed')
    await delay(randomInt(700))
    await service.kill()
  }))

async function survives(
  t: TestContext,
  options: RigOptions,
  stops: number,
  end: (service: Service, stop: number) => Promise<void>,
): Promise<void> {
  const rig = await makeRig(t, options)
  await createOrders(rig.source)
  const env = { FLUSH_INTERVAL: '50ms', LOG_LEVEL: 'info' }
  let service = await rig.stream(env)
  const watch = new AckWatch(t, rig)
  const load = new RunningLoad(t, rig.source, ROWS, PAUSE_MS)
  for (let stop = 0; stop < stops; stop++) {
    await end(service, stop)
    service = rig.start(env)
    await service.waitForLog('streaming')
  }
  // How often a watch gets to look is the machine's to say; that it has seen enough, the load's that goes on until then.
  await service.waitFor('the slot to be seen moving', () => watch.moves > stops)
  await load.stop()
  await rig.caughtUp(service)
  assert.equal(await service.stop(), 0)
  await watch.stop()
  assert.deepEqual(watch.faults, [])
  await assertWhole(rig, load.transactions)
}

async function assertWhole(rig: Rig, transactions: number): Promise<void> {
  await auditLog(rig.lake, rig.slot)
  const { changes } = await assertLakeIsTable(rig.source.url, rig.lake, orders)
  assert.equal(changes, ROWS + (transactions - 1) * changesPerTransaction(ROWS))
}
