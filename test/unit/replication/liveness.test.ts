// Timings and verdicts of a link's liveness, as tables.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { judgeSilence, LinkPatience, livenessTimings } from '../../../internal/replication/liveness.js'

test('timings follow the server`s patience; zero there means that it never gives up, not that we hurry', () => {
  const cases: readonly (readonly [number, number, number, number])[] = [
    // wal_sender_timeout, status every, ask after, dead after
    [60_000, 10_000, 10_000, 120_000],
    [0, 10_000, 10_000, 120_000],
    [-1, 10_000, 10_000, 120_000],
    [NaN, 10_000, 10_000, 120_000],
    [5_000, 5_000 / 3, 2_500, 10_000],
    [1_000, 1_000 / 3, 1_000, 5_000],
    [100, 100, 1_000, 5_000],
    [3_600_000, 10_000, 10_000, 7_200_000],
  ]
  for (const [timeout, statusEveryMs, askAfterMs, deadAfterMs] of cases)
    assert.deepEqual(livenessTimings(timeout), { statusEveryMs, askAfterMs, deadAfterMs }, `${timeout} ms`)
})

test('whatever the patience, status updates come well before it ends and asking comes before giving up', () => {
  fc.assert(
    fc.property(fc.integer({ min: 300, max: 2 ** 31 - 1 }), (timeout) => {
      const { statusEveryMs, askAfterMs, deadAfterMs } = livenessTimings(timeout)
      assert.ok(statusEveryMs > 0 && statusEveryMs <= timeout / 2)
      assert.ok(askAfterMs < deadAfterMs)
    }),
  )
})

test('silence means something only while we read', () => {
  const timings = livenessTimings(60_000)
  const cases: readonly (readonly [number, boolean, 'fine' | 'ask' | 'dead'])[] = [
    [0, true, 'fine'],
    [9_999, true, 'fine'],
    [10_000, true, 'ask'],
    [119_999, true, 'ask'],
    [120_000, true, 'dead'],
    [Infinity, true, 'dead'],
    [30_000, false, 'fine'],
    [120_000, false, 'fine'],
    [Infinity, false, 'fine'],
  ]
  for (const [silentMs, reading, verdict] of cases)
    assert.equal(judgeSilence(silentMs, reading, timings), verdict, `${silentMs} ms, reading: ${reading}`)
})

test('a server that was given up while it was silent gets twice as long next time, up to a bound, until something comes', () => {
  const patience = new LinkPatience()
  const bound = (): number => livenessTimings(60_000, patience.factor).deadAfterMs / 60_000
  const bounds = Array.from({ length: 7 }, () => {
    const now = bound()
    patience.gaveUp()
    return now
  })
  assert.deepEqual(bounds, [2, 4, 8, 16, 32, 32, 32])
  patience.progressed()
  assert.equal(bound(), 2)
})
