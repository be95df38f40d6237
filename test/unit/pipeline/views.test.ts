// What views are made of: the columns that a table's versions have together, their names, and the tables of Athena, which no
// test runs.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ReplicaIdentity } from '../../../internal/model/relation.js'
import type { TableSchema } from '../../../internal/model/table-schema.js'
import { castsExactly, parseColumnType } from '../../../internal/pipeline/views/column-types.js'
import { checkRequest, printViews } from '../../../internal/pipeline/views/print-views.js'
import { describeTable } from '../../../internal/pipeline/views/table-description.js'
import { nameViews } from '../../../internal/pipeline/views/view-names.js'

type Column = readonly [name: string, type: string, parquet: string, lakeName?: string]

const string = 'BYTE_ARRAY string'

function version(identity: ReplicaIdentity, key: readonly string[], columns: readonly Column[]): TableSchema {
  return {
    ...{ schema: 'public', table: 'orders', relationOid: 1, replicaIdentity: identity },
    columns: columns.map(([name, type, parquet, lakeName = name]) => ({
      ...{ name, type, parquet, lakeName, typmod: -1, key: key.includes(name) },
    })),
  }
}

const id: Column = ['id', 'int4', 'INT32 int32']

test('a cast is exact where every value of the one type is one of the other', () => {
  const cases: [string, string, boolean][] = [
    ['INT32 int16', 'INT64 int64', true],
    ['INT64 int64', 'INT32 int32', false],
    ['INT64 int64', 'DOUBLE', false],
    ['INT32 int32', 'DOUBLE', true],
    ['INT32 int32', 'FLOAT', false],
    ['FLOAT', 'DOUBLE', true],
    ['INT32 int32', 'INT64 decimal(12,2)', true],
    ['INT32 int32', 'INT64 decimal(11,2)', false],
    ['INT64 decimal(8,2)', 'FIXED16 decimal(20,4)', true],
    ['INT64 decimal(8,2)', 'INT64 decimal(9,3)', true],
    ['INT64 decimal(8,2)', 'INT64 decimal(9,4)', false],
    ['INT64 timestamp', 'INT64 timestamptz', false],
    ['LIST INT32 int32', 'LIST INT64 int64', true],
    ['LIST INT32 int32', 'INT64 int64', false],
    ['INT32 date', string, false],
  ]
  for (const [from, to, exact] of cases)
    assert.equal(castsExactly(parseColumnType(from), parseColumnType(to)), exact, `${from} to ${to}`)
  assert.throws(() => parseColumnType('INT96'), { kind: 'unsafe' })
})

test('hashes and values are never one column, and neither are hashes with two salts', () => {
  const mail = (lakeName: string, hashed?: string): TableSchema => {
    const { columns, ...table } = version('d', ['id'], [id, ['mail', 'text', string, lakeName]])
    return {
      ...table,
      columns: columns.map((one) => (one.name === 'mail' && hashed !== undefined ? { ...one, hashed } : one)),
    }
  }
  const { columns, notes } = describeTable([mail('mail'), mail('mail__hashed', 'a'), mail('mail__hashed__2', 'b')])
  assert.deepEqual(
    columns.map(({ name, isThere, sources }) => [name, isThere, sources.map((source) => source.name)]),
    [
      ['id', true, ['id']],
      ['mail__hashed__2', true, ['mail__hashed__2']],
      ['mail__hashed', false, ['mail__hashed']],
      ['mail', false, ['mail']],
    ],
  )
  assert.deepEqual(notes, [])
  const keyed = (hashed?: string): TableSchema => {
    const { columns: all, ...table } = version(
      'd',
      ['mail'],
      [['mail', 'text', string, hashed === undefined ? 'mail' : 'mail__hashed']],
    )
    return { ...table, columns: all.map((one) => (hashed === undefined ? one : { ...one, hashed })) }
  }
  const later = describeTable([keyed(), keyed('a')])
  assert.deepEqual(
    later.columns.map(({ name, isKey }) => [name, isKey]),
    [
      ['mail__hashed', true],
      ['mail', false],
    ],
  )
  assert.match(later.notes.join(), /not always hashed with the same salt/)
})

test('the columns of all versions: the newest type where every older value is one of it, else text', () => {
  const table = describeTable([
    version(
      'd',
      ['id'],
      [id, ['a', 'int4', 'INT32 int32'], ['n', 'numeric', 'INT64 decimal(8,2)'], ['gone', 'bool', 'BOOLEAN']],
    ),
    version(
      'f',
      ['id', 'a', 'n'],
      [
        ['n', 'numeric', 'INT64 decimal(10,3)', 'n__numeric_10_3'],
        ['id', 'int8', 'INT64 int64'],
        ['a', 'timestamp', 'INT64 timestamp', 'a__timestamp'],
      ],
    ),
  ])
  assert.deepEqual(
    table.columns.map(({ name, type, sources, isKey, isThere }) => [
      ...[name, type.kind, sources.map((source) => source.name).join(), isKey, isThere],
    ]),
    [
      ['n', 'decimal', 'n__numeric_10_3,n', false, true],
      ['id', 'int64', 'id', true, true],
      ['a', 'string', 'a__timestamp,a', false, true],
      ['gone', 'bool', 'gone', false, false],
    ],
  )
  assert.equal(table.identity, 'key')
  assert.deepEqual(
    table.lakeColumns.map(({ name, type }) => `${name} ${type.kind}`),
    [...['id int64', 'a int32', 'n decimal', 'gone bool', 'n__numeric_10_3 decimal', 'a__timestamp timestamp']],
  )
})

test('what a row is told by: a key of another identity, all values, or nothing', () => {
  const tags: Column = ['tags', '_int4', 'LIST INT32 int32']
  assert.equal(describeTable([version('f', ['id'], [id])]).identity, 'rows')
  assert.equal(describeTable([version('n', [], [id, tags])]).identity, 'rows')
  assert.deepEqual(describeTable([version('f', ['id', 'tags'], [id, tags])]).identity, {
    none: 'no key is known, and the old rows cannot be told by the array tags',
  })
  assert.equal(
    describeTable([version('d', ['id'], [id]), version('f', ['a'], [['a', 'int4', 'INT32 int32']])]).identity,
    'rows',
  )
  const changed = describeTable([version('d', ['id'], [id]), version('i', ['a'], [id, ['a', 'int4', 'INT32 int32']])])
  assert.match(changed.notes.join(), /Its key was \(id\) before/)
})

test('no two views have one name', () => {
  const tables = ['orders', 'Orders', 'orders_log', 'orders_log__2', 'a.b'].map((table) => ({
    schema: 'public',
    table,
  }))
  const rule = { fit: (name: string) => name, flat: false }
  const names = nameViews([...tables, { schema: 'Public', table: 'orders' }], rule)
  const all = names.flatMap(({ schema, state, log, asOf }) =>
    [state, log, asOf].map((name) => `${schema}.${name}`.toLowerCase()),
  )
  assert.equal(new Set(all).size, all.length)
  assert.deepEqual(names[0], { schema: 'public', state: 'orders', log: 'orders_log__3', asOf: 'orders_as_of' })
  assert.equal(names[1]?.state, 'Orders__2')
  assert.equal(names[5]?.schema, 'Public__2')
  const flat = nameViews(
    [
      { schema: 'a_b', table: 'c' },
      { schema: 'a', table: 'b_c' },
    ],
    { ...rule, flat: true },
  )
  assert.deepEqual(
    flat.map(({ state }) => state),
    ['a_b_c', 'a_b_c__2'],
  )
})

test('a time is taken with its zone, to the microsecond', () => {
  const timeOf = (asOf: string) => checkRequest({ engine: 'trino', tables: [], asOf }).asOf
  assert.equal(timeOf('2026-01-31T12:00:00Z'), '2026-01-31 12:00:00.000000')
  assert.equal(timeOf('2026-01-01T00:30:00.123456+01:00'), '2025-12-31 23:30:00.123456')
  for (const text of ['2026-01-31', '2026-01-31T12:00:00', 'yesterday', '2026-13-01T00:00:00Z'])
    assert.throws(() => timeOf(text), { kind: 'config', message: `--as-of is no time: ${JSON.stringify(text)}` })
})

test('Athena gets a table with projected dates, and a view of it', () => {
  const description = describeTable([
    version(
      'd',
      ['id'],
      [
        ...[id, ['dt', 'date', 'INT32 date'] as const, ['tags', '_text', `LIST ${string}`] as const],
        ...[['a,b', 'text', string] as const, ['price', 'numeric', 'INT64 decimal(12,2)'] as const],
      ],
    ),
  ])
  const place = { root: 's3://bucket/default', url: 'https://s3.amazonaws.com/bucket/default', slot: 'slot' }
  const table = { description, folder: 'data/public/orders', firstDate: '2026-01-31' }
  const request = { engine: 'athena', tables: [], asOf: '2026-02-01T00:00:00Z' }
  const sql = printViews(place, [table], request)
  const [, made] = /(CREATE EXTERNAL TABLE .*?);\n/s.exec(sql) ?? []
  assert.equal(
    made,
    `CREATE EXTERNAL TABLE \`public\`.\`orders_log\` (
  \`id\` int,
  \`dt\` date,
  \`tags\` array<string>,
  \`price\` decimal(12,2),
  \`_op\` string,
  \`_lsn\` bigint,
  \`_seq\` bigint,
  \`_xid\` bigint,
  \`_commit_ts\` timestamp,
  \`_unchanged\` string,
  \`_before\` string,
  \`_raw\` string
)
PARTITIONED BY (\`dt_commit\` string)
STORED AS PARQUET
LOCATION 's3://bucket/default/data/public/orders/'
TBLPROPERTIES (
  'projection.enabled' = 'true',
  'projection.dt_commit.type' = 'date',
  'projection.dt_commit.format' = 'yyyy-MM-dd',
  'projection.dt_commit.range' = '2026-01-31,NOW',
  'storage.location.template' = 's3://bucket/default/data/public/orders/dt_commit=\${dt_commit}/'
)`,
  )
  assert.match(sql, /CREATE OR REPLACE VIEW "public"\."orders_as_of" AS/)
  assert.match(sql, /"_commit_ts" <= TIMESTAMP '2026-02-01 00:00:00\.000000'/)
  assert.throws(() => printViews({ ...place, root: '/lake', url: undefined }, [table], request), { kind: 'config' })
})
