// The types whose bytes are changed, some with their arrays, and in SQL what the lake holds of a value: in the canonical text of
// stored-column.ts, which reads the product's pages.
import { arraysOf, type TypeSamples } from '../../integration/transform/type-samples.js'
import { samples, setup } from '../../integration/transform/value-samples.js'

export interface ByteSamples extends TypeSamples {
  /** SQL over `v`; default: the server's text. */
  readonly stored?: string
}

export const byteSetup = ['CREATE EXTENSION IF NOT EXISTS citext', 'CREATE EXTENSION IF NOT EXISTS hstore', ...setup]

/** In arrays, too: one for each form of an element. */
const IN_ARRAYS = [
  ...[
    'bool',
    'int2',
    'int4',
    'int8',
    'xid8',
    'float4',
    'float8',
    'numeric',
    'numeric(12,2)',
    'numeric(30,2)',
    'amount',
  ],
  ...['text', 'varchar', 'citext', '"char"', 'mood', 'bytea', 'uuid', 'json', 'jsonb', 'pair'],
  ...['date', 'timestamp', 'timestamptz', 'interval', 'inet', 'box', 'int4range'],
]
/** Of those that are kept as the server prints them, and so are all treated alike. */
const PRINTED = ['tsvector', 'jsonpath', 'hstore', 'pair']

type Sql = (value: string) => string

const unscaled =
  (scale: number): Sql =>
  (v) =>
    `trunc(${v} * 1e${scale})::text`
/** NaN has many forms, and one in the lake. */
const floatBits =
  (send: string, nan: string): Sql =>
  (v) =>
    `CASE WHEN ${v} = 'NaN' THEN '${nan}' ELSE encode(${send}(${v}), 'hex') END`
/** Microseconds since 1970 of the server's own 64 bits since 2000: its extract(epoch) rounds near the end of the range. */
const epochMicros: Sql = (v) =>
  `(('x' || encode(timestamptz_send(${v}::timestamptz), 'hex'))::bit(64)::int8::numeric + 946684800000000)::text`
/** `format` calls the type's output, where a cast to text may be another thing. */
const printed: Sql = (v) => `format('%s', ${v})`

function storedOf(type: string): Sql | undefined {
  const [, precision, scale] = /^numeric\((\d+),(-?\d+)\)$/.exec(type)?.map(Number) ?? []
  if (precision !== undefined && scale !== undefined)
    return precision <= 38 && scale >= 0 && scale <= precision ? unscaled(scale) : undefined
  if (/^(small_)?amount$/.test(type)) return unscaled(3)
  if (type === 'float4') return floatBits('float4send', '7fc00000')
  if (type === 'float8') return floatBits('float8send', '7ff8000000000000')
  if (type === 'date') return (v) => `(${v} - date '1970-01-01')::text`
  if (type.startsWith('timestamp')) return epochMicros
  return type === 'bytea' ? (v) => `encode(${v}, 'hex')` : undefined
}

function listOf(element: Sql): string {
  return `(SELECT coalesce(json_agg(CASE WHEN e IS NOT NULL OR num_nulls(e) = 0 THEN ${element('e')} END ORDER BY place), '[]')
    FROM unnest(v) WITH ORDINALITY AS u(e, place))::text`
}

const NOT_ONE_DIMENSION = 'array_ndims(v) > 1 OR array_lower(v, 1) <> 1'

function withArrays(sample: TypeSamples): ByteSamples[] {
  const { type, refused, list } = sample
  if (list === true) return [{ ...sample, stored: listOf(printed), refused: NOT_ONE_DIMENSION }]
  const stored = storedOf(type)
  const scalar = { ...sample, ...(stored === undefined ? {} : { stored: stored('v') }) }
  if (!IN_ARRAYS.includes(type)) return [scalar]
  const misfit =
    refused === undefined ? '' : ` OR EXISTS (SELECT FROM unnest(v) AS e WHERE ${refused.replace(/\bv\b/g, 'e')})`
  return [
    scalar,
    {
      type: `${type}[]`,
      values: arraysOf(sample),
      stored: listOf(stored ?? printed),
      refused: NOT_ONE_DIMENSION + misfit,
      ...(sample.textOnly === true ? { textOnly: true } : {}),
    },
  ]
}

export const byteSamples: readonly ByteSamples[] = samples
  .filter(({ type, textOnly }) =>
    textOnly === true ? PRINTED.includes(type) : !/^(lo$|information_schema)/.test(type),
  )
  .flatMap(withArrays)
