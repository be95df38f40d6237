// The query of docs/lake.md for the current state, word for word: for any sequence of changes, with large values that are not
// sent again, with keys that change, under every replica identity, it gives the table.
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { makingOf, sequences, transactionsOf } from '../support/key-changes.js'
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

test('G7: the query of docs/lake.md gives the table, whatever was done to it', async (t) => {
  const rig = await makeRig(t, { lake: 'folder' })
  const { source, lake } = rig
  const all = sequences()
  for (const sequence of all) await source.query(makingOf(sequence))
  await source.query('CREATE PUBLICATION wal_cake_pub FOR ALL TABLES')
  const service = await rig.stream()
  for (const sequence of all) for (const transaction of transactionsOf(sequence)) await source.query(transaction)
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
