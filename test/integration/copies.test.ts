// Rows that were there before the slot: copied beside the stream, once, exactly, and with every change that comes meanwhile.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { auditLog } from '../support/log-audit.js'
import { makeRig, type Rig } from '../support/rig.js'
import { auditSchemas } from '../support/schema-audit.js'
import type { Service } from '../support/service.js'
import { assertLakeIsTable } from '../support/table-comparison.js'

const copying = { SNAPSHOT: 'initial' }

const columns = { id: 'BIGINT', name: 'VARCHAR', price: 'DECIMAL(12,2)', at: 'TIMESTAMPTZ', tags: 'VARCHAR[]' }

async function makeTable(rig: Rig, name: string, rows: number, key = 'PRIMARY KEY'): Promise<void> {
  await rig.source.query(
    `CREATE TABLE ${name} (id bigint ${key}, name text, price numeric(12,2), at timestamptz, tags text[]);
     INSERT INTO ${name} SELECT k, 'name ' || k, k / 100.0, '2026-01-01'::timestamptz + k * interval '1 s', ARRAY['t' || k % 7, NULL]
       FROM generate_series(1, ${rows}) k`,
  )
}

async function copied(service: Service, tables: number): Promise<void> {
  await service.waitFor(`${tables} tables to be copied`, () =>
    service.logged('table copied').length >= tables ? true : undefined,
  )
}

test('G4: existing rows are copied once, and the stream goes on from there', async (t) => {
  const rig = await makeRig(t)
  await makeTable(rig, 'a', 5000)
  await makeTable(rig, 'b', 10)
  await makeTable(rig, 'empty', 0)
  await rig.source.query('INSERT INTO marks DEFAULT VALUES')
  const service = await rig.stream(copying)
  await rig.source.query(`UPDATE a SET name = 'changed' WHERE id % 100 = 0; DELETE FROM a WHERE id % 100 = 1`)
  await copied(service, 4)
  await rig.source.query(`INSERT INTO a VALUES (7000, 'new', 1, now(), '{}'); INSERT INTO empty SELECT * FROM b`)
  await rig.caughtUp(service)
  assert.equal(await service.stop(), 0)

  const { files } = await auditLog(rig.lake, rig.slot)
  await auditSchemas(rig.lake, rig.slot, files)
  for (const table of ['a', 'b', 'empty'])
    await assertLakeIsTable(rig.source.url, rig.lake, { table: `public.${table}`, key: ['id'], columns })
  const copies = (await rig.lake.rows('public.b')).filter((row) => row._op === 'S')
  assert.equal(copies.length, 10)
  assert.equal(new Set(copies.map((row) => row._lsn)).size, 1)
  assert.equal(new Set(copies.map((row) => row._seq)).size, 10)
  assert.ok(copies.every((row) => row._xid === null && row._commit_ts !== null))

  // Nothing is copied again.
  const again = await rig.stream(copying)
  await rig.caughtUp(again)
  assert.equal(await again.stop(), 0)
  assert.deepEqual(again.logged('copying existing rows'), [])
  await rig.dropSlot()
})
