// LSNs between text and number: the text does not sort, the digits of a key do.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatLsn, lsnDigits, maxLsn, parseLsn } from '../../../internal/model/lsn.js'

const lsn = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n })

test('an LSN comes back from its text', () => {
  fc.assert(fc.property(lsn, (value) => assert.equal(parseLsn(formatLsn(value)), value)))
  assert.equal(formatLsn(0x16b374d848n), '16/B374D848')
  assert.equal(parseLsn('16/b374d848'), 0x16b374d848n)
  assert.equal(parseLsn('00000016/B374D848'), 0x16b374d848n)
  assert.equal(formatLsn(0n), '0/0')
  assert.equal(formatLsn((1n << 64n) - 1n), 'FFFFFFFF/FFFFFFFF')
  assert.equal(parseLsn('1/0'), 1n << 32n)
})

test('what is no LSN is refused', () => {
  for (const text of [
    '',
    '/',
    '1',
    '1/',
    '/1',
    '1/123456789',
    '123456789/1',
    'g/1',
    '1/1 ',
    ' 1/1',
    '1/-1',
    '1/1/1',
    '0x1/1',
  ])
    assert.throws(() => parseLsn(text), RangeError, text)
})

test('digits sort as positions do', () => {
  fc.assert(
    fc.property(lsn, lsn, (a, b) => {
      assert.equal(lsnDigits(a).length, 16)
      assert.equal(lsnDigits(a) < lsnDigits(b), a < b)
      assert.equal(maxLsn(a, b), a > b ? a : b)
    }),
  )
})
