// Copies that somebody asks for: of a whole table, which then takes the place of what the lake had, and of chosen rows; who asks for
// what cannot be had is told, and a request outlives whoever made it and whoever was to carry it out.
import assert from 'node:assert/strict'
import { readFile, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { signatureOf } from '../../internal/pipeline/copying/request-signature.js'
import { assertTables, copied, copying, endInOrder, finishedCopies } from '../support/copies.js'
import { eventually } from '../support/eventually.js'
import { makeRig, type Env, type Rig } from '../support/rig.js'
import type { Service } from '../support/service.js'

/** What the commands and the service share, also where the server does not ask for it. */
const PASSWORD = 'a shared secret'

interface Asked {
  readonly rig: Rig
  readonly stream: (env?: Env) => Promise<Service>
  /** `snapshot` with these arguments. */
  readonly ask: (...args: string[]) => Service
}

async function askedRig(t: TestContext): Promise<Asked> {
  const rig = await makeRig(t, { lake: 'folder' })
  const url = new URL(rig.source.url)
  if (url.password === '') url.password = PASSWORD
  const env = { PG_CONN_STRING: url.href }
  await rig.source.query(`
    CREATE TABLE keyed (id int PRIMARY KEY, v text, long text);
    INSERT INTO keyed SELECT k, 'v' || k, repeat(md5(k::text), 100) FROM generate_series(1, 2000) k;
    CREATE TABLE keyless (n int, v text); INSERT INTO keyless SELECT k, 'v' FROM generate_series(1, 300) k;
    CREATE TABLE left_out (id int PRIMARY KEY);
    CREATE PUBLICATION wal_cake_pub FOR TABLE keyed, keyless, marks`)
  return {
    rig,
    stream: (more = {}) => rig.stream({ ...copying, ...env, ...more }),
    ask: (...args) => rig.start(env, ['snapshot', ...args]),
  }
}

/** The rows that the lake has of a kind. */
async function kinds(rig: Rig, table: string): Promise<Readonly<Record<string, number>>> {
  const counts: Record<string, number> = {}
  for (const { _op: op } of await rig.lake.rows(table)) counts[String(op)] = (counts[String(op)] ?? 0) + 1
  return counts
}

async function records(rig: Rig, folder: 'requests' | 'answers'): Promise<string[]> {
  return readdir(join(rig.folder!, 'default', '_wal_cake', rig.slot, folder)).catch(() => [])
}

test('G4: a table that is asked for is copied again as a whole, and takes the place of what the lake had', async (t) => {
  const { rig, stream, ask } = await askedRig(t)
  const service = await stream()
  await copied(rig, service, ['keyed', 'keyless', 'marks'])
  // What the lake does not learn of: the reason to ask.
  await rig.source.query(`ALTER PUBLICATION wal_cake_pub SET (publish = 'insert')`)
  await rig.source.query(`INSERT INTO keyless VALUES (0, 'new'); UPDATE keyless SET v = 'w' WHERE n < 100`)
  await rig.source.query(`DELETE FROM keyed WHERE id > 1500; UPDATE keyed SET v = 'w' WHERE id < 1000`)
  await rig.source.query(`ALTER PUBLICATION wal_cake_pub SET (publish = 'insert, update, delete, truncate')`)
  for (const table of ['public.keyed', 'public."keyless"']) {
    const asking = ask(table)
    assert.equal((await asking.waitForExit({ timeoutMs: 60_000 })).code, 0)
    const [done] = asking.logged('copied')
    assert.equal(done?.rows, table === 'public.keyed' ? 1500 : 301)
  }
  await endInOrder(rig, service)
  assert.equal(await assertTables(rig, ['keyed', 'keyless']), 1801)
  assert.deepEqual(await kinds(rig, 'public.keyed'), { S: 2000 + 1500, T: 1 })
  assert.equal((await kinds(rig, 'public.keyless')).T, 1)
  assert.equal((await finishedCopies(rig)).filter(({ table }) => table === 'keyed').length, 2)
  assert.deepEqual([await records(rig, 'requests'), await records(rig, 'answers')], [[], []], 'nothing is left of them')
  await rig.dropSlot()
})

test('G4: chosen rows are copied without a T, under load, and the rest stays as it is', async (t) => {
  const { rig, stream, ask } = await askedRig(t)
  const service = await stream()
  await copied(rig, service, ['keyed', 'keyless'])
  await rig.source.query(`ALTER PUBLICATION wal_cake_pub SET (publish = 'insert, delete')`)
  await rig.source.query(`UPDATE keyed SET v = 'w' WHERE id % 10 = 0`)
  await rig.source.query(`ALTER PUBLICATION wal_cake_pub SET (publish = 'insert, update, delete')`)
  const asking = ask('public.keyed', '--where', `id % 10 = 0 AND v <> ')' -- a comment`)
  while (asking.running) {
    await rig.source.query(
      `UPDATE keyed SET v = v || 'x' WHERE id = 10; DELETE FROM keyed WHERE id = 20; INSERT INTO keyed VALUES (20, 'y')`,
    )
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  assert.equal((await asking.exited).code, 0)
  assert.equal(asking.logged('copied')[0]?.rows, 200)
  await endInOrder(rig, service)
  assert.equal(await assertTables(rig, ['keyed']), 2000)
  const { S, T } = await kinds(rig, 'public.keyed')
  assert.deepEqual({ S, T }, { S: 2200, T: undefined })
  assert.equal(
    (await finishedCopies(rig)).filter(({ table }) => table === 'keyed').length,
    1,
    'is no copy of the table',
  )
  await rig.dropSlot()
})

test('a request outlives the command and a killed service, and is carried out in a lake without copies too', async (t) => {
  const { rig, stream, ask } = await askedRig(t)
  const first = await stream({ SNAPSHOT: 'never' })
  await first.kill()
  const asking = ask('public.keyed')
  await asking.waitForLog(/^requested/)
  await asking.kill()
  const second = await stream({ SNAPSHOT: 'never' })
  await copied(rig, second, ['keyed'])
  await second.waitFor('the answer', async () => (await records(rig, 'requests')).length === 0)
  await endInOrder(rig, second)
  assert.equal(await assertTables(rig, ['keyed']), 2000)
  assert.deepEqual(await rig.lake.rows('public.keyless'), [], 'nothing that was not asked for')
  await rig.dropSlot()
})

test('what cannot be had is refused, with the way out, and nothing is left in the store', async (t) => {
  const { rig, stream, ask } = await askedRig(t)
  const refused = async (args: readonly string[], message: RegExp): Promise<void> => {
    const asking = ask(...args)
    assert.equal((await asking.waitForExit({ timeoutMs: 60_000 })).code, 2)
    const text = JSON.stringify(asking.lines.at(-1))
    assert.match(text, message)
    assert.match(text, /hint/)
    assert.deepEqual(await records(rig, 'requests'), [])
  }
  await refused(['public.keyed'], /no lake of the slot/)
  const service = await stream()
  await copied(rig, service, ['keyed', 'keyless'])
  await refused(['public.left_out'], /public\.left_out is not streamed/)
  await refused(['public.nothing'], /not streamed/)
  await refused(['keyed'], /cannot be read as one schema\.table/)
  await refused(['public.*'], /cannot be read as one schema\.table/)
  await refused(['public.keyed', 'public.keyless'], /takes no/)
  await refused(['--where', 'true'], /needs a table/)
  await refused(['public.keyless', '--where', 'n < 3'], /without a key/)
  await refused(['public.keyed', '--where', 'nothing = 1'], /condition is refused.*nothing/)
  await refused(['public.keyed', '--where', 'true); DROP TABLE keyless; SELECT (1'], /condition is refused/)
  await rig.source.query('SELECT FROM keyless')
  await endInOrder(rig, service)
  await rig.dropSlot()
})

test('a condition that was left in the store by somebody without the password is not run', async (t) => {
  const { rig, stream } = await askedRig(t)
  const service = await stream()
  await copied(rig, service, ['keyed', 'keyless'])
  const url = new URL(rig.source.url)
  const password = url.password === '' ? PASSWORD : decodeURIComponent(url.password)
  const leave = async (id: string, fields: object): Promise<void> => {
    const folder = join(rig.folder!, 'default', '_wal_cake', rig.slot, 'requests')
    await writeFile(
      join(folder, `${id}.json`),
      JSON.stringify({ format: 1, schema: 'public', table: 'keyed', ...fields }),
    )
  }
  const answer = (id: string): Promise<Record<string, unknown>> =>
    eventually(
      async () => {
        const path = join(rig.folder!, 'default', '_wal_cake', rig.slot, 'answers', `${id}.json`)
        const text = await readFile(path, 'utf8').catch(() => undefined)
        return text === undefined ? undefined : (JSON.parse(text) as Record<string, unknown>)
      },
      { timeoutMs: 60_000 },
    )
  const asking = rig.start({ PG_CONN_STRING: rig.source.url }, ['snapshot', 'public.keyless'])
  await asking.waitForExit({ timeoutMs: 60_000 }) // makes the folder
  const where = 'pg_sleep(0) IS NOT NULL'
  const request = { id: 'signed', schema: 'public', table: 'keyed', where }
  const signature = await signatureOf(request, rig.slot, password)
  await leave('plain', { where })
  await leave('other-password', {
    where,
    signature: await signatureOf({ ...request, id: 'other-password' }, rig.slot, 'guess'),
  })
  await leave('moved', { where, signature })
  await leave('changed', { where: `${where} OR true`, signature })
  await leave('damaged', { table: 7 })
  await leave('signed', { where, signature })
  for (const id of ['plain', 'other-password', 'moved', 'changed'])
    assert.match(String((await answer(id)).message), /not signed/, id)
  assert.match(String((await answer('damaged')).message), /damaged/)
  assert.deepEqual({ ...(await answer('signed')), lsn: '' }, { format: 1, outcome: 'copied', rows: 2000, lsn: '' })
  await endInOrder(rig, service)
  await rig.dropSlot()
})
