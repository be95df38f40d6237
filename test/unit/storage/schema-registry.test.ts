// The versions of a table's schema, found by position.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TableSchema } from '../../../internal/model/table-schema.js'
import { SchemaRegistry } from '../../../internal/storage/schema-registry.js'
import { MemoryStore } from '../../support/memory-store.js'

const name = { schema: 's', table: 't' }
const tableWith = (relationOid: number): TableSchema => ({ ...name, relationOid, replicaIdentity: 'd', columns: [] })

test('who describes a table is told the versions before and after, and registers none by throwing', async () => {
  const registry = await SchemaRegistry.open(new MemoryStore(), 'slot')
  await registry.register(name, { lsn: 10n, seq: 0 }, () => tableWith(1))
  assert.equal((await registry.register(name, { lsn: 30n, seq: 0 }, () => tableWith(2))).replaces, true)
  const told: number[][] = []
  assert.throws(
    () =>
      void registry.register(name, { lsn: 20n, seq: 0 }, (earlier, later) => {
        told.push(...[earlier, later].map((schemas) => schemas.map(({ relationOid }) => relationOid)))
        throw new Error('not now')
      }),
    /not now/,
  )
  assert.deepEqual(told, [[1], [2]])
  // What the stream has made of its position it makes again in a replay.
  assert.equal((await registry.register(name, { lsn: 30n, seq: 0 }, () => tableWith(2))).replaces, true)
})

test('the stream and a copy that come to a table at once record their versions beside each other', async () => {
  const store = new MemoryStore()
  const before = await SchemaRegistry.open(store, 'slot')
  await (
    await before.register(name, { lsn: 10n, seq: 0 }, () => tableWith(1))
  ).recorded
  const registry = await SchemaRegistry.open(store, 'slot')
  const both = await Promise.all(
    [2, 3].map(async (oid) => registry.register(name, { lsn: BigInt(oid * 10), seq: 0 }, () => tableWith(oid))),
  )
  await Promise.all(both.map(({ recorded }) => recorded))
  assert.deepEqual(
    both.map(({ version }) => version),
    [2, 3],
  )
})
