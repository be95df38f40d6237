// Connections between the program and its server are cut again and again in the middle of a load, refused, slow and late.
// Nothing is lost or twice, and nobody has to help (G1, G4, G11).
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { failuresOf, isControl, isReplication, NOTICED, OFTEN, proxiedRig } from '../support/proxied-rig.js'
import type { ProxyLink } from '../support/tcp-proxy.js'
import { underLoad } from '../support/watched-load.js'

const CUTS = 4

describe('links', { concurrency: 3 }, () => {
  const cuts: readonly (readonly [what: string, which: (link: ProxyLink) => boolean])[] = [
    ['both connections', () => true],
    ['the replication connection', isReplication],
    ['the control connection', isControl],
  ]
  for (const [what, which] of cuts) {
    test(`G1 G4 G11: ${what} cut again and again in the middle of a load`, async (t) => {
      const { rig, proxy, stream } = await proxiedRig(t)
      const { service, finish } = await underLoad(t, rig, () => stream(OFTEN))
      for (let round = 1; round <= CUTS; round++) {
        assert.ok(proxy.cut(round % 2 === 0 ? 'end' : 'reset', which) > 0)
        await service.waitForLog('recovered: streaming again', { count: round })
      }
      await finish()
      // Each session has brought something, so that each cut is a first failure; the server may take a moment to let go.
      const failures = service.logged('will try again')
      assert.equal(failures.filter((line) => line.attempt === 1).length, CUTS)
      for (const { kind } of failuresOf(service)) assert.match(kind, /^(link|slot_busy)$/)
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

  test('G11: a quiet stream that is cut has recovered after a while too, and the next cut is a first failure again', async (t) => {
    const { rig, proxy, stream } = await proxiedRig(t, { lake: 'folder' })
    const service = await stream()
    await rig.caughtUp(service)
    for (let round = 1; round <= 2; round++) {
      assert.ok(proxy.cut() > 0)
      await service.waitForLog('recovered: streaming again', { count: round, ...NOTICED })
    }
    assert.equal(service.logged((line) => line.attempt === 1).length, 2)
    assert.equal(await service.stop(), 0)
    await rig.dropSlot()
  })

  test('G11: a link that is slow and late is the same link, although the server is impatient', async (t) => {
    const { rig, proxy, stream } = await proxiedRig(t, { walSenderTimeout: '3s' })
    const { service, finish } = await underLoad(t, rig, () => stream(OFTEN))
    proxy.delay(150)
    proxy.throttle(200_000, ['toClient'])
    const before = proxy.bytes.toClient
    await service.waitFor('a megabyte', () => proxy.bytes.toClient > before + 1_000_000, NOTICED)
    proxy.throttle(undefined)
    await finish()
    assert.deepEqual(service.logged('will try again'), [])
    assert.equal(service.logged('streaming').length, 1)
  })
})
