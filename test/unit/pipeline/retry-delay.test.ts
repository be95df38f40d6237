// How long to wait before the next session, as a table.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { retryDelayMs } from '../../../internal/pipeline/retry-delay.js'

test('the longest wait doubles up to a bound that depends on what failed', () => {
  const longest = (kind: Parameters<typeof retryDelayMs>[0], ...failures: number[]): number[] =>
    failures.map((before) => retryDelayMs(kind, before, () => 1))
  assert.deepEqual(longest('link', 0, 1, 2, 5, 6, 7, 1000), [500, 1000, 2000, 16_000, 30_000, 30_000, 30_000])
  assert.deepEqual(longest('store_away', 0, 100), [500, 30_000])
  assert.deepEqual(longest('slot_busy', 0, 1, 2, 3, 100), [500, 1000, 2000, 2000, 2000])
  assert.deepEqual(longest('config', 0, 1, 5, 6, 100), [1_000, 2_000, 32_000, 60_000, 60_000])
  assert.deepEqual(longest('plan_taken', 0, 1, 100), [50, 100, 2000])
  assert.deepEqual(longest('needs_text', 0, 9), [0, 0])
})

test('the wait is spread over the whole range, so that services do not come back in step', () => {
  assert.equal(
    retryDelayMs('link', 3, () => 0),
    0,
  )
  assert.equal(
    retryDelayMs('link', 3, () => 0.5),
    2000,
  )
  fc.assert(
    fc.property(fc.nat(), fc.double({ min: 0, max: 1, noNaN: true }), (failures, random) => {
      const delay = retryDelayMs('link', failures, () => random)
      assert.ok(delay >= 0 && delay <= 30_000)
    }),
  )
})
