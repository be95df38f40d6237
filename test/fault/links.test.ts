// The network between the program and its server fails in every way that a proxy can play: connections are cut in the middle
// of a load, links go dark or slow and nothing is closed. Nothing is lost or twice, and nobody has to help (G1, G4, G11).
import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { AckWatch } from '../support/ack-watch.js'
import { auditLog } from '../support/log-audit.js'
import { changesPerTransaction, createOrders, orders, RunningLoad } from '../support/orders.js'
import { failuresOf, isControl, isReplication, proxiedRig, walsenderOf } from '../support/proxied-rig.js'
import type { Rig } from '../support/rig.js'
import type { Service } from '../support/service.js'
import { assertLakeIsTable } from '../support/table-comparison.js'
import type { ProxyLink, TcpProxy } from '../support/tcp-proxy.js'

const ROWS = 70
/** After each transaction: the stream is never at rest, and the machine is not full. */
const PAUSE_MS = 20
const CUTS = 4
/** The server gives up on us, and five seconds later at most we on it. */
const IMPATIENT = '2s'
/** Whichever of the two connections is missed first. */
const SILENT = /nothing came from the server for \d s|gives no answer/
/** From the last byte to the log line, on a machine that has much else to do. */
const NOTICED = { timeoutMs: 30_000 }

/** `orders` is written all the while, and the slot is watched. Returns what ends both, and compares everything. */
async function underLoad(t: TestContext, rig: Rig, service: Service): Promise<() => Promise<void>> {
  const watch = new AckWatch(t, rig)
  const load = new RunningLoad(t, rig.source, ROWS, PAUSE_MS)
  await service.waitForLog('batch committed')
  return async () => {
    await load.stop()
    await rig.caughtUp(service)
    assert.equal(await service.stop(), 0)
    await watch.stop()
    assert.deepEqual(watch.faults, [])
    await auditLog(rig.lake, rig.slot)
    const { changes } = await assertLakeIsTable(rig.source.url, rig.lake, orders)
    assert.equal(changes, ROWS + (load.transactions - 1) * changesPerTransaction(ROWS))
  }
}

describe('links', { concurrency: 3 }, () => {
  const cuts: readonly (readonly [what: string, which: (link: ProxyLink) => boolean])[] = [
    ['both connections', () => true],
    ['the replication connection', isReplication],
    ['the control connection', isControl],
  ]
  for (const [what, which] of cuts) {
    test(`G1 G4 G11: ${what} cut again and again in the middle of a load`, async (t) => {
      const { rig, proxy, stream } = await proxiedRig(t)
      await createOrders(rig.source)
      const service = await stream({ FLUSH_INTERVAL: '50ms' })
      const finish = await underLoad(t, rig, service)
      for (let round = 1; round <= CUTS; round++) {
        assert.ok(proxy.cut(round % 2 === 0 ? 'end' : 'reset', which) > 0)
        await service.waitForLog('recovered: streaming again', { count: round })
      }
      await finish()
      // Each session has brought something, so that each failure is a first one.
      const failures = service.logged('will try again')
      assert.deepEqual(
        failures.map((line) => line.attempt),
        Array.from({ length: CUTS }, () => 1),
      )
      for (const { kind } of failuresOf(service)) assert.equal(kind, 'link')
    })
  }

  test('G11: while the server cannot be reached the log grows rarer, and one line tells of the recovery', async (t) => {
    const { rig, proxy, stream } = await proxiedRig(t)
    const service = await stream()
    proxy.refuse()
    proxy.cut()
    await service.waitForLog((line) => line.attempt === 4, NOTICED)
    await proxy.accept()
    await service.waitForLog('streaming', { count: 2, ...NOTICED })
    await rig.caughtUp(service)
    assert.equal(await service.stop(), 0)
    assert.deepEqual(
      service.logged('will try again').map((line) => line.attempt),
      [1, 2, 4],
    )
    assert.equal(service.logged(/recovered/).length, 1)
  })

  const darkness: readonly (readonly [what: string, darken: (proxy: TcpProxy) => void, notice: RegExp])[] = [
    ['dark', (proxy) => proxy.dark(), SILENT],
    ['dark, and swallows what is sent', (proxy) => proxy.dark(undefined, 'swallow'), SILENT],
    [
      'dark from the server to the stream alone',
      (proxy) => proxy.links.filter(isReplication).forEach((link) => link.dark(['toClient'])),
      /nothing came from the server for \d s/,
    ],
    [
      'dark from the stream to the server alone',
      (proxy) => proxy.links.filter(isReplication).forEach((link) => link.dark(['toServer'])),
      // It misses us, and says so on the way that is left.
      /the server closed the replication connection/,
    ],
  ]
  for (const [what, darken, notice] of darkness) {
    test(`G1 G4 G11: a link that is ${what}, with nothing closed, is noticed and replaced`, async (t) => {
      const { rig, proxy, stream } = await proxiedRig(t, { walSenderTimeout: IMPATIENT })
      await createOrders(rig.source)
      const service = await stream({ FLUSH_INTERVAL: '50ms' })
      const finish = await underLoad(t, rig, service)
      const walsender = await walsenderOf(rig)
      darken(proxy)
      await service.waitForLog('will try again', NOTICED)
      assert.match(failuresOf(service)[0]!.message, notice)
      proxy.light()
      await service.waitForLog('recovered: streaming again', NOTICED)
      assert.notEqual(await walsenderOf(rig), walsender)
      await finish()
    })
  }

  test('G11: a connection that the server never learns to be gone does not keep the slot from us', async (t) => {
    // The server waits for ever.
    const { rig, proxy, stream } = await proxiedRig(t, { walSenderTimeout: '0' })
    await createOrders(rig.source)
    const service = await stream({ FLUSH_INTERVAL: '50ms' })
    const finish = await underLoad(t, rig, service)
    for (const link of proxy.links) link.forget()
    await service.waitForLog('recovered: streaming again', NOTICED)
    assert.equal(service.logged(/still held our last connection/).length, 1)
    await finish()
  })

  test('G11: a dark control connection does not hold up the stream for ever, not even one that waits for its answer', async (t) => {
    const { rig, proxy, stream } = await proxiedRig(t, { walSenderTimeout: IMPATIENT })
    await createOrders(rig.source)
    const service = await stream({ FLUSH_INTERVAL: '50ms' })
    const finish = await underLoad(t, rig, service)
    for (const link of proxy.links.filter(isControl)) link.dark()
    // The type is unknown, so the stream stands still until the catalogue has told what it is.
    await rig.source.query(
      `CREATE TYPE mood AS ENUM ('calm', 'cross'); CREATE TABLE moods (id int PRIMARY KEY, m mood)`,
    )
    await rig.source.query(`INSERT INTO moods VALUES (1, 'cross')`)
    await service.waitForLog('will try again', NOTICED)
    assert.match(failuresOf(service)[0]!.message, /answer/)
    await service.waitForLog('recovered: streaming again', NOTICED)
    await finish()
    assert.deepEqual(
      (await rig.lake.rows('public.moods')).map((row) => row.m),
      ['cross'],
    )
  })

  test('G11: a stop while the link is dark ends within its bound', async (t) => {
    const { rig, proxy, stream } = await proxiedRig(t)
    const service = await stream()
    await rig.caughtUp(service)
    proxy.dark()
    assert.equal(await service.stop(), 0)
    assert.deepEqual(service.logged('will try again'), [])
  })

  test('G11: a link that is slow and late is the same link, although the server is impatient', async (t) => {
    const { rig, proxy, stream } = await proxiedRig(t, { walSenderTimeout: '1s' })
    await createOrders(rig.source)
    const service = await stream({ FLUSH_INTERVAL: '50ms' })
    proxy.delay(150)
    proxy.throttle(200_000, ['toClient'])
    const finish = await underLoad(t, rig, service)
    const before = proxy.bytes.toClient
    await service.waitFor('a megabyte', () => proxy.bytes.toClient > before + 1_000_000, NOTICED)
    proxy.throttle(undefined)
    await finish()
    assert.deepEqual(service.logged('will try again'), [])
    assert.equal(service.logged('streaming').length, 1)
  })
})
