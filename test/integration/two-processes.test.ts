// Two processes on one slot and lake: the second waits and takes over as soon as the first is gone, whichever way it goes;
// one that was asleep meanwhile can do no harm when it wakes (G5).
import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { eventually } from '../support/eventually.js'
import { auditLog } from '../support/log-audit.js'
import { makeRig, type Rig } from '../support/rig.js'
import type { LogLine, Service } from '../support/service.js'

/** From the end of the first to the second streaming. */
const HAND_OVER_MS = 15_000

const isBusy = (line: LogLine): boolean => (line.err as { kind?: string } | undefined)?.kind === 'slot_busy'

describe('G5: the second process on a slot waits and takes over', { concurrency: 2 }, () => {
  for (const [name, end] of [
    ['when the first stops in order', (first: Service) => first.stop()],
    ['when the first is killed', (first: Service) => first.kill()],
  ] as const) {
    test(name, async (t) => {
      const { rig, first } = await busyRig(t)
      const second = rig.start()
      const busy = await second.waitForLog(isBusy)
      assert.match(JSON.stringify(busy), new RegExp(`slot ${rig.slot} is held by process \\d+`))
      await end(first)
      const ended = performance.now()
      await second.waitForLog('streaming')
      assert.ok(performance.now() - ended < HAND_OVER_MS, `took ${Math.round(performance.now() - ended)} ms`)
      await insert(rig, 2)
      await rig.caughtUp(second)
      assert.equal(await second.stop(), 0)
      await assertRows(rig, [1, 2])
    })
  }

  test('while it waits, SIGTERM ends it with exit code 0', async (t) => {
    const { rig, first } = await busyRig(t)
    const second = rig.start()
    await second.waitForLog(isBusy)
    assert.equal(await second.stop({ timeoutMs: 12_000 }), 0)
    await insert(rig, 2)
    await rig.caughtUp(first)
    assert.equal(await first.stop(), 0)
    await assertRows(rig, [1, 2])
  })
})

test('G4 G5: a process that slept through a take-over adds nothing when it wakes', async (t) => {
  const { rig, first } = await busyRig(t)
  // Changes are on their way into it when it falls asleep.
  await rig.source.query('INSERT INTO t SELECT g FROM generate_series(100, 20000) g')
  first.signal('SIGSTOP')
  const second = rig.start()
  await second.waitForLog(isBusy)
  await rig.source.query('SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = $1', [
    rig.slot,
  ])
  await second.waitForLog('streaming')
  await insert(rig, 2)
  await rig.caughtUp(second)
  first.signal('SIGCONT')
  // It finds its link gone and waits in its turn; whatever it had prepared is not in the lake twice.
  await first.waitForLog(isBusy)
  await insert(rig, 3)
  await rig.caughtUp(second)
  assert.equal(await second.stop(), 0)
  await first.waitForLog('streaming', { count: 2 })
  await insert(rig, 4)
  await rig.caughtUp(first)
  assert.equal(await first.stop(), 0)
  const rows = await assertWhole(rig)
  assert.equal(rows, 4 + 19_901)
})

/** A rig with a table, and a first process that has put one row into the lake. */
async function busyRig(t: TestContext): Promise<{ rig: Rig; first: Service }> {
  const rig = await makeRig(t)
  await rig.source.query('CREATE TABLE t (id int PRIMARY KEY)')
  const first = await rig.stream()
  await insert(rig, 1)
  await rig.caughtUp(first)
  return { rig, first }
}

async function insert(rig: Rig, id: number): Promise<void> {
  await rig.source.query('INSERT INTO t VALUES ($1)', [id])
}

async function assertRows(rig: Rig, ids: readonly number[]): Promise<void> {
  await assertWhole(rig)
  assert.deepEqual(
    (await rig.lake.rows('public.t')).map((row) => row.id),
    ids,
  )
}

async function assertWhole(rig: Rig): Promise<number> {
  await auditLog(rig.lake, rig.slot)
  const counts = await rig.lake.noDoubles()
  // The server lets go of a slot a moment after its connection has ended.
  await eventually(() => rig.dropSlot().then(() => true))
  return counts['public.t'] ?? 0
}
