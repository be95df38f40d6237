// Hundreds of small tables: each is copied, and they share batches, because a commit for each would take longer than the rows.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertTables, copying, endInOrder, finishedCopies } from '../support/copies.js'
import { makeRig } from '../support/rig.js'

const TABLES = 300

test('300 small tables are copied in far fewer batches', async (t) => {
  const rig = await makeRig(t, { lake: 'folder' })
  const names = Array.from({ length: TABLES }, (_, k) => `small_${k}`)
  for (const [k, name] of names.entries())
    await rig.source.query(
      `CREATE TABLE ${name} (id int PRIMARY KEY, v text); INSERT INTO ${name} SELECT g, 'v' FROM generate_series(1, ${k % 5}) g`,
    )
  const began = performance.now()
  const service = await rig.stream(copying)
  await service.waitFor('all to be copied', async () => (await finishedCopies(rig)).length > TABLES, {
    timeoutMs: 120_000,
    everyMs: 500,
  })
  const seconds = (performance.now() - began) / 1000
  await endInOrder(rig, service)
  const batches = (await rig.lake.commits(rig.slot)).filter(({ kind }) => kind === 'copy').length
  t.diagnostic(`${TABLES} tables in ${batches} batches, ${seconds.toFixed(1)} s`)
  assert.ok(batches <= TABLES / 3, `${batches} batches`)
  assert.equal(await assertTables(rig, names.filter((_, k) => k % 5 > 0).slice(0, 20)), 50)
  await rig.dropSlot()
})
