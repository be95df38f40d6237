// Types that the lake keeps as PostgreSQL prints them: network addresses, bits, geometry, ranges.
import fc from 'fast-check'
import { hex, shortTexts } from './text-samples.js'
import { quoted, random, type TypeSamples } from './type-samples.js'

const addresses = [
  ...['0.0.0.0', '255.255.255.255', '10.1.2.3/8', '10.1.2.3/32', '192.168.0.0/16', '::', '::1', '::1/0', '1::', '::/0'],
  ...['::ffff:1.2.3.4', '::1.2.3.4', '::1:0:0:0', '1:0:0:2:0:0:0:3', '1:0:0:2:0:0:3:4', '0:0:1::', 'fe80::1/64'],
  ...[
    '2001:db8::ff00:42:8329',
    '1:2:3:4:5:6:7:8',
    '1:2:3:4:5:6:7:0',
    '0:1:2:3:4:5:6:7',
    '::ffff:0:0',
    '::fffe:1.2.3.4',
  ],
  ...['::1:2:3', '::2:0', '::ffff', '::1:ffff:1.2.3.4'],
  ...random(fc.ipV6()),
  ...random(fc.array(fc.constantFrom('0', '0', 'ffff', '1', 'abc'), { minLength: 8, maxLength: 8 })).map((words) =>
    words.join(':'),
  ),
  ...random(fc.tuple(fc.ipV4(), fc.nat({ max: 32 }))).map(([address, prefix]) => `${address}/${prefix}`),
]
const networks = Array.from({ length: 33 }, (_, prefix) => {
  const mask = prefix === 0 ? 0 : (0xffff_ffff << (32 - prefix)) >>> 0
  return `${[24, 16, 8, 0].map((shift) => (mask >>> shift) & 255).join('.')}/${prefix}`
}).concat('::/0', '::1/128', 'fe80::/10', '2001:db8::/32', '10.0.0.0/8', '127.0.0.1/32')

const bits = random(fc.array(fc.constantFrom('0', '1'), { maxLength: 80 }))
  .map((array) => array.join(''))
  .concat('', '1', '10101010', '101010101')

const coordinate = fc
  .oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.integer({ min: -1000, max: 1000 }),
    fc.constantFrom('NaN', 'Infinity', '-Infinity', '-0', '1e23', '0.00001'),
  )
  .map((value) => (Object.is(value, -0) ? '-0' : String(value)))
const point = fc.tuple(coordinate, coordinate).map(([x, y]) => `(${x},${y})`)
const points = fc.array(point, { minLength: 1, maxLength: 5 }).map((list) => list.join(','))

const ranges = (literals: readonly string[]): string[] => ['empty', '(,)', ...literals]

const multiranges = Object.entries({
  int4multirange: ['{}', '{[1,2)}', '{[1,3),[5,8)}', '{(,)}'],
  int8multirange: ['{}', '{[-9223372036854775808,8),[9,9223372036854775807)}'],
  nummultirange: ['{}', '{(1.50,2],[NaN,NaN]}'],
  datemultirange: ['{}', '{[0044-03-15 BC,2024-01-01),[infinity,)}'],
  tsmultirange: ['{}', '{["2024-01-01 00:00:00",infinity]}', '{(,"2020-01-01 00:00:00"),["2024-01-01 00:00:00",)}'],
  tstzmultirange: ['{}', '{["0044-03-15 12:00:00+00 BC","2024-01-01 00:00:00.000001+00"]}'],
  textmultirange: ['{}', '{[a,"b,\\"c"],["d ",é]}'],
  floatmultirange: ['{}', '{[-Infinity,-0],[1e23,NaN]}'],
}).map(([type, values]): TypeSamples => ({ type, values, since: 14 }))

export const printedSamples: readonly TypeSamples[] = [
  { type: 'inet', values: addresses },
  { type: 'cidr', values: networks },
  { type: 'macaddr', values: hex(6) },
  { type: 'macaddr8', values: hex(8) },
  { type: 'varbit', values: bits },
  { type: 'bit(11)', values: ['00000000000', '11111111111', '10000000001'] },
  { type: 'pg_lsn', values: ['0/0', 'FFFFFFFF/FFFFFFFF', '16/B374D848', 'A/10000000'] },
  { type: 'tid', values: ['(0,0)', '(4294967295,65535)', '(1,2)'] },
  { type: 'point', values: random(point) },
  { type: 'lseg', values: random(fc.tuple(point, point)).map(([a, b]) => `[${a},${b}]`) },
  { type: 'box', values: random(fc.tuple(point, point)).map(([a, b]) => `${a},${b}`), delimiter: ';' },
  { type: 'path', values: random(points).flatMap((list) => [`[${list}]`, `(${list})`]) },
  { type: 'polygon', values: random(points).map((list) => `(${list})`) },
  { type: 'line', values: ['{1,2,3}', '{0,-1,0}', '{1.5,1e23,-0.00001}', '{-1,0,NaN}'] },
  { type: 'circle', values: random(fc.tuple(point, fc.nat())).map(([centre, radius]) => `<${centre},${radius}>`) },
  { type: 'int2vector', values: ['', '1', '-32768 0 32767'] },
  { type: 'oidvector', values: ['', '1', '4294967295 0 7'] },
  { type: 'int4range', values: ranges(['[1,5)', '(,3]', '[7,)', '[-2147483648,0)']) },
  { type: 'int8range', values: ranges(['[1,5)', '[-9223372036854775808,)']) },
  { type: 'numrange', values: ranges(['[1.50,5)', '(1,2]', '[1,1]', '(,NaN]']) },
  {
    type: 'daterange',
    values: ranges(['[2024-01-01,2024-02-01)', '[0044-03-15 BC,infinity)', '[-infinity,2000-01-01]']),
  },
  { type: 'tsrange', values: ranges(['["2024-01-01 00:00:00","2024-02-01 12:34:56.5"]', '[-infinity,infinity]']) },
  { type: 'tstzrange', values: ranges(['["2024-01-01 00:00:00+00","2024-02-01 12:34:56.5+00"]']) },
  {
    type: 'textrange',
    values: ranges(
      random(fc.tuple(fc.constantFrom(...shortTexts), fc.constantFrom(...shortTexts)))
        .map(([a, b]) => (Buffer.compare(Buffer.from(a), Buffer.from(b)) < 0 ? [a, b] : [b, a]))
        .map(([a, b]) => `[${quoted(a!)},${quoted(b!)}]`),
    ),
  },
  { type: 'floatrange', values: ranges(['[-0,1e23)', '(-Infinity,NaN]']) },
  ...multiranges,
]
