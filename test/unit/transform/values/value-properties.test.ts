// For values of any size: the column holds exactly the value, the same from text and from binary, and the text of the
// binary form is the text.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { float4Text, float8Text } from '../../../../internal/transform/values/float-text.js'
import { codecOf, type ValueCodec } from '../../../../internal/transform/values/value-codec.js'
import { int, numeric } from './binary-forms.js'
import { builtIn, numericTypmod } from './pg-types.js'
import { store } from './stored-column.js'

interface Value {
  readonly text: string
  readonly binary: Buffer
  readonly stored: string
}

function assertAgree(codec: ValueCodec, values: readonly Value[]): void {
  const fromText = store(
    codec,
    'putText',
    values.map(({ text }) => Buffer.from(text)),
  )
  assert.deepEqual(
    fromText.rows,
    values.map(({ stored }) => stored),
  )
  assert.deepEqual(
    store(
      codec,
      'putBinary',
      values.map(({ binary }) => binary),
    ),
    fromText,
  )
  for (const { text, binary } of values) assert.equal(codec.textOfBinary?.(binary, 0, binary.length), text)
}

const anyOf = (value: fc.Arbitrary<Value>): fc.Arbitrary<Value[]> => fc.array(value, { minLength: 1, maxLength: 50 })

for (const [name, bytes] of [
  ['int2', 2],
  ['int4', 4],
  ['int8', 8],
] as const)
  test(`any ${name}`, () => {
    const bound = 2n ** BigInt(bytes * 8 - 1)
    const value = fc
      .bigInt({ min: -bound, max: bound - 1n })
      .map((n) => ({ text: n.toString(), binary: int(bytes, n), stored: n.toString() }))
    fc.assert(fc.property(anyOf(value), (values) => assertAgree(codecOf(builtIn(name), -1, 'string'), values)))
  })

function decimalText(unscaled: bigint, scale: number): string {
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, '0')
  const point = digits.length - scale
  return `${unscaled < 0n ? '-' : ''}${digits.slice(0, point)}${scale === 0 ? '' : `.${digits.slice(point)}`}`
}

/** Integers of any number of digits up to `digits`, short ones as often as long ones. */
const integerOf = (digits: number): fc.Arbitrary<bigint> =>
  fc
    .nat({ max: digits })
    .chain((count) => fc.bigInt({ min: 1n - 10n ** BigInt(count), max: 10n ** BigInt(count) - 1n }))

test('any numeric of any DECIMAL shape', () => {
  const shape = fc.integer({ min: 1, max: 38 }).chain((p) => fc.tuple(fc.constant(p), fc.nat({ max: p })))
  fc.assert(
    fc.property(
      shape.chain(([p, s]) => fc.tuple(fc.constant(p), fc.constant(s), fc.array(integerOf(p), { minLength: 1 }))),
      ([precision, scale, integers]) => {
        const codec = codecOf(builtIn('numeric'), numericTypmod(precision, scale), 'string')
        const values = integers.map((n) => ({
          text: decimalText(n, scale),
          binary: numeric(n, scale),
          stored: n.toString(),
        }))
        assertAgree(codec, values)
      },
    ),
    { numRuns: 500 },
  )
})

test('a numeric with more digits than its column is refused, in both forms', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 38 }), fc.nat({ max: 45 }), integerOf(60), (precision, valueScale, n) => {
      const scale = Math.min(precision, 2)
      const fits =
        (n * 10n ** BigInt(scale)) % 10n ** BigInt(valueScale) === 0n &&
        (n < 0n ? -n : n) * 10n ** BigInt(scale) < 10n ** BigInt(precision + valueScale)
      const codec = codecOf(builtIn('numeric'), numericTypmod(precision, scale), 'string')
      const text = store(codec, 'putText', [Buffer.from(decimalText(n, valueScale))])
      assert.deepEqual(text.refused, [!fits])
      assert.deepEqual(store(codec, 'putBinary', [numeric(n, valueScale)]), text)
    }),
    { numRuns: 2000 },
  )
})

test('any numeric without a precision keeps every digit', () => {
  const value = fc.tuple(integerOf(120), fc.nat({ max: 90 })).map(([n, scale]) => {
    const text = decimalText(n, scale)
    return { text, binary: numeric(n, scale), stored: text }
  })
  fc.assert(fc.property(anyOf(value), (values) => assertAgree(codecOf(builtIn('numeric'), -1, 'string'), values)))
})

const EPOCH_2000 = 946_684_800_000_000n

test('any timestamp of the years 0 to 9999', () => {
  const [min, max] = [-62_167_219_200_000_000n, 253_402_300_799_999_999n]
  const value = fc.bigInt({ min, max }).map((micros) => {
    const second = new Date(Number((micros - (((micros % 1_000_000n) + 1_000_000n) % 1_000_000n)) / 1000n))
    const fraction = (((micros % 1_000_000n) + 1_000_000n) % 1_000_000n).toString().padStart(6, '0').replace(/0+$/, '')
    // Year 0 of JavaScript is 1 BC.
    const isZero = second.getUTCFullYear() === 0
    const clock = second.toISOString().slice(4, 19).replace('T', ' ')
    const year = isZero ? '0001' : second.toISOString().slice(0, 4)
    const text = `${year}${clock}${fraction === '' ? '' : `.${fraction}`}+00${isZero ? ' BC' : ''}`
    return { text, binary: int(8, micros - EPOCH_2000), stored: micros.toString() }
  })
  fc.assert(fc.property(anyOf(value), (values) => assertAgree(codecOf(builtIn('timestamptz'), -1, 'string'), values)))
})

test('any date that JavaScript knows', () => {
  const value = fc.integer({ min: -719_162, max: 100_000_000 }).map((days) => {
    const iso = new Date(days * 86_400_000).toISOString().replace(/^\+0*/, '')
    return { text: iso.slice(0, iso.indexOf('T')), binary: int(4, days - 10_957), stored: days.toString() }
  })
  fc.assert(fc.property(anyOf(value), (values) => assertAgree(codecOf(builtIn('date'), -1, 'string'), values)))
})

test('the text of any float8 reads back as the same bits, in at most seventeen digits', () => {
  const codec = codecOf(builtIn('float8'), -1, 'string')
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 0x7fef_ffff_ffff_ffffn }), (bits) => {
      const binary = int(8, bits)
      const text = float8Text(binary.readDoubleBE())
      assert.deepEqual(store(codec, 'putText', [Buffer.from(text)]).rows, [binary.toString('hex')])
      // Shortest is what the oracle test holds against the server: it may be longer than JavaScript's by any number.
      assert.ok(digitsOf(text) <= 17)
    }),
    { numRuns: 2000 },
  )
})

test('the text of any float4 reads back as the same bits, in at most nine digits', () => {
  const codec = codecOf(builtIn('float4'), -1, 'string')
  fc.assert(
    fc.property(fc.nat({ max: 0x7f7f_ffff }), (bits) => {
      const binary = int(4, bits)
      const text = float4Text(binary.readFloatBE())
      assert.deepEqual(store(codec, 'putText', [Buffer.from(text)]).rows, [binary.toString('hex')])
      assert.ok(digitsOf(text) <= 9)
    }),
    { numRuns: 2000 },
  )
})

function digitsOf(text: string): number {
  return text.replace(/e.*$/, '').replace('.', '').replace(/^0+/, '').replace(/0+$/, '').length
}
