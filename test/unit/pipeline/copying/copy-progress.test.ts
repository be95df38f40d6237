// What is expected of a copy: first from what the server remembers, then from the pages that were read; and how long it will take.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CopyProgressMeter } from '../../../../internal/pipeline/copying/copy-progress.js'

const big = { schema: 'public', table: 'big', oid: 1 }
const small = { schema: 'public', table: 'small', oid: 2 }
const estimates = [
  { oid: 1, rows: 1000, pages: 100 },
  { oid: 2, rows: 0, pages: 0 },
]

function meter(): CopyProgressMeter {
  return new CopyProgressMeter([big, small], estimates, 7n, 0)
}

test('before anything is read: what the server remembers', () => {
  const { rows, rowsExpected, tablesLeft, secondsLeft, tables } = meter().report(1000)
  assert.deepEqual(
    { rows, rowsExpected, tablesLeft, secondsLeft },
    { rows: 0, rowsExpected: 1000, tablesLeft: 2, secondsLeft: undefined },
  )
  assert.deepEqual(tables, [], 'none is being copied')
})

test('a table that has grown since the server looked: as many rows a page as then', () => {
  const progress = meter()
  progress.opened(big, 150)
  assert.equal(progress.report(1000).rowsExpected, 1500)
})

test('a table that is gone on with: only what is left', () => {
  const progress = meter()
  progress.opened(big, 10)
  assert.equal(progress.report(1000).rowsExpected, 100)
})

test('corrected as pieces finish, and exact at the end', () => {
  const progress = meter()
  progress.opened(big, 100)
  progress.received(big, 400, 4000)
  assert.equal(progress.report(1000).rowsExpected, 1000, 'of a piece that is under way nothing follows')
  progress.read(big, 20, 400)
  progress.received(big, 100, 0)
  assert.equal(progress.report(1000).rowsExpected, 2000)
  progress.received(big, 1400, 15_000)
  progress.read(big, 80, 1500)
  progress.copied(big)
  const report = progress.report(2000)
  assert.deepEqual([report.rows, report.rowsExpected, report.bytes], [1900, 1900, 19_000])
  assert.deepEqual([report.tablesCopied, report.tablesLeft], [1, 1])
})

test('more rows than were expected: never less than there are', () => {
  const progress = meter()
  progress.opened(big, 100)
  progress.received(big, 3000, 1)
  const [table] = progress.report(1000).tables
  assert.equal(table?.rowsExpected, 3000)
})

test('a table that nobody has looked at: nothing is expected until a piece of it is read', () => {
  const progress = meter()
  progress.opened(small, 4)
  progress.received(small, 10, 1)
  assert.equal(progress.report(1000).tables[0]?.rowsExpected, 10)
  progress.read(small, 1, 10)
  assert.equal(progress.report(1000).tables[0]?.rowsExpected, 40)
})

test('rate and time left are those of the last half minute', () => {
  const progress = meter()
  progress.opened(big, 100)
  progress.received(big, 100, 1)
  assert.equal(progress.report(10_000).rowsPerSecond, 10)
  for (let second = 11; second <= 60; second++) {
    progress.received(big, 1, 1)
    progress.report(second * 1000)
  }
  const { rowsPerSecond, secondsLeft } = progress.report(61_000)
  assert.equal(rowsPerSecond, 1)
  assert.ok(secondsLeft !== undefined && Math.abs(secondsLeft - 850) <= 30, String(secondsLeft))
  progress.copied(big)
  progress.copied(small)
  assert.equal(progress.report(62_000).secondsLeft, undefined)
})
