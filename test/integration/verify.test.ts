// `verify`: a lake that is what its source is, whatever was done to it, is proved; and everything that can be wrong with one is found
// and named.
import assert from 'node:assert/strict'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import pg from 'pg'
import { typeCases, typesOfOurOwn } from '../readers/type-cases.js'
import { writeCopiedTables } from '../support/copied-tables.js'
import { makeRig, type Env, type Rig } from '../support/rig.js'
import { runVerb, type Service } from '../support/service.js'
import { marked, verify, type Verified, type VerifiedTable } from '../support/verify.js'

const table = ({ tables }: Verified, name: string): VerifiedTable => {
  const found = tables.find(({ schema, table }) => `${schema}.${table}` === name)
  assert.ok(found, `${name}: ${JSON.stringify(tables)}`)
  return found
}

function assertProved(found: Verified): void {
  const wrong = found.tables.filter(({ state }) => state !== 'equal')
  assert.deepEqual([wrong, found.problems, found.proved, found.code], [[], [], true, 0])
}

test('G7: every type, in every form that its values have, is proved', async (t) => {
  const rig = await makeRig(t, { lake: 'folder' })
  const { source } = rig
  const columns = typeCases.map(({ type }, k) => `c${k} ${type}`)
  await source.query(`${typesOfOurOwn} CREATE TABLE types (id serial PRIMARY KEY, ${columns.join(', ')});
    CREATE TABLE unkeyed (n int, note text); ALTER TABLE unkeyed REPLICA IDENTITY FULL`)
  const service = await rig.stream({ SNAPSHOT: 'initial' })
  const height = Math.max(...typeCases.map(({ values }) => values.length))
  for (let k = 0; k < height; k++) {
    const row = typeCases.map(({ values }) => {
      const value = values[k]
      return value === undefined ? 'NULL' : pg.escapeLiteral(typeof value === 'string' ? value : value.value)
    })
    await source.query(`INSERT INTO types (${columns.map((_, c) => `c${c}`).join(', ')}) VALUES (${row.join(', ')})`)
  }
  await source.query(`INSERT INTO unkeyed SELECT k % 3, 'é' || k FROM generate_series(1, 50) k;
    UPDATE unkeyed SET note = NULL WHERE n = 1; DELETE FROM unkeyed WHERE n = 2`)
  await rig.caughtUp(service)
  const found = await verify(t, rig)
  assertProved(found)
  assert.equal(table(found, 'public.types').rows_in_lake, height)
  assert.equal(table(found, 'public.unkeyed').rows_in_source, 33)
  assert.equal(await service.stop(), 0)
  await rig.dropSlot()
})

test('G7: tables that were copied and written to meanwhile, while they still are, and a sample of them', async (t) => {
  const rig = await makeRig(t, { lake: 'bucket' })
  const written = await writeCopiedTables(rig.source, { rows: 3000, everyMs: 2, seed: 7 })
  const service = await rig.stream({ SNAPSHOT: 'initial', FLUSH_INTERVAL: '500ms' })
  await service.waitFor('the copies', async () => {
    const { service: status } = await runVerb(t, ['status', '--json'], rig.env)
    const { copy } = status.lines[0] as unknown as { copy: { running: boolean; tables_left: number } | null }
    return copy !== null && !copy.running
  })
  assertProved(await verify(t, rig))
  const sampled = await verify(t, rig, ['--sample', '--table', 'public.keyed'])
  assert.deepEqual(
    sampled.tables.map(({ table }) => table),
    ['keyed'],
  )
  assert.ok(table(sampled, 'public.keyed').rows_sampled! > 1000)
  assertProved(sampled)
  await written.stopWriting()
  assert.equal(await service.stop(), 0)
  await rig.dropSlot()
})

async function ordersLake(t: TestContext): Promise<{ rig: Rig; service: Service }> {
  const rig = await makeRig(t, { lake: 'folder' })
  await rig.source.query(`
    CREATE TABLE orders (id int, part text, note text, PRIMARY KEY (id, part));
    CREATE TABLE other (id int PRIMARY KEY);
    CREATE PUBLICATION wal_cake_pub FOR TABLE orders, other, marks`)
  const service = await rig.stream({ SNAPSHOT: 'initial' })
  await rig.source.query(`INSERT INTO orders SELECT k, 'a', 'note ' || k FROM generate_series(1, 500) k;
    INSERT INTO other SELECT generate_series(1, 10)`)
  await rig.caughtUp(service)
  return { rig, service }
}

test('rows that differ are named by their keys', async (t) => {
  const { rig, service } = await ordersLake(t)
  assertProved(await verify(t, rig))
  // What is done while a table is not published is in no stream.
  await rig.source.query(`
    ALTER PUBLICATION wal_cake_pub DROP TABLE orders;
    INSERT INTO orders VALUES (501, 'b', 'unseen'); DELETE FROM orders WHERE id = 7;
    UPDATE orders SET note = 'other' WHERE id = 9;
    ALTER PUBLICATION wal_cake_pub ADD TABLE orders`)
  const found = await verify(t, rig)
  assert.deepEqual([found.proved, found.code, found.problems], [false, 3, []])
  const { state, differences, rows_in_source, rows_in_lake } = table(found, 'public.orders')
  assert.deepEqual([state, rows_in_source, rows_in_lake], ['different', 500, 500])
  assert.deepEqual(differences.map(({ key, what }) => `${key.join('/')} ${what}`).sort(), [
    '501/b missing in the lake',
    '7/a only in the lake',
    '9/a different',
  ])
  assert.equal(table(found, 'public.other').state, 'equal')
  const args = ['verify', '--sample', '--table', 'public.orders']
  const { code, output } = await marked(rig, () => runVerb(t, args, rig.env))
  assert.equal(code, 3)
  assert.match(output, /^public\.orders \(9, a\): different$/m)
  assert.match(output, /^NOT PROVED/m)
  assert.equal(await service.stop(), 0)
  await rig.dropSlot()
})

test('columns that are hidden from the lake are not compared, and a hashed key not at all', async (t) => {
  const rig = await makeRig(t, { lake: 'folder' })
  await rig.source.query(`CREATE TABLE people (id int PRIMARY KEY, name text, mail text, age int);
    CREATE TABLE mails (mail text PRIMARY KEY)`)
  const hiding = {
    EXCLUDE_COLUMNS: 'public.people.name',
    HASH_COLUMNS: 'public.*.mail',
    HASH_SALT: 'sixteen letters of salt',
  }
  const service = await rig.stream(hiding)
  await rig.source.query(
    `INSERT INTO people VALUES (1, 'A', 'a@example.org', 40), (2, 'B', NULL, 50); INSERT INTO mails VALUES ('a')`,
  )
  await rig.caughtUp(service)
  const found = await verify(t, rig, [], hiding)
  assert.deepEqual([found.proved, found.code], [true, 0])
  const people = table(found, 'public.people')
  assert.deepEqual([people.state, people.rows_in_lake, people.columns_not_compared], ['equal', 2, ['name', 'mail']])
  assert.deepEqual(
    [table(found, 'public.mails').state, table(found, 'public.mails').why],
    ['skipped', 'its key is hashed'],
  )
  assert.equal(await service.stop(), 0)
  await rig.dropSlot()
})

test('rows from before that were never copied are no fault, and said', async (t) => {
  const rig = await makeRig(t, { lake: 'folder' })
  await rig.source.query('CREATE TABLE old (id int PRIMARY KEY); INSERT INTO old VALUES (1), (2)')
  const service = await rig.stream()
  await rig.source.query('INSERT INTO old VALUES (3)')
  await rig.caughtUp(service)
  const found = await verify(t, rig)
  const { state, rows_in_source, rows_in_lake } = table(found, 'public.old')
  assert.deepEqual([state, rows_in_source, rows_in_lake, found.proved], ['incomplete', 3, 1, true])
  assert.equal(await service.stop(), 0)
  await rig.dropSlot()
})

test('whatever is wrong with the log and the objects is found', async (t) => {
  const { rig, service } = await ordersLake(t)
  const folder = join(rig.folder!, 'default')
  const [key] = (await rig.lake.keys('data/public/orders')) as [string]
  const content = await readFile(join(folder, key))
  const problems = async (): Promise<string> => {
    const found = await verify(t, rig)
    if (found.problems.length > 0) assert.deepEqual([found.proved, found.code], [false, 3])
    return found.problems.join('\n')
  }
  const flipped = Buffer.from(content)
  flipped[100]! ^= 1
  await writeFile(join(folder, key), flipped)
  assert.equal(await problems(), `${key} has another checksum than the log says`)
  await writeFile(join(folder, key), content.subarray(1))
  assert.match(await problems(), /has \d+ bytes, and the log says \d+/)
  await rm(join(folder, key))
  assert.equal(await problems(), `${key} is in the log and not in the store`)
  await writeFile(join(folder, key), content)

  const stray = key.replace(/\d{4}\.parquet$/, '0099.parquet')
  await writeFile(join(folder, stray), content)
  assert.equal(await problems(), `${stray} is in no commit`)
  await rm(join(folder, stray))
  const foreign = key.replace(/[^/]+$/, 'backup.parquet')
  await writeFile(join(folder, foreign), content)
  assert.equal(await problems(), `${foreign} belongs to no log, and readers take it for rows`)
  await rm(join(folder, foreign))

  const log = `_wal_cake/${rig.slot}/log/`
  const record = join(folder, `${log}000000000000.commit.json`)
  const commit = await readFile(record, 'utf8')
  await writeFile(
    record,
    commit.replace(/"rows":\s*(\d+)/, (_, rows) => `"rows": ${Number(rows) + 1}`),
  )
  assert.match(await problems(), /batch 0 has \d+ rows, and its files have \d+/)
  await writeFile(record, commit.replace(/"end_lsn":\s*"[^"]*"/, '"end_lsn": "0/1"'))
  const broken = await runVerb(t, ['verify'], rig.env)
  assert.equal(broken.code, 3)
  assert.match(broken.output, /commit 1 begins at [0-9A-F/]+, but batch 0 ends at 0\/1/)
  await writeFile(record, commit)
  const plan = join(folder, `${log}000000000000.plan.json`)
  const planned = await readFile(plan, 'utf8')
  await rm(plan)
  assert.match(await problems(), /000000000000\.plan\.json was there and is gone/)
  await writeFile(plan, planned)
  assert.equal(await problems(), '')
  assert.equal(await service.stop(), 0)
  await rig.dropSlot()
})

test('bad questions have an answer', async (t) => {
  const { rig, service } = await ordersLake(t)
  const ask = async (args: readonly string[], env: Env = {}): Promise<[number | null, string]> => {
    const { code, service: verb } = await runVerb(t, ['verify', ...args], { ...rig.env, ...env })
    return [code, JSON.stringify(verb.lines)]
  }
  const [unknown, said] = await ask(['--table', 'public.nothing'])
  assert.equal(unknown, 2)
  assert.match(said, /no such table is streamed: public\.nothing.*public\.marks, public\.orders, public\.other/)
  const [elsewhere, where] = await ask([], { NAMESPACE: 'elsewhere' })
  assert.equal(elsewhere, 2)
  assert.match(where, /there is no lake of the slot/)
  assert.equal(await service.stop(), 0)
  await rig.dropSlot()
})
