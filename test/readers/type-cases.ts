// Values of every row of the table in docs/types.md, extremes first of all, and what a reader must show of each.
import type { Cell } from './reader.js'

export interface TypeCase {
  /** As docs/readers.md calls it. */
  readonly name: string
  readonly type: string
  /** In PostgreSQL's text form, in which they are expected again where nothing else is said. */
  readonly values: readonly (string | TypedValue)[]
}

interface TypedValue {
  readonly value: string
  /** What the column shows; NULL where the value stands in `_raw`. */
  readonly shown: Cell
}

/** Stands in `_raw`. */
const raw = (value: string): TypedValue => ({ value, shown: null })
const list = (value: string, shown: readonly Cell[]): TypedValue => ({ value, shown })
const float = (value: string, shown: number): TypedValue => ({ value, shown })

/** What a case is about beyond its type stands behind a comma. */
function typed(name: string, ...values: readonly (string | TypedValue)[]): TypeCase {
  return { name, type: name.replace(/, .*/, ''), values }
}

const floats = [float('-0', -0), float('NaN', NaN), float('Infinity', Infinity), float('-Infinity', -Infinity)]
const hundredDigits = '1234567890'.repeat(10)

/** Made before the table. */
export const typesOfOurOwn = `
  CREATE TYPE mood AS ENUM ('sad', 'ok');
  CREATE TYPE pair AS (a int, b text);
  CREATE DOMAIN positive AS int CHECK (VALUE > 0);
  CREATE DOMAIN price AS numeric(12,2);`

export const typeCases: readonly TypeCase[] = [
  typed('bool', 'true', 'false'),
  typed('int2', '-32768', '32767', '0'),
  typed('int4', '-2147483648', '2147483647'),
  typed('int8', '-9223372036854775808', '9223372036854775807', '9007199254740993'),
  typed('oid', '0', '4294967295'),
  typed('xid', '4294967295'),
  typed('cid', '4294967295'),
  typed('xid8', '9223372036854775807', raw('9223372036854775808')),
  typed(
    'float4',
    float('0.1', Math.fround(0.1)),
    float('3.4028235e+38', Math.fround(3.4028235e38)),
    float('-1e-45', Math.fround(-1e-45)),
    ...floats,
  ),
  typed(
    'float8',
    float('0.1', 0.1),
    float('1.7976931348623157e+308', Number.MAX_VALUE),
    float('-5e-324', -5e-324),
    float('0.30000000000000004', 0.30000000000000004),
    ...floats,
  ),
  typed('numeric(9,2)', '9999999.99', '-9999999.99', '0.00', '0.01', '-0.10', raw('NaN')),
  typed('numeric(18,0)', '999999999999999999', '-999999999999999999', '0'),
  typed('numeric(18,4)', '99999999999999.9999', '-99999999999999.9999', '-0.0001', '1.5000', raw('NaN')),
  typed('numeric(18,18)', '0.999999999999999999', '-0.000000000000000001'),
  typed('numeric(19,4)', '999999999999999.9999', '-999999999999999.9999'),
  typed('numeric(38,0)', '9'.repeat(38), `-${'9'.repeat(38)}`, '0'),
  typed(
    'numeric(38,10)',
    '9999999999999999999999999999.9999999999',
    '-9999999999999999999999999999.9999999999',
    '-0.0000000001',
    '1.5000000000',
    raw('NaN'),
  ),
  typed(
    'numeric(38,38)',
    `0.${'9'.repeat(38)}`,
    `-0.${'9'.repeat(38)}`,
    `0.${'0'.repeat(37)}1`,
    `0.5${'0'.repeat(37)}`,
  ),
  typed(
    'numeric',
    `${hundredDigits}.${hundredDigits}`,
    '0.00000000000000000001',
    '1.10',
    'NaN',
    'Infinity',
    '-Infinity',
  ),
  typed('numeric(40,2)', `-${'9'.repeat(38)}.99`),
  typed('money', '$1,234.56', '-$92,233,720,368,547,758.08'),
  typed('text', '', 'null', 'naïve 漢字 ไทย עברית 😀', 'a"b\\c\'d\te\nf', ' padded '),
  typed('text, a byte order mark at its beginning', '\ufeffx'),
  typed('varchar(5)', '', 'abcde'),
  typed('char(5)', 'ab   '),
  typed('"char"', 'x'),
  typed('name', 'a_name'),
  typed('json', '{"b":1, "a":1}', '"é"'),
  typed('jsonb', '{"a": [1, null, 9007199254740993.10]}', 'null', '""'),
  typed('xml', '<a>é</a>'),
  typed('uuid', '00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff'),
  typed('bytea', '\\x', '\\x00ff10', '\\xc328', '\\x616263'),
  typed('date', '1970-01-01', '2024-02-29', '1900-01-01', '2299-12-31', raw('infinity'), raw('-infinity')),
  typed('date, years 1 to 9999', '0001-01-01', '1582-10-04', '1582-10-15', '1899-12-31', '9999-12-31'),
  typed('date, years before 1', '4714-11-24 BC', '0001-12-31 BC'),
  typed('date, years after 9999', '10000-01-01', '5874897-12-31'),
  typed(
    'timestamp',
    '1970-01-01 00:00:00',
    '2024-02-29 23:59:59.999999',
    '1969-12-31 23:59:59.999999',
    '1900-01-01 00:00:00',
    '2262-04-11 23:47:16.854775',
    raw('infinity'),
    raw('-infinity'),
  ),
  typed(
    'timestamp, years 1 to 9999',
    '0001-01-01 00:00:00',
    '1582-10-04 23:59:59.999999',
    '1899-12-31 23:59:59.999999',
    '9999-12-31 23:59:59.999999',
  ),
  typed('timestamp, years before 1', '4714-11-24 00:00:00 BC', '0001-12-31 23:59:59.999999 BC'),
  typed(
    'timestamp, years after 9999',
    '10000-01-01 00:00:00',
    '294247-01-10 04:00:54.775806',
    raw('294247-01-10 04:00:54.775808'),
    raw('294276-12-31 23:59:59.999999'),
  ),
  typed('timestamp, the last microsecond', '294247-01-10 04:00:54.775807'),
  typed(
    'timestamptz',
    '1970-01-01 00:00:00+00',
    '2024-02-29 23:59:59.999999+00',
    '1969-12-31 23:59:59.999999+00',
    '1900-01-01 00:00:00+00',
    '2262-04-11 23:47:16.854775+00',
    raw('infinity'),
    raw('-infinity'),
  ),
  typed(
    'timestamptz, years 1 to 9999',
    '0001-01-01 00:00:00+00',
    '1582-10-04 23:59:59.999999+00',
    '1899-12-31 23:59:59.999999+00',
    '9999-12-31 23:59:59.999999+00',
  ),
  typed('timestamptz, years before 1', '4714-11-24 00:00:00+00 BC', '0001-12-31 23:59:59.999999+00 BC'),
  typed(
    'timestamptz, years after 9999',
    '10000-01-01 00:00:00+00',
    '294247-01-10 04:00:54.775806+00',
    raw('294247-01-10 04:00:54.775808+00'),
    raw('294276-12-31 23:59:59.999999+00'),
  ),
  typed('timestamptz, the last microsecond', '294247-01-10 04:00:54.775807+00'),
  typed('time', '00:00:00', '23:59:59.999999', '24:00:00'),
  typed('timetz', '24:00:00+15:59', '00:00:00-15:59:59'),
  typed('interval', '1 year 2 mons -3 days +04:05:06.789', '-178000000 years', '00:00:00'),
  typed('inet', '::1', '192.168.0.1/24'),
  typed('cidr', '192.168.0.0/24'),
  typed('macaddr', '08:00:2b:01:02:03'),
  typed('macaddr8', '08:00:2b:01:02:03:04:05'),
  typed('bit(3)', '101'),
  typed('varbit', '', '0101'),
  typed('point', '(1,2.5)'),
  typed('line', '{1,-1,0}'),
  typed('lseg', '[(0,0),(1,1)]'),
  typed('box', '(1,1),(0,0)'),
  typed('path', '((0,0),(1,1))'),
  typed('polygon', '((0,0),(1,1),(1,0))'),
  typed('circle', '<(0,0),1>'),
  typed('pg_lsn', 'FFFFFFFF/FFFFFFFF'),
  typed('tid', '(0,1)'),
  typed('int2vector', '1 2'),
  typed('oidvector', '1 4294967295'),
  typed('mood', 'sad'),
  typed('int4range', 'empty', '[1,5)', '(,)'),
  typed('tstzrange', '["2024-01-01 00:00:00+00",)'),
  typed('positive', '2147483647'),
  typed('price', '-9999999999.99', raw('NaN')),
  typed('bool[]', list('{t,NULL,f}', ['true', null, 'false']), list('{}', [])),
  typed(
    'int4[]',
    list('{1,NULL,-2147483648}', ['1', null, '-2147483648']),
    list('{}', []),
    list('{NULL}', [null]),
    raw('{{1,2},{3,4}}'),
    raw('[2:3]={1,2}'),
  ),
  typed('int8[]', list('{9223372036854775807,NULL}', ['9223372036854775807', null]), list('{}', [])),
  typed('float8[]', list('{0.1,NULL,NaN}', [0.1, null, NaN]), list('{}', [])),
  typed('numeric(12,2)[]', list('{1.50,NULL,-9999999999.99}', ['1.50', null, '-9999999999.99']), raw('{NaN,1.50}')),
  typed('numeric(38,10)[]', list('{0.0000000001,NULL}', ['0.0000000001', null])),
  typed('text[]', list('{"",NULL,"a,\\"b","NULL"}', ['', null, 'a,"b', 'NULL']), list('{}', [])),
  typed('bytea[]', list('{"\\\\x","\\\\x00ff",NULL}', ['\\x', '\\x00ff', null])),
  typed('date[]', list('{2024-02-29,NULL}', ['2024-02-29', null]), raw('{infinity}')),
  typed('timestamp[]', list('{"2024-02-29 12:00:00.000001",NULL}', ['2024-02-29 12:00:00.000001', null])),
  typed('timestamptz[]', list('{"2024-02-29 12:00:00+00",NULL}', ['2024-02-29 12:00:00+00', null])),
  typed('uuid[]', list('{ffffffff-ffff-ffff-ffff-ffffffffffff}', ['ffffffff-ffff-ffff-ffff-ffffffffffff'])),
  typed('pair', '(1,"a b")'),
  typed('tsvector', "'a':1 'b':2"),
]
