// Microseconds and their RFC 3339 text, and the UTC date that a row is filed under.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { dateOf, formatMicros, parseMicros } from '../../../internal/model/instant.js'

/** Years 0 to 9999. */
const micros = fc.bigInt({
  min: BigInt(Date.parse('0000-01-01T00:00:00Z')) * 1000n,
  max: BigInt(Date.parse('9999-12-31T23:59:59Z')) * 1000n + 999_999n,
})

test('a moment comes back from its text to the microsecond', () => {
  fc.assert(fc.property(micros, (value) => assert.equal(parseMicros(formatMicros(value)), value)))
  assert.equal(formatMicros(0n), '1970-01-01T00:00:00.000000Z')
  assert.equal(formatMicros(-1n), '1969-12-31T23:59:59.999999Z')
  assert.equal(formatMicros(1_769_860_800_123_456n), '2026-01-31T12:00:00.123456Z')
})

test('the date is that of UTC, on both sides of midnight and of 1970', () => {
  const midnight = BigInt(Date.parse('2026-03-01T00:00:00Z')) * 1000n
  assert.equal(dateOf(midnight), '2026-03-01')
  assert.equal(dateOf(midnight - 1n), '2026-02-28')
  assert.equal(dateOf(-1n), '1969-12-31')
})

test('what is no such text is refused', () => {
  for (const text of [
    '',
    '2026-01-31',
    '2026-01-31T12:00:00Z',
    '2026-01-31T12:00:00.123Z',
    '2026-13-31T12:00:00.123456Z',
    'x.123456Z',
  ])
    assert.throws(() => parseMicros(text), RangeError, text)
})
