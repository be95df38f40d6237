// The memory gate: reading waits above the limit, but only while something is on its way out.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { MemoryGate } from '../../../internal/pipeline/memory-gate.js'

const settled = async (pause: Promise<void>): Promise<boolean> =>
  Promise.race([pause.then(() => true), new Promise<boolean>((resolve) => setImmediate(() => resolve(false)))])

test('G10: above the limit reading waits until bytes are given back', async () => {
  const gate = new MemoryGate(1000)
  gate.leaving(1)
  gate.meter(1000)
  assert.equal(gate.room(), undefined, 'the limit itself is room')
  gate.meter(1)
  const pause = gate.room()
  assert.ok(pause instanceof Promise)
  assert.equal(gate.room(), pause, 'everybody waits for one thing')
  gate.meter(500)
  gate.meter(-400)
  assert.equal(await settled(pause), false)
  gate.meter(-101)
  assert.equal(await settled(pause), true)
  assert.equal(gate.room(), undefined)
  assert.deepEqual([gate.heldBytes, gate.peakBytes], [1000, 1501])
})

test('G10: with nothing on its way out reading goes on, or nothing would ever roll', async () => {
  const gate = new MemoryGate(1000)
  gate.meter(5000)
  assert.equal(gate.room(), undefined)
  gate.leaving(1)
  gate.leaving(1)
  const pause = gate.room()!
  gate.leaving(-1)
  assert.equal(await settled(pause), false)
  gate.leaving(-1)
  assert.equal(await settled(pause), true)
})

test('memory is short from six tenths of the limit', () => {
  const gate = new MemoryGate(1000)
  gate.meter(600)
  assert.equal(gate.short, false)
  gate.meter(1)
  assert.equal(gate.short, true)
  gate.meter(-1)
  assert.equal(gate.short, false)
})

test('G10: nobody waits for ever, whatever comes and goes', async () => {
  const step = fc.oneof(
    fc.integer({ min: 1, max: 800 }).map((bytes) => ({ bytes })),
    fc.constant({ bytes: 0 }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const gate = new MemoryGate(1000)
      const pauses: Promise<void>[] = []
      for (const { bytes } of steps) {
        gate.leaving(1)
        gate.meter(bytes)
        const pause = gate.room()
        assert.equal(pause === undefined, gate.heldBytes <= 1000)
        if (pause !== undefined) pauses.push(pause)
      }
      for (const { bytes } of steps) {
        gate.meter(-bytes)
        gate.leaving(-1)
      }
      await Promise.all(pauses)
      assert.equal(gate.heldBytes, 0)
    }),
    { numRuns: 50 },
  )
})
