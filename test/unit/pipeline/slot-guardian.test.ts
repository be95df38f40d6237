// What is said of the slot, and when.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LagClock } from '../../../internal/pipeline/lag-clock.js'
import { judgeSlot } from '../../../internal/pipeline/slot-guardian.js'
import type { SlotHealth } from '../../../internal/replication/slot.js'

const health: SlotHealth = {
  ...{
    walStatus: 'reserved',
    retainedBytes: 900,
    behindBytes: 10,
    safeBytes: undefined,
    checkpointAgeSeconds: 1,
    walBytes: 0,
  },
}

test('a slot without a limit is fine however much is kept for it', () => {
  assert.equal(judgeSlot({ ...health, retainedBytes: 1e12 }), 'fine')
  assert.equal(judgeSlot({ ...health, walStatus: 'extended' }), 'fine')
})

test('a slot that has used three quarters of what it may keep is short of room', () => {
  assert.equal(judgeSlot({ ...health, safeBytes: 301 }), 'fine')
  assert.equal(judgeSlot({ ...health, safeBytes: 299 }), 'short')
})

test('a slot that the next checkpoint may take is critical', () => {
  assert.equal(judgeSlot({ ...health, safeBytes: 0 }), 'critical')
  assert.equal(judgeSlot({ ...health, walStatus: 'unreserved', safeBytes: 5000 }), 'critical')
  assert.equal(judgeSlot({ ...health, walStatus: 'lost' }), 'critical')
})

test('the lag is the age of the oldest change that waits, and none when nothing does', () => {
  const lag = new LagClock()
  assert.equal(lag.lagSeconds(5_000), 0)
  lag.began(1_000)
  assert.equal(lag.lagSeconds(5_000), 4)
  lag.began(3_000)
  assert.equal(lag.lagSeconds(5_000), 4, 'a later batch does not hide the earlier one')
  lag.durable(2_500)
  assert.equal(lag.lagSeconds(5_000), 2.5, 'the later one cannot have begun before the earlier one was closed')
  lag.durable(4_000)
  assert.equal(lag.lagSeconds(9_000), 0)
})
