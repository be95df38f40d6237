// Two processes on one slot and lake, one of them asleep for longer than the server waits, at every point where that could do
// harm: the other takes over and goes on; the one that wakes adds nothing and waits for its turn (G4, G5).
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Break } from '../support/breaking.js'
import { startPostgres, type PostgresServer } from '../support/postgres.js'
import type { Env, Rig } from '../support/rig.js'
import { lastingSource } from '../support/server-source.js'
import type { Service } from '../support/service.js'
import { asleep, assertFenced, cutOff, isBusy, streamToSleep, wake } from '../support/two-writers.js'
import { openPlansOf, watchLake, type WatchedLake } from '../support/watched-lake.js'

/** The two need not be configured alike. */
const FIRST: Env = { ZSTD_LEVEL: '1', FLUSH_BYTES: '64MiB' }
const SECOND: Env = { ZSTD_LEVEL: '9', FLUSH_BYTES: '1MiB', TARGET_FILE_BYTES: '2KiB' }
/** Batches that the one who took over puts into the lake before the other wakes. */
const BATCHES_MEANWHILE = 3

/** A point that no process comes to. */
const NEVER: Break = { at: 'closed', pass: Infinity }

const points: readonly Break[] = [
  { at: 'closed' },
  { at: 'before plan' },
  { at: 'after plan' },
  { at: 'before data' },
  { at: 'inside data' },
  { at: 'after data', pass: 1 },
  { at: 'before commit' },
  { at: 'after commit' },
  { at: 'before ack' },
  { at: 'before head' },
]

describe('a process that slept through a take-over adds nothing when it wakes', { concurrency: 2 }, () => {
  for (const [index, point] of points.entries())
    for (const lake of ['folder', 'bucket'] as const) {
      const waiting = (index + (lake === 'folder' ? 0 : 1)) % 2 === 0
      test(`G4 G5: asleep ${point.at}, in a ${lake}, the other started ${waiting ? 'before' : 'afterwards'}`, async (t) => {
        const watched = await watchLake(t, { lake, tables: 2 })
        const { rig } = watched
        const first = await streamToSleep(t, rig, point, FIRST)
        const waits = waiting ? await startWaiting(rig) : undefined
        // A small file goes into a bucket in one request: there is no middle of it.
        await (point.at === 'inside data' && lake === 'bucket' ? watched.writeLarge() : watched.write())
        await asleep(first, point)
        const second = waits ?? rig.start(SECOND)
        await cutOff(rig)
        await takesOver(watched, second)
        await assertFenced(rig, first)
        await handsBack(watched, second, first)
      })
    }
})

describe('a server that hears nothing for wal_sender_timeout lets the slot go', { concurrency: 2 }, () => {
  let server: PostgresServer
  before(async () => void (server = await startPostgres({ settings: { wal_sender_timeout: '1s' } })))
  after(() => server.stop('immediate'))

  for (const at of ['before plan', 'before data', 'before commit'] as const)
    test(`G4 G5: asleep ${at}`, async (t) => {
      const source = await lastingSource(t, server, `asleep_${at.replace(' ', '_')}`)
      const watched = await watchLake(t, { lake: 'folder', tables: 2, source })
      const { rig } = watched
      const first = await streamToSleep(t, rig, { at }, FIRST)
      const second = await startWaiting(rig)
      await watched.write()
      await asleep(first, { at })
      await takesOver(watched, second)
      await assertFenced(rig, first)
      await handsBack(watched, second, first)
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
      const watched = await watchLake(t, { lake: 'bucket', tables: 2 })
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
      const watched = await watchLake(t, { lake: 'bucket', tables: 2 })
      const { rig } = watched
      const old = await streamToSleep(t, rig, NEVER, { SLOW_DATA_MS: String(slowMs), FLUSH_BYTES: '1KiB' })
      const fresh = await startWaiting(rig)
      for (let batch = 0; batch < 3; batch++) await watched.write()
      await old.waitFor('several plans', async () => openPlansOf(await rig.lake.keys()) > 1)
      assert.equal(await end(old), code)
      const ended = performance.now()
      const streaming = await fresh.waitForLog('streaming')
      const seconds = (performance.now() - ended) / 1000
      assert.ok(seconds < 6, `took ${seconds} s`)
      assert.equal(streaming.replaying !== undefined, code === null, 'what was killed is replayed')
      // Waiting is said, and not said all the time.
      const said = fresh.logged(isBusy)
      assert.ok(said.length <= 5, `${said.length} times`)
      await watched.write()
      await watched.endsWhole(fresh)
    })
})

async function startWaiting(rig: Rig): Promise<Service> {
  const second = rig.start(SECOND)
  await second.waitForLog(isBusy)
  return second
}

async function takesOver(watched: WatchedLake, second: Service): Promise<void> {
  await second.waitForLog('streaming')
  await goesOn(watched, second)
}

async function goesOn(watched: WatchedLake, holder: Service): Promise<void> {
  for (let batch = 0; batch < BATCHES_MEANWHILE; batch++) {
    await watched.write()
    await watched.rig.caughtUp(holder)
  }
}

/** The holder ends, and the one that waits takes its turn. */
async function handsBack(watched: WatchedLake, holder: Service, waiting: Service): Promise<void> {
  const before = waiting.logged('streaming').length
  await watched.write()
  await watched.rig.caughtUp(holder)
  assert.equal(await holder.stop(), 0)
  await waiting.waitForLog('streaming', { count: before + 1 })
  await watched.write()
  await watched.endsWhole(waiting)
}
