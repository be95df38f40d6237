// The demo's verdict: it has to find every way in which a lake can differ from its database.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { differences, type Cells } from '../../../cmd/wal-cake/demo/comparison.js'
import { formatBytes, textTable } from '../../../cmd/wal-cake/text-table.js'

const columns = ['order_id', 'line_no', 'note']
const key = ['order_id', 'line_no']
const rows: Cells[] = [
  ['1', '1', 'a'],
  ['1', '2', null],
]

const cases: { name: string; lake: Cells[]; found: string[] }[] = [
  { name: 'equal rows in another order', lake: [...rows].reverse(), found: [] },
  { name: 'a row that is missing', lake: rows.slice(1), found: ['order_id=1 line_no=1: only in the database'] },
  { name: 'a row too many', lake: [...rows, ['2', '1', '']], found: ['order_id=2 line_no=1: only in the lake'] },
  { name: 'a row twice', lake: [...rows, rows[0]!], found: ['order_id=1 line_no=1: twice in the lake'] },
  {
    name: 'an empty text where the database has NULL',
    lake: [rows[0]!, ['1', '2', '']],
    found: ['order_id=1 line_no=2: note is "" in the lake, NULL in the database'],
  },
]

for (const { name, lake, found } of cases) {
  test(`difference: ${name}`, () => assert.deepEqual(differences(columns, key, rows, lake), found))
}

test('a table aligns numbers to the right, and wide characters by their width', () => {
  const lines = textTable(
    ['name', 'size'],
    [
      ['山田', '1.0 kB'],
      ['Zoë', '900 B'],
    ],
  ).split('\n')
  assert.deepEqual(lines, ['name    size', '────  ──────', '山田  1.0 kB', 'Zoë    900 B'])
  assert.deepEqual([0, 999, 1000, 2_500_000, 3e9].map(formatBytes), ['0 B', '999 B', '1.0 kB', '2.5 MB', '3.0 GB'])
})
