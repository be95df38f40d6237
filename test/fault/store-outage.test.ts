// A bucket that is away for as long as it takes: the process stays, its memory stays, the link to the server stays, the log
// stays short, /readyz says so; and when the bucket is back everything goes on by itself (G10, G11).
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { healthProbe } from '../support/health.js'
import { assertLargeValues, createLargeValues, insertLargeValues } from '../support/large-values.js'
import { auditLog } from '../support/log-audit.js'
import { memoryBound } from '../support/memory-bound.js'
import { MemoryWatch } from '../support/memory-watch.js'
import { createOrders, loadOrders, orders } from '../support/orders.js'
import { walsenderOf } from '../support/proxied-rig.js'
import { makeRig, type Rig } from '../support/rig.js'
import { S3Server } from '../support/s3-server.js'
import { unlessSoaking } from '../support/soak.js'
import { assertLakeIsTable } from '../support/table-comparison.js'
import { TcpProxy } from '../support/tcp-proxy.js'

const MIB = 1 << 20
/** From when memory is full; in a soak long enough for the pauses between two tries to reach their longest. */
const AWAY_MS = unlessSoaking(8_000, 60_000)
const MEMORY_LIMIT_MIB = 16
/** Batches that wait for a store before the open one is let grow. */
const ENOUGH_WAITING = 32
/** By what it may grow while it waits: garbage that was not collected yet. */
const FLAT_MIB = 16

let store: S3Server
before(async () => void (store = await S3Server.start()))
after(() => store.stop())

test('G10 G11: the bucket is away, and more is written than memory may hold', async (t) => {
  const rig = await makeRig(t, { lake: store })
  await createOrders(rig.source)
  await createLargeValues(rig.source)
  await impatientServer(rig)
  const proxy = await TcpProxy.start(t, store.endpoint)
  const probe = await healthProbe()
  const service = await rig.stream({
    ...probe.env,
    AWS_ENDPOINT: proxy.through(store.endpoint),
    FLUSH_INTERVAL: '50ms',
    MEMORY_LIMIT: `${MEMORY_LIMIT_MIB}MiB`,
  })
  await loadOrders(rig.source, { transactions: 20, rowsPerTransaction: 100 })
  await insertLargeValues(rig.source, 20)
  await rig.caughtUp(service)
  const walsender = await walsenderOf(rig)
  assert.deepEqual(await probe.ask(), { ready: true, live: true, reason: 'streaming' })

  proxy.refuse()
  proxy.cut()
  const before = await rig.confirmed()
  const filling = new MemoryWatch(t, service.pid)
  for (let round = 1; round <= 5; round++) {
    await insertLargeValues(rig.source, 10)
    await loadOrders(rig.source, { transactions: 20, rowsPerTransaction: 100, after: 20 * round })
  }
  filling.stop()
  const waiting = new MemoryWatch(t, service.pid)
  const until = performance.now() + AWAY_MS
  for (let after = 120; performance.now() < until; after += 20)
    await loadOrders(rig.source, { transactions: 20, rowsPerTransaction: 100, after, pauseMs: 20 })
  const away = await service.waitFor('/readyz to say so', async () => {
    const health = await probe.ask()
    return health.ready ? undefined : health
  })
  assert.match(away.reason, /the store has been failing for \d+ s: cannot write \S+ in bucket .*ECONNREFUSED/)
  assert.ok(away.live, 'a restart would not help')
  assert.equal(await walsenderOf(rig), walsender, 'the link stays up')
  assert.equal(await rig.confirmed(), before)
  assert.ok((await unsentBytes(rig)) > MEMORY_LIMIT_MIB * MIB, 'the rest waits at the server')
  const [filledMiB, peakMiB] = [filling, waiting].map(({ peakBytes }) => Math.round(peakBytes / MIB)) as [
    number,
    number,
  ]

  await proxy.accept()
  const back = performance.now()
  await rig.caughtUp(service, { timeoutMs: 120_000 })
  const caughtUpMs = Math.round(performance.now() - back)
  // Readers' head.json may still wait for its next attempt when the slot has moved already.
  await service.waitForLog('store: recovered', { timeoutMs: 60_000 })
  assert.equal(await walsenderOf(rig), walsender, 'the link stayed up')
  assert.deepEqual(await probe.ask(), { ready: true, live: true, reason: 'streaming' })
  assert.equal(await service.stop(), 0)

  const told = service.lines.filter((line) => line.level === 'warn' || line.level === 'error')
  assert.deepEqual([...new Set(told.map((line) => line.msg))], ['store: will try again'])
  assert.ok(told.every(({ attempt }) => Number.isInteger(Math.log2(attempt as number))))
  assert.equal(service.logged('store: recovered').length, 1)
  const { commits, rows } = await auditLog(rig.lake, rig.slot)
  await assertLakeIsTable(rig.source.url, rig.lake, orders)
  const large = await assertLargeValues(rig.source, rig.lake)
  const attempts = service.logged('store: recovered')[0]!.failed_attempts
  t.diagnostic(
    `away for ${AWAY_MS / 1000} s: ${String(attempts)} failed attempts, ${told.length} lines; peak RSS ${filledMiB} MiB while memory filled, ${peakMiB} MiB after, with MEMORY_LIMIT ${MEMORY_LIMIT_MIB} MiB; caught up in ${caughtUpMs} ms: ${commits.length} batches, ${rows} rows, ${large} of 1 MiB`,
  )
  assert.ok(Math.max(filling.peakBytes, waiting.peakBytes) <= memoryBound({ limitBytes: MEMORY_LIMIT_MIB * MIB }))
  assert.ok(peakMiB <= filledMiB + FLAT_MIB, 'memory stays while the bucket stays away')
})

test('G10 G11: the bucket is away while little is written: few batches wait for it, and the open one grows', async (t) => {
  const rig = await makeRig(t, { lake: store })
  const proxy = await TcpProxy.start(t, store.endpoint)
  const service = await rig.stream({ AWS_ENDPOINT: proxy.through(store.endpoint), FLUSH_INTERVAL: '50ms' })
  await rig.caughtUp(service)
  proxy.refuse()
  proxy.cut()
  const before = service.logged('batch closed').length
  const insert = () => rig.source.query('INSERT INTO marks DEFAULT VALUES')
  const waiting = () => service.logged('batch closed').length - before
  await service.waitFor('enough batches to wait', async () => {
    await insert()
    // An idle position may be one of them.
    return waiting() >= ENOUGH_WAITING - 1
  })
  // Time for many more.
  const until = performance.now() + 1_500
  let inserted = 0
  for (; performance.now() < until; inserted++) await insert()
  assert.ok(waiting() <= ENOUGH_WAITING, `${waiting()} batches wait`)
  await proxy.accept()
  await rig.caughtUp(service)
  assert.equal(await service.stop(), 0)
  const { commits, rows } = await auditLog(rig.lake, rig.slot)
  assert.ok(
    commits.some((commit) => commit.transactions > inserted / 2),
    'one batch has taken nearly all of them',
  )
  const [marks] = await rig.source.query<{ count: string }>('SELECT count(*) FROM marks')
  assert.equal(String(rows), marks?.count)
})

async function unsentBytes(rig: Rig): Promise<number> {
  const [row] = await rig.source.query<{ bytes: number }>(
    `SELECT (pg_current_wal_lsn() - sent_lsn)::float8 AS bytes
       FROM pg_stat_replication JOIN pg_replication_slots ON active_pid = pid WHERE slot_name = $1`,
    [rig.slot],
  )
  return row?.bytes ?? 0
}

/** So short that the link would be ended if it were not kept up while nothing can be read. */
async function impatientServer(rig: Rig): Promise<void> {
  const database = decodeURIComponent(new URL(rig.source.url).pathname.slice(1))
  await rig.source.query(`ALTER DATABASE "${database}" SET wal_sender_timeout = '3s'`)
}
