// The table of keys against a Map, for any order of what is done to it.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { KeyTable } from '../../../../internal/pipeline/verify/key-table.js'
import { DIGEST_BYTES } from '../../../../internal/pipeline/verify/row-digest.js'

const keyOf = (k: number): Buffer => createHash('sha256').update(String(k)).digest().subarray(0, DIGEST_BYTES)

test('entries keep what was put into them', () => {
  const step = fc.record({ key: fc.nat({ max: 40 }), present: fc.boolean(), fill: fc.nat({ max: 255 }) })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const table = new KeyTable(2)
      const model = new Map<number, { present: boolean; fill: number }>()
      for (const { key, present, fill } of steps) {
        const isNew = !model.has(key)
        assert.equal(table.find(keyOf(key)) < 0, isNew)
        const entry = table.entry(keyOf(key))
        if (isNew) assert.equal(table.isPresent(entry), false)
        table.setPresent(entry, present)
        table.digests(entry).fill(fill)
        model.set(key, { present, fill })
      }
      assert.equal(table.count, model.size)
      for (const [key, { present, fill }] of model) {
        const entry = table.find(keyOf(key))
        assert.equal(table.isPresent(entry), present)
        assert.deepEqual(table.digests(entry), Buffer.alloc(2 * DIGEST_BYTES, fill))
        assert.deepEqual(table.key(entry), keyOf(key))
      }
    }),
  )
})

test('more keys than it began with room for', () => {
  const table = new KeyTable(1)
  const many = 120_000
  for (let k = 0; k < many; k++) table.digests(table.entry(keyOf(k))).writeUInt32LE(k)
  assert.equal(table.count, many)
  for (let k = 0; k < many; k += 997) assert.equal(table.digests(table.find(keyOf(k))).readUInt32LE(), k)
  assert.equal(table.find(keyOf(many)), -1)
})
