// TABLES and EXCLUDE_TABLES: which tables they take, and which names they state in full.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { TableFilter } from '../../../internal/config/table-filter.js'
import { Failure } from '../../../internal/model/failure.js'
import { anyCharacter } from '../../support/any-character.js'

test('table filter: matches', () => {
  const cases: [tables: string, exclude: string, name: [string, string], taken: boolean][] = [
    ['', '', ['public', 'orders'], true],
    ['public.orders', '', ['public', 'orders'], true],
    ['public.orders', '', ['public', 'Orders'], false],
    ['public.Orders', '', ['public', 'Orders'], true],
    ['public.orders', '', ['public', 'orders2'], false],
    ['public.*', '', ['public', 'anything at all\n'], true],
    ['public.*', '', ['publication', 'orders'], false],
    ['*.orders', '', ['tenant_7', 'orders'], true],
    ['*.*', 'audit.*', ['audit', 'log'], false],
    ['', 'audit.*, *.*_tmp', ['public', 'load_tmp'], false],
    ['', 'audit.*, *.*_tmp', ['public', 'load'], true],
    ['a.b , c.d,', '', ['c', 'd'], true],
    ['"Odd Schema"."My, Table"', '', ['Odd Schema', 'My, Table'], true],
    ['"Odd Schema".*', '', ['Odd Schema', 'x'], true],
    ['s."a""b.c"', '', ['s', 'a"b.c'], true],
    ['s."star*"', '', ['s', 'star*'], true],
    ['s."star*"', '', ['s', 'stars'], false],
    ['s."my "*', '', ['s', 'my table'], true],
    ['s.p+q$', '', ['s', 'p+q$'], true],
    ['s.größe', '', ['s', 'größe'], true],
  ]
  for (const [tables, exclude, [schema, table], taken] of cases) {
    assert.equal(new TableFilter(tables, exclude).matches(schema, table), taken, `${tables} – ${exclude}: ${table}`)
  }
})

test('table filter: exact names', () => {
  const filter = new TableFilter('a.b,"C c".d,a.excluded', 'a.ex*')
  assert.equal(filter.isExact, true)
  assert.deepEqual(filter.exactNames, [
    { schema: 'a', table: 'b' },
    { schema: 'C c', table: 'd' },
  ])
  assert.equal(new TableFilter().isExact, false)
  assert.equal(new TableFilter('a.b,c.*').isExact, false)
  assert.deepEqual(new TableFilter('a.b,c.*').exactNames, [{ schema: 'a', table: 'b' }])
})

test('table filter: as another record has it', () => {
  const filter = new TableFilter('a.*', 'a.x')
  assert.equal(filter.writtenAs({ tables: 'a.*', excludeTables: 'a.x' }), filter)
  assert.equal(filter.writtenAs({ tables: 'a.*', excludeTables: '' }).matches('a', 'x'), true)
  assert.equal(filter.writtenAs({ tables: 'b.*', excludeTables: 'a.x' }).matches('a', 'y'), false)
})

test('table filter: what is not schema.table is refused', () => {
  for (const list of ['orders', '*', 'a.b.c', 'a.b c', '"a.b', 'a.', '.b', ',', 'a..b', 'a.b,,c.d', 'a.""']) {
    assert.throws(
      () => new TableFilter(list),
      (error) => error instanceof Failure && error.kind === 'config',
      list,
    )
  }
})

test('table filter: every name can be written in double quotes', () => {
  const name = fc.string({ unit: anyCharacter, minLength: 1, maxLength: 63 })
  const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`
  fc.assert(
    fc.property(name, name, name, (schema, table, other) => {
      const filter = new TableFilter(`x.y,${quoted(schema)}.${quoted(table)}`)
      assert.equal(filter.matches(schema, table), true)
      assert.equal(filter.matches(schema, other), other === table)
      assert.deepEqual(filter.exactNames[1], { schema, table })
    }),
  )
})
