// Rows that were there before, many times as large together as what the process may hold, copied by several connections at once:
// the peak, as the kernel counts it, stays under what docs/memory.md promises, and every value is in the lake whole (G10).
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { copied, endInOrder } from '../support/copies.js'
import { assertLargeValues, createLargeValues, insertLargeValues } from '../support/large-values.js'
import { assertMemoryBound } from '../support/memory-bound.js'
import { memoryUncounted } from '../support/memory-watch.js'
import { makeRig } from '../support/rig.js'

/** Of 1 MiB each, which do not compress, in each of as many tables as are copied at the same time. */
const VALUES = 40
const WORKERS = 4
const limitBytes = 16 << 20
const env = { SNAPSHOT: 'initial', SNAPSHOT_WORKERS: String(WORKERS), MEMORY_LIMIT: '16MiB', LOG_LEVEL: 'info' }

test('G10: large values are copied by four connections at once', { skip: memoryUncounted }, async (t) => {
  const rig = await makeRig(t)
  await createLargeValues(rig.source)
  await insertLargeValues(rig.source, VALUES)
  const tables = ['large', ...Array.from({ length: WORKERS - 1 }, (_, k) => `large_${k + 2}`)]
  for (const table of tables.slice(1))
    await rig.source.query(`CREATE TABLE ${table} (LIKE large INCLUDING ALL); INSERT INTO ${table} SELECT * FROM large`)
  const service = await rig.stream(env)
  await copied(rig, service, tables)
  await assertMemoryBound(t, service, { limitBytes, workers: WORKERS })
  await endInOrder(rig, service)
  for (const table of tables) assert.equal(await assertLargeValues(rig.source, rig.lake, table), VALUES)
})
