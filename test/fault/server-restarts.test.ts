// The server goes and comes back in every way there is: shut down while we cannot acknowledge, killed outright so that the slot
// stands where it stood before, starting up, full. Nobody waits for us, nothing is lost or twice, nobody has to help
// (G1, G4, G11).
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { AckWatch } from '../support/ack-watch.js'
import { BLOB_BYTES, createBlobs, insertBlobs, insertUnreadBlobs } from '../support/blobs.js'
import { eventually } from '../support/eventually.js'
import { errorFields, serverMessage } from '../support/fake-walsender.js'
import { auditLog } from '../support/log-audit.js'
import { changesPerTransaction, createOrders, loadOrders, orders } from '../support/orders.js'
import { startPostgres, type PostgresServer } from '../support/postgres.js'
import { failuresOf, proxiedRig, replicationBytes } from '../support/proxied-rig.js'
import { RequestHold } from '../support/request-hold.js'
import { makeRig } from '../support/rig.js'
import { S3Server } from '../support/s3-server.js'
import { serverSource } from '../support/server-source.js'
import { assertLakeIsTable } from '../support/table-comparison.js'

/** What a fast shutdown may take with us connected. */
const SHUTDOWN_MS = 15_000

let server: PostgresServer
// It gives up on nobody by itself: what makes it wait would make it wait for ever.
before(async () => void (server = await startPostgres({ settings: { wal_sender_timeout: '0' } })))
after(() => server.stop('immediate'))

for (const reading of [true, false]) {
  const what = reading ? '' : ', not even while so much waits that we do not read'
  test(`G1 G11: a fast shutdown does not wait for a store that is away${what}`, async (t) => {
    const store = await S3Server.start()
    t.after(() => store.stop())
    const source = await serverSource(server, reading ? 'store_away' : 'store_away_full')
    const { rig, proxy, stream } = await proxiedRig(t, { source, lake: store })
    await createBlobs(rig.source)
    const service = await stream({ MEMORY_LIMIT: '16MiB', FLUSH_BYTES: '1MiB' })
    await rig.caughtUp(service)
    const hold = new RequestHold(t, store, { key: /\/data\// })
    const rows = reading ? 128 : (await insertUnreadBlobs(rig.source, proxy)).rows
    if (reading) {
      await insertBlobs(rig.source, 0, rows)
      await eventually(() => replicationBytes(proxy).toClient > rows * BLOB_BYTES)
    }
    await hold.reached()

    const confirmed = (await rig.confirmed())!
    const from = performance.now()
    await server.down('fast')
    const tookMs = performance.now() - from
    assert.ok(tookMs < SHUTDOWN_MS, `the shutdown took ${Math.round(tookMs)} ms`)
    await server.up()
    assert.equal(await rig.confirmed(), confirmed, 'nothing was acknowledged for the sake of the shutdown')

    hold.letGo()
    await rig.caughtUp(service)
    assert.equal(await service.stop(), 0)
    await auditLog(rig.lake, rig.slot)
    assert.equal((await rig.lake.noDoubles())['public.blobs'], rows)
    await rig.dropSlot()
  })
}

test('G1 G4: after a crash the slot stands where it stood at a checkpoint; what the lake has is not taken twice', async (t) => {
  const source = await serverSource(server, 'stepped_back')
  const { rig, proxy, stream } = await proxiedRig(t, { source })
  await createOrders(rig.source)
  const service = await stream({ FLUSH_INTERVAL: '50ms' })
  const watch = new AckWatch(t, rig)
  for (let round = 0; round < 2; round++) {
    await loadOrders(rig.source, { transactions: 10, rowsPerTransaction: 100, after: round * 10 })
    await rig.caughtUp(service)
    const reached = (await rig.confirmed())!
    await eventually(() => watch.seen >= reached)
    await watch.lookAway('crash', async () => {
      // Until the slot has been looked at nobody may move it again.
      proxy.refuse()
      await crash(server)
      assert.ok((await rig.confirmed())! < reached, 'the slot has gone back')
    })
    await eventually(() => watch.stepsBack === round + 1)
    await proxy.accept()
  }
  await rig.caughtUp(service)
  assert.equal(await service.stop(), 0)
  await watch.stop()
  assert.deepEqual(watch.faults, [])
  await auditLog(rig.lake, rig.slot)
  const { changes } = await assertLakeIsTable(rig.source.url, rig.lake, orders)
  assert.equal(changes, 100 + 19 * changesPerTransaction(100))
  await rig.dropSlot()
})

test('G1 G4 G11: the server is killed, crashes and restarts in the middle of a load', async (t) => {
  const rig = await makeRig(t, { source: await serverSource(server, 'killed') })
  await createOrders(rig.source)
  const service = await rig.stream({ FLUSH_INTERVAL: '50ms' })
  const watch = new AckWatch(t, rig)
  const ends: readonly ['shutdown' | 'crash', () => Promise<void>][] = [
    ['crash', () => crash(server)],
    ['crash', () => server.restart('immediate')],
    ['shutdown', () => server.restart('fast')],
    ['crash', () => crash(server)],
  ]
  for (const [round, [how, end]] of ends.entries()) {
    const committed = service.logged('batch committed').length
    // It goes with the server, wherever it stands; the next one writes other rows.
    const load = loadOrders(rig.source, {
      transactions: 2_000,
      rowsPerTransaction: 70,
      after: round * 10_000,
      pauseMs: 5,
    })
    const gone = assert.rejects(load)
    await service.waitForLog('batch committed', { count: committed + 3 })
    await watch.lookAway(how, end)
    await gone
    await service.waitForLog('streaming', { count: round + 2 })
  }
  await rig.caughtUp(service)
  assert.equal(await service.stop(), 0)
  await watch.stop()
  assert.deepEqual(watch.faults, [])
  await auditLog(rig.lake, rig.slot)
  await assertLakeIsTable(rig.source.url, rig.lake, orders)
  await rig.dropSlot()
})

test('G11: a server that has no connection left is waited for, and the log says so', async (t) => {
  const admin = await serverSource(server)
  await admin.query(`CREATE ROLE streamer LOGIN REPLICATION SUPERUSER PASSWORD 'of streamer'`)
  const rig = await makeRig(t, { source: await serverSource(server, 'full') })
  const url = new URL(rig.source.url)
  url.username = 'streamer'
  url.password = 'of streamer'
  const service = await rig.stream({ PG_CONN_STRING: url.href })
  // The limit does not count for superusers.
  await admin.query('ALTER ROLE streamer NOSUPERUSER CONNECTION LIMIT 0')
  await admin.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'streamer'`)
  await service.waitForLog((line) => line.attempt === 2)
  await admin.query('ALTER ROLE streamer CONNECTION LIMIT -1')
  await service.waitForLog('streaming', { count: 2 })
  await rig.caughtUp(service)
  assert.equal(await service.stop(), 0)
  const [first, second] = failuresOf(service)
  assert.match(first!.message, /SQLSTATE 57P01|terminating connection/)
  assert.match(second!.message, /no connection left.*too many connections for role/)
  assert.ok(failuresOf(service).every(({ kind }) => kind === 'link'))
  await rig.dropSlot()
})

test('G11: a server that is starting up is waited for', async (t) => {
  const rig = await makeRig(t, { source: await serverSource(server, 'starting') })
  const service = await rig.stream()
  await server.down('fast')
  const starting = await startingServer(server.port)
  t.after(() => starting.close())
  await service.waitForLog((line) => line.attempt === 4, { timeoutMs: 60_000 })
  starting.close()
  await server.up()
  await service.waitForLog('streaming', { count: 2, timeoutMs: 60_000 })
  await rig.caughtUp(service)
  assert.equal(await service.stop(), 0)
  assert.match(failuresOf(service).at(-1)!.message, /the database system is starting up/)
  await rig.dropSlot()
})

/** Ends the server as the kernel would, and starts it again. */
async function crash(server: PostgresServer): Promise<void> {
  const [pid] = (await readFile(join(server.dataDir, 'postmaster.pid'), 'utf8')).split('\n')
  process.kill(Number(pid), 'SIGKILL')
  // Its children notice a moment later, and hold its memory until then.
  await eventually(() => server.up().then(() => true))
}

/** Answers every connection on the port as PostgreSQL does until it has recovered. */
async function startingServer(port: number): Promise<{ close(): void }> {
  const sockets = new Set<Socket>()
  const listener = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('data', (request) => {
      // Eight bytes ask for encryption, which there is none.
      if (request.length === 8) socket.write('N')
      else socket.end(serverMessage('E', errorFields('57P03', 'the database system is starting up')))
    })
  })
  listener.listen(port, '127.0.0.1')
  await once(listener, 'listening')
  return {
    close: () => {
      listener.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}
