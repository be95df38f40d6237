// So many bytes a second: what was spent has to have been due before more may come.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RateLimit } from '../../../../internal/pipeline/copying/rate-limit.js'

test('waits as long as what has come takes at the rate, all takers together', async () => {
  const started = performance.now()
  const limit = new RateLimit(1_000_000)
  await limit.spend(50_000)
  await Promise.all([limit.spend(50_000), limit.spend(50_000)])
  assert.ok(performance.now() - started >= 149, `${performance.now() - started} ms`)
})

test('a pause is not made up for, and short waits are put together', () => {
  let now = 0
  const limit = new RateLimit(1000, () => now)
  assert.equal(limit.spend(9), undefined)
  assert.notEqual(limit.spend(9), undefined)
  now = 10_000
  assert.equal(limit.spend(9), undefined, 'as if it had just begun')
  assert.notEqual(limit.spend(1000), undefined)
})
