// What can no longer be had: a slot that is gone, lost or moved, a server set back or promoted without the newest
// transactions, a lake that lost its log. The service refuses, names the range, and `repair` goes on from there (G6).
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test, type TestContext } from 'node:test'
import { promisify } from 'node:util'
import { auditLog, type AuditedLog } from '../support/log-audit.js'
import { lsn } from '../support/lsn-text.js'
import { startPostgres, type PostgresServer } from '../support/postgres.js'
import { assertRefused, footprint } from '../support/refusal.js'
import { RequestHold } from '../support/request-hold.js'
import { makeRig, type Env, type Rig } from '../support/rig.js'
import { S3Server } from '../support/s3-server.js'
import { serverSource } from '../support/server-source.js'

const run = promisify(execFile)

let server: PostgresServer
let store: S3Server
before(async () => {
  store = await S3Server.start()
  server = await startPostgres({
    settings: { max_slot_wal_keep_size: '1MB', min_wal_size: '32MB', max_wal_size: '32MB', restore_command: 'false' },
  })
})
after(async () => {
  await server.stop('immediate')
  await store.stop()
})

const RANGE = /missing: ([0-9A-F]+\/[0-9A-F]+) to ([0-9A-F]+\/[0-9A-F]+)/

/** A lake with rows 1 to 3 of `t`, and nothing running. */
async function usedLake(t: TestContext, name: string, lake: 'folder' | S3Server = 'folder'): Promise<Rig> {
  const rig = await makeRig(t, { source: await serverSource(server, name), lake })
  await rig.source.query('CREATE TABLE t (id int PRIMARY KEY)')
  const service = await rig.stream()
  await insert(rig, 1, 3)
  await rig.caughtUp(service)
  assert.equal(await service.stop(), 0)
  t.after(() => rig.dropSlot())
  return rig
}

async function insert({ source }: Rig, from: number, to: number): Promise<void> {
  await source.query('INSERT INTO t SELECT generate_series($1::int, $2::int)', [from, to])
}

async function idsInLake({ lake }: Rig): Promise<number[]> {
  return (await lake.rows('public.t')).map((row) => Number(row.id)).sort((a, b) => a - b)
}

/** Refused with the exact range; `repair` alone changes nothing; `repair --yes` closes it; the stream goes on. */
async function isRepaired(rig: Rig, reason: string, says: RegExp): Promise<AuditedLog> {
  await assertRefused(rig.start(), { code: 3, says: [says, RANGE, /repair --yes/] })
  const before = await footprint(rig)
  await assertRefused(rig.start({}, ['repair']), { code: 3, says: [says, RANGE, /will never be in this lake/] })
  assert.deepEqual(await footprint(rig), before, 'asking changes nothing')
  assert.equal((await rig.start({}, ['repair', '--yes']).waitForExit()).code, 0)
  const again = rig.start({}, ['repair', '--yes'])
  assert.equal((await again.waitForExit()).code, 0)
  assert.equal(again.logged(/^nothing to repair/).length, 1, 'a gap is closed once')

  const service = await rig.stream()
  await insert(rig, 100, 102)
  await rig.caughtUp(service)
  assert.equal(await service.stop(), 0)
  const log = await auditLog(rig.lake, rig.slot)
  assert.deepEqual([...new Set(log.commits.flatMap(({ gap }) => gap?.reason ?? []))], [reason])
  return log
}

test('G6: a slot that was dropped: the range is named, recorded for ever, and the stream goes on with a new slot', async (t) => {
  const rig = await usedLake(t, 'dropped')
  const end = (await auditLog(rig.lake, rig.slot)).commits.at(-1)!.end_lsn
  await rig.dropSlot()
  await insert(rig, 4, 6)
  const { commits } = await isRepaired(rig, 'slot_missing', new RegExp(`slot ${rig.slot} is gone.* ends at ${end}`))
  const gap = commits.find(({ kind }) => kind === 'gap')!
  assert.deepEqual([gap.from_lsn, gap.gap?.missing_from, gap.files], [end, end, []])
  assert.deepEqual(await idsInLake(rig), [1, 2, 3, 100, 101, 102])
})

test('G6: a slot that somebody has moved: the gap ends where the slot stands, and the slot is kept', async (t) => {
  const rig = await usedLake(t, 'moved')
  await insert(rig, 4, 6)
  await rig.source.query('SELECT pg_replication_slot_advance($1, pg_current_wal_lsn())', [rig.slot])
  const stands = await rig.confirmed()
  await insert(rig, 7, 9)
  const { commits } = await isRepaired(rig, 'slot_ahead', /stands at .* but the lake ends at/)
  assert.equal(lsn(commits.find(({ kind }) => kind === 'gap')!.end_lsn), stands)
  assert.deepEqual(await idsInLake(rig), [1, 2, 3, 7, 8, 9, 100, 101, 102])
})

test('G6: a slot whose WAL the server has removed', async (t) => {
  const rig = await usedLake(t, 'lost')
  for (let segment = 0; segment < 4; segment++)
    await rig.source.query(`SELECT pg_logical_emit_message(false, 'x', repeat('x', 1000000)), pg_switch_wal()`)
  await rig.source.query('CHECKPOINT')
  const [{ wal_status: status }] = (await rig.source.query<{ wal_status: string }>(
    'SELECT wal_status FROM pg_replication_slots WHERE slot_name = $1',
    [rig.slot],
  )) as [{ wal_status: string }]
  assert.equal(status, 'lost')
  await isRepaired(rig, 'slot_lost', /removed its WAL/)
  assert.deepEqual(await idsInLake(rig), [1, 2, 3, 100, 101, 102])
})

test('G4 G6: what was planned and half stored when its slot went is kept, listed, and never stored again', async (t) => {
  const rig = await usedLake(t, 'half', store)
  await rig.source.query('CREATE TABLE u (id int PRIMARY KEY)')
  const hold = new RequestHold(t, store, { key: /\/data\/public\/u\// })
  const service = await rig.stream()
  await rig.source.query('WITH a AS (INSERT INTO t VALUES (4), (5)) INSERT INTO u VALUES (1)')
  await hold.reached()
  await service.waitFor('the file of t', async () => (await idsInLake(rig)).includes(5))
  await service.kill()
  hold.forget()
  await rig.source.query('SELECT pg_replication_slot_advance($1, pg_current_wal_lsn())', [rig.slot])

  const { commits } = await isRepaired(rig, 'slot_ahead', /but the lake ends at/)
  const incomplete = commits.find(({ kind, gap }) => kind === 'changes' && gap !== undefined)!
  assert.deepEqual(
    incomplete.files.map(({ table, rows }) => [table, rows]),
    [['t', 2]],
  )
  assert.deepEqual(await idsInLake(rig), [1, 2, 3, 4, 5, 100, 101, 102])
})

test('G6: a bucket that is emptied under the running service does not begin anew', async (t) => {
  const rig = await usedLake(t, 'emptied')
  const service = await rig.stream()
  await insert(rig, 4, 4)
  await rig.caughtUp(service)
  await rm(join(rig.folder!, 'default'), { recursive: true })
  await rig.source.query('SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = $1', [
    rig.slot,
  ])
  await assertRefused(service, { code: 3, says: [/ended at [0-9A-F/]+, and now it is empty/, /Restore/] })
})

/** Stops the server, sets its data back to what `copy` holds or ends its timeline, and starts it again. */
async function whileDown(change: (data: string) => Promise<unknown>): Promise<void> {
  await server.down('fast')
  await change(server.dataDir)
  await server.up()
}

/** At its next start the server ends its recovery on a new timeline. */
async function promote(data: string): Promise<void> {
  await writeFile(join(data, 'recovery.signal'), '', { mode: 0o644 })
}

test('G11: a server that was promoted with everything the lake has is gone on with', async (t) => {
  const rig = await usedLake(t, 'promoted')
  await whileDown(promote)
  const service = await rig.stream()
  await insert(rig, 4, 6)
  await rig.caughtUp(service)
  assert.equal(await service.stop(), 0)
  assert.deepEqual(await idsInLake(rig), [1, 2, 3, 4, 5, 6])
  await auditLog(rig.lake, rig.slot)
})

for (const promoted of [false, true])
  test(`G6: a server that was set back to a backup${promoted ? ' and promoted' : ''} is refused, also once it has passed the end of the lake`, async (t) => {
    const rig = await usedLake(t, promoted ? 'set_back_promoted' : 'set_back')
    const copy = `${server.dataDir}.copy`
    await whileDown((data) => run('cp', ['-a', data, copy]))
    const service = await rig.stream()
    await insert(rig, 4, 6)
    await rig.source.query(`SELECT pg_logical_emit_message(false, 'x', repeat('x', 300000))`)
    await insert(rig, 7, 9)
    await rig.caughtUp(service)
    assert.equal(await service.stop(), 0)
    await whileDown(async (data) => {
      await rm(data, { recursive: true })
      await run('mv', [copy, data])
      if (promoted) await promote(data)
    })
    await assertRefused(rig.start(), { code: 3, says: [/behind the end of the lake/, /restored from a backup/] })
    await assertRefused(rig.start({}, ['repair', '--yes']), { code: 3, says: [/behind the end of the lake/] })

    await insert(rig, 50, 52)
    await rig.source.query(`SELECT pg_logical_emit_message(false, 'x', repeat('x', 600000))`)
    await insert(rig, 53, 55)
    if (promoted) await isRepaired(rig, 'other_timeline', /went over to timeline \d+ at/)
    else await assertRefused(rig.start(), { code: 3, says: [/did not send it again as it was/, /NAMESPACE/] })
  })

/** WAL that holds nothing of ours. */
async function writeWal({ source }: Rig, bytes: number): Promise<void> {
  await source.query(`SELECT pg_logical_emit_message(false, 'x', repeat('x', $1))`, [bytes])
}

/** Streams until an idle position past all that was committed so far is in the lake and acknowledged. */
async function idleTo(rig: Rig, env: Env = {}): Promise<void> {
  const [row] = await rig.source.query<{ now: string }>('SELECT pg_current_wal_insert_lsn() AS now')
  // It begins where the slot stands, and its first idle position is recorded at once.
  await writeWal(rig, 100)
  const service = await rig.stream(env)
  await service.waitFor(`the slot to pass ${row!.now}`, async () => (await rig.confirmed())! > lsn(row!.now))
  assert.equal(await service.stop(), 0)
  assert.equal((await auditLog(rig.lake, rig.slot)).commits.at(-1)!.kind, 'idle')
}

test('G6: a server that was set back to where nothing happened is refused once it commits there', async (t) => {
  const rig = await usedLake(t, 'set_back_idle')
  await rig.source.query('CREATE TABLE u (id int PRIMARY KEY)')
  const filter = { EXCLUDE_TABLES: 'public.u' }
  await idleTo(rig, filter)
  const copy = `${server.dataDir}.copy`
  await whileDown((data) => run('cp', ['-a', data, copy]))
  await writeWal(rig, 300_000)
  await idleTo(rig, filter)
  const end = (await auditLog(rig.lake, rig.slot)).commits.at(-1)!.end_lsn
  await whileDown(async (data) => {
    await rm(data, { recursive: true })
    await run('mv', [copy, data])
  })
  await rig.source.query('INSERT INTO u VALUES (1)')
  await insert(rig, 50, 52)
  await writeWal(rig, 600_000)
  await insert(rig, 53, 55)

  const before = await footprint(rig)
  const says = [new RegExp(`nothing was committed between .* and ${end}`), RANGE, /rows of public\.t/, /NAMESPACE/]
  for (const start of ['first', 'second']) {
    await assertRefused(rig.start(filter), { code: 3, says })
    assert.deepEqual(await footprint(rig), before, `the ${start} start changes nothing`)
  }
  assert.deepEqual(await idsInLake(rig), [1, 2, 3])
})

test('G1 G6: what a filter had left out where nothing happened is no other history, though the filter is gone now', async (t) => {
  const rig = await usedLake(t, 'filtered_idle')
  await rig.source.query('CREATE TABLE u (id int PRIMARY KEY)')
  await idleTo(rig)
  const slot = join(server.dataDir, 'pg_replslot', rig.slot)
  const copy = `${server.dataDir}.slot`
  await whileDown(() => run('cp', ['-a', slot, copy]))
  await rig.source.query('INSERT INTO u VALUES (1)')
  await idleTo(rig, { EXCLUDE_TABLES: 'public.u' })
  const stood = (await rig.confirmed())!
  // As after a crash: what was acknowledged last is forgotten.
  await whileDown(async () => {
    await rm(slot, { recursive: true })
    await run('mv', [copy, slot])
  })
  assert.ok((await rig.confirmed())! < stood, 'the slot was set back')

  const service = await rig.stream()
  await service.waitFor('the lake to be acknowledged again', async () => (await rig.confirmed())! >= stood)
  await rig.source.query('INSERT INTO u VALUES (2)')
  await insert(rig, 4, 4)
  await rig.caughtUp(service)
  assert.equal(await service.stop(), 0)
  await auditLog(rig.lake, rig.slot)
  assert.deepEqual(
    (await rig.lake.rows('public.u')).map((row) => row.id),
    [2],
  )
})
