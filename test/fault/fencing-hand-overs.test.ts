// Two processes on one slot and lake in the orders that the points alone do not bring about: both asleep, one whose dead
// connection looks alive, and a new process that waits for an old one at work (G2, G4, G5).
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Break } from '../support/breaking.js'
import { eventually } from '../support/eventually.js'
import type { LogLine, Service } from '../support/service.js'
import { unlessSoaking } from '../support/soak.js'
import { TcpProxy } from '../support/tcp-proxy.js'
import {
  asleep,
  assertFenced,
  assertOnlyAddedTo,
  cutOff,
  FIRST,
  goesOn,
  handsBack,
  isBusy,
  kindOf,
  SECOND,
  startWaiting,
  streamToSleep,
  takesOver,
  wake,
  writers,
} from '../support/two-writers.js'
import { openPlansOf, watchLake } from '../support/watched-lake.js'

/** Of a store that has no part in what is tried: in a soak a bucket. */
const lake = unlessSoaking('folder', 'bucket')
/** A point that no process comes to. */
const NEVER: Break = { at: 'closed', pass: Infinity }

describe('a process whose connection still looks alive when it wakes', { concurrency: 2 }, () => {
  for (const [at, acts] of [
    ['before plan', (line: LogLine) => kindOf(line) === 'plan_taken'],
    // What it had planned is in the lake already, with the same rows; its next plan may lose before it has found that out.
    ['before data', (line: LogLine) => line.msg === 'batch committed' || kindOf(line) === 'plan_taken'],
    ['before commit', (line: LogLine) => line.msg === 'batch committed' || kindOf(line) === 'plan_taken'],
  ] as const)
    test(`G4 G5: asleep ${at}, it is fenced by the log alone`, async (t) => {
      const watched = await watchLake(t, { lake: 'folder', tables: 2 })
      const { rig } = watched
      const proxy = await TcpProxy.start(t, rig.source.url)
      const first = await streamToSleep(t, rig, { at }, { ...FIRST, PG_CONN_STRING: proxy.through(rig.source.url) })
      await watched.write()
      await asleep(first, { at })
      await watched.write()
      const second = rig.start(SECOND)
      proxy.dark()
      await cutOff(rig)
      await takesOver(watched, second)
      const log = await writers(rig)
      wake(first)
      await first.waitForLog(acts)
      await assertOnlyAddedTo(rig, log)
      proxy.light()
      proxy.cut()
      await first.waitForLog(isBusy)
      await handsBack(watched, second, first)
    })

  test('G2 G4 G5: what it plans before the other one does is taken over as it is', async (t) => {
    const watched = await watchLake(t, { lake: 'folder', tables: 2 })
    const { rig } = watched
    const proxy = await TcpProxy.start(t, rig.source.url)
    const point: Break = { at: 'after plan' }
    const first = await streamToSleep(t, rig, point, { ...FIRST, PG_CONN_STRING: proxy.through(rig.source.url) })
    await watched.write()
    await asleep(first, point)
    const passed = proxy.bytes.toClient
    await watched.write()
    // It lies before the sleeper, who has not read it.
    await eventually(() => proxy.bytes.toClient > passed + 2_000)
    proxy.dark()
    // Takes the same transaction in, and does not end the batch by itself.
    const second = rig.start({ FLUSH_INTERVAL: '1h' })
    await cutOff(rig)
    await second.waitForLog('batch committed')
    const [plan] = (await rig.lake.commits(rig.slot)).slice(-1)
    wake(first)
    await first.waitForLog('batch committed', { count: 2 })
    const commits = await rig.lake.commits(rig.slot)
    assert.deepEqual(
      commits.slice(-1).map(({ batch, kind }) => [batch, kind]),
      [[plan!.batch + 1, 'changes']],
    )
    // Ends the batch at the stop, and finds that it is planned.
    assert.equal(await second.stop(), 0)
    proxy.light()
    proxy.cut()
    await first.waitForLog('streaming', { count: 2 })
    await watched.write()
    await watched.endsWhole(first)
  })
})

describe('both sleep', { concurrency: 2 }, () => {
  test('G4 G5: the second falls asleep later, the first wakes and takes over, then the second wakes', async (t) => {
    const watched = await watchLake(t, { lake: 'bucket', tables: 2 })
    const { rig } = watched
    const first = await streamToSleep(t, rig, { at: 'before commit' }, FIRST)
    await watched.write()
    await asleep(first, { at: 'before commit' })
    await cutOff(rig)
    // It replays what the first has planned, and comes to the point with a batch of its own.
    const point: Break = { at: 'after plan' }
    const second = await streamToSleep(t, rig, point, SECOND)
    await watched.write()
    await asleep(second, point)
    await cutOff(rig)
    wake(first)
    await first.waitForLog('streaming', { count: 2 })
    await goesOn(watched, first)
    await assertFenced(rig, second)
    await handsBack(watched, first, second)
  })

  for (const [name, order] of [
    ['the one that the server has given up', (first: Service, second: Service) => [first, second]],
    ['the one that holds the slot', (first: Service, second: Service) => [second, first]],
  ] as const)
    test(`G2 G4 G5: both sleep before the commit of one batch, and ${name} wakes first`, async (t) => {
      const watched = await watchLake(t, { lake, tables: 2 })
      const { rig } = watched
      const point: Break = { at: 'before commit' }
      const first = await streamToSleep(t, rig, point, FIRST)
      await watched.write()
      await asleep(first, point)
      await cutOff(rig)
      const second = await streamToSleep(t, rig, point, SECOND)
      await asleep(second, point)
      const commits = (await rig.lake.commits(rig.slot)).length
      const [one, other] = order(first, second)
      wake(one!)
      // It may commit what is planned, whichever of the two it is; or finds first that its link is gone.
      const acts = async (): Promise<boolean> =>
        one!.logged(isBusy).length > 0 || (await rig.lake.commits(rig.slot)).length > commits
      await one!.waitFor('the commit, or the slot to be busy for it', acts)
      wake(other!)
      await first.waitForLog(isBusy)
      await goesOn(watched, second)
      await handsBack(watched, second, first)
    })
})

describe('a rolling deploy', { concurrency: 2 }, () => {
  for (const [how, end, slowMs, code] of [
    ['stops in order', (old: Service) => old.stop(), 1_000, 0],
    ['is killed', (old: Service) => old.kill().then(() => null), 10_000, null],
  ] as const)
    test(`G4 G5: the old process ${how} while batches are on their way, and the new one waits for it`, async (t) => {
      const watched = await watchLake(t, { lake, tables: 2 })
      const { rig } = watched
      const old = await streamToSleep(t, rig, NEVER, { SLOW_DATA_MS: String(slowMs), FLUSH_BYTES: '1KiB' })
      const fresh = await startWaiting(rig)
      for (let batch = 0; batch < 3; batch++) await watched.write()
      await old.waitFor('several plans', async () => openPlansOf(await rig.lake.keys()) > 1)
      assert.equal(await end(old), code)
      const ended = performance.now()
      const streaming = await fresh.waitForLog('streaming')
      const seconds = (performance.now() - ended) / 1000
      assert.ok(seconds < 15, `took ${seconds} s`)
      assert.equal(streaming.replaying !== undefined, code === null, 'what was killed is replayed')
      // Waiting is said, and not said all the time.
      const said = fresh.logged(isBusy)
      assert.ok(said.length <= 5, `${said.length} times`)
      await watched.write()
      await watched.endsWhole(fresh)
    })
})
