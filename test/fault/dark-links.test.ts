// Links between the program and its server on which nothing arrives, and nothing is closed: half of them dark, or all. Noticed
// within the bound, replaced, and nothing is lost or twice (G1, G4, G11).
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  failuresOf,
  isControl,
  isReplication,
  NOTICED,
  OFTEN,
  proxiedRig,
  walsenderOf,
} from '../support/proxied-rig.js'
import type { TcpProxy } from '../support/tcp-proxy.js'
import { underLoad } from '../support/watched-load.js'

/** The server gives up on us, and as much later at most we on it; long enough for a program that gets little of a busy machine. */
const IMPATIENT = '8s'
/** Whichever of the two connections is missed first. */
const SILENT = /nothing came from the server for \d+ s|gives no answer/

describe('dark links', { concurrency: 4 }, () => {
  const darkness: readonly (readonly [what: string, darken: (proxy: TcpProxy) => void, notice: RegExp])[] = [
    ['dark', (proxy) => proxy.dark(), SILENT],
    ['dark, and swallows what is sent', (proxy) => proxy.dark(undefined, 'swallow'), SILENT],
    [
      'dark from the server to the stream alone',
      (proxy) => proxy.links.filter(isReplication).forEach((link) => link.dark(['toClient'])),
      /nothing came from the server for \d+ s/,
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
      const { service, finish } = await underLoad(t, rig, () => stream(OFTEN))
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
    const { service, finish } = await underLoad(t, rig, () => stream(OFTEN))
    for (const link of proxy.links) link.forget()
    await service.waitForLog('recovered: streaming again', NOTICED)
    assert.equal(service.logged(/still held our last connection/).length, 1)
    await finish()
  })

  test('G11: a dark control connection does not hold up the stream for ever, not even one that waits for its answer', async (t) => {
    const { rig, proxy, stream } = await proxiedRig(t, { walSenderTimeout: IMPATIENT })
    const { service, finish } = await underLoad(t, rig, () => stream(OFTEN))
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
})
