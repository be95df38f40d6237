// The snapshot of a standby by itself: its position divides exactly, it lies behind all earlier ones, and a read that could have
// missed rows fails.
import assert from 'node:assert/strict'
import { after, before, test, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { connectionTarget } from '../../cmd/wal-cake/pieces.js'
import { parseConnectionString } from '../../internal/config/connection-string.js'
import { connect, type ConnectionTarget } from '../../internal/replication/connection.js'
import type { CopySnapshot } from '../../internal/replication/copy-snapshot.js'
import { inspectServer, placeOfServer } from '../../internal/replication/server.js'
import { takeStandbySnapshot } from '../../internal/replication/standby-snapshot.js'
import { eventually } from '../support/eventually.js'
import { startPostgres, type PostgresServer } from '../support/postgres.js'
import { serverSource } from '../support/server-source.js'
import { startStandby } from '../support/standby.js'
import { makeDecodingSlot, readTransactions } from '../support/test-decoding.js'

let primary: PostgresServer
let standby: PostgresServer

before(async () => {
  primary = await startPostgres()
  standby = await startStandby(primary, { max_standby_streaming_delay: '2s' })
})

after(async () => {
  await standby.stop('immediate')
  await primary.stop('immediate')
})

function targetOf({ url }: PostgresServer): ConnectionTarget {
  return connectionTarget(parseConnectionString(url, {}), 'SNAPSHOT_CONN_STRING')
}

/** Takes one after the other. */
async function snapshots(t: TestContext, target = targetOf(standby)): Promise<() => Promise<CopySnapshot>> {
  const control = await connect(targetOf(primary), 'control')
  const replication = await connect(targetOf(primary), 'replication')
  t.after(() => control.end())
  const { version, database } = await inspectServer(control)
  const { systemIdentifier, timeline } = await placeOfServer(replication, undefined)
  await replication.end()
  const never = new AbortController().signal
  return async () => {
    const taken = await takeStandbySnapshot(
      { target, version },
      { control, systemIdentifier, timeline, database },
      never,
    )
    t.after(() => taken.release())
    return taken
  }
}

test('G4: under a load, what is seen is exactly what the log commits before the position', async (t) => {
  const source = await serverSource(primary)
  await makeDecodingSlot(source, 'oracle')
  await source.query('CREATE TABLE written (id bigserial, note text)')
  const take = await snapshots(t)
  const stop = new AbortController()
  const writers = Array.from({ length: 6 }, async (_, k) => {
    const client = new pg.Client({ connectionString: primary.url })
    await client.connect()
    while (!stop.signal.aborted) {
      await client.query(`INSERT INTO written (note) SELECT repeat('x', 50) FROM generate_series(1, ${1 + 3 * k})`)
      if (k < 3) await delay(k)
    }
    await client.end()
  })
  const seen: { point: bigint; ids: Set<string> }[] = []
  for (let k = 0; k < 40; k++) {
    const snapshot = await take()
    const reader = await snapshot.connect()
    const { rows } = await snapshot.read(reader, () =>
      reader.query<{ ids: string[] }>('SELECT array_agg(id) AS ids FROM public.written'),
    )
    seen.push({ point: snapshot.consistentPoint, ids: new Set(rows[0]!.ids) })
    await reader.end()
    snapshot.release()
  }
  stop.abort()
  await Promise.all(writers)

  const transactions = await readTransactions(source, 'oracle')
  await source.query(`SELECT pg_drop_replication_slot('oracle')`)
  for (const { point, ids } of seen) {
    const wrong = transactions.filter(({ endLsn, changes }) =>
      changes.some((change) => ids.has(change.new!.get('id') as string) !== endLsn <= point),
    )
    assert.deepEqual(
      wrong.map(({ endLsn }) => endLsn - point),
      [],
      'transactions on the wrong side',
    )
  }
  t.diagnostic(`${transactions.length} transactions, ${seen.length} snapshots`)
  assert.ok(transactions.length > 1000 && seen.at(-1)!.ids.size > seen[0]!.ids.size)
})

test('G4 G5: of a server that does nothing each snapshot has a later position than the one before', async (t) => {
  const take = await snapshots(t)
  const points: bigint[] = []
  for (let k = 0; k < 3; k++) points.push((await take()).consistentPoint)
  assert.ok(points[0]! < points[1]! && points[1]! < points[2]!, points.join(', '))
})

test('G4: what takes a snapshot over while the standby waits to remove its rows does not miss them in silence', async (t) => {
  const source = await serverSource(primary)
  await source.query(`CREATE TABLE removed AS SELECT k FROM generate_series(1, 100) k`)
  const take = await snapshots(t)
  const snapshot = await take()
  await source.query('DELETE FROM removed WHERE k % 2 = 0')
  await source.query('VACUUM removed')
  const there = await serverSource(standby)
  await eventually(async () => {
    const [row] = await there.query<{ waits: boolean }>(
      'SELECT pg_last_wal_replay_lsn() < pg_last_wal_receive_lsn() AS waits',
    )
    return row!.waits
  })
  let rows: number | undefined
  const reader = await snapshot.connect()
  t.after(() => reader.end())
  const read = snapshot.read(reader, async () => {
    await reader.query('SELECT 1')
    // Until the holder is ended, and the rows are removed.
    await delay(4_000)
    rows = Number((await reader.query<{ n: string }>('SELECT count(*) AS n FROM public.removed')).rows[0]!.n)
  })
  await assert.rejects(read, /conflict with recovery/)
  t.diagnostic(`${rows} of 100 rows`)
})

test('an address that leads to several servers is refused', async (t) => {
  let port = standby.port
  const target = { ...targetOf(standby) }
  Object.defineProperty(target, 'port', { get: () => port })
  const snapshot = await (await snapshots(t, target))()
  port = primary.port
  await assert.rejects(snapshot.connect(), /is another server than the one with the snapshot/)
})
