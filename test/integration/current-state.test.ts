// The query of docs/lake.md for the current state, word for word: for any sequence of changes, with large values that are not
// sent again, with keys that change, under every replica identity, it gives the table.
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { auditLog } from '../support/log-audit.js'
import { makeRig } from '../support/rig.js'
import { verify } from '../support/verify.js'

const compiledRoot = fileURLToPath(new URL('../../..', import.meta.url))
const root = existsSync(join(compiledRoot, 'docs')) ? compiledRoot : process.cwd()

/** With something else in the place of what it reads. */
async function documentedQuery(from: string): Promise<string> {
  const page = await readFile(join(root, 'docs/lake.md'), 'utf8')
  const query = /```sql\n(WITH RECURSIVE .*?);\n```/s.exec(page)?.[1]
  assert.ok(query !== undefined, 'the page has the query')
  const source = /read_parquet\('[^']*', [^)]*\)/
  assert.match(query, source)
  return query.replace(source, () => from)
}

const identities = ['DEFAULT', 'FULL', 'USING INDEX', 'NOTHING'] as const
const SEQUENCES = 12

const key = fc.integer({ min: 1, max: 4 })
/** Long enough to be kept outside of the row, or not; or none. */
const big = fc.oneof(
  { weight: 4, arbitrary: fc.nat().map((n) => `repeat(md5('${n}'), 90)`) },
  { weight: 1, arbitrary: fc.constantFrom('NULL', `''`, `'short'`) },
)
const note = fc.nat({ max: 99 }).map((n) => (n % 9 === 0 ? 'NULL' : `'${n}'`))

const inserts = fc
  .tuple(key, note, big)
  .map(([id, n, b]) => `INSERT INTO t VALUES (${id}, ${n}, ${b}) ON CONFLICT DO NOTHING`)
const truncates = fc.constant('TRUNCATE t')
const moved = (id: number, to: number): string => `id = ${id} AND NOT EXISTS (SELECT FROM t WHERE id = ${to})`
const others = fc.oneof(
  fc.tuple(key, note).map(([id, n]) => `UPDATE t SET note = ${n} WHERE id = ${id}`),
  note.map((n) => `UPDATE t SET note = ${n}`),
  fc.tuple(key, big).map(([id, b]) => `UPDATE t SET big = ${b} WHERE id = ${id}`),
  fc.tuple(key, key).map(([id, to]) => `UPDATE t SET id = ${to} WHERE ${moved(id, to)}`),
  fc.tuple(key, key, note).map(([id, to, n]) => `UPDATE t SET id = ${to}, note = ${n} WHERE ${moved(id, to)}`),
  fc.tuple(key, key, big).map(([id, to, b]) => `UPDATE t SET id = ${to}, big = ${b} WHERE ${moved(id, to)}`),
  key.map((id) => `DELETE FROM t WHERE id = ${id}`),
)
const switches = fc.constantFrom('FULL', 'DEFAULT').map((to) => `ALTER TABLE t REPLICA IDENTITY ${to}`)

function statementsOf(identity: (typeof identities)[number]): fc.Arbitrary<string> {
  const weighted = [
    { weight: 6, arbitrary: inserts },
    { weight: 1, arbitrary: truncates },
  ]
  if (identity !== 'NOTHING') weighted.push({ weight: 20, arbitrary: others })
  if (identity === 'DEFAULT' || identity === 'FULL') weighted.push({ weight: 1, arbitrary: switches })
  return fc.oneof(...weighted)
}

interface Sequence {
  readonly table: string
  readonly identity: (typeof identities)[number]
  /** Transactions of statements. */
  readonly work: readonly (readonly string[])[]
}

/** Others each time; a failure names its statements. */
function sequences(): Sequence[] {
  return identities.flatMap((identity, i) => {
    const transaction = fc.array(statementsOf(identity), { minLength: 1, maxLength: 8 })
    const works = fc.sample(fc.array(transaction, { minLength: 6, maxLength: 12 }), SEQUENCES)
    return works.map((work, k) => ({ table: `t${i}_${k}`, identity, work }))
  })
}

test('G7: the query of docs/lake.md gives the table, whatever was done to it', async (t) => {
  const rig = await makeRig(t, { lake: 'folder' })
  const { source, lake } = rig
  const all = sequences()
  for (const { table, identity } of all)
    await source.query(`
      CREATE TABLE ${table} (id bigint NOT NULL, note text, big text);
      CREATE UNIQUE INDEX ${table}_id ON ${table} (id);
      ${identity === 'DEFAULT' || identity === 'FULL' ? `ALTER TABLE ${table} ADD PRIMARY KEY USING INDEX ${table}_id;` : ''}
      ALTER TABLE ${table} ALTER big SET STORAGE EXTERNAL,
        REPLICA IDENTITY ${identity === 'USING INDEX' ? `USING INDEX ${table}_id` : identity}`)
  await source.query('CREATE PUBLICATION wal_cake_pub FOR ALL TABLES')
  const service = await rig.stream()
  for (const { table, work } of all)
    for (const transaction of work)
      await source.query(`BEGIN; ${transaction.join('; ').replaceAll(/\bt\b/g, table)}; COMMIT`)
  await rig.caughtUp(service)
  // It has a rule of its own for the same.
  const verified = await verify(t, rig)
  const wrong = verified.tables.filter(({ state }) => state !== 'equal').map(({ table }) => table)
  assert.deepEqual(
    all.filter(({ table }) => wrong.includes(table)),
    [],
    'verify finds them equal',
  )
  assert.equal(verified.tables.length, all.length + 1)
  assert.equal(await service.stop(), 0)
  await auditLog(lake, rig.slot)

  let unsent = 0
  for (const { table, identity, work } of all) {
    const rows = await source.query(`SELECT id::text AS id, note, md5(big) AS big FROM ${table} ORDER BY id`)
    const files = await lake.files(`public.${table}`)
    const query = await documentedQuery(lake.from(`public.${table}`))
    const found =
      files.length === 0
        ? []
        : await lake.query(`SELECT id::VARCHAR AS id, note, md5(big) AS big FROM (${query}) ORDER BY id`)
    assert.deepEqual(found, rows, `${identity}: ${JSON.stringify(work, null, 1)}`)
    const byRule = (await lake.currentState(`public.${table}`, ['id'])).map((row) => String(row.id)).sort()
    assert.deepEqual(
      byRule,
      rows.map(({ id }) => String(id)),
    )
    if (files.length > 0)
      unsent += Number((await lake.query(`SELECT count(_unchanged) AS n FROM ${lake.from(`public.${table}`)}`))[0]?.n)
  }
  assert.ok(unsent > 0, 'some values were not sent again')
  await rig.dropSlot()
})
