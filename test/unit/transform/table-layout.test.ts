// How a table lies in the lake: names that no reader confuses, the partition column, and what the schema record says.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Relation, RelationColumn } from '../../../internal/model/relation.js'
import { layoutOf, type TableLayout } from '../../../internal/transform/table-layout.js'
import { builtinTypes, columnOf, numericTypmod } from '../../support/builtin-types.js'

function layout(...columns: RelationColumn[]): TableLayout {
  const relation: Relation = { oid: 9, schema: 'public', name: 't', replicaIdentity: 'i', columns }
  return layoutOf(relation, builtinTypes(columns.map((column) => column.typeOid)), 'string')
}

const namesOf = ({ fileColumns }: TableLayout): string[] => fileColumns.map((column) => column.name)
const META = ['_op', '_lsn', '_seq', '_xid', '_commit_ts', '_unchanged', '_before', '_raw']

test('a table`s columns come first under their own names, then ours', () => {
  assert.deepEqual(namesOf(layout(columnOf('id', 'int4'), columnOf('Größe €', 'text'))), ['id', 'Größe €', ...META])
  assert.deepEqual(namesOf(layout()), META)
})

test('no two columns of a file are the same to a reader that knows no case, whatever a table calls its own', () => {
  const name = fc.oneof(
    fc.constantFrom(...META, '__op', '_OP', 'id', 'ID', 'Id', 'id__2', 'ID__2', 'id__2__2', 'dt'),
    fc.string({ minLength: 1, maxLength: 3 }),
  )
  fc.assert(
    fc.property(fc.uniqueArray(name, { maxLength: 14 }), (names) => {
      const built = layout(...names.map((each) => columnOf(each, 'text')))
      const folded = namesOf(built).map((each) => each.toLowerCase())
      assert.equal(new Set(folded).size, folded.length)
      // The first of its kind keeps its name.
      const seen = new Set<string>()
      names.forEach((each, k) => {
        if (!seen.has(each.toLowerCase())) assert.ok(built.columns[k]!.name.startsWith(each))
        seen.add(each.toLowerCase())
      })
    }),
  )
})

test('the partition column is never also a column of the file', () => {
  assert.equal(layout(columnOf('id', 'int4')).dateColumn, 'dt')
  assert.equal(layout(columnOf('dt', 'date')).dateColumn, 'dt_commit')
  assert.equal(layout(columnOf('Dt', 'text')).dateColumn, 'dt_commit')
})

test('the schema record names both names, both types and the key', () => {
  const { schema } = layout(
    columnOf('id', 'int8', true),
    columnOf('ID', 'numeric', false, numericTypmod(9, 2)),
    columnOf('l', '_int4'),
  )
  assert.deepEqual(schema, {
    schema: 'public',
    table: 't',
    relationOid: 9,
    replicaIdentity: 'i',
    columns: [
      { name: 'id', lakeName: 'id', type: 'int8', typmod: -1, parquet: 'INT64 int64', key: true },
      {
        name: 'ID',
        lakeName: 'ID__2',
        type: 'numeric',
        typmod: numericTypmod(9, 2),
        parquet: 'INT64 decimal(9,2)',
        key: false,
      },
      { name: 'l', lakeName: 'l', type: '_int4', typmod: -1, parquet: 'LIST INT32 int32', key: false },
    ],
  })
})
