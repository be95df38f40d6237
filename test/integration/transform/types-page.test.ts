// docs/types.md against what the program does with every type of the server's catalogue.
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { LeafType } from '../../../internal/model/lake-column.js'
import type { PgType } from '../../../internal/model/pg-type.js'
import { TypeCatalog } from '../../../internal/replication/type-catalog.js'
import { codecOf } from '../../../internal/transform/values/value-codec.js'
import { testDatabase } from '../../support/postgres.js'
import { numericTypmod } from '../../unit/transform/values/pg-types.js'

const compiledRoot = fileURLToPath(new URL('../../../..', import.meta.url))
const root = existsSync(join(compiledRoot, 'docs')) ? compiledRoot : process.cwd()
const page = await readFile(join(root, 'docs/types.md'), 'utf8')
const table = /<!-- types:begin -->(.*)<!-- types:end -->/s.exec(page)![1]!

/** What the page says of a type: what it becomes, and whether it is read in binary. */
interface Entry {
  readonly parquet: string
  readonly binary: string
}

const rows = [...table.matchAll(/^\| (.*?) \| (.*?) \| (.*?) \|/gm)].map(([, types, parquet, binary]) => ({
  types: types!,
  entry: { parquet: parquet!, binary: binary! },
}))
const named = new Map(
  rows.flatMap(({ types, entry }) => [...types.matchAll(/`(\w+)`/g)].map(([, name]) => [name!, entry] as const)),
)
const rowOf = (start: string): Entry => rows.find(({ types }) => types.startsWith(start))!.entry
const enums = rowOf('enums')
const others = rowOf('composites, all other types')

function stated(type: PgType): Entry {
  if (type.base !== undefined) return stated(type.base.type)
  const byName = named.get(type.name)
  if (type.kind === 'array' && byName === undefined) {
    const { parquet, binary } = stated(type.element!.type)
    // A list has no lists in it.
    return { parquet: parquet.startsWith('LIST') ? 'LIST STRING' : `LIST ${parquet}`, binary }
  }
  if (type.kind === 'range' || type.kind === 'multirange')
    return { parquet: 'STRING', binary: stated(type.subtype!).binary }
  if (type.kind === 'enum') return enums
  return (type.schema === 'pg_catalog' || type.name === 'citext' ? byName : undefined) ?? others
}

function done(type: PgType, typmod = -1): Entry {
  const { type: leaf, list, textOfBinary } = codecOf(type, typmod, 'string')
  return { parquet: (list ? 'LIST ' : '') + parquetText(leaf), binary: textOfBinary === undefined ? 'no' : 'yes' }
}

function parquetText(leaf: LeafType): string {
  if (!('logical' in leaf)) return leaf.physical
  switch (leaf.logical) {
    case 'int16':
      return 'INT32, INT(16)'
    case 'int32':
      return 'INT32, INT(32)'
    case 'int64':
      return 'INT64'
    case 'decimal':
      return `${leaf.physical === 'FIXED16' ? 'FIXED(16)' : leaf.physical}, DECIMAL(p,s)`
    case 'string':
      return 'STRING'
    case 'bytes':
      return 'BYTE_ARRAY'
    case 'date':
      return 'DATE'
    case 'timestamp':
      return 'TIMESTAMP(MICROS), no zone'
    case 'timestamptz':
      return 'TIMESTAMP(MICROS), UTC'
  }
}

test('docs/types.md says of every type of the server what the program does with it', async (t) => {
  const database = await testDatabase(t)
  await database.query(`CREATE EXTENSION citext; CREATE EXTENSION hstore; CREATE TYPE mood AS ENUM ('sad');
    CREATE TYPE pair AS (a int, b text); CREATE DOMAIN amount AS bigint; CREATE DOMAIN amounts AS amount[]`)
  const types = await database.query<{ oid: number }>(
    `SELECT oid::int8::float8 AS oid FROM pg_type WHERE typtype <> 'p' ORDER BY oid`,
  )
  const known = await new TypeCatalog(await database.client()).resolve(types.map(({ oid }) => oid))
  assert.ok(known.length > 300)
  for (const type of known) assert.deepEqual(done(type), stated(type), `${type.schema}.${type.name}`)
  const names = new Set(known.map(({ name }) => name))
  assert.deepEqual(
    [...named.keys()].filter((name) => !names.has(name)),
    [],
    'types that the page has and the server has not',
  )
})

test('docs/types.md says what becomes of every numeric(p,s)', () => {
  const numeric: PgType = { oid: 1700, schema: 'pg_catalog', name: 'numeric', kind: 'base' }
  const [small, large] = [rowOf('`numeric(p,s)`, p ≤ 18'), rowOf('`numeric(p,s)`, 19 ≤ p ≤ 38')]
  for (let precision = 1; precision <= 45; precision++)
    for (let scale = -2; scale <= precision + 2; scale++) {
      const decimal = precision <= 38 && scale >= 0 && scale <= precision
      const expected = !decimal ? named.get('numeric') : precision <= 18 ? small : large
      assert.deepEqual(done(numeric, numericTypmod(precision, scale)), expected, `numeric(${precision},${scale})`)
    }
})
