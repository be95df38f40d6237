// The RLE / bit-packing hybrid against a decoder written from the specification
// (https://github.com/apache/parquet-format/blob/master/Encodings.md#RLE), and by nothing else.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  bitWidthOf,
  encodeLevels,
  encodeValidity,
  HybridEncoder,
} from '../../../../internal/transform/parquet/hybrid.js'

/** Decodes to the end of `bytes`; a last group may be padded. */
function decode(bytes: Buffer, bitWidth: number): number[] {
  const values: number[] = []
  const valueBytes = Math.ceil(bitWidth / 8)
  let at = 0
  while (at < bytes.length) {
    let header = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes.readUInt8(at++)
      header |= BigInt(byte & 0x7f) << shift
      if (byte < 128) break
    }
    if ((header & 1n) === 0n) {
      const value = bytes.readUIntLE(at, valueBytes)
      at += valueBytes
      for (let k = 0n; k < header >> 1n; k++) values.push(value)
    } else {
      const groups = Number(header >> 1n)
      const packed = BigInt(
        `0x${Buffer.from(bytes.subarray(at, at + groups * bitWidth))
          .reverse()
          .toString('hex')}`,
      )
      assert.ok(at + groups * bitWidth <= bytes.length, 'a bit-packed run is cut short')
      at += groups * bitWidth
      for (let k = 0; k < groups * 8; k++)
        values.push(Number((packed >> BigInt(k * bitWidth)) & ((1n << BigInt(bitWidth)) - 1n)))
    }
  }
  return values
}

/** Short values and long runs of one, which is what the encoder has to tell apart. */
function sequences(maxValue: number): fc.Arbitrary<number[]> {
  const value = fc.integer({ min: 0, max: maxValue })
  const piece = fc.oneof(
    fc.array(value, { maxLength: 20 }),
    fc.tuple(value, fc.integer({ min: 1, max: 40 })).map(([same, length]) => new Array<number>(length).fill(same)),
  )
  return fc.array(piece, { minLength: 1, maxLength: 12 }).map((pieces) => pieces.flat())
}

test('any sequence of any bit width comes back', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 16 }).chain((width) => fc.tuple(fc.constant(width), sequences(2 ** width - 1))),
      ([width, values]) => {
        const encoder = new HybridEncoder(width, 3, values.length)
        encoder.values(Uint16Array.from(values), values.length)
        const decoded = decode(encoder.bytes().subarray(3), width)
        assert.deepEqual(decoded.slice(0, values.length), values)
        assert.ok(decoded.length - values.length < 8, 'more than one group of padding')
      },
    ),
    { numRuns: 2000 },
  )
})

test('runs of eight and more are run-length encoded', () => {
  const encoder = new HybridEncoder(4, 0, 0)
  encoder.values(new Uint8Array(100_000).fill(9), 100_000)
  assert.ok(encoder.bytes().length <= 4)
  assert.equal(decode(encoder.bytes(), 4).length, 100_000)
})

test('an encoder grows past what it expected, by runs and by packed groups', () => {
  const encoder = new HybridEncoder(16, 0, 0)
  const expected: number[] = []
  for (let k = 0; k < 500; k++) {
    encoder.run(k, 200)
    expected.push(...new Array<number>(200).fill(k))
  }
  const mixed = Uint16Array.from({ length: 10_000 }, (_, k) => (k * 31) & 0xffff)
  encoder.values(mixed, mixed.length)
  assert.deepEqual(decode(encoder.bytes(), 16).slice(0, 110_000), [...expected, ...mixed])
})

test('levels stand behind their length, and validity is levels of 0 and 1', () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { minLength: 1, maxLength: 200 }), (present) => {
      const nulls = Int32Array.from(present.flatMap((is, k) => (is ? [] : [k])))
      const bytes = encodeValidity(present.length, nulls, nulls.length)
      assert.equal(bytes.readUInt32LE(0), bytes.length - 4)
      assert.deepEqual(decode(bytes.subarray(4), 1).slice(0, present.length), present.map(Number))
    }),
  )
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 200 }), (levels) => {
      const bytes = encodeLevels(Uint8Array.from(levels), levels.length, 3)
      assert.equal(bytes.readUInt32LE(0), bytes.length - 4)
      assert.deepEqual(decode(bytes.subarray(4), 2).slice(0, levels.length), levels)
    }),
  )
})

test('a bit width is the number of bits of the largest value', () => {
  assert.deepEqual([0, 1, 2, 3, 4, 255, 256, 65_535].map(bitWidthOf), [0, 1, 2, 2, 3, 8, 9, 16])
})
