// When a service counts as stuck: by the clock and by what moves.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ProgressWatch, STUCK_MS, watchStream } from '../../../internal/pipeline/progress-watch.js'

function setUp() {
  const clock = { ms: 0 }
  return { clock, watch: new ProgressWatch(() => clock.ms) }
}

test('nothing begun is nothing stuck, however late it is', () => {
  const { clock, watch } = setUp()
  clock.ms = 1e12
  assert.equal(watch.stuck, undefined)
})

test('a step is stuck at its bound, and no longer once it has moved or ended', () => {
  const { clock, watch } = setUp()
  const step = watch.begin('a call', 1000)
  clock.ms = 999
  assert.equal(watch.stuck, undefined)
  clock.ms = 1000
  assert.deepEqual(watch.stuck, { what: 'a call', seconds: 1 })
  step.moved()
  assert.equal(watch.stuck, undefined)
  clock.ms = 5000
  assert.deepEqual(watch.stuck, { what: 'a call', seconds: 4 })
  step.end()
  assert.equal(watch.stuck, undefined)
})

test('of several the one that has stood for longest is named; each has its own bound', () => {
  const { clock, watch } = setUp()
  watch.begin('patient', 100_000)
  clock.ms = 1000
  watch.begin('first', 1000)
  clock.ms = 2000
  watch.begin('second', 1000)
  clock.ms = 9000
  assert.deepEqual(watch.stuck, { what: 'first', seconds: 8 })
  watch.clear()
  assert.equal(watch.stuck, undefined)
})

test('a measure that changes between two looks is movement, also when nobody looked for long', () => {
  const { clock, watch } = setUp()
  let bytes: number | undefined = 0
  watch.begin('a copy', 1000, () => bytes)
  clock.ms = 10_000
  bytes = 1
  assert.equal(watch.stuck, undefined)
  clock.ms = 11_000
  assert.deepEqual(watch.stuck, { what: 'a copy', seconds: 1 })
  bytes = undefined
  assert.equal(watch.stuck, undefined, 'it is not its turn')
  clock.ms = 20_000
  assert.equal(watch.stuck, undefined)
})

test('a stream moves with what it reads, and with what goes out while it waits for memory', () => {
  const { clock, watch } = setUp()
  const stream = { paused: false, bytesRead: 5, deadAfterMs: 120_000 }
  let moves = 0
  watchStream(watch, stream, () => moves)
  const later = (ms: number) => {
    clock.ms += ms
    return watch.stuck !== undefined
  }
  assert.equal(later(STUCK_MS - 1), false)
  stream.bytesRead++
  assert.equal(later(STUCK_MS - 1), false, 'a keepalive is enough')
  stream.paused = true
  assert.equal(later(STUCK_MS - 1), false)
  moves++
  assert.equal(later(STUCK_MS - 1), false)
  assert.equal(later(STUCK_MS), true, 'nothing is read and nothing goes out')
})

test('a stream whose link is given up later than usual is waited for longer', () => {
  const { clock, watch } = setUp()
  watchStream(watch, { paused: false, bytesRead: 5, deadAfterMs: STUCK_MS }, () => 0)
  const after = (ms: number) => {
    clock.ms = ms
    return watch.stuck?.what
  }
  assert.equal(after(2 * STUCK_MS - 1), undefined)
  assert.equal(after(2 * STUCK_MS), 'the stream')
})
