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
  int2: ['', '-', '32768', '-32769', '1x', '99999999999'],
  int4: ['', '2147483648', '-2147483649', '1.5', ' 1'],
  int8: ['', '-', '9223372036854775808', '-9223372036854775809', '123456789012345678901', '12a4567890'],
  xid8: ['', '1e5'],
  float4: ['', 'abc', '1e39', '1,5', 'nan', '.', '1e', '- 1'],
  float8: ['', '0x10', '1e400', 'infinity', '--1'],
  date: ['', '2000-01', '2000/01/01', '01-02-2000', '2000-01-01 AD', '2000-1-01', '20000000-01-01'],
  timestamp: [
    '',
    '2000-01-01',
    '2000-01-01T00:00:00',
    '2000-01-01 00:00',
    '2000-01-01 00:00:00.1234567',
    '2000-01-01 00:00:00.',
  ],
  timestamptz: [
    '2000-01-01 00:00:00',
    '2000-01-01 00:00:00+01',
    '2000-01-01 00:00:00+05:30',
    'Sat Jan 01 00:00:00 2000 UTC',
  ],
  uuid: ['', 'a0eebc99'],
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
  date: ['00'],
  timestamp: ['00000000'],
  time: ['00000000'],
  timetz: ['0000000000000000'],
  interval: ['0000000000000000'],
  uuid: ['00'],
  jsonb: ['', '027b7d'],
  char: ['', '6161'],
  money: ['00'],
  inet: ['', '0220000401020304ff', '0920000401020304', '0380001000'],
  macaddr: ['00'],
  bit: ['', '00000009ff', 'ffffffff'],
  pg_lsn: ['00'],
  tid: ['00'],
  point: ['00'],
  path: ['', '0100000002'],
  polygon: ['00000001'],
  int2vector: ['', '0000000100000000000000150000000200000000'],
  // Wrong length, a sign that does not exist, a digit above 9999.
  numeric: ['', '0001000000000000', '0000000012340000', '00010000000000002710'],
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
    for (const text of ['', '-', '.5', '1.2.3', '1e5', 'abc'])
      assertRefusesToRead(() => putText(Buffer.from(text), 0, text.length), 'numeric', text)
    for (const hex of badBinaries.numeric!) {
      const bytes = Buffer.from(hex, 'hex')
      assertRefusesToRead(() => putBinary?.(bytes, 0, bytes.length), 'numeric', hex)
    }
  }
})

test('arrays: text that is no array', () => {
  const { putText } = codecOf(arrayOf(builtIn('text')), -1, 'string').bind(intake())
  for (const text of ['', '{', 'a,b', '{a,b', '{a,}', '{,a}', '{"a}', '{"a"b}', '{a}x'])
    assertRefusesToRead(() => putText(Buffer.from(text), 0, text.length), '_text', text)
})

test('arrays: bytes that are no array', () => {
  const type = arrayOf(builtIn('int4'))
  const codec = codecOf(type, -1, 'string')
  const { putBinary } = codec.bind(intake())
  const good = array(type, [int(4, 1), null, int(4, 2)])
  const otherElement = Buffer.from(good)
  otherElement.writeUInt32BE(25, 8)
  const bad = [good.subarray(0, 10), good.subarray(0, -1), Buffer.concat([good, Buffer.alloc(1)]), otherElement]
  for (const bytes of bad) {
    assertRefusesToRead(() => putBinary?.(bytes, 0, bytes.length), '_int4', 'x')
    assertRefusesToRead(() => codec.textOfBinary?.(bytes, 0, bytes.length), '_int4', 'x')
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
