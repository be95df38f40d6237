// Bytes that a server has sent, changed: cut, flipped, with numbers in them that are far too large, with pieces of other
// text forms, or replaced by chance alone. What changes them is plain data, so that a failure can be read and made smaller.
import fc from 'fast-check'

/** `at`: a place between the beginning and the end, as a part of the length. */
export type Change =
  | { readonly kind: 'cut' | 'behead' | 'double'; readonly at: number }
  | { readonly kind: 'flip'; readonly at: number; readonly bit: number }
  | { readonly kind: 'write' | 'insert' | 'replace'; readonly at: number; readonly bytes: string }

const at = fc.double({ min: 0, max: 1, noNaN: true })
const random = fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes).toString('latin1'))

/** Lengths, counts, versions, scales and dates at which something begins or ends. */
const numbers = [
  ...['ffffffff', '00000000', '00000001', '7fffffff', '80000000', '3fffffff', '00010000', '00000006', '00000007'],
  ...[
    'ffff',
    '7fff',
    '8000',
    '3fff',
    '4000',
    '2710',
    '270f',
    'c000',
    'd000',
    'f000',
    '0001',
    '0000',
    '00',
    '01',
    '02',
    'ff',
  ],
  ...['7fffffffffffffff', '8000000000000000', '7ffffffffffffffe', '8000000000000001', '0000000000000000'],
].map((hex) => Buffer.from(hex, 'hex').toString('latin1'))
const characters = [
  ...['{', '}', '{}', '"', '\\', ',', ';', '[', ']', '(', ')', '-', '+', '.', ':', 'e', 'E', ' ', '\t', 'NULL', 'null'],
  ...[
    'NaN',
    'Infinity',
    '-infinity',
    ' BC',
    '[0:1]=',
    '{{',
    '}}',
    '\\x',
    '0',
    '9',
    '00',
    '99',
    '1e9',
    'é',
    '\xff',
    '\xc3',
    '\0',
  ],
]

const change: fc.Arbitrary<Change> = fc.oneof(
  fc.record({ kind: fc.constantFrom('cut' as const, 'behead' as const, 'double' as const), at }),
  fc.record({ kind: fc.constant('flip' as const), at, bit: fc.nat(7) }),
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom('write' as const, 'write' as const, 'insert' as const),
      at,
      bytes: fc.oneof(fc.constantFrom(...numbers), fc.constantFrom(...characters), random),
    }),
  },
  fc.record({ kind: fc.constant('replace' as const), at, bytes: random }),
)

/** Mostly one, because several hide each other. */
export const changes: fc.Arbitrary<Change[]> = fc.oneof(
  { weight: 3, arbitrary: change.map((one) => [one]) },
  { weight: 1, arbitrary: fc.array(change, { minLength: 2, maxLength: 4 }) },
)

export function changed(bytes: Buffer, all: readonly Change[]): Buffer {
  return all.reduce(applied, bytes)
}

function applied(bytes: Buffer, change: Change): Buffer {
  const place = Math.min(Math.floor(change.at * (bytes.length + 1)), bytes.length)
  const [before, behind] = [bytes.subarray(0, place), bytes.subarray(place)]
  switch (change.kind) {
    case 'cut':
      return before
    case 'behead':
      return behind
    case 'double':
      return Buffer.concat([bytes, behind])
    case 'flip':
      return place === bytes.length
        ? bytes
        : Buffer.concat([before, Buffer.from([bytes[place]! ^ (1 << change.bit)]), behind.subarray(1)])
    case 'write': {
      const written = Buffer.from(change.bytes, 'latin1')
      return Buffer.concat([before, written, behind.subarray(written.length)])
    }
    case 'insert':
      return Buffer.concat([before, Buffer.from(change.bytes, 'latin1'), behind])
    case 'replace':
      return Buffer.from(change.bytes, 'latin1')
    default:
      return change satisfies never
  }
}
