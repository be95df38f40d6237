// Arrays: of each kind of element, with NULLs, empty, of more dimensions, with other lower bounds, with elements that the
// list cannot hold.
import fc from 'fast-check'
import { freeNumerics, integers, singles, unscaled } from './number-samples.js'
import { hex, json, shortTexts } from './text-samples.js'
import { clocks, dates, dayNumberOf, epochMicros, intervals, timestamps } from './time-samples.js'
import { quoted, random, type TypeSamples } from './type-samples.js'

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

/** Lists whose elements are stored as `element`, SQL over `e`, says; all those with one of `misfits` are refused. */
function lists(
  type: string,
  values: readonly string[],
  element = 'e::text',
  misfits: readonly string[] = [],
): TypeSamples {
  const refused = [notOneDimension, ...misfits.map((misfit) => `${misfit} = ANY (v)`)].join(' OR ')
  return { type: `${type}[]`, values, stored: elementsAs(element), refused }
}

const amounts = ['1.25', 'NaN', '-9999999999.99', '0', '3', '4', '5']
const int8s = integers(-(2n ** 63n), 2n ** 63n - 1n)

export const listSamples: readonly TypeSamples[] = [
  lists('bool', arraysOf(['t', 'f']), "CASE WHEN e THEN 't' WHEN NOT e THEN 'f' END"),
  lists('int2', arraysOf(['1', '-32768', '5'])),
  lists('int4', arraysOf(['1', '-5', '2147483647'])),
  lists('int8', arraysOf(int8s)),
  lists('xid8', arraysOf(['1', '18446744073709551615', '5', '6']), 'e::text', ["'18446744073709551615'"]),
  lists('float4', arraysOf(singles.slice(0, 900)), "encode(float4send(e), 'hex')"),
  lists('float8', arraysOf(['NaN', '-0', '1e23', '0.1']), "encode(float8send(e), 'hex')"),
  lists('numeric', arraysOf(freeNumerics.filter((text) => text.length < 100))),
  lists('numeric(12,2)', arraysOf(amounts), unscaled('e', 2), ["'NaN'"]),
  lists('numeric(30,2)', arraysOf(amounts), unscaled('e', 2), ["'NaN'"]),
  lists('amount', arraysOf(['1.5', '-2.125']), unscaled('e', 3)),
  lists('text', textArrays, 'e'),
  lists('varchar(9)', arraysOf(['', 'a', '"', '\\']), 'e'),
  lists('citext', textArrays, 'e'),
  lists('"char"', arraysOf(['a', ',', '"', '\\', '{', ' ', ''])),
  lists('mood', arraysOf(['glad "é"', 'null', '', 'so so'])),
  lists('bytea', arraysOf(['\\x', '\\x00ff', '\\x5c22']), "encode(e, 'hex')"),
  lists('date', arraysOf(dates), dayNumberOf('e'), ["'infinity'", "'-infinity'"]),
  lists('timestamp', arraysOf(timestamps.filter((text) => !/^-?inf|^2942/.test(text))), epochMicros('e')),
  lists('timestamptz', arraysOf(['infinity', ...clocks.map((clock) => `2024-02-29 ${clock}`)]), epochMicros('e'), [
    "'infinity'",
  ]),
  lists('interval', arraysOf(intervals)),
  lists('uuid', arraysOf(hex(16))),
  lists('json', arraysOf(json)),
  lists('jsonb', arraysOf(json)),
  lists('inet', arraysOf(['1.2.3.4/8', '::/16', '10.0.0.0/9'])),
  lists('box', arraysOf(['(1,2),(0,0)', '(5,5),(-1,1e23)'], ';')),
  lists('int4range', arraysOf(['[1,5)', 'empty', '(,)'])),
  { ...lists('int4', arraysOf(['1', '-2147483648'])), type: 'numbers' },
  lists('numbers', ['{"{1,2}","{}",NULL,"{{1},{2}}"}', '{}', '{"[0:0]={7}"}']),
  { ...lists('pair', ['{"(1,a)",NULL}', '{}']), textOnly: true, stored: 'array_to_json(v::text[])::text' },
]
