// The stream outlasts what happens to a server: silence in our tables while others write, a fast shutdown and a restart, a
// crash, an ended backend. It loses nothing, keeps nobody waiting, and needs no help (G3, G11).
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { AckWatch } from '../support/ack-watch.js'
import { eventually } from '../support/eventually.js'
import { auditLog } from '../support/log-audit.js'
import { createOrders, loadOrders, orders } from '../support/orders.js'
import { startPostgres, type PostgresServer } from '../support/postgres.js'
import { makeRig } from '../support/rig.js'
import { serverSource } from '../support/server-source.js'
import { assertLakeIsTable } from '../support/table-comparison.js'

/** What a fast shutdown may take with us connected; the server gives up on nobody by itself. */
const SHUTDOWN_MS = 15_000

let server: PostgresServer
// Short, so that the link is looked after often.
before(async () => void (server = await startPostgres({ settings: { wal_sender_timeout: '4s' } })))
after(() => server.stop('immediate'))

test('G1 G3: while nothing happens in our tables, positions are in the lake before the slot moves there', async (t) => {
  const rig = await makeRig(t, { source: await serverSource(server, 'quiet') })
  const other = await serverSource(server, 'busy')
  await other.query('CREATE TABLE t (a text)')
  const service = await rig.stream()
  const watch = new AckWatch(t, rig)
  const start = (await rig.confirmed())!
  await service.waitFor('the slot to move', async () => {
    await other.query(`INSERT INTO t SELECT repeat('x', 1000) FROM generate_series(1, 100)`)
    return (await rig.confirmed())! > start
  })
  assert.equal(await service.stop(), 0)
  await watch.stop()
  assert.deepEqual(watch.faults, [])
  const { commits, files } = await auditLog(rig.lake, rig.slot)
  assert.ok(commits.some((commit) => commit.kind === 'idle'))
  assert.deepEqual(files, [])
  await rig.dropSlot()
})

for (const state of ['quiet', 'writing'] as const) {
  test(`G3 G11: a fast shutdown is not held up while our tables are ${state}; the stream goes on after the restart`, async (t) => {
    const rig = await makeRig(t, { source: await serverSource(server, `shut_${state}`) })
    await createOrders(rig.source)
    const service = await rig.stream(state === 'quiet' ? {} : { FLUSH_INTERVAL: '30s' })
    await loadOrders(rig.source, { transactions: 5, rowsPerTransaction: 100 })
    if (state === 'quiet') await rig.caughtUp(service)

    const from = performance.now()
    await server.down('fast')
    const tookMs = performance.now() - from
    assert.ok(tookMs < SHUTDOWN_MS, `the shutdown took ${Math.round(tookMs)} ms`)
    await service.waitForLog(/will try again/)
    await server.up()

    await loadOrders(rig.source, { transactions: 5, rowsPerTransaction: 100, after: 5 })
    await rig.caughtUp(service)
    assert.equal(await service.stop(), 0)
    await auditLog(rig.lake, rig.slot)
    await assertLakeIsTable(rig.source.url, rig.lake, orders)
    await rig.dropSlot()
  })
}

test('G4 G11: our backend is ended again and again in the middle of a load, and the server crashes once', async (t) => {
  const rig = await makeRig(t, { source: await serverSource(server, 'ended') })
  await createOrders(rig.source)
  const service = await rig.stream({ FLUSH_INTERVAL: '50ms' })
  for (let round = 0; round < 4; round++) {
    const load = loadOrders(rig.source, { transactions: 60, rowsPerTransaction: 100, after: round * 60, pauseMs: 5 })
    await service.waitForLog('batch committed', { count: round * 2 + 1 })
    const [ended] = await rig.source.query<{ n: number }>(
      `SELECT count(pg_terminate_backend(pid))::int AS n FROM pg_stat_activity
        WHERE application_name = 'wal-cake' AND datname = 'ended' AND (backend_type = 'walsender' OR $1)`,
      // Both connections, or only the one that streams.
      [round % 2 === 1],
    )
    assert.ok(ended!.n > 0)
    await service.waitForLog('streaming', { count: round + 2 })
    await load
  }
  await rig.caughtUp(service)
  await server.restart('immediate')
  await loadOrders(rig.source, { transactions: 10, rowsPerTransaction: 100, after: 240 })
  await rig.caughtUp(service)
  assert.equal(await service.stop(), 0)
  await auditLog(rig.lake, rig.slot)
  await assertLakeIsTable(rig.source.url, rig.lake, orders)
  await eventually(() => rig.dropSlot().then(() => true))
})
