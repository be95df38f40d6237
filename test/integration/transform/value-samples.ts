// The values that the oracle test asks a real server about: for each type its extremes, the places where printing or
// storing changes its ways, and random ones.
import fc from 'fast-check'

export interface TypeSamples {
  /** As declared in SQL. */
  readonly type: string
  /** Text literals, cast to the type by the server. */
  readonly values: readonly string[]
  /** SQL that gives more values. */
  readonly query?: string
  /** SQL over `v`: the canonical text of what the lake should hold (stored-column.ts); default: the server's text. */
  readonly stored?: string
  /** SQL over `v`: the typed column cannot hold it. */
  readonly refused?: string
  /** No binary form is known. */
  readonly textOnly?: true
}

const SEED = 20_240_229

function random<T>(arbitrary: fc.Arbitrary<T>, count = 300): T[] {
  return fc.sample(arbitrary, { numRuns: count, seed: SEED })
}

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
export const doubles = [
  ...Array.from({ length: 2047 }, (_, k) => BigInt(k) << 52n).flatMap((bits) =>
    [bits - 1n, bits, bits + 1n].filter((neighbour) => neighbour >= 0n).map(doubleOf),
  ),
  ...Array.from({ length: 633 }, (_, k) => `1e${k - 324}`).slice(1),
  ...['9007199254740993', '1125899906842624.25', '1125899906842624.75', '2251799813685248.5', '1e23', '-1e23'],
  ...['123456789012345', '1234567890123456', '1e14', '1e15', '1e16', '0.0001', '0.00001', '0.1', '1.5', '-0', '0'],
  ...random(fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn }), 3000).map(doubleOf),
  ...random(
    fc.tuple(fc.bigInt({ min: 1n, max: 99_999_999_999_999_999n }), fc.integer({ min: -25, max: 25 })),
    3000,
  ).map(([digits, exponent]) => `${digits}e${exponent}`),
  ...random(fc.tuple(fc.nat(), fc.nat({ max: 99 }))).map(([whole, cents]) => `${whole}.${cents}`),
  ...specialNumbers,
]

export const singles = [
  ...Array.from({ length: 255 }, (_, k) => k * 0x80_0000).flatMap((bits) =>
    [bits - 1, bits, bits + 1].filter((neighbour) => neighbour >= 0).map(singleOf),
  ),
  ...Array.from({ length: 83 }, (_, k) => `1e${k - 44}`),
  ...['2097152.25', '2097152.75', '16777217', '16777216', '33554436', '123456', '1234567', '999999', '1e6'],
  ...['0.0001', '0.00001', '0.1', '1.1', '-0', '0', '8.5e9', '3.4028235e38'],
  ...random(fc.nat({ max: 0xffff_ffff }), 6000).map(singleOf),
  ...specialNumbers,
]

const texts = [
  ...[
    '',
    ' ',
    'null',
    'NULL',
    'a',
    'ä',
    '漢字',
    '😀',
    '"',
    '\\',
    '{',
    '}',
    '{}',
    ',',
    ';',
    'a,b',
    '\t',
    '\n',
    '\v',
    '\f\r',
  ],
  ...['(', ')', '[', ']', "'", '\\x', 'x'.repeat(47), 'x'.repeat(48), 'x'.repeat(49), 'y'.repeat(70_000)],
  ...random(fc.string({ unit: 'binary', maxLength: 60 })).map((text) => text.replaceAll('\0', '')),
]
const shortTexts = texts.filter((text) => text.length < 1000)

const dates = [
  ...['infinity', '-infinity', '4713-11-24 BC', '4714-11-24 BC', '5874897-12-31', '0001-01-01', '0001-12-31 BC'],
  ...['0001-02-29 BC', '0004-02-29', '0099-12-31', '0999-01-01', '9999-12-31', '10000-01-01', '1582-10-04'],
  ...['1969-12-31', '1970-01-01', '1999-12-31', '2000-01-01', '2000-02-29', '2000-03-01', '1900-02-28', '2024-02-29'],
]
const dayNumbers = [
  ...random(fc.integer({ min: -2_451_507, max: 2_145_031_947 })),
  ...random(fc.integer({ min: -800_000, max: 3_000_000 }), 1000),
]
const manyDates = `SELECT date '2000-01-01' + n FROM unnest('{${dayNumbers.join()}}'::int[]) AS n`

const clocks = ['00:00:00', '23:59:59.999999', '12:34:56', '12:34:56.1', '12:34:56.000001', '01:02:03.120']
const timestamps = [
  ...['infinity', '-infinity', '4714-11-24 00:00:00 BC', '294276-12-31 23:59:59.999999', '0044-03-15 12:00:00 BC'],
  // The last microsecond that int64 holds from 1970 on, and the first that it does not.
  ...['294247-01-10 04:00:54.775807', '294247-01-10 04:00:54.775808', '294247-01-10 04:00:54', '294250-01-01 00:00:00'],
  ...dates
    .filter((date) => !/infinity|5874897|BC|^4713/.test(date))
    .flatMap((date) => clocks.map((clock) => `${date} ${clock}`)),
]

const microsOfDays = random(fc.nat({ max: 86_399_999 }), 1000)
const manyTimestamps = (type: string): string =>
  `SELECT ${type} '2000-01-01' + make_interval(days => least(d, 106751990)) + m * interval '0.001001 seconds'
     FROM unnest('{${dayNumbers.slice(-1000).join()}}'::int[], '{${microsOfDays.join()}}'::float8[]) AS u(d, m)`

const intervals = [
  ...['0', '1 year', '-1 year', '1 mon', '13 mons', '-13 mons', '1 day', '-1 day', '00:00:01', '-00:00:01'],
  ...[
    '1 year -1 day',
    '-1 year 1 mon',
    '-1 mon +1 day',
    '-1 day +00:00:01',
    '1 day -00:00:00.000001',
    '-1 year -2 mons +3 days -04:05:06.789',
  ],
  ...[
    '100:00:00',
    '-2147483647:59:59.999999',
    '2147483647:59:59.999999',
    '178956970 years 7 mons',
    '-178956970 years -8 mons',
  ],
  ...['2147483647 days', '-2147483648 days', '00:00:00.1', '99999:59:59.999999'],
  ...random(fc.tuple(fc.integer(), fc.integer(), fc.integer(), fc.integer({ min: -999_999, max: 999_999 }))).map(
    ([months, days, seconds, micros]) => `${months} mons ${days} days ${seconds} secs ${micros} usecs`,
  ),
  ...random(
    fc.tuple(fc.integer({ min: -30, max: 30 }), fc.integer({ min: -3, max: 3 }), fc.integer({ min: -9, max: 9 })),
  ).map(([months, days, hours]) => `${months} mons ${days} days ${hours} hours`),
]

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
const networks = random(fc.nat({ max: 32 }), 40)
  .map(
    (prefix) =>
      `${
        prefix === 0
          ? '0.0.0.0'
          : ((0xffff_ffff << (32 - prefix)) >>> 0)
              .toString(16)
              .padStart(8, '0')
              .match(/../g)!
              .map((byte) => parseInt(byte, 16))
              .join('.')
      }/${prefix}`,
  )
  .concat('::/0', '::1/128', 'fe80::/10', '2001:db8::/32', '10.0.0.0/8', '127.0.0.1/32')

const hex = (bytes: number): string[] =>
  ['00', 'ff', '7f', '80']
    .map((byte) => byte.repeat(bytes))
    .concat(
      random(fc.uint8Array({ minLength: bytes, maxLength: bytes })).map((array) => Buffer.from(array).toString('hex')),
    )

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

const json = [
  ...['1', '"a"', 'null', '[]', '{}', '{"a": [1, 2.50, "ä😀"], "b": {"c": null}}', '" "', '1e400'],
  ...random(fc.jsonValue({ noUnicodeString: false }))
    .map((value) => JSON.stringify(value))
    .filter((text) => !text.includes('\\u')),
]

/** Array literals of quoted texts. */
const quoted = (text: string): string => `"${text.replace(/["\\]/g, '\\$&')}"`
const textArrays = [
  ...[
    '{}',
    '{NULL}',
    '{"NULL",null,a,""}',
    '{{a,b},{c,d}}',
    '[0:1]={a,b}',
    '[2:2]={x}',
    '{{{"a,"},{NULL}}}',
    '[-1:0][3:3]={{1},{2}}',
  ],
  ...random(
    fc.array(fc.option(fc.oneof(fc.constantFrom(...shortTexts), fc.string()), { freq: 6 }), { maxLength: 8 }),
  ).map((list) => `{${list.map((text) => (text === null ? 'NULL' : quoted(text.replaceAll('\0', '')))).join(',')}}`),
]

function arraysOf(literals: readonly string[], delimiter = ','): string[] {
  const element = fc
    .option(fc.constantFrom(...literals), { freq: 8 })
    .map((text) => (text === null ? 'NULL' : quoted(text)))
  const lists = random(fc.array(element, { maxLength: 6 }), 150).map((list) => `{${list.join(delimiter)}}`)
  const [a, b] = [quoted(literals[0]!), quoted(literals[1]!)]
  return [...lists, '{}', `{NULL${delimiter}NULL}`, `{{${a}}${delimiter}{${b}}}`, `[0:0]={${a}}`, `[1:1][2:2]={{${b}}}`]
}

const notOneDimension = 'array_ndims(v) > 1 OR array_lower(v, 1) <> 1'
/** The list of what `element`, SQL over `e`, makes of each element. */
const elementsAs = (element: string): string =>
  `(SELECT coalesce(json_agg(${element} ORDER BY place), '[]') FROM unnest(v) WITH ORDINALITY AS u(e, place))::text`

const dayNumber = "(v - date '1970-01-01')::text"
/** Microseconds since 1970 of the server's own 64 bits since 2000: its extract(epoch) rounds near the end of the range. */
const micros = (value: string): string =>
  `(('x' || encode(timestamptz_send(${value}::timestamptz), 'hex'))::bit(64)::int8::numeric + 946684800000000)`
const beyond = (value: string): string => `NOT isfinite(${value}) OR ${micros(value)} > 9223372036854775807`
const epochMicros = (value: string): string =>
  `CASE WHEN ${value} < '294000-01-01' THEN extract(epoch FROM ${value}) * 1000000 ELSE ${micros(value)} END::numeric(40, 0)::text`
const notANumber = (value: string): string => `${value} IN ('NaN', 'Infinity', '-Infinity')`
const unscaled = (value: string, scale: number): string => `trunc(${value} * 1e${scale})::text`
const ranges = (literals: readonly string[]): string[] => ['empty', '(,)', ...literals]

export const setup = [
  `CREATE EXTENSION IF NOT EXISTS citext`,
  `CREATE EXTENSION IF NOT EXISTS hstore`,
  `CREATE TYPE mood AS ENUM ('sad', 'so so', 'glad "é"', '', 'null')`,
  `CREATE TYPE pair AS (a int, b text)`,
  `CREATE DOMAIN amount AS numeric(10,3)`,
  `CREATE DOMAIN small_amount AS amount CHECK (value < 100)`,
  `CREATE DOMAIN label AS varchar(20)`,
  `CREATE DOMAIN numbers AS int[]`,
  `CREATE TYPE textrange AS RANGE (subtype = text)`,
  `CREATE TYPE floatrange AS RANGE (subtype = float8)`,
  // "Öffnung" has to survive in names of types, too.
  `CREATE TYPE "Öffnung" AS ENUM ('auf', 'zu')`,
]

export const samples: readonly TypeSamples[] = [
  { type: 'bool', values: ['t', 'f'] },
  { type: 'int2', values: integers(-32_768n, 32_767n) },
  { type: 'int4', values: integers(-2_147_483_648n, 2_147_483_647n) },
  { type: 'int8', values: integers(-(2n ** 63n), 2n ** 63n - 1n, 1000) },
  { type: 'oid', values: integers(0n, 4_294_967_295n) },
  { type: 'xid', values: integers(0n, 4_294_967_295n) },
  { type: 'cid', values: integers(0n, 4_294_967_295n) },
  { type: 'xid8', values: integers(0n, 2n ** 64n - 1n), refused: 'v::text::numeric > 9223372036854775807' },
  { type: 'float4', values: singles, stored: "encode(float4send(v), 'hex')" },
  { type: 'float8', values: doubles, stored: "encode(float8send(v), 'hex')" },
  { type: 'numeric', values: freeNumerics },
  ...(
    [
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
    ] as const
  ).map(([p, s]) => ({
    type: `numeric(${p},${s})`,
    values: [...decimals(p, s), 'NaN'],
    stored: unscaled('v', s),
    refused: notANumber('v'),
  })),
  ...(
    [
      [19, 0],
      [19, 19],
      [20, 2],
      [28, 10],
      [37, 3],
      [38, 0],
      [38, 10],
      [38, 38],
    ] as const
  ).map(([p, s]) => ({
    type: `numeric(${p},${s})`,
    values: [...decimals(p, s), 'NaN'],
    stored: unscaled('v', s),
    refused: notANumber('v'),
  })),
  { type: 'numeric(39,2)', values: [...decimals(38, 2), 'NaN'] },
  {
    type: 'money',
    values: integers(-(2n ** 63n), 2n ** 63n - 1n)
      .map((cents) => `${cents.slice(0, -2) || '0'}.${cents.slice(-2).replace('-', '').padStart(2, '0')}`)
      .map((text) => text.replace('-.', '-0.')),
  },
  { type: 'text', values: texts },
  { type: 'varchar(70000)', values: texts },
  { type: 'varchar', values: texts },
  { type: 'char(9)', values: ['', 'a', 'ä', '123456789', 'a   b'] },
  { type: 'name', values: shortTexts },
  { type: 'citext', values: texts },
  { type: '"char"', values: ['', 'a', ' ', '~', '\t', '"', '\\'] },
  { type: 'mood', values: ['sad', 'so so', 'glad "é"', '', 'null'] },
  { type: '"Öffnung"', values: ['auf', 'zu'] },
  {
    type: 'bytea',
    values: random(fc.uint8Array({ maxLength: 200 }))
      .map((bytes) => `\\x${Buffer.from(bytes).toString('hex')}`)
      .concat('\\x', `\\x${'00ff'.repeat(50_000)}`),
    stored: "encode(v, 'hex')",
  },
  { type: 'date', values: dates, query: manyDates, stored: dayNumber, refused: 'NOT isfinite(v)' },
  {
    type: 'time',
    values: [
      ...clocks,
      '24:00:00',
      '23:59:60',
      ...random(fc.tuple(fc.nat({ max: 86_399 }), fc.nat({ max: 999_999 }))).map(
        ([seconds, fraction]) =>
          `${new Date(seconds * 1000).toISOString().slice(11, 19)}.${String(fraction).padStart(6, '0')}`,
      ),
    ],
  },
  {
    type: 'timetz',
    values: clocks
      .flatMap((clock) =>
        ['+00', '-00:30', '+05:30', '-12', '+15:59:59', '-15:59', '+01:02:03'].map((zone) => clock + zone),
      )
      .concat('24:00:00-03'),
  },
  {
    type: 'timestamp',
    values: timestamps,
    query: manyTimestamps('timestamp'),
    stored: epochMicros('v'),
    refused: beyond('v'),
  },
  {
    type: 'timestamptz',
    values: timestamps,
    query: manyTimestamps('timestamptz'),
    stored: epochMicros('v'),
    refused: beyond('v'),
  },
  { type: 'timestamp(3)', values: ['2024-02-29 12:34:56.789', '1969-12-31 23:59:59.999'], stored: epochMicros('v') },
  { type: 'interval', values: intervals },
  { type: 'uuid', values: hex(16) },
  { type: 'json', values: json },
  { type: 'jsonb', values: json },
  {
    type: 'xml',
    values: [
      '',
      '<a/>',
      '<a b="c">ä</a>',
      '<?xml version="1.0" encoding="UTF-8"?><a/>',
      '<?xml version="1.1" standalone="yes"?><a/>',
      'text',
    ],
  },
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
  { type: 'box', values: random(fc.tuple(point, point)).map(([a, b]) => `${a},${b}`) },
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
        .map(([a, b]) => (a < b ? [a, b] : [b, a]))
        .map(([a, b]) => `[${quoted(a!)},${quoted(b!)}]`),
    ),
  },
  { type: 'floatrange', values: ranges(['[-0,1e23)', '(-Infinity,NaN]']) },
  { type: 'int4multirange', values: ['{}', '{[1,2)}', '{[1,3),[5,8)}', '{(,)}'] },
  {
    type: 'tsmultirange',
    values: ['{}', '{["2024-01-01 00:00:00",infinity]}', '{(,"2020-01-01 00:00:00"),["2024-01-01 00:00:00",)}'],
  },
  { type: 'amount', values: decimals(10, 3), stored: unscaled('v', 3) },
  { type: 'small_amount', values: decimals(5, 3), stored: unscaled('v', 3) },
  { type: 'label', values: ['', 'a', 'ä'] },
  { type: 'numbers', values: arraysOf(['1', '-2147483648']), stored: elementsAs('e::text'), refused: notOneDimension },
  {
    type: 'numbers[]',
    values: [`{"{1,2}","{}",NULL,"{{1},{2}}"}`, '{}', '{"[0:0]={7}"}'],
    stored: elementsAs('e::text'),
  },
  {
    type: 'amount[]',
    values: arraysOf(['1.5', '-2.125']),
    stored: elementsAs(unscaled('e', 3)),
    refused: notOneDimension,
  },
  {
    type: 'mood[]',
    values: arraysOf(['glad "é"', 'null', '', 'so so']),
    stored: elementsAs('e::text'),
    refused: notOneDimension,
  },
  {
    type: 'bool[]',
    values: arraysOf(['t', 'f']),
    stored: elementsAs("CASE WHEN e THEN 't' WHEN NOT e THEN 'f' END"),
    refused: notOneDimension,
  },
  { type: 'int2[]', values: arraysOf(['1', '-32768', '5']), stored: elementsAs('e::text'), refused: notOneDimension },
  {
    type: 'int4[]',
    values: arraysOf(['1', '-5', '2147483647']),
    stored: elementsAs('e::text'),
    refused: notOneDimension,
  },
  {
    type: 'int8[]',
    values: arraysOf(integers(-(2n ** 63n), 2n ** 63n - 1n)),
    stored: elementsAs('e::text'),
    refused: notOneDimension,
  },
  {
    type: 'xid8[]',
    values: arraysOf(['1', '18446744073709551615', '5', '6']),
    stored: elementsAs('e::text'),
    refused: `${notOneDimension} OR '9223372036854775808' <= ANY (v)`,
  },
  {
    type: 'float4[]',
    values: arraysOf(singles.slice(0, 900)),
    stored: elementsAs("encode(float4send(e), 'hex')"),
    refused: notOneDimension,
  },
  {
    type: 'float8[]',
    values: arraysOf(['NaN', '-0', '1e23', '0.1']),
    stored: elementsAs("encode(float8send(e), 'hex')"),
    refused: notOneDimension,
  },
  {
    type: 'numeric[]',
    values: arraysOf(freeNumerics.filter((n) => n.length < 100)),
    stored: elementsAs('e::text'),
    refused: notOneDimension,
  },
  {
    type: 'numeric(12,2)[]',
    values: arraysOf(['1.25', 'NaN', '-9999999999.99', '0', '3', '4', '5']),
    stored: elementsAs(unscaled('e', 2)),
    refused: `${notOneDimension} OR 'NaN' = ANY (v)`,
  },
  {
    type: 'numeric(30,2)[]',
    values: arraysOf(['1.25', 'NaN', '-9999999999.99', '0', '3', '4', '5']),
    stored: elementsAs(unscaled('e', 2)),
    refused: `${notOneDimension} OR 'NaN' = ANY (v)`,
  },
  { type: 'text[]', values: textArrays, stored: elementsAs('e'), refused: notOneDimension },
  { type: 'varchar(9)[]', values: arraysOf(['', 'a', '"', '\\']), stored: elementsAs('e'), refused: notOneDimension },
  { type: 'citext[]', values: textArrays, stored: elementsAs('e'), refused: notOneDimension },
  {
    type: '"char"[]',
    values: arraysOf(['a', ',', '"', '\\', '{', ' ', '']),
    stored: elementsAs('e::text'),
    refused: notOneDimension,
  },
  {
    type: 'bytea[]',
    values: arraysOf(['\\x', '\\x00ff', '\\x5c22']),
    stored: elementsAs("encode(e, 'hex')"),
    refused: notOneDimension,
  },
  {
    type: 'date[]',
    values: arraysOf(dates),
    stored: elementsAs("(e - date '1970-01-01')::text"),
    refused: `${notOneDimension} OR 'infinity' = ANY (v) OR '-infinity' = ANY (v)`,
  },
  {
    type: 'timestamp[]',
    values: arraysOf(timestamps.filter((text) => !/29424|294250|294276|infinity/.test(text))),
    stored: elementsAs(epochMicros('e')),
    refused: notOneDimension,
  },
  {
    type: 'timestamptz[]',
    values: arraysOf(['infinity', ...clocks.map((clock) => `2024-02-29 ${clock}`)]),
    stored: elementsAs(epochMicros('e')),
    refused: `${notOneDimension} OR 'infinity' = ANY (v)`,
  },
  { type: 'interval[]', values: arraysOf(intervals), stored: elementsAs('e::text'), refused: notOneDimension },
  { type: 'uuid[]', values: arraysOf(hex(16)), stored: elementsAs('e::text'), refused: notOneDimension },
  { type: 'json[]', values: arraysOf(json), stored: elementsAs('e::text'), refused: notOneDimension },
  { type: 'jsonb[]', values: arraysOf(json), stored: elementsAs('e::text'), refused: notOneDimension },
  {
    type: 'inet[]',
    values: arraysOf(['1.2.3.4', '::1', '10.0.0.0/8']),
    stored: elementsAs("CASE WHEN masklen(e) < 32 OR e = '::1' THEN replace(e::text, '/128', '') ELSE host(e) END"),
    refused: notOneDimension,
  },
  {
    type: 'box[]',
    values: arraysOf(['(1,2),(0,0)', '(5,5),(-1,1e23)'], ';'),
    stored: elementsAs('e::text'),
    refused: notOneDimension,
  },
  {
    type: 'int4range[]',
    values: arraysOf(['[1,5)', 'empty', '(,)']),
    stored: elementsAs('e::text'),
    refused: notOneDimension,
  },
  { type: 'tsvector', values: ["'a':1 'b':2A", ''], textOnly: true },
  { type: 'hstore', values: ['"a"=>"1", "b"=>NULL', ''], textOnly: true },
  { type: 'pair', values: ['(1,"a b")', '(,)'], textOnly: true },
  {
    type: 'pair[]',
    values: ['{"(1,a)",NULL}', '{}'],
    textOnly: true,
    stored: 'array_to_json(v::text[])::text',
    refused: notOneDimension,
  },
  { type: 'jsonpath', values: ['$."a"[*]'], textOnly: true },
  { type: 'regclass', values: ['pg_class'], textOnly: true },
]
