// Standby status updates byte by byte, and that no position in them ever goes back.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { StatusUpdate } from '../../../internal/replication/status-update.js'

test('a status update has the layout of the documentation, and its clock starts in 2000', () => {
  const bytes = new StatusUpdate().encode(0x1122334455667788n, 0x1122334400000000n, true, Date.UTC(2000, 0, 1, 0, 0, 1))
  assert.equal(
    bytes.toString('hex'),
    ['72', '1122334455667788', '1122334400000000', '1122334400000000', '00000000000f4240', '01'].join(''),
  )
  const quiet = new StatusUpdate().encode(1n, 0n, false, Date.UTC(2000, 0, 1))
  assert.equal(quiet.readUInt8(33), 0)
  assert.equal(quiet.readBigInt64BE(25), 0n)
})

test('G1: flushed ≤ received, and each only grows, for any positions given', () => {
  const lsn = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n })
  fc.assert(
    fc.property(fc.array(fc.tuple(lsn, lsn), { minLength: 1, maxLength: 20 }), (given) => {
      const status = new StatusUpdate()
      let before = [0n, 0n] as readonly [bigint, bigint]
      for (const [received, durable] of given) {
        const bytes = status.encode(received, durable, false, 0)
        const told = [bytes.readBigUInt64BE(1), bytes.readBigUInt64BE(9)] as const
        assert.ok(told[0] >= before[0] && told[1] >= before[1] && told[1] <= told[0])
        assert.ok(told[0] >= received && told[1] >= durable)
        assert.equal(bytes.readBigUInt64BE(17), told[1])
        assert.equal(status.flushed, told[1])
        before = told
      }
    }),
  )
})
