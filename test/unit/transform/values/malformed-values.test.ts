// Bytes that are no value of their type stop the stream with a message for operators: the type, never the value.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Failure } from '../../../../internal/model/failure.js'
import { BufferPool } from '../../../../internal/transform/buffer-pool.js'
import { Intake } from '../../../../internal/transform/parquet/leaf-values.js'
import { codecOf } from '../../../../internal/transform/values/value-codec.js'
import { array, int } from './binary-forms.js'
import { arrayOf, builtIn, numericTypmod, userType } from './pg-types.js'

const badTexts: Record<string, readonly string[]> = {
  bool: ['', 'x', 'true'],
  oid: ['', '-1', '4294967296', '12345678901', '1x', '012'],
  int2: ['', '-', '32768', '-32769', '1x', '99999999999'],
  int4: ['', '2147483648', '-2147483649', '1.5', ' 1'],
  int8: ['', '-', '9223372036854775808', '-9223372036854775809', '123456789012345678901', '12a4567890'],
  xid8: ['', '1e5', '-1', '18446744073709551616', '0123', '99999999999999999999'],
  float4: ['', 'abc', '1e39', '1,5', 'nan', '.', '1e', '- 1', '1e-60', '1e-400'],
  float8: ['', '0x10', '1e400', 'infinity', '--1', '1e-400', '-0.5e-999'],
  date: [
    ...['', '2000-01', '2000/01/01', '01-02-2000', '2000-01-01 AD', '2000-1-01', '20000000-01-01', '0000-01-01'],
    ...['2000-13-01', '2000-00-01', '2000-01-32', '2000-01-00', '1999-02-29', '1900-02-29', '2000-04-31'],
    ...['5874898-01-01', '4714-11-23 BC', '2000-01-01xBC', '2000-01-01 AC', 'infinite', '-infinit', 'infinityy'],
  ],
  timestamp: [
    '',
    '2000-01-01',
    '2000-01-01T00:00:00',
    '2000-01-01 00:00',
    '2000-01-01 00:00:00.1234567',
    '2000-01-01 00:00:00.',
    ...['2000-02-30 00:00:00', '2000-01-01 24:00:00', '2000-01-01 00:60:00', '2000-01-01 00:00:60'],
    ...['294277-01-01 00:00:00', '4714-11-23 23:59:59 BC', '2000-01-01 00:00:00+BC', 'i'],
  ],
  timestamptz: [
    '2000-01-01 00:00:00',
    '2000-01-01 00:00:00+01',
    '2000-01-01 00:00:00+05:30',
    'Sat Jan 01 00:00:00 2000 UTC',
  ],
  uuid: ['', 'a0eebc99', 'A0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'a0eebc99-9c0b-4ef8-bb6d+6bb9bd380a11'],
  char: ['ab'],
  bytea: ['', 'abc', '\\x0', '\\x0g', '\\000'],
}

const badBinaries: Record<string, readonly string[]> = {
  bool: ['', '0101'],
  int2: ['00', '000000'],
  int4: ['', '0000000000'],
  int8: ['00000000'],
  oid: ['000000'],
  xid8: ['00'],
  float4: ['0000'],
  float8: ['00000000'],
  // One day, one microsecond outside of PostgreSQL's ranges, and values that would come out of an int32 or int64 as others.
  date: ['00', 'ffda97a6', '7fda970d', '7fffff00', '80000001'],
  timestamp: ['00000000', 'fd0f7cc1411f9fff', '7fffff5bb3b2a000', '7ffffffffffffffe', '8000000000000001'],
  time: ['00000000', '000000141dd76001', 'ffffffffffffffff', '7fffffffffffffff'],
  timetz: ['0000000000000000', '00000000000000000000e100', '0000000000000000ffff1f00', '000000141dd7600100000000'],
  interval: ['0000000000000000'],
  uuid: ['00'],
  jsonb: ['', '027b7d'],
  char: ['', '6161'],
  money: ['00'],
  inet: ['', '0220000401020304ff', '0920000401020304', '0380001000', '0221000401020304'],
  cidr: ['0218010401020304', '021f0104010203ff'],
  macaddr: ['00'],
  bit: ['', '00000009ff', 'ffffffff'],
  pg_lsn: ['00'],
  tid: ['00'],
  point: ['00'],
  path: ['', '0100000002'],
  polygon: ['00000001', '00000000'],
  // Two elements of which none is there; dimensions, flags, lower bound, length of an element.
  int2vector: [
    ...['', '0000000100000000000000150000000200000000', '000000000000000000000015'],
    ...['00000000', '00000002'].map((head) => `${head}00000000000000150000000100000000000000020007`),
    ...['0000000100000001000000150000000100000000000000020007', '0000000100000000000000150000000100000001000000020007'],
    '0000000100000000000000150000000100000000000000040007',
  ],
  // Wrong length, a sign that does not exist, a digit above 9999.
  numeric: [
    ...['', '0001000000000000', '0000000012340000', '00010000000000002710'],
    // More digits than bytes, a scale that does not exist, digits beyond the scale, zeros at an end, other zeros than one.
    ...[
      'ffff0000000000000001',
      '0001000000004000'.concat('0001'),
      '0002000000000001000104d2',
      '0002000000000000000104d2',
    ],
    ...['0002000100000000000004d2', '000200010000000004d20000', '0000000100000000', '0000000040000000'],
  ],
}

const intake = (): Intake => new Intake(new BufferPool(() => undefined, 0))

function assertRefusesToRead(act: () => unknown, type: string, value: string): void {
  assert.throws(act, (error) => {
    assert.ok(error instanceof Failure)
    assert.equal(error.kind, 'protocol')
    assert.ok(error.message.includes(type), error.message)
    assert.ok(value.length < 5 || !error.message.includes(value), 'the message tells the value')
    return true
  })
}

for (const [name, texts] of Object.entries(badTexts))
  test(`${name}: text that is no value`, () => {
    const { putText } = codecOf(builtIn(name), -1, 'string').bind(intake())
    for (const text of texts) assertRefusesToRead(() => putText(Buffer.from(text), 0, text.length), name, text)
  })

for (const [name, values] of Object.entries(badBinaries))
  test(`${name}: bytes that are no value`, () => {
    const codec = codecOf(builtIn(name), -1, 'string')
    const { putBinary } = codec.bind(intake())
    for (const hex of values) {
      const bytes = Buffer.from(hex, 'hex')
      assertRefusesToRead(() => putBinary?.(bytes, 0, bytes.length), name, hex)
      assertRefusesToRead(() => codec.textOfBinary?.(bytes, 0, bytes.length), name, hex)
    }
  })

test('decimals: text and bytes that are no number', () => {
  for (const precision of [12, 30]) {
    const { putText, putBinary } = codecOf(builtIn('numeric'), numericTypmod(precision, 2), 'string').bind(intake())
    for (const text of ['', '-', '.5', '1.2.3', '1e5', 'abc', '12N', 'xyzzy', 'N', '-NaN', 'Infinit'])
      assertRefusesToRead(() => putText(Buffer.from(text), 0, text.length), 'numeric', text)
    for (const hex of badBinaries.numeric!) {
      const bytes = Buffer.from(hex, 'hex')
      assertRefusesToRead(() => putBinary?.(bytes, 0, bytes.length), 'numeric', hex)
    }
  }
})

const nestedTexts = [
  ...['{a b}', '{ a}', '{a}b}', '{a{b}', '{a"b}', '{"a" }'],

  '{{a}',
  '{{a}}}',
  '{{a}}{}',
  '{{"a}}',
  '[0:1]={a',
  '[0:1]',
  '[0:1]=',
  '[0:x]={a}',
  '[0:1]{a}',
  `[${'1'.repeat(300)}:1]={a}`,
]

test('arrays: text that is no array', () => {
  const { putText } = codecOf(arrayOf(builtIn('text')), -1, 'string').bind(intake())
  for (const text of ['', '{', 'a,b', '{a,b', '{a,}', '{,a}', '{"a}', '{"a"b}', '{a}x', ...nestedTexts])
    assertRefusesToRead(() => putText(Buffer.from(text), 0, text.length), '_text', text)
})

test('arrays: bytes that are no array', () => {
  const type = arrayOf(builtIn('int4'))
  const codec = codecOf(type, -1, 'string')
  const { putBinary } = codec.bind(intake())
  const good = array(type, [int(4, 1), null, int(4, 2)])
  const otherElement = Buffer.from(good)
  otherElement.writeUInt32BE(25, 8)
  const withInt = (at: number, value: number): Buffer => {
    const bytes = Buffer.from(good)
    bytes.writeInt32BE(value, at)
    return bytes
  }
  const bad = [
    ...[good.subarray(0, 10), good.subarray(0, -1), Buffer.concat([good, Buffer.alloc(1)]), otherElement],
    // Dimensions, flags, length, lower bound.
    ...[withInt(0, -1), withInt(0, 7), withInt(0, 2), withInt(4, 2), withInt(4, -1)],
    ...[-1, 0, 2, 4, 0x7fff_ffff, -0x8000_0000].map((length) => withInt(12, length)),
    withInt(16, 0x7fff_ffff),
  ]
  for (const bytes of bad) {
    assertRefusesToRead(() => putBinary?.(bytes, 0, bytes.length), '_int4', 'x')
    assertRefusesToRead(() => codec.textOfBinary?.(bytes, 0, bytes.length), '_int4', 'x')
  }
})

test('arrays: counts far beyond the bytes that are there are found out without being counted to', () => {
  const type = arrayOf(builtIn('int4'))
  const codec = codecOf(type, -1, 'string')
  const { putBinary } = codec.bind(intake())
  const huge = 0x7fff_fffe
  const headed = (...lengths: number[]): Buffer =>
    Buffer.concat([
      int(4, lengths.length),
      int(4, 0),
      int(4, type.element!.type.oid),
      ...lengths.flatMap((length) => [int(4, length), int(4, 1)]),
    ])
  for (const bytes of [
    headed(huge),
    headed(huge, huge),
    headed(1, huge),
    headed(huge, 1, 1, 1, 1, 1),
    headed(huge, huge, huge, huge, huge, huge),
  ]) {
    assertRefusesToRead(() => putBinary?.(bytes, 0, bytes.length), '_int4', 'x')
    assertRefusesToRead(() => codec.textOfBinary?.(bytes, 0, bytes.length), '_int4', 'x')
  }
  // As the server does: where one dimension has no elements there are none.
  for (const bytes of [headed(0), headed(huge, 0), headed(0, huge, huge)]) {
    assert.equal(putBinary?.(bytes, 0, bytes.length), true)
    assert.equal(codec.textOfBinary?.(bytes, 0, bytes.length), '{}')
  }
})

test('text that is not UTF-8', () => {
  const range = userType('some_range', 'range', { subtype: builtIn('text') })
  const broken = ['ff', 'c3', 'c328', 'eda080', 'f4908080', '61'.repeat(60) + 'ff', '61'.repeat(60) + 'c3']
  for (const hex of broken)
    for (const type of [
      builtIn('text'),
      builtIn('varchar'),
      builtIn('json'),
      builtIn('jsonb'),
      builtIn('interval'),
      builtIn('numeric'),
      range,
      arrayOf(builtIn('text')),
    ]) {
      const codec = codecOf(type, -1, 'string')
      const { putText, putBinary } = codec.bind(intake())
      const text = Buffer.from(type.kind === 'array' ? `7b${hex}7d` : hex, 'hex')
      assertRefusesToRead(() => putText(text, 0, text.length), 'text', hex)
      if (!['text', 'varchar', 'json'].includes(type.name)) continue
      assertRefusesToRead(() => putBinary?.(text, 0, text.length), 'text', hex)
      assertRefusesToRead(() => codec.textOfBinary?.(text, 0, text.length), 'text', hex)
    }
})

test('ranges: bytes that are no range', () => {
  const range = userType('some_range', 'range', { subtype: builtIn('int4') })
  const multirange = userType('some_multirange', 'multirange', { subtype: range })
  for (const hex of ['00', '0200000004000000', '0100', '020000000400000001ffffffff'])
    for (const type of [range, multirange]) {
      const codec = codecOf(type, -1, 'string')
      const bytes = Buffer.from(type === range ? hex : `00000002${hex}`, 'hex')
      assertRefusesToRead(() => codec.textOfBinary?.(bytes, 0, bytes.length), type.name, hex)
    }
})
