// The ledger of positions: what may be acked is what commits in the bucket cover, one after the other.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Failure } from '../../../internal/model/failure.js'
import { ProgressLedger } from '../../../internal/pipeline/progress-ledger.js'

test('G1: received and durable are told apart, and neither goes back', () => {
  const ledger = new ProgressLedger(100n)
  assert.deepEqual([ledger.received, ledger.durable], [100n, 100n])
  ledger.noteReceived(300n)
  ledger.noteReceived(200n)
  assert.deepEqual([ledger.received, ledger.durable], [300n, 100n])
  ledger.noteDurable(100n, 250n)
  assert.deepEqual([ledger.received, ledger.durable], [300n, 250n])
  ledger.noteDurable(250n, 400n)
  assert.deepEqual([ledger.received, ledger.durable], [400n, 400n], 'what is durable was received')
})

test('G2: a commit that does not follow the last one is refused, and nothing moves', () => {
  for (const [from, end] of [
    [99n, 200n],
    [101n, 200n],
    [0n, 100n],
    [100n, 99n],
    [200n, 300n],
  ] as const) {
    const ledger = new ProgressLedger(100n)
    assert.throws(
      () => ledger.noteDurable(from, end),
      (error) => error instanceof Failure && error.kind === 'protocol',
    )
    assert.equal(ledger.durable, 100n)
  }
})

test('G1, G2: durable ≤ received, both growing, over any run of events', () => {
  const event = fc.tuple(fc.boolean(), fc.bigInt({ min: 0n, max: 1000n }), fc.bigInt({ min: 0n, max: 50n }))
  fc.assert(
    fc.property(fc.array(event), (events) => {
      const ledger = new ProgressLedger(0n)
      for (const [isCommit, position, length] of events) {
        const { received, durable } = ledger
        if (isCommit) ledger.noteDurable(durable, durable + length)
        else ledger.noteReceived(position)
        assert.ok(ledger.received >= received && ledger.durable >= durable && ledger.durable <= ledger.received)
        if (!isCommit) assert.equal(ledger.durable, durable, 'what is only received is not durable')
      }
    }),
  )
})
