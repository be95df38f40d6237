// docs/types.md: what each PostgreSQL type is kept as, and which types are read in binary.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PgType } from '../../../../internal/model/pg-type.js'
import { codecOf } from '../../../../internal/transform/values/value-codec.js'
import { arrayOf, builtIn, domainOver, numericTypmod, userType } from './pg-types.js'

function kept(type: PgType, typmod = -1, textColumns: 'string' | 'bytes' = 'string'): string {
  const codec = codecOf(type, typmod, textColumns)
  const parts: string[] = [codec.type.physical]
  if ('logical' in codec.type) parts.push(codec.type.logical)
  if ('precision' in codec.type) parts.push(`${codec.type.precision},${codec.type.scale}`)
  if (codec.list) parts.push('list')
  if (codec.textOfBinary === undefined) parts.push('text only')
  return parts.join(' ')
}

const STRING = 'BYTE_ARRAY string'

const table: readonly (readonly [string, string])[] = [
  ['bool', 'BOOLEAN'],
  ['int2', 'INT32 int16'],
  ['int4', 'INT32 int32'],
  ...['int8', 'oid', 'xid', 'cid', 'xid8'].map((name) => [name, 'INT64 int64'] as const),
  ['float4', 'FLOAT'],
  ['float8', 'DOUBLE'],
  ['numeric', STRING],
  ['date', 'INT32 date'],
  ['timestamp', 'INT64 timestamp'],
  ['timestamptz', 'INT64 timestamptz'],
  ['bytea', 'BYTE_ARRAY bytes'],
  ...['text', 'varchar', 'bpchar', 'char', 'name', 'json', 'jsonb', 'xml', 'uuid', 'money'].map(
    (name) => [name, STRING] as const,
  ),
  ...['time', 'timetz', 'interval', 'inet', 'cidr', 'macaddr', 'macaddr8', 'bit', 'varbit', 'pg_lsn', 'tid'].map(
    (name) => [name, STRING] as const,
  ),
  ...['point', 'lseg', 'box', 'path', 'polygon', 'line', 'circle', 'int2vector', 'oidvector'].map(
    (name) => [name, STRING] as const,
  ),
  ...['tsvector', 'tsquery', 'jsonpath', 'regclass', 'aclitem', 'a type of tomorrow'].map(
    (name) => [name, `${STRING} text only`] as const,
  ),
]

for (const [name, expected] of table)
  test(`${name} is kept as ${expected}`, () => assert.equal(kept(builtIn(name)), expected))

test('numeric is a DECIMAL as far as one can hold every value', () => {
  const shapes: readonly (readonly [number, number, string])[] = [
    [1, 0, 'INT64 decimal 1,0'],
    [18, 18, 'INT64 decimal 18,18'],
    [19, 0, 'FIXED16 decimal 19,0'],
    [38, 38, 'FIXED16 decimal 38,38'],
    [39, 0, STRING],
    [1000, 2, STRING],
    // A scale beyond the precision and a negative one, allowed since version 15.
    [3, 5, STRING],
    [3, -2, STRING],
  ]
  for (const [precision, scale, expected] of shapes)
    assert.equal(kept(builtIn('numeric'), numericTypmod(precision, scale)), expected)
})

test('arrays are lists of what their element is kept as', () => {
  assert.equal(kept(arrayOf(builtIn('int4'))), 'INT32 int32 list')
  assert.equal(kept(arrayOf(builtIn('inet'))), `${STRING} list`)
  assert.equal(kept(arrayOf(builtIn('tsvector'))), `${STRING} list text only`)
  assert.equal(kept(arrayOf(builtIn('numeric')), numericTypmod(12, 2)), 'INT64 decimal 12,2 list')
  assert.equal(kept(arrayOf(domainOver(builtIn('numeric'), numericTypmod(20, 2)))), 'FIXED16 decimal 20,2 list')
})

test('domains are kept as their base type, with the innermost modifier', () => {
  assert.equal(kept(domainOver(domainOver(builtIn('numeric'), numericTypmod(5, 1)))), 'INT64 decimal 5,1')
  assert.equal(kept(domainOver(arrayOf(builtIn('int8')))), 'INT64 int64 list')
  assert.equal(kept(arrayOf(domainOver(arrayOf(builtIn('int8'))))), `${STRING} list`)
})

test('a vector of the catalogue is no list, even where it is described as an array', () => {
  const described: PgType = { ...arrayOf(builtIn('int2')), name: 'int2vector', schema: 'pg_catalog' }
  assert.equal(kept(described), STRING)
})

test('types of users: known by their kind, not by a name that happens to be one of pg_catalog', () => {
  assert.equal(kept(userType('citext', 'base')), STRING)
  assert.equal(kept(userType('mood', 'enum')), STRING)
  assert.equal(kept(userType('int4', 'base')), `${STRING} text only`)
  assert.equal(kept(userType('citext', 'composite')), `${STRING} text only`)
  assert.equal(kept(userType('hstore', 'base')), `${STRING} text only`)
})

test('ranges are read in binary where the type of their bounds is', () => {
  const range = userType('some_range', 'range', { subtype: builtIn('int8') })
  assert.equal(kept(range), STRING)
  assert.equal(kept(userType('some_multirange', 'multirange', { subtype: range })), STRING)
  assert.equal(kept(userType('some_range', 'range', { subtype: builtIn('tsvector') })), `${STRING} text only`)
  assert.equal(kept(userType('some_range', 'range')), `${STRING} text only`)
})

test('in a database without an encoding, text is bytes, and never goes through a string', () => {
  const BYTES = 'BYTE_ARRAY bytes'
  for (const name of ['text', 'varchar', 'bpchar', 'name', 'json', 'jsonb', 'xml'])
    assert.equal(kept(builtIn(name), -1, 'bytes'), BYTES)
  assert.equal(kept(userType('mood', 'enum'), -1, 'bytes'), BYTES)
  assert.equal(kept(builtIn('tsvector'), -1, 'bytes'), `${BYTES} text only`)
  assert.equal(kept(arrayOf(builtIn('text')), -1, 'bytes'), `${BYTES} list`)
  const range = userType('textrange', 'range', { subtype: builtIn('text') })
  assert.equal(kept(range, -1, 'bytes'), `${BYTES} text only`)
  // What PostgreSQL prints itself stays text.
  for (const name of ['uuid', 'inet', 'numeric', 'char', 'money'])
    assert.equal(kept(builtIn(name), -1, 'bytes'), STRING)
  assert.equal(kept(userType('int8range', 'range', { subtype: builtIn('int8') }), -1, 'bytes'), STRING)
})
