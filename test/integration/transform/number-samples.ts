// bool, the integers, numeric, the floats and money, at the edges of their ranges and of every number of digits.
import fc from 'fast-check'
import { random, type TypeSamples } from './type-samples.js'

function integers(min: bigint, max: bigint, count?: number): string[] {
  const edges = [min, min + 1n, max - 1n, max, 0n, 1n, 9n, 10n, 99_999_999n, 1_000_000_000n, 4_294_967_296n]
  const inRange = edges.flatMap((edge) => [edge, -edge]).filter((edge) => edge >= min && edge <= max)
  return [...inRange, ...random(fc.bigInt({ min, max }), count)].map(String)
}

/** Unscaled integers of every length, as text with `scale` decimals. */
function decimals(precision: number, scale: number): string[] {
  const lengths = Array.from({ length: precision + 1 }, (_, k) => 10n ** BigInt(k))
  const edges = lengths.flatMap((power) => [power - 1n, power, power + 1n]).filter((n) => n < 10n ** BigInt(precision))
  const any = random(
    fc.nat({ max: precision }).chain((digits) => fc.bigInt({ min: 0n, max: 10n ** BigInt(digits) - 1n })),
  )
  return [...edges, ...any].flatMap((n) => {
    const digits = n.toString().padStart(scale + 1, '0')
    const text = scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`
    return [text, `-${text}`]
  })
}

const specialNumbers = ['NaN', 'Infinity', '-Infinity']

const freeNumerics = [
  ...decimals(38, 10),
  ...decimals(9, 0),
  '0.0000',
  '1e-1000',
  '-1e-16383',
  '1e131071',
  `-${'7'.repeat(131_072)}.${'3'.repeat(16_383)}`,
  '123456789e1000',
  '10000',
  '10000.0000',
  '0.00010000',
  '9999.99990',
  ...random(
    fc.tuple(fc.bigInt(), fc.integer({ min: -60, max: 60 })).map(([digits, exponent]) => `${digits}e${exponent}`),
  ),
  ...specialNumbers,
]

const doubleOf = (bits: bigint): string => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(bits)
  const value = bytes.readDoubleBE()
  return Object.is(value, -0) ? '-0' : value.toString()
}

const singleOf = (bits: number): string => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(bits)
  const value = bytes.readFloatBE()
  return Object.is(value, -0) ? '-0' : value.toString()
}

/** Every power of two with its neighbours, every power of ten, quarters where the spacing is a quarter, random bits. */
const doubles = [
  ...Array.from({ length: 2047 }, (_, k) => BigInt(k) << 52n).flatMap((bits) =>
    [bits - 1n, bits, bits + 1n].filter((neighbour) => neighbour >= 0n).map(doubleOf),
  ),
  ...Array.from({ length: 633 }, (_, k) => `1e${k - 324}`).slice(1),
  ...[
    '9007199254740993',
    '56394241851629696',
    '1125899906842624.25',
    '1125899906842624.75',
    '2251799813685248.5',
    '1e23',
    '-1e23',
  ],
  ...['123456789012345', '1234567890123456', '1e14', '1e15', '1e16', '0.0001', '0.00001', '0.1', '1.5', '-0', '0'],
  ...random(fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn }), 3000).map(doubleOf),
  ...random(
    fc.tuple(fc.bigInt({ min: 1n, max: 99_999_999_999_999_999n }), fc.integer({ min: -25, max: 25 })),
    3000,
  ).map(([digits, exponent]) => `${digits}e${exponent}`),
  ...random(fc.tuple(fc.nat(), fc.nat({ max: 99 }))).map(([whole, cents]) => `${whole}.${cents}`),
  ...specialNumbers,
]

const singles = [
  ...Array.from({ length: 255 }, (_, k) => k * 0x80_0000).flatMap((bits) =>
    [bits - 1, bits, bits + 1].filter((neighbour) => neighbour >= 0).map(singleOf),
  ),
  ...Array.from({ length: 83 }, (_, k) => `1e${k - 44}`),
  ...['2097152.25', '2097152.75', '16777217', '16777216', '33554436', '123456', '1234567', '999999', '1e6'],
  ...['0.0001', '0.00001', '0.1', '1.1', '-0', '0', '8.5e9', '7.038531e-26', '3.4028235e38'],
  ...random(fc.nat({ max: 0xffff_ffff }), 6000).map(singleOf),
  ...specialNumbers,
]

/** Both sides of 18 digits, where an int64 ends, and of multiples of four, where a base-10000 digit ends. */
const SHAPES: readonly (readonly [number, number])[] = [
  ...([
    [1, 0],
    [1, 1],
    [4, 4],
    [9, 0],
    [9, 9],
    [10, 5],
    [12, 2],
    [15, 3],
    [16, 1],
    [18, 0],
    [18, 6],
    [18, 18],
  ] as const),
  ...([
    [19, 0],
    [19, 19],
    [20, 2],
    [28, 10],
    [37, 3],
    [38, 0],
    [38, 10],
    [38, 38],
  ] as const),
]

const cents = integers(-(2n ** 63n), 2n ** 63n - 1n)

export const numberSamples: readonly TypeSamples[] = [
  { type: 'bool', values: ['t', 'f'] },
  { type: 'int2', values: integers(-32_768n, 32_767n) },
  { type: 'int4', values: integers(-2_147_483_648n, 2_147_483_647n) },
  { type: 'int8', values: integers(-(2n ** 63n), 2n ** 63n - 1n, 1000) },
  { type: 'oid', values: integers(0n, 4_294_967_295n) },
  { type: 'xid', values: integers(0n, 4_294_967_295n) },
  { type: 'cid', values: integers(0n, 4_294_967_295n) },
  { type: 'xid8', values: integers(0n, 2n ** 64n - 1n), refused: 'v::text::numeric > 9223372036854775807' },
  { type: 'float4', values: singles, number: 'v::float8' },
  { type: 'float8', values: doubles, query: `SELECT 'Infinity'::float8 * n FROM generate_series(-1, 1) AS n` },
  { type: 'numeric', values: freeNumerics },
  ...SHAPES.map(([precision, scale]) => ({
    type: `numeric(${precision},${scale})`,
    values: [...decimals(precision, scale), 'NaN'],
    refused: "v = 'NaN'",
  })),
  { type: 'numeric(39,2)', values: [...decimals(38, 2), 'NaN'] },
  {
    type: 'money',
    values: ['-92233720368547758.08', '92233720368547758.07', '0', '-0.01', '0.1', '999', '1000', '-1234567.89'],
    query: `SELECT (n / 100)::money FROM unnest('{${cents.join()}}'::numeric[]) AS n`,
  },
  { type: 'amount', values: decimals(10, 3) },
  { type: 'small_amount', values: decimals(5, 3) },
]
