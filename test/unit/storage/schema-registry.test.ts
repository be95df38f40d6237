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

test('versions that begin at one position, under settings that change, are each found again', async () => {
  const store = new MemoryStore()
  const shape = (relationOid: number, hashed?: string): TableSchema => ({
    ...tableWith(relationOid),
    columns: [
      {
        ...{ name: 'a', lakeName: 'a', type: 'text', typmod: -1, parquet: 'BYTE_ARRAY string', key: false },
        ...(hashed === undefined ? {} : { hashed }),
      },
    ],
  })
  const found: (readonly [number, boolean])[] = []
  for (const [lsn, schema] of [
    [10n, shape(1)],
    [20n, shape(2)],
    [20n, shape(2, 'salt')],
    [20n, shape(2)],
    [20n, shape(2, 'salt')],
    [30n, shape(2, 'salt')],
    [40n, shape(2)],
  ] as const) {
    // A start of its own each time.
    const registry = await SchemaRegistry.open(store, 'slot')
    const { version, replaces, recorded } = await registry.register(name, { lsn, seq: 0 }, () => schema)
    await recorded
    found.push([version, replaces])
  }
  assert.deepEqual(found, [
    [1, false],
    [2, true],
    [3, true],
    [2, true],
    [3, true],
    [3, false],
    [2, false],
  ])
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
