// `tail`: every change once it is durable, in order, as people and as programs read it, from any position on.
import assert from 'node:assert/strict'
import { exec } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { programFile } from '../../cmd/wal-cake/program.js'
import { makeRig, type Rig } from '../support/rig.js'
import { S3Server } from '../support/s3-server.js'
import { runVerb, type LogLine, type Service } from '../support/service.js'
import { TcpProxy } from '../support/tcp-proxy.js'

interface Change {
  readonly op: string
  readonly before: Readonly<Record<string, unknown>> | null
  readonly after: Readonly<Record<string, unknown>> | null
  readonly unchanged?: readonly string[]
  readonly source: Readonly<Record<'db' | 'schema' | 'table' | 'lsn', string>> &
    Readonly<Record<'seq' | 'ts_ms', number>> & { readonly xid: number | null }
}

const changes = (tail: Service): Change[] =>
  tail.lines.filter((line: LogLine) => line.source !== undefined).map((line) => line as unknown as Change)

/** Runs until it has shown so many changes. */
async function tailed(rig: Rig, args: readonly string[], count: number): Promise<Change[]> {
  const tail = rig.start({}, ['tail', '--json', ...args])
  await tail.waitFor(`${count} changes`, () => changes(tail).length >= count)
  assert.equal(await tail.stop(), 0)
  return changes(tail)
}

test('all kinds of changes, in order over the tables, and again from any position', async (t) => {
  const rig = await makeRig(t, { lake: 'bucket' })
  const { source } = rig
  await source.query(`
    CREATE TABLE orders (id bigint PRIMARY KEY, paid bool, price float8, amount numeric(12,2), tags int[], note text, big text);
    ALTER TABLE orders ALTER big SET STORAGE EXTERNAL;
    CREATE TABLE whole ("Größe" int, at timestamptz); ALTER TABLE whole REPLICA IDENTITY FULL;
    INSERT INTO whole VALUES (0, '2020-01-01Z')`)
  const service = await rig.stream({ SNAPSHOT: 'initial' })
  await service.waitForLog(/copied/)
  const live = rig.start({}, ['tail', '--json', 'public.orders'])
  await live.waitFor('the warning', () => live.logged('the lake has no such table yet')[0])
  await source.query(`BEGIN;
    INSERT INTO orders VALUES (9007199254740993, true, 'NaN', 10.50, '{1,NULL}', E'a "b"\\n', repeat('x', 9000));
    INSERT INTO whole VALUES (1, 'infinity');
    UPDATE orders SET note = NULL; COMMIT;
    UPDATE whole SET "Größe" = 2 WHERE "Größe" = 1; DELETE FROM orders; TRUNCATE whole`)
  await rig.caughtUp(service)

  const all = await tailed(rig, ['--from', '0/0', '*.*e*'], 7)
  const streamed = all.filter(({ op }) => op !== 'r')
  assert.deepEqual(
    all.filter(({ op }) => op === 'r').map(({ after, source: { xid } }) => [after, xid]),
    [[{ Größe: 0, at: '2020-01-01 00:00:00+00' }, null]],
  )
  assert.deepEqual(
    streamed.map(({ op, source: { table } }) => `${op} ${table}`),
    ['c orders', 'c whole', 'u orders', 'u whole', 'd orders', 't whole'],
  )
  const [inserted, , updated, , deleted, truncated] = streamed as [Change, Change, Change, Change, Change, Change]
  const whole = streamed.filter(({ source: { table } }) => table === 'whole')
  assert.deepEqual(
    [inserted.before, { ...inserted.after, id: 0, big: '' }],
    [null, { id: 0, paid: true, price: 'NaN', amount: '10.50', tags: '{1,NULL}', note: 'a "b"\n', big: '' }],
  )
  assert.deepEqual([updated.before, updated.unchanged, updated.after!.note], [null, ['big'], null])
  assert.ok(!('big' in updated.after!), 'what was not sent is not there')
  assert.deepEqual([Object.keys(deleted.before!), deleted.after], [['id'], null])
  assert.deepEqual(
    whole.slice(0, 2).map(({ before, after }) => [before, after]),
    [
      [null, { Größe: 1, at: 'infinity' }],
      [
        { Größe: 1, at: 'infinity' },
        { Größe: 2, at: 'infinity' },
      ],
    ],
  )
  assert.deepEqual([truncated.before, truncated.after], [null, null])
  const [position] = await source.query<{ db: string; xid: string }>(
    'SELECT current_database() AS db, txid_current()::text AS xid',
  )
  assert.equal(inserted.source.db, position!.db)
  assert.ok(inserted.source.xid! > 0 && inserted.source.xid! < Number(position!.xid))
  assert.ok(Math.abs(inserted.source.ts_ms - Date.now()) < 3_600_000)
  assert.deepEqual([inserted.source.seq, streamed[1]!.source.seq, updated.source.seq], [0, 1, 2])

  const later = await tailed(rig, ['--from', inserted.source.lsn, '*.*e*'], 3)
  assert.deepEqual(
    later.filter(({ op }) => op !== 'r'),
    streamed.slice(3),
  )
  await live.waitFor('what came', () => changes(live).length === 3)
  assert.deepEqual(
    changes(live),
    streamed.filter(({ source: { table } }) => table === 'orders'),
  )
  assert.equal(await live.stop(), 0)
  assert.equal(await service.stop(), 0)
  await rig.dropSlot()
})

test('a line each for people, with all digits of a number; it ends with its reader', async (t) => {
  const rig = await makeRig(t, { lake: 'folder' })
  await rig.source.query('CREATE TABLE t (id bigint PRIMARY KEY, note text)')
  const service = await rig.stream()
  await rig.source.query(`INSERT INTO t VALUES (9007199254740993, repeat('long ', 100)); DELETE FROM t`)
  await rig.caughtUp(service)
  const tail = rig.start({}, ['tail', '--from', '0/0', 'public.t'])
  await tail.waitForLog(/ D public\.t /)
  const [inserted, deleted] = tail.lines.map(({ msg }) => msg!)
  assert.match(
    inserted!,
    /^\d{4}-\d\d-\d\dT[\d:.]+Z [0-9A-F]+\/[0-9A-F]+ I public\.t id=9007199254740993 note="long .{60,90}…$/,
  )
  assert.match(deleted!, / D public\.t id=9007199254740993$/)
  assert.equal(await tail.stop(), 0)
  // It ends with its reader, at the next change.
  const command = `'${process.execPath}' '${programFile}' tail --from 0/0 | head -n 1`
  const piped = promisify(exec)(command, { env: { PATH: process.env.PATH, HTTP_ADDR: '', ...rig.env } })
  const writing = setInterval(
    () => void rig.source.query('INSERT INTO t SELECT coalesce(max(id), 0) + 1 FROM t').catch(() => undefined),
    50,
  )
  const { stdout } = await piped.finally(() => clearInterval(writing))
  assert.equal(stdout, `${inserted!}\n`)
  assert.equal(await service.stop(), 0)
  await rig.dropSlot()
})

test('a store that is away for a while is waited for, and no change is missing', async (t) => {
  const server = await S3Server.start()
  t.after(() => server.stop())
  const rig = await makeRig(t, { lake: server })
  await rig.source.query('CREATE TABLE t (id int PRIMARY KEY)')
  const service = await rig.stream()
  await rig.source.query('INSERT INTO t VALUES (1)')
  await rig.caughtUp(service)
  const proxy = await TcpProxy.start(t, server.endpoint)
  const tail = rig.start({ AWS_ENDPOINT: proxy.through(server.endpoint) }, [
    'tail',
    '--json',
    '--from',
    '0/0',
    'public.t',
  ])
  await tail.waitFor('the first change', () => changes(tail).length === 1)
  proxy.refuse()
  proxy.cut()
  await tail.waitForLog('the store does not answer, will try again')
  await rig.source.query('INSERT INTO t VALUES (2)')
  await rig.caughtUp(service)
  await proxy.accept()
  await tail.waitFor('the second change', () => changes(tail).length === 2)
  assert.deepEqual(
    changes(tail).map(({ after }) => after),
    [{ id: 1 }, { id: 2 }],
  )
  assert.equal(await tail.stop(), 0)
  assert.equal(await service.stop(), 0)
  await rig.dropSlot()
})

test('bad questions have an answer', async (t) => {
  const rig = await makeRig(t, { lake: 'folder' })
  const none = await runVerb(t, ['tail'], rig.env)
  assert.equal(none.code, 2)
  assert.match(none.output, /there is no lake of the slot/)
  const wrong = await runVerb(t, ['tail', '--from', 'yesterday'], rig.env)
  assert.equal(wrong.code, 2)
  assert.match(wrong.output, /--from: yesterday is no LSN/)
})
