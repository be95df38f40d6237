// An object store that fails at random in every way it is known for, and one that hangs, under a load of many small batches
// and of files in parts: nothing is lost, nothing is there twice, and the link to the server stays up (G1, G2, G4, G11).
import assert from 'node:assert/strict'
import { after, before, describe, test, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { AckWatch } from '../support/ack-watch.js'
import { assertLargeValues, createLargeValues, insertLargeValues } from '../support/large-values.js'
import { eventually } from '../support/eventually.js'
import { GlobPoller } from '../support/glob-poller.js'
import { auditLog } from '../support/log-audit.js'
import { createOrders, loadOrders, orders, RunningLoad } from '../support/orders.js'
import { walsenderOf } from '../support/proxied-rig.js'
import { makeRig, type Env, type Rig } from '../support/rig.js'
import type { FaultRule } from '../support/s3-faults.js'
import { S3Server } from '../support/s3-server.js'
import { S3Storm, stormKinds } from '../support/s3-storm.js'
import { soakMinutes } from '../support/soak.js'
import { assertLakeIsTable } from '../support/table-comparison.js'
import { TcpProxy } from '../support/tcp-proxy.js'

/** One in an ordinary run; in a soak as many as there are minutes, each with a lake of its own. */
const SEEDS = Array.from({ length: Math.ceil(soakMinutes() ?? 1) }, () => Math.floor(Math.random() * 2 ** 31))
const STORM_MS = soakMinutes() === undefined ? 9_000 : 60_000
/** Of the requests that the storm meets. */
const SHARE = 0.3
/** So long the program waits for a store that says nothing, and some seconds more. */
const PATIENCE_MS = 30_000
/** Twice as long where the store has stopped in the middle of taking a body. */
const HANGING_PART: readonly FaultRule[] =
  soakMinutes() === undefined ? [] : [{ operation: 'UploadPart', action: { do: 'hangInBody', afterBytes: 1 << 20 } }]

let store: S3Server
before(async () => void (store = await S3Server.start()))
after(() => store.stop())

/** The test looks at the lake by a way without faults; the program gets one with them. */
async function faultyRig(t: TestContext): Promise<{ rig: Rig; faulty: S3Server; env: Env }> {
  const faulty = await S3Server.start(store.objects)
  t.after(() => faulty.stop())
  const rig = await makeRig(t, { lake: store })
  // Many storms make more than memory should hold.
  t.after(() => void store.objects.withdraw(rig.bucket!.bucket))
  await createOrders(rig.source)
  await createLargeValues(rig.source)
  return { rig, faulty, env: { AWS_ENDPOINT: faulty.endpoint, FLUSH_INTERVAL: '50ms' } }
}

/** What the lake holds, when it holds what the tables do, each change once. */
async function assertWhole(rig: Rig): Promise<string> {
  const { commits, files, rows } = await auditLog(rig.lake, rig.slot)
  const { changes } = await assertLakeIsTable(rig.source.url, rig.lake, orders)
  const large = await assertLargeValues(rig.source, rig.lake)
  return `${commits.length} batches, ${files.length} files, ${rows} rows (${changes} changes of orders, ${large} of 1 MiB)`
}

/** Plans and commits that met what an earlier try of theirs had written: it was won, and its answer lost. */
function wonBefore(faulty: S3Server): number {
  return faulty.log.filter(({ status, key }) => status === 412 && /\.(plan|commit)\.json$/.test(key)).length
}

describe('a store that fails', { concurrency: 3 }, () => {
  for (const seed of SEEDS) {
    test(`G1 G4 G11: at random in every way, under load (seed ${seed})`, async (t) => {
      const { rig, faulty, env } = await faultyRig(t)
      const service = await rig.stream(env)
      const walsender = await walsenderOf(rig)
      const [acks, poller] = [new AckWatch(t, rig), new GlobPoller(t, rig)]
      const storm = new S3Storm(faulty, { seed, share: SHARE })
      const load = new RunningLoad(t, rig.source, 70)
      const until = performance.now() + STORM_MS
      const met = () => stormKinds.every((kind) => storm.counts[kind]! > 0) && wonBefore(faulty) > 0
      while (performance.now() < until || !met()) {
        await insertLargeValues(rig.source, 10)
        await delay(STORM_MS / 10)
      }
      await load.stop()
      storm.calm()
      await rig.caughtUp(service)

      assert.equal(await walsenderOf(rig), walsender, 'the link stayed up')
      assert.deepEqual(service.logged('will try again'), [], 'no session has failed')
      assert.equal(await service.stop(), 0)
      await acks.stop()
      await poller.stop()
      assert.deepEqual([...acks.faults, ...poller.faults], [])
      t.diagnostic(`${await assertWhole(rig)}; ${load.transactions} transactions of orders`)
      t.diagnostic(`${faulty.log.length} requests, ${storm.faults} faults: ${JSON.stringify(storm.counts)}`)
      t.diagnostic(`${wonBefore(faulty)} plans and commits had been won before; the slot moved ${acks.moves} times`)
    })
  }

  test('G4 G11: by saying nothing, before, within and after what it does', async (t) => {
    const { rig, faulty, env } = await faultyRig(t)
    const service = await rig.stream(env)
    const walsender = await walsenderOf(rig)
    const load = loadOrders(rig.source, { transactions: 250, rowsPerTransaction: 70, pauseMs: 100 })
    const until = performance.now() + PATIENCE_MS
    const late = { do: 'answerLate', ms: PATIENCE_MS + 7_000 } as const
    const meet = async (...rules: FaultRule[]): Promise<void> => {
      const added = rules.map((rule) => faulty.faults.add(rule))
      await eventually(() => added.every(({ hits }) => hits === 1))
    }
    // In this order each of them is still waited for when the next one comes.
    await meet({ key: /head\.json$/, action: { do: 'hangBody' } })
    await meet({ key: /\.commit\.json$/, action: late })
    await insertLargeValues(rig.source, 10)
    await meet({ key: /\/orders\/.*\.parquet$/, action: { do: 'hang' } }, ...HANGING_PART)
    await meet({ key: /\.plan\.json$/, action: late })
    await service.waitForLog('store: will try again', { timeoutMs: 2 * PATIENCE_MS })
    assert.ok(performance.now() > until, 'nothing was given up before its time')
    await load
    await rig.caughtUp(service, { timeoutMs: 2 * PATIENCE_MS })

    assert.equal(await walsenderOf(rig), walsender, 'the link stayed up')
    assert.deepEqual(service.logged('will try again'), [], 'no session has failed')
    assert.equal(await service.stop(), 0)
    assert.equal(wonBefore(faulty), 2, 'the plan and the commit whose answers came too late')
    t.diagnostic(`${await assertWhole(rig)}; ${4 + HANGING_PART.length} requests hung`)
  })

  test('G4 G11: while a session reads where the log ends, in the middle of what it reads', async (t) => {
    const { rig, faulty, env } = await faultyRig(t)
    const service = await rig.stream(env)
    await loadOrders(rig.source, { transactions: 5, rowsPerTransaction: 70 })
    await rig.caughtUp(service)
    const met = [
      faulty.faults.add({ operation: 'ListObjectsV2', action: { do: 'halfBody' } }),
      faulty.faults.add({ operation: 'ListObjectsV2', action: { do: 'cutBody' } }),
      faulty.faults.add({ operation: 'GetObject', action: { do: 'cutBody' } }),
      faulty.faults.add({ operation: 'GetObject', action: { do: 'hangBody' } }),
    ]
    await rig.source.query('SELECT pg_terminate_backend($1)', [await walsenderOf(rig)])
    await loadOrders(rig.source, { transactions: 5, rowsPerTransaction: 70, after: 5 })
    await rig.caughtUp(service, { timeoutMs: 3 * PATIENCE_MS })
    assert.ok(met.every(({ hits }) => hits === 1))
    assert.equal(service.logged('streaming').length, 2)
    assert.equal(await service.stop(), 0)
    t.diagnostic(await assertWhole(rig))
  })

  test('G1 G4 G11: a real one, whose connections are cut and slow', async (t) => {
    const rig = await makeRig(t)
    await createOrders(rig.source)
    await createLargeValues(rig.source)
    const proxy = await TcpProxy.start(t, rig.bucket!.endpoint)
    const service = await rig.stream({ AWS_ENDPOINT: proxy.through(rig.bucket!.endpoint), FLUSH_INTERVAL: '50ms' })
    const walsender = await walsenderOf(rig)
    const acks = new AckWatch(t, rig)
    const load = new RunningLoad(t, rig.source, 70)
    const until = performance.now() + STORM_MS
    let cuts = 0
    for (let round = 0; performance.now() < until || cuts < 20; round++) {
      if (round % 20 === 0) await insertLargeValues(rig.source, 10)
      // In the middle of something, wherever that is.
      proxy.throttle(round % 4 === 0 ? 4 << 20 : undefined)
      await delay(50 + Math.random() * 200)
      cuts += proxy.cut(round % 2 === 0 ? 'reset' : 'end')
    }
    proxy.throttle(undefined)
    await load.stop()
    await rig.caughtUp(service)
    assert.equal(await walsenderOf(rig), walsender, 'the link stayed up')
    assert.deepEqual(service.logged('will try again'), [], 'no session has failed')
    assert.equal(await service.stop(), 0)
    await acks.stop()
    assert.deepEqual(acks.faults, [])
    t.diagnostic(`${await assertWhole(rig)}; ${cuts} connections cut`)
  })
})
