// What copies need of the server for a while, and do not get: no slot, no snapshot, a connection that ends, no time. The stream
// goes on meanwhile, and in the end every row is copied, once.
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import pg from 'pg'
import { connectionTarget } from '../../cmd/wal-cake/pieces.js'
import { parseConnectionString } from '../../internal/config/connection-string.js'
import { connect } from '../../internal/replication/connection.js'
import { copyOut } from '../../internal/replication/copy-out.js'
import { assertTables, copied, copying, endInOrder } from '../support/copies.js'
import { startPostgres, testDatabase } from '../support/postgres.js'
import { makeRig, type Rig } from '../support/rig.js'
import { S3Server } from '../support/s3-server.js'
import { serverSource } from '../support/server-source.js'
import type { LogLine, Service } from '../support/service.js'

const ROWS = 2000

async function makeTable({ source }: Rig): Promise<void> {
  await source.query(`
    CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT k, repeat('v' || k, 20) FROM generate_series(1, ${ROWS}) k;
    CREATE PUBLICATION wal_cake_pub FOR TABLE t, marks`)
}

function hintsOf(service: Service): string[] {
  const lines: (LogLine & { err?: { hint?: string } })[] = service.logged('copy of existing rows: will try again')
  return lines.map(({ err }) => err?.hint ?? '')
}

/** Connections of the service in this database. */
async function backends({ source }: Rig, condition: string): Promise<number[]> {
  const rows = await source.query<{ pid: number }>(
    `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'wal-cake' AND ${condition}`,
  )
  return rows.map(({ pid }) => pid)
}

test('no replication slot is free: the stream goes on, what to do is said, and it is copied when there is room', async (t) => {
  const server = await startPostgres({ settings: { max_replication_slots: 2 } })
  t.after(() => server.stop('immediate'))
  const rig = await makeRig(t, { lake: 'folder', source: await serverSource(server, 'full') })
  await makeTable(rig)
  await rig.source.query(`SELECT pg_create_physical_replication_slot('taken')`)
  const service = await rig.stream(copying)
  await service.waitForLog('copy of existing rows: will try again')
  await rig.source.query(`UPDATE t SET v = 'new' WHERE id = 1`)
  await rig.caughtUp(service)
  assert.match(hintsOf(service)[0]!, /max_replication_slots/)
  await rig.source.query(`SELECT pg_drop_replication_slot('taken')`)
  await copied(rig, service, ['t'])
  await endInOrder(rig, service)
  assert.equal(await assertTables(rig, ['t']), ROWS)
})

test('an old transaction holds up the snapshot: the stream goes on, a stop is prompt, and a session that was lost leaves nothing open', async (t) => {
  // Of its own: every new slot of the server waits for that transaction.
  const server = await startPostgres()
  t.after(() => server.stop('immediate'))
  const rig = await makeRig(t, { lake: 'folder', source: await serverSource(server, 'old') })
  await makeTable(rig)
  assert.equal((await rig.start(copying, ['init']).waitForExit()).code, 0)
  const old = new pg.Client({ connectionString: rig.source.url })
  old.on('error', () => undefined)
  await old.connect()
  t.after(() => old.end().catch(() => undefined))
  await old.query(`BEGIN; UPDATE t SET v = 'from before' WHERE id = 7`)

  const first = await rig.stream(copying)
  const waiting = (): Promise<number[]> =>
    backends(rig, `query LIKE 'CREATE_REPLICATION_SLOT%' AND wait_event_type = 'Lock'`)
  await first.waitFor('the snapshot to wait', async () => (await waiting()).length > 0)
  await rig.caughtUp(first)
  const before = performance.now()
  assert.equal(await first.stop(), 0)
  assert.ok(performance.now() - before < 10_000, 'the stop waits for no snapshot')

  const second = await rig.stream(copying)
  await second.waitFor('the snapshot to wait', async () => (await waiting()).length > 1)
  await rig.source.query('SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = $1', [
    rig.slot,
  ])
  await second.waitForLog('streaming', { count: 2 })
  await second.waitFor('the next snapshot to wait', async () => (await waiting()).length > 2)
  await old.query('COMMIT')
  await copied(rig, second, ['t'])
  await rig.caughtUp(second)
  await second.waitFor(
    'no transaction to be open',
    async () => (await backends(rig, `state LIKE 'idle in transaction%'`)).length === 0,
  )
  await endInOrder(rig, second)
  assert.equal(await assertTables(rig, ['t']), ROWS)
  await rig.dropSlot()
})

const pieces = { ...copying, TARGET_FILE_BYTES: '64KiB', SNAPSHOT_WORKERS: '1' }

/** Calls `meanwhile` while the fourth piece of `t` is being staged. */
async function rigInMidCopy(t: TestContext, meanwhile: (rig: Rig) => void | Promise<void>): Promise<Rig> {
  const store = await S3Server.start()
  const rig = await makeRig(t, { lake: store })
  t.after(() => store.stop())
  await makeTable(rig)
  let uploads = 0
  store.onBeforeRequest = ({ operation, key }) => {
    if (operation === 'UploadPart' && key.includes('/public/t/') && ++uploads === 4) return meanwhile(rig)
    return undefined
  }
  return rig
}

async function assertCopiedOnce(rig: Rig): Promise<void> {
  assert.equal(await assertTables(rig, ['t']), ROWS)
  const copies = (await rig.lake.rows('public.t')).filter(({ _op }) => _op === 'S')
  assert.equal(copies.length, ROWS, 'each row is staged and made visible once')
  assert.equal(new Set(copies.map(({ _lsn }) => _lsn)).size, 2, 'under the first snapshot and the second')
}

test('G4: connections of a copy that the server ends: it is gone on with, and each row is copied once', async (t) => {
  let ended = 0
  const rig = await rigInMidCopy(t, async (rig) => {
    for (const pid of await backends(rig, `query ~ '^(ROLLBACK|COPY|LOCK)'`)) {
      await rig.source.query('SELECT pg_terminate_backend($1)', [pid])
      ended++
    }
  })
  const service = await rig.stream(pieces)
  await copied(rig, service, ['t'])
  await endInOrder(rig, service)
  assert.ok(ended > 0)
  assert.equal(service.logged('copy of existing rows: will try again').length, 1)
  await assertCopiedOnce(rig)
  await rig.dropSlot()
})

test('G4: SIGTERM in the middle of a copy ends it in order, and the next start copies what is left', async (t) => {
  let go: () => void = () => undefined
  const held = new Promise<void>((resolve) => (go = resolve))
  let reached = false
  const rig = await rigInMidCopy(t, () => {
    reached = true
    return held
  })
  t.after(() => go())
  const first = await rig.stream(pieces)
  await first.waitFor('the fourth piece', () => reached)
  assert.equal(await first.stop(), 0)
  go()
  const before = (await rig.lake.rows('public.t')).length
  assert.ok(before > 0 && before < ROWS, `${before} rows are there`)
  const second = await rig.stream(pieces)
  await copied(rig, second, ['t'])
  await endInOrder(rig, second)
  await assertCopiedOnce(rig)
  await rig.dropSlot()
})

test('a connection that ends while rows come is waited for no more', async (t) => {
  const database = await testDatabase(t)
  const target = connectionTarget(parseConnectionString(database.url, {}), 'PG_CONN_STRING')
  const client = await connect(target, 'copy')
  const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
  let ended: Promise<unknown> | undefined
  // Held until the connection has ended: the rest is read from what had come by then.
  const reading = copyOut(client, `COPY (SELECT repeat('x', 1000) FROM generate_series(1, 100000)) TO STDOUT`, () =>
    ended === undefined
      ? (ended = database.query('SELECT pg_terminate_backend($1)', [rows[0]!.pid])).then(() => undefined)
      : undefined,
  )
  await assert.rejects(reading)
  await assert.rejects(client.query('ROLLBACK'), /not queryable/)
})
