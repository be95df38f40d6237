// Digests of rows: no two rows have the same text, whatever their values are.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { digestOf } from '../../../../internal/pipeline/verify/row-digest.js'

const hex = (values: readonly (string | Uint8Array | undefined)[]): string => digestOf(values).toString('hex')

test('equal rows have equal digests, be their values text or bytes; others have others', () => {
  const value = fc.oneof(
    fc.constant(undefined),
    fc.string({ unit: 'binary', maxLength: 5 }),
    fc.constantFrom('-', '1:-', '0:', ''),
  )
  const row = fc.array(value, { minLength: 1, maxLength: 4 })
  fc.assert(
    fc.property(row, row, (a, b) => {
      const asBytes = a.map((text) => (text === undefined ? undefined : Buffer.from(text)))
      assert.equal(hex(a), hex(asBytes))
      const text = (values: typeof a): string =>
        JSON.stringify(values.map((one) => (one === undefined ? null : Buffer.from(one).toString('hex'))))
      assert.equal(hex(a) === hex(b), text(a) === text(b))
    }),
    { numRuns: 1000 },
  )
  assert.notEqual(hex(['a', 'bc']), hex(['ab', 'c']))
  assert.notEqual(hex([undefined]), hex(['-']))
})

test('a value that is larger than any before it', () => {
  const large = 'ü'.repeat(200_000)
  assert.equal(hex(['a', large, 'b']), hex(['a', Buffer.from(large), 'b']))
  assert.notEqual(hex(['a', large]), hex(['a', `${large}x`]))
})
