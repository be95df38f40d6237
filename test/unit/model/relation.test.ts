// When two Relation messages describe the same rows, and what lies under a domain.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { baseType, type PgType } from '../../../internal/model/pg-type.js'
import { sameRelation, type Relation } from '../../../internal/model/relation.js'

const column = { name: 'id', typeOid: 23, typmod: -1, isKey: true }
const relation: Relation = {
  oid: 1,
  schema: 'public',
  name: 't',
  replicaIdentity: 'd',
  columns: [column, { name: 'v', typeOid: 25, typmod: -1, isKey: false }],
}

test('a relation that is sent again is the same one', () => {
  assert.equal(sameRelation(relation, structuredClone(relation)), true)
})

test('anything that changes a row`s shape or meaning makes another relation', () => {
  const [first, second] = relation.columns
  const others: Partial<Relation>[] = [
    { oid: 2 },
    { schema: 'other' },
    { name: 'T' },
    { replicaIdentity: 'f' },
    { columns: [first!] },
    { columns: [second!, first!] },
    { columns: [...relation.columns, column] },
    ...[{ name: 'ID' }, { typeOid: 20 }, { typmod: 5 }, { isKey: false }].map((changed) => ({
      columns: [{ ...first!, ...changed }, second!],
    })),
  ]
  for (const changed of others) {
    assert.equal(sameRelation(relation, { ...relation, ...changed }), false, JSON.stringify(changed))
    assert.equal(sameRelation({ ...relation, ...changed }, relation), false, JSON.stringify(changed))
  }
})

test('under domains lies the base type, with the innermost modifier that is fixed', () => {
  const numeric: PgType = { oid: 1700, schema: 'pg_catalog', name: 'numeric', kind: 'base' }
  const inner: PgType = {
    oid: 2,
    schema: 'public',
    name: 'price',
    kind: 'domain',
    base: { type: numeric, typmod: 655_366 },
  }
  const outer: PgType = { oid: 3, schema: 'public', name: 'net', kind: 'domain', base: { type: inner, typmod: -1 } }
  assert.deepEqual(baseType(outer, -1), { type: numeric, typmod: 655_366 })
  assert.deepEqual(baseType(numeric, 7), { type: numeric, typmod: 7 })
})
