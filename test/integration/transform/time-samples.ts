// Dates, times, timestamps and intervals: both ends of every range, the infinities, leap days, years before Christ.
import fc from 'fast-check'
import { random, type TypeSamples } from './type-samples.js'

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

/** Microseconds since 2000, the server's own 64 bits. */
const micros = `('x' || encode(timestamptz_send(v::timestamptz), 'hex'))::bit(64)::int8`
const beyond = `NOT isfinite(v) OR ${micros} > 9223372036854775807 - 946684800000000`

export const timeSamples: readonly TypeSamples[] = [
  { type: 'date', values: dates, query: manyDates, refused: 'NOT isfinite(v)' },
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
    refused: beyond,
  },
  {
    type: 'timestamptz',
    values: timestamps,
    query: manyTimestamps('timestamptz'),
    refused: beyond,
  },
  { type: 'timestamp(3)', values: ['2024-02-29 12:34:56.789', '1969-12-31 23:59:59.999'] },
  { type: 'interval', values: intervals },
]
