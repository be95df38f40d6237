// Two processes that start at once, exactly interleaved: what one has read of slot and log when the other goes on with both.
import assert from 'node:assert/strict'
import { after, before, test, type TestContext } from 'node:test'
import { eventually } from '../support/eventually.js'
import { auditLog } from '../support/log-audit.js'
import { makeRig, type Rig } from '../support/rig.js'
import { S3Server } from '../support/s3-server.js'
import type { Service } from '../support/service.js'

let store: S3Server
before(async () => (store = await S3Server.start()))
after(() => store.stop())

/** A service that has read the slot, and waits for its first look into the log until it is let go. */
async function startedHalfWay(t: TestContext, rig: Rig): Promise<{ service: Service; letGo: () => void }> {
  let letGo: (() => void) | undefined
  store.onBeforeRequest = async ({ operation, key }) => {
    if (letGo !== undefined || operation !== 'GetObject' || !key.endsWith('.commit.json')) return
    await new Promise<void>((resolve) => (letGo = resolve))
  }
  t.after(() => (store.onBeforeRequest = undefined))
  const service = rig.start()
  await eventually(() => letGo !== undefined)
  return { service, letGo: letGo! }
}

/** A lake with a row, and no service at work. */
async function usedLake(t: TestContext): Promise<Rig> {
  const rig = await makeRig(t, { lake: store })
  await rig.source.query('CREATE TABLE t (id int PRIMARY KEY)')
  const service = await rig.stream()
  await rig.source.query('INSERT INTO t VALUES (1)')
  await rig.caughtUp(service)
  assert.equal(await service.stop(), 0)
  return rig
}

test('G6 G11: a slot that another process has moved since it was looked at is not taken for another history', async (t) => {
  const rig = await usedLake(t)
  const { service, letGo } = await startedHalfWay(t, rig)
  const other = await rig.stream()
  await rig.source.query('INSERT INTO t VALUES (2)')
  await rig.caughtUp(other)
  await other.kill()
  letGo()

  await service.waitForLog('streaming')
  await rig.source.query('INSERT INTO t VALUES (3)')
  await rig.caughtUp(service)
  assert.equal(await service.stop(), 0)
  assert.deepEqual((await rig.lake.rows('public.t')).map(({ id }) => Number(id)).sort(), [1, 2, 3])
  await auditLog(rig.lake, rig.slot)
})

test('G6: a slot that is advanced between a look at it and the stream is a gap, and not streamed over', async (t) => {
  const rig = await usedLake(t)
  const { service, letGo } = await startedHalfWay(t, rig)
  await rig.source.query('INSERT INTO t VALUES (2)')
  await rig.source.query('SELECT pg_replication_slot_advance($1, pg_current_wal_lsn())', [rig.slot])
  await rig.source.query('INSERT INTO t VALUES (3)')
  letGo()

  const { code } = await service.waitForExit()
  assert.equal(code, 3)
  assert.equal(service.logged(/stands at .* but the lake ends at/).length, 1)
  assert.deepEqual(
    (await rig.lake.rows('public.t')).map(({ id }) => Number(id)),
    [1],
  )
})
