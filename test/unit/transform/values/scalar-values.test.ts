// Each type's extremes, without a server: text form, binary form, what is stored or that it is refused.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codecOf } from '../../../../internal/transform/values/value-codec.js'
import { builtIn, numericTypmod } from './pg-types.js'
import { store } from './stored-column.js'

const REFUSED = null

/** Type, its modifier, text, binary in hex, stored (stored-column.ts). */
type Row = readonly [name: string, typmod: number, text: string, hex: string, stored: string | null]

const amount = numericTypmod(12, 2)
const large = numericTypmod(38, 2)
const fraction = numericTypmod(18, 18)
/** Text kept as it is. */
const printed = (name: string, text: string, hex: string): Row => [name, -1, text, hex, text]

const table: readonly Row[] = [
  ['bool', -1, 't', '01', 't'],
  ['bool', -1, 'f', '00', 'f'],
  ['int2', -1, '-32768', '8000', '-32768'],
  ['int2', -1, '32767', '7fff', '32767'],
  ['int2', -1, '-1', 'ffff', '-1'],
  ['int4', -1, '-2147483648', '80000000', '-2147483648'],
  ['int4', -1, '2147483647', '7fffffff', '2147483647'],
  ['int8', -1, '-9223372036854775808', '8000000000000000', '-9223372036854775808'],
  ['int8', -1, '9223372036854775807', '7fffffffffffffff', '9223372036854775807'],
  ['int8', -1, '9007199254740993', '0020000000000001', '9007199254740993'],
  ['int8', -1, '-4294967297', 'fffffffeffffffff', '-4294967297'],
  ['oid', -1, '4294967295', 'ffffffff', '4294967295'],
  ['xid', -1, '2147483648', '80000000', '2147483648'],
  ['cid', -1, '0', '00000000', '0'],
  ['xid8', -1, '9223372036854775807', '7fffffffffffffff', '9223372036854775807'],
  ['xid8', -1, '9223372036854775808', '8000000000000000', REFUSED],
  ['xid8', -1, '18446744073709551615', 'ffffffffffffffff', REFUSED],
  ['float4', -1, '-0', '80000000', '80000000'],
  ['float4', -1, '1e-45', '00000001', '00000001'],
  ['float4', -1, '3.4028235e+38', '7f7fffff', '7f7fffff'],
  ['float4', -1, '2.0971522e+06', '4a000001', '4a000001'],
  ['float4', -1, '-Infinity', 'ff800000', 'ff800000'],
  ['float4', -1, 'NaN', '7fc00000', '7fc00000'],
  // The one float whose text, read as a double, lies exactly between two floats.
  ['float4', -1, '7.038531e-26', '15ae43fd', '15ae43fd'],
  ['float4', -1, '-7.038531e-26', '95ae43fd', '95ae43fd'],
  // What an x86 server makes of Infinity * 0, and one of the least bits.
  ['float4', -1, 'NaN', 'ffc00000', '7fc00000'],
  ['float4', -1, 'NaN', '7f800001', '7fc00000'],
  ['float8', -1, 'NaN', 'fff8000000000000', '7ff8000000000000'],
  ['float8', -1, 'NaN', '7ff0000000000001', '7ff8000000000000'],
  ['float8', -1, '-0', '8000000000000000', '8000000000000000'],
  ['float8', -1, '5e-324', '0000000000000001', '0000000000000001'],
  ['float8', -1, '1.7976931348623157e+308', '7fefffffffffffff', '7fefffffffffffff'],
  // 1e23 lies exactly between two doubles; PostgreSQL never prints a border.
  ['float8', -1, '9.999999999999999e+22', '44b52d02c7e14af6', '44b52d02c7e14af6'],
  ['float8', -1, '1.0000000000000001e+23', '44b52d02c7e14af7', '44b52d02c7e14af7'],
  ['float8', -1, '123456789012345', '42dc12218377de40', '42dc12218377de40'],
  ['float8', -1, '1e+15', '430c6bf526340000', '430c6bf526340000'],
  ['float8', -1, '0.0001', '3f1a36e2eb1c432d', '3f1a36e2eb1c432d'],
  ['float8', -1, '1e-05', '3ee4f8b588e368f1', '3ee4f8b588e368f1'],
  ['float8', -1, 'Infinity', '7ff0000000000000', '7ff0000000000000'],
  ['numeric', amount, '0.00', '0000000000000002', '0'],
  ['numeric', amount, '-9999999999.99', '00040002400000020063270f270f26ac', '-999999999999'],
  // A multiple of 2^32, whose lower half is zero.
  ['numeric', amount, '-42949672.96', '000300014000000210c625c82580', '-4294967296'],
  ['numeric', amount, '0.01', '0001ffff000000020064', '1'],
  ['numeric', amount, '10000.00', '00010001000000020001', '1000000'],
  ['numeric', amount, 'NaN', '00000000c0000000', REFUSED],
  ['numeric', amount, 'Infinity', '00000000d0000000', REFUSED],
  ['numeric', amount, '-Infinity', '00000000f0000000', REFUSED],
  // Values that no column of the type has: they must not be cut to fit.
  ['numeric', amount, '0.001', '0001ffff00000003000a', REFUSED],
  ['numeric', amount, '10000000000.00', '00010002000000020064', REFUSED],
  ['numeric', fraction, '0.000000000000000001', '0001fffb000000120064', '1'],
  ['numeric', fraction, '-0.999999999999999999', '0005ffff40000012270f270f270f270f26ac', '-999999999999999999'],
  ['numeric', large, '0.01', '0001ffff000000020064', '1'],
  ['numeric', large, '-0.01', '0001ffff400000020064', '-1'],
  ['numeric', large, 'NaN', '00000000c0000000', REFUSED],
  ['numeric', large, '0.001', '0001ffff00000003000a', REFUSED],
  ['numeric', large, `1${'0'.repeat(36)}.00`, '00010009000000020001', REFUSED],
  ['numeric', large, `1${'0'.repeat(40)}.00`, '0001000a000000020001', REFUSED],
  printed('numeric', 'NaN', '00000000c0000000'),
  printed('numeric', '-Infinity', '00000000f0000000'),
  printed('numeric', '0.0000', '0000000000000004'),
  printed('numeric', '-0.00010', '0001ffff400000050001'),
  printed('numeric', '100000000', '00010002000000000001'),
  printed('numeric', '12345.678', '0003000100000003000109291a7c'),
  printed('money', '$0.00', '0000000000000000'),
  printed('money', '-$92,233,720,368,547,758.08', '8000000000000000'),
  printed('money', '$1,234.56', '000000000001e240'),
  printed('text', '', ''),
  printed('text', 'ä😀', 'c3a4f09f9880'),
  printed('bpchar', 'a  ', '612020'),
  printed('json', '{"a": 1}', '7b2261223a20317d'),
  printed('jsonb', '{"a": 1}', '017b2261223a20317d'),
  printed('char', '', '00'),
  printed('char', 'a', '61'),
  printed('char', '\\303', 'c3'),
  ['bytea', -1, '\\x', '', ''],
  ['bytea', -1, '\\x00ff5c', '00ff5c', '00ff5c'],
  printed('uuid', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'a0eebc999c0b4ef8bb6d6bb9bd380a11'),
  ['date', -1, '1970-01-01', 'ffffd533', '0'],
  ['date', -1, '4714-11-24 BC', 'ffda97a7', '-2440588'],
  ['date', -1, '0001-12-31 BC', 'fff4dbf8', '-719163'],
  ['date', -1, '5874897-12-31', '7fda970c', '2145042905'],
  ['date', -1, 'infinity', '7fffffff', REFUSED],
  ['date', -1, '-infinity', '80000000', REFUSED],
  ['timestamp', -1, '2000-01-01 00:00:00', '0000000000000000', '946684800000000'],
  ['timestamp', -1, '1999-12-31 23:59:59.999999', 'ffffffffffffffff', '946684799999999'],
  ['timestamp', -1, '294247-01-10 04:00:54.775807', '7ffca2fec4c81fff', '9223372036854775807'],
  ['timestamp', -1, '294247-01-10 04:00:54.775808', '7ffca2fec4c82000', REFUSED],
  ['timestamp', -1, '294276-12-31 23:59:59.999999', '7fffff5bb3b29fff', REFUSED],
  ['timestamp', -1, '4714-11-24 00:00:00 BC', 'fd0f7cc1411fa000', '-210866803200000000'],
  ['timestamp', -1, 'infinity', '7fffffffffffffff', REFUSED],
  ['timestamp', -1, '-infinity', '8000000000000000', REFUSED],
  ['timestamptz', -1, '2000-01-01 00:00:00.1+00', '00000000000186a0', '946684800100000'],
  ['timestamptz', -1, 'infinity', '7fffffffffffffff', REFUSED],
  printed('time', '24:00:00', '000000141dd76000'),
  printed('time', '00:00:00.000001', '0000000000000001'),
  printed('timetz', '00:00:00+15:59:59', '0000000000000000ffff1f01'),
  printed('timetz', '24:00:00-03', '000000141dd7600000002a30'),
  printed('interval', '00:00:00', '00000000000000000000000000000000'),
  printed('interval', '-2562047788:00:54.775808', '80000000000000000000000000000000'),
  printed(
    'interval',
    '-178956970 years -8 mons -2147483648 days +2562047788:00:54.775807',
    '7fffffffffffffff8000000080000000',
  ),
  printed('interval', 'infinity', '7fffffffffffffff7fffffff7fffffff'),
  printed('interval', '-infinity', '80000000000000008000000080000000'),
  printed('inet', '::ffff:1.2.3.4', '0380001000000000000000000000ffff01020304'),
  printed('inet', '10.1.2.3/8', '020800040a010203'),
  printed('cidr', '10.0.0.0/32', '022001040a000000'),
  printed('macaddr', '08:00:2b:01:02:03', '08002b010203'),
  printed('bit', '101', '00000003a0'),
  printed('varbit', '', '00000000'),
  printed('pg_lsn', '16/B374D848', '00000016b374d848'),
  printed('tid', '(4294967295,65535)', 'ffffffffffff'),
  printed('point', '(-0,1.0000000000000001e+23)', '800000000000000044b52d02c7e14af7'),
  printed('int2vector', '-1 7', '000000010000000000000015000000020000000000000002ffff000000020007'),
]

for (const [name, typmod, text, hex, stored] of table)
  test(`${name}: ${text.slice(0, 45)}`, () => {
    const codec = codecOf(builtIn(name), typmod, 'string')
    // A neighbour on each side shows a value that took too much or too little.
    const fromText = store(codec, 'putText', [null, Buffer.from(text), null])
    assert.deepEqual(fromText.rows, [null, stored, null])
    assert.equal(fromText.refused[1], stored === REFUSED)
    const binary = Buffer.from(hex, 'hex')
    const fromBinary = store(codec, 'putBinary', [null, binary, null])
    assert.deepEqual(fromBinary, fromText)
    assert.equal(codec.textOfBinary?.(binary, 0, binary.length), text)
  })

test('"char" above 127, which servers before version 16 send bare, is stored as later ones print it', () => {
  assert.deepEqual(store(codecOf(builtIn('char'), -1, 'string'), 'putText', [Buffer.from([0xc3])]).rows, ['\\303'])
})

test('infinite dates and a refused value leave no trace in the page', () => {
  const codec = codecOf(builtIn('date'), -1, 'string')
  const values = ['2000-01-01', 'infinity', '2000-01-02'].map((text) => Buffer.from(text))
  assert.deepEqual(store(codec, 'putText', values).rows, ['10957', null, '10958'])
})
