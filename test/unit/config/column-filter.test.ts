// EXCLUDE_COLUMNS and HASH_COLUMNS: which columns they mean, and what is said of lists that mean nothing.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ColumnFilter } from '../../../internal/config/column-filter.js'
import { Failure } from '../../../internal/model/failure.js'
import { anyCharacter } from '../../support/any-character.js'

const column = (schema: string, table: string, name: string) => ({ schema, table, column: name })

test('column filter: what becomes of a column', () => {
  const cases: [string, string, [string, string, string], string][] = [
    ['', '', ['public', 'users', 'email'], 'clear'],
    ['public.users.email', '', ['public', 'users', 'email'], 'excluded'],
    ['', 'public.users.email', ['public', 'users', 'email'], 'hashed'],
    ['public.users.email', '', ['public', 'Users', 'email'], 'clear'],
    ['public.users.email', '', ['public', 'users', 'email2'], 'clear'],
    ['*.*.secret_*', '', ['a', 'b', 'secret_'], 'excluded'],
    ['*.*.secret_*', '', ['a', 'b', 'my_secret_'], 'clear'],
    ['', 'a.b.c , d.*.e,', ['d', 'x', 'e'], 'hashed'],
    ['"a.b"."c ""d""".*', '', ['a.b', 'c "d"', 'any'], 'excluded'],
    ['a.b."star*"', '', ['a', 'b', 'stars'], 'clear'],
    ['*.*.*', 'a.b.c', ['a', 'b', 'c'], 'excluded'],
  ]
  for (const [exclude, hash, [schema, table, name], rule] of cases)
    assert.equal(new ColumnFilter(exclude, hash).ruleOf(column(schema, table, name)), rule, `${exclude} – ${hash}`)
})

test('column filter: what is not schema.table.column is refused', () => {
  for (const list of [
    'users',
    'a.b',
    '*',
    'a.b.c.d',
    'a.b.c d',
    '"a.b.c',
    'a.b.',
    '.b.c',
    ',',
    'a.b.c,,d.e.f',
    'a.b.""',
  ])
    for (const make of [() => new ColumnFilter(list), () => new ColumnFilter('', list)])
      assert.throws(
        make,
        (error) => error instanceof Failure && error.kind === 'config' && error.message.includes('schema.table.column'),
        list,
      )
})

test('column filter: columns in both lists, and items that name none', () => {
  const filter = new ColumnFilter('a.b.*,a.b.x', 'a.b.c, x.y.z ,a.*.d')
  assert.equal(filter.isEmpty, false)
  assert.deepEqual(filter.exactInBoth, ['a.b.c'])
  assert.equal(filter.isInBoth(column('a', 'b', 'd')), true)
  assert.equal(filter.isInBoth(column('a', 'b', 'e')), false)
  assert.deepEqual(filter.itemsWithout([column('a', 'b', 'd')]), [
    { variable: 'EXCLUDE_COLUMNS', item: 'a.b.x' },
    { variable: 'HASH_COLUMNS', item: 'a.b.c' },
    { variable: 'HASH_COLUMNS', item: 'x.y.z' },
  ])
  assert.equal(new ColumnFilter().isEmpty, true)
})

test('column filter: every name can be written in double quotes', () => {
  const name = fc.string({ unit: anyCharacter, minLength: 1, maxLength: 63 })
  const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`
  fc.assert(
    fc.property(name, name, name, name, (schema, table, own, other) => {
      const filter = new ColumnFilter(`x.y.z,${[schema, table, own].map(quoted).join('.')}`)
      assert.equal(filter.ruleOf(column(schema, table, own)), 'excluded')
      assert.equal(filter.ruleOf(column(schema, table, other)) === 'excluded', other === own)
    }),
  )
})
