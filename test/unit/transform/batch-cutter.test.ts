// When a batch ends at a commit, as a table.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cutAtCommit, type CutReason } from '../../../internal/transform/batch-cutter.js'

const limits = { rollBytes: 1000, flushIntervalMs: 30_000 }

test('a batch ends to stop, for its bytes, for memory, for its age, in this order, and else goes on', () => {
  const cases: readonly (readonly [number, number, boolean, boolean, CutReason | undefined])[] = [
    // bytes, age in ms, stopping, memory short, why
    [0, 0, false, false, undefined],
    [999, 29_999, false, false, undefined],
    [1000, 0, false, false, 'bytes'],
    [5000, 99_999, false, true, 'bytes'],
    [0, 30_000, false, false, 'interval'],
    [249, 0, false, true, undefined],
    [250, 0, false, true, 'memory'],
    [250, 0, false, false, undefined],
    [249, 30_000, false, true, 'interval'],
    [0, 0, true, false, 'stop'],
    [5000, 99_999, true, true, 'stop'],
    [0, Infinity, false, false, 'interval'],
  ]
  for (const [bytes, ageMs, stopping, memoryShort, reason] of cases)
    assert.equal(
      cutAtCommit({ bytes, ageMs }, limits, { stopping, memoryShort, behind: false }),
      reason,
      `${bytes} bytes, ${ageMs} ms, stopping: ${stopping}, memory short: ${memoryShort}`,
    )
})

test('while many batches are on their way only the interval waits', () => {
  const reason = (bytes: number, ageMs: number, now: { stopping?: boolean; memoryShort?: boolean } = {}) =>
    cutAtCommit({ bytes, ageMs }, limits, { stopping: false, memoryShort: false, behind: true, ...now })
  assert.equal(reason(999, Infinity), undefined)
  assert.equal(reason(1000, 0), 'bytes')
  assert.equal(reason(250, Infinity, { memoryShort: true }), 'memory')
  assert.equal(reason(0, 0, { stopping: true }), 'stop')
})

test('no interval is an interval that never ends', () => {
  const never = { rollBytes: 1000, flushIntervalMs: Infinity }
  const now = { stopping: false, memoryShort: false, behind: false }
  assert.equal(cutAtCommit({ bytes: 0, ageMs: 1e15 }, never, now), undefined)
})
