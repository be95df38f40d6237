// Random tables through the encoder and back through two readers that share no code with it: every value, NULL, list and
// empty list must be where it was, however pages and row groups fall.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { tables } from '../../../support/parquet-arbitraries.js'
import { writeTable, type TestColumn, type WriteOptions } from '../../../support/parquet-columns.js'
import { DuckReader, plainOf, readWithHyparquet, type PlainRow } from '../../../support/parquet-readers.js'
import { unlessSoaking } from '../../../support/soak.js'

let duck: DuckReader
before(async () => (duck = await DuckReader.open()))
after(() => duck.close())

/** Page and row group boundaries, from numbers that fast-check can shrink. 0: none. */
const layout = fc
  .record({
    pageEvery: fc.integer({ min: 0, max: 40 }),
    stagger: fc.boolean(),
    groupEvery: fc.integer({ min: 0, max: 90 }),
  })
  .map(({ pageEvery, stagger, groupEvery }): WriteOptions => ({
    sealAfter: (k, row) => pageEvery > 0 && (row + (stagger ? k : 0)) % pageEvery === pageEvery - 1,
    groupAfter: (row) => groupEvery > 0 && row % groupEvery === groupEvery - 1,
  }))

function rowsWritten(columns: readonly TestColumn[]): PlainRow[] {
  return columns[0]!.cells.map((_, row) =>
    Object.fromEntries(columns.map(({ column, cells }) => [column.name, plainOf(column.type, cells[row]!)])),
  )
}

async function roundTrips(columns: readonly TestColumn[], options: WriteOptions): Promise<void> {
  const { bytes, leakedBytes } = await writeTable(columns, options)
  const expected = rowsWritten(columns)
  const lakeColumns = columns.map(({ column }) => column)
  assert.equal(leakedBytes, 0, 'the meter counts a buffer that nobody holds')
  assert.deepStrictEqual(await readWithHyparquet(bytes, lakeColumns), expected, 'hyparquet')
  assert.deepStrictEqual(await duck.rows(bytes), expected, 'DuckDB')
}

test('any table comes back the same from hyparquet and DuckDB', async () => {
  await fc.assert(
    fc.asyncProperty(tables(300, 5), layout, (columns, options) => roundTrips(columns, options)),
    { numRuns: unlessSoaking(60, 1000) },
  )
})

test('one row of every kind comes back', async () => {
  await fc.assert(
    fc.asyncProperty(tables(1, 8), (columns) => roundTrips(columns, {})),
    { numRuns: unlessSoaking(40, 600) },
  )
})
