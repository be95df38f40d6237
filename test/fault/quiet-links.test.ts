// A link on which nothing comes for longer than the server's patience, because nothing happens or because we do not read,
// stays the same link, whatever wal_sender_timeout is (G11).
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createBlobs, insertUnreadBlobs } from '../support/blobs.js'
import { auditLog } from '../support/log-audit.js'
import { proxiedRig, replicationBytes, standsStill, walsenderOf, type ProxiedRig } from '../support/proxied-rig.js'
import { RequestHold } from '../support/request-hold.js'
import type { Rig } from '../support/rig.js'
import { S3Server } from '../support/s3-server.js'
import type { Service } from '../support/service.js'

/**
 * A status update on the wire, of which an impatient server gets three in the time that it waits. Shorter than three seconds
 * that is not: a busy machine may give us nothing for a second.
 */
const STATUS_BYTES = 39

describe('quiet', { concurrency: 4 }, () => {
  const cases: readonly (readonly [timeout: string, what: string, statuses: number])[] = [
    ['0', 'never gives up on us', 1],
    ['3s', 'gives up after three seconds', 8],
    ['60s', 'is as patient as PostgreSQL comes', 1],
  ]
  for (const [timeout, what, statuses] of cases) {
    test(`G11: nothing happens, and the server ${what} (wal_sender_timeout = ${timeout})`, async (t) => {
      const { rig, proxy, stream } = await proxiedRig(t, { lake: 'folder', walSenderTimeout: timeout })
      const service = await stream()
      await rig.caughtUp(service)
      const same = await linkStays(rig, service)
      await standsStill(() => replicationBytes(proxy).toServer)
      // Unasked, so that a server that waits for a sign of life has it in time.
      await untilStatuses(service, proxy, statuses)
      await same()
      assert.equal(await service.stop(), 0)
      await rig.dropSlot()
    })
  }

  test('G10 G11: the store holds us up for longer than the server has patience: we do not read, and stay connected', async (t) => {
    const server = await S3Server.start()
    t.after(() => server.stop())
    const { rig, proxy, stream } = await proxiedRig(t, { lake: server, walSenderTimeout: '3s' })
    await createBlobs(rig.source)
    const service = await stream({ MEMORY_LIMIT: '16MiB', FLUSH_BYTES: '1MiB' })
    await rig.caughtUp(service)
    const hold = new RequestHold(t, server, { key: /\/data\/public\/blobs\// })
    const same = await linkStays(rig, service)
    const { rows, read } = await insertUnreadBlobs(rig.source, proxy)
    await hold.reached()
    await untilStatuses(service, proxy, 8)
    assert.equal(replicationBytes(proxy).toClient, read, 'reading is paused')
    await same()
    hold.letGo()
    await rig.caughtUp(service)
    await same()
    assert.equal(await service.stop(), 0)
    await auditLog(rig.lake, rig.slot)
    assert.equal((await rig.lake.noDoubles())['public.blobs'], rows)
  })
})

/** Called later: the process of the server that streams to us is still the one of now, and nothing failed. */
async function linkStays(rig: Rig, service: Service): Promise<() => Promise<void>> {
  const walsender = await walsenderOf(rig)
  assert.ok(walsender !== undefined)
  return async () => {
    assert.equal(await walsenderOf(rig), walsender)
    assert.equal(service.logged('streaming').length, 1)
    assert.deepEqual(service.logged('will try again'), [])
  }
}

/** So many have gone to the server from now on. */
async function untilStatuses(service: Service, proxy: ProxiedRig['proxy'], count: number): Promise<void> {
  const sent = (): number => replicationBytes(proxy).toServer
  const before = sent()
  await service.waitFor(`${count} status updates`, () => sent() >= before + count * STATUS_BYTES, { timeoutMs: 60_000 })
}
