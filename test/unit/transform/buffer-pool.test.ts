// Page buffers: never lent twice at a time, always large enough, always counted.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { BufferPool } from '../../../internal/transform/buffer-pool.js'

test('G10: whatever is taken and given, buffers are large enough, apart, and counted to the byte', () => {
  const step = fc.oneof(
    fc.record({
      take: fc.oneof(fc.integer({ min: 1, max: 5000 }), fc.constantFrom(255, 256, 257, 1 << 20, (1 << 21) + 1)),
    }),
    fc.record({ give: fc.nat(20) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      let counted = 0
      const pool = new BufferPool((delta) => void (counted += delta), 1 << 19)
      const lent: Buffer[] = []
      for (const each of steps) {
        if ('take' in each) {
          const buffer = pool.take(each.take)
          assert.ok(buffer.length >= each.take && buffer.byteOffset === 0)
          assert.ok(!lent.some((other) => other.buffer === buffer.buffer), 'lent twice')
          lent.push(buffer)
        } else if (lent.length > 0) pool.give(lent.splice(each.give % lent.length, 1)[0]!)
        assert.equal(
          counted,
          lent.reduce((sum, buffer) => sum + buffer.length, 0),
        )
      }
    }),
    { numRuns: 200 },
  )
})

test('a buffer comes back while there is room to keep it', () => {
  const pool = new BufferPool(() => undefined, 4096)
  const [a, b] = [pool.take(4000), pool.take(4000)]
  pool.give(a)
  pool.give(b)
  assert.equal(pool.take(2600), a)
  assert.notEqual(pool.take(2600), b)
})

test('G10: a buffer that is not kept is empty at once, its memory gone', () => {
  const pool = new BufferPool(() => undefined, 0)
  const [page, huge] = [pool.take(1 << 16), pool.take(5 << 20)]
  pool.give(page)
  pool.give(huge)
  assert.deepEqual([page.length, huge.length], [0, 0])
})
