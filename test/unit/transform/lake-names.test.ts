// Which column of the lake takes a table's column, through any run of ALTER TABLE: one directory stays one table.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { TableSchema } from '../../../internal/model/table-schema.js'
import { lakeNames, type LakeNames, type NamedColumn } from '../../../internal/transform/lake-names.js'

const META = ['_op', '_raw']

const types = {
  int2: { type: 'int2', parquet: 'INT32 int16', detail: '' },
  int4: { type: 'int4', parquet: 'INT32 int32', detail: '' },
  int8: { type: 'int8', parquet: 'INT64 int64', detail: '' },
  float4: { type: 'float4', parquet: 'FLOAT', detail: '' },
  float8: { type: 'float8', parquet: 'DOUBLE', detail: '' },
  text: { type: 'text', parquet: 'BYTE_ARRAY string', detail: '' },
  jsonb: { type: 'jsonb', parquet: 'BYTE_ARRAY string', detail: '' },
  n10_2: { type: 'numeric', parquet: 'INT64 decimal(10,2)', detail: '10_2' },
  n12_2: { type: 'numeric', parquet: 'INT64 decimal(12,2)', detail: '12_2' },
  n30_2: { type: 'numeric', parquet: 'FIXED16 decimal(30,2)', detail: '30_2' },
  ints: { type: '_int4', parquet: 'LIST INT32 int32', detail: '' },
  hash: { type: 'int4', parquet: 'BYTE_ARRAY string', detail: '', hashed: 'one salt' },
  hashOfText: { type: 'text', parquet: 'BYTE_ARRAY string', detail: '', hashed: 'one salt' },
  otherHash: { type: 'text', parquet: 'BYTE_ARRAY string', detail: '', hashed: 'another' },
  mood: { type: 'app.mood', parquet: 'BYTE_ARRAY string', detail: '' },
} as const

type Shape = readonly (readonly [name: string, type: keyof typeof types])[]

/** The names of each version of a table, one after the other. */
function through(...versions: Shape[]): LakeNames[] {
  const earlier: TableSchema[] = []
  return versions.map((shape) => {
    const columns = columnsOf(shape)
    const names = lakeNames(columns, META, earlier)
    earlier.push(schemaOf(columns, names))
    assert.deepEqual(lakeNames(columns, META, earlier), names, 'a replay, which knows this version too, names alike')
    return names
  })
}

function columnsOf(shape: Shape): NamedColumn[] {
  return shape.map(([name, type]) => ({ name, ...types[type] }))
}

function schemaOf(columns: readonly NamedColumn[], names: LakeNames): TableSchema {
  return {
    ...{ schema: 'public', table: 't', relationOid: 1, replicaIdentity: 'd' },
    columns: columns.map(({ detail: _, name, ...column }, k) => ({
      ...{ name, lakeName: names.columns[k]!, typmod: -1, key: false, ...column },
    })),
  }
}

/** The lake's name of the column `a` through a run of types. */
const ofA = (...run: (keyof typeof types)[]): string[] =>
  through(...run.map((type): Shape => [['a', type]])).map(({ columns }) => columns[0]!)

test('a type that holds every value of the one before keeps the column', () => {
  assert.deepEqual(ofA('int2', 'int4', 'int8'), ['a', 'a', 'a'])
  assert.deepEqual(ofA('float4', 'float8'), ['a', 'a'])
  assert.deepEqual(ofA('n10_2', 'n12_2'), ['a', 'a'])
  assert.deepEqual(ofA('text', 'jsonb', 'mood'), ['a', 'a', 'a'], 'what the lake stores alike is one column')
})

test('any other type gets a second column, and the old type its old one back', () => {
  assert.deepEqual(ofA('int4', 'text', 'int4', 'text'), ['a', 'a__text', 'a', 'a__text'])
  assert.deepEqual(ofA('int8', 'int4'), ['a', 'a__int4'])
  assert.deepEqual(ofA('n10_2', 'n30_2'), ['a', 'a__numeric_30_2'])
  assert.deepEqual(ofA('int4', 'ints', 'mood'), ['a', 'a__int4_array', 'a__mood'])
  assert.deepEqual(ofA('int4', 'int8', 'int4'), ['a', 'a', 'a'], 'both types are in that column already')
})

test('hashes stand in no column with clear values, nor with hashes under another salt', () => {
  assert.deepEqual(ofA('text', 'hash', 'text', 'hashOfText'), ['a', 'a__hashed', 'a', 'a__hashed'])
  assert.deepEqual(ofA('hash', 'hashOfText', 'text', 'hash'), ['a', 'a', 'a__text', 'a'])
  assert.deepEqual(ofA('text', 'hash', 'otherHash', 'hash'), ['a', 'a__hashed', 'a__hashed__2', 'a__hashed'])
})

test('no column takes the place of another, nor of ours, nor of the path', () => {
  const [, later] = through(
    [['a', 'int4']],
    [
      ['a', 'text'],
      ['a__text', 'text'],
    ],
  )
  assert.deepEqual(later!.columns, ['a__text', 'a__text__2'])
  const [, added] = through(
    [['id', 'int4']],
    [
      ['id', 'int4'],
      ['_op', 'text'],
      ['dt', 'text'],
    ],
  )
  assert.deepEqual(added, { columns: ['id', '_op__2', 'dt__2'], meta: META, dateColumn: 'dt' })
  const [both] = through([
    ['dt', 'text'],
    ['dt_commit', 'text'],
    ['_op', 'text'],
  ])
  assert.deepEqual(both, { columns: ['dt', 'dt_commit__2', '_op'], meta: ['__op', '_raw'], dateColumn: 'dt_commit' })
})

test('through any run of changes a column of the lake is of one column of the table, and of types that unite', () => {
  const column = fc.tuple(
    fc.constantFrom('a', 'A', 'b', 'a__text', 'a__2', '_op', 'dt'),
    fc.constantFrom(...(Object.keys(types) as (keyof typeof types)[])),
  )
  const shape = fc.uniqueArray(column, { maxLength: 5, selector: ([name]) => name })
  fc.assert(
    fc.property(fc.array(shape, { minLength: 1, maxLength: 8 }), (versions) => {
      const held = new Map<string, { owner: string; parquet: Set<string> }>()
      for (const [k, names] of through(...versions).entries()) {
        const all = [...names.columns, ...names.meta, names.dateColumn].map((name) => name.toLowerCase())
        assert.equal(new Set(all).size, all.length, 'no two names of a version are alike')
        columnsOf(versions[k]!).forEach(({ name, parquet, hashed }, column) => {
          const lakeName = names.columns[column]!
          const known = held.get(lakeName) ?? { owner: name, parquet: new Set() }
          held.set(lakeName, known)
          assert.equal(known.owner, name)
          known.parquet.add(hashed ?? parquet)
        })
      }
      const numbers = [/^INT(32|64) int/, /^(FLOAT|DOUBLE)$/, /^INT64 decimal\(\d+,2\)$/]
      for (const { parquet } of held.values())
        assert.ok(parquet.size === 1 || numbers.some((kind) => [...parquet].every((text) => kind.test(text))))
    }),
  )
})
