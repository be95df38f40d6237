// Pages at the limits that close them: 65,000 values and one on either side, a megabyte of values, single values larger
// than a page, pages without a value, and many row groups.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { LeafType } from '../../../../internal/model/lake-column.js'
import { BufferPool } from '../../../../internal/transform/buffer-pool.js'
import {
  BytesValues,
  Int64Values,
  Intake,
  PAGE_BYTES,
  PAGE_ROWS,
} from '../../../../internal/transform/parquet/leaf-values.js'
import { int64, text } from '../../../support/parquet-arbitraries.js'
import { plain, writeTable, type Cell, type TestColumn, type WriteOptions } from '../../../support/parquet-columns.js'
import { factsOf, type GroupFacts } from '../../../support/parquet-footer.js'
import { DuckReader, plainOf, readWithHyparquet } from '../../../support/parquet-readers.js'

let duck: DuckReader
before(async () => (duck = await DuckReader.open()))
after(() => duck.close())

const fixed: LeafType = { physical: 'FIXED16', logical: 'decimal', precision: 38, scale: 0 }

async function roundTrip(columns: readonly TestColumn[], options: WriteOptions = {}): Promise<GroupFacts[]> {
  const { bytes, leakedBytes } = await writeTable(columns, options)
  const read = await readWithHyparquet(
    bytes,
    columns.map(({ column }) => column),
  )
  const fromDuck = await duck.rows(bytes)
  const readers = [['hyparquet', read] as const, ['DuckDB', fromDuck] as const]
  const rows = columns[0]!.cells.length
  assert.deepEqual([read.length, fromDuck.length, leakedBytes], [rows, rows, 0])
  for (const { column, cells } of columns)
    for (let row = 0; row < rows; row++) {
      const expected = plainOf(column.type, cells[row]!)
      for (const [reader, rows] of readers) {
        const value = rows[row]![column.name]
        // Of millions: most are the same without a closer look.
        if (value !== expected) assert.deepStrictEqual(value, expected, `${reader}, ${column.name} in row ${row}`)
      }
    }
  return factsOf(bytes)
}

for (const rows of [PAGE_ROWS - 1, PAGE_ROWS, PAGE_ROWS + 1, PAGE_ROWS + 2])
  test(`${rows} rows of every width come back`, async () => {
    const make = (cell: (k: number) => Cell): Cell[] => Array.from({ length: rows }, (_, k) => cell(k))
    const [group] = await roundTrip([
      plain(
        'n',
        { physical: 'INT32', logical: 'int32' },
        make((k) => k * 17),
      ),
      plain(
        'big',
        int64,
        make((k) => BigInt(k) << 21n),
      ),
      plain(
        'wide',
        fixed,
        make((k) => BigInt(-k) << 70n),
      ),
      plain(
        'flag',
        { physical: 'BOOLEAN' },
        make((k) => k % 3 === 0),
      ),
      plain(
        't',
        text,
        make((k) => Buffer.from(k.toString(36))),
      ),
      plain(
        'void',
        text,
        make(() => null),
      ),
      {
        column: { name: 's', type: text, list: false },
        storage: 'sparse',
        cells: make((k) => (k % 30_000 === 7 ? Buffer.from('x') : null)),
      },
      { column: { name: 'r', type: int64, list: false }, storage: 'run', cells: make((k) => BigInt(k >> 9)) },
    ])
    for (const { pages } of group!.chunks) assert.ok(pages[0]!.slots <= PAGE_ROWS + 1 || pages.length === 1)
  })

test('lists close their page between two rows, whatever the number of elements', async () => {
  const lists = Array.from({ length: 40 }, (_, k) =>
    k % 7 === 0 ? null : Array.from({ length: (k * 911) % 9000 }, (_, i) => (i % 5 === 0 ? null : i)),
  )
  const huge = Array.from({ length: PAGE_ROWS + 10 }, (_, i) => i)
  const column = plain('l', { physical: 'INT32', logical: 'int32' }, [...lists, huge, [], [null], huge], true)
  const [group] = await roundTrip([column])
  assert.ok(group!.chunks[0]!.pages.length >= 3)
  assert.equal(
    group!.chunks[0]!.pages.reduce((sum, page) => sum + page.rows, 0),
    column.cells.length,
  )
})

test('values larger than a page come back, with empty texts between', async () => {
  const large = (length: number, fill: string): Buffer => Buffer.alloc(length, fill)
  const cells = [
    large(PAGE_BYTES * 3, 'ab'),
    large(0, ''),
    large(PAGE_BYTES, 'c'),
    null,
    large(PAGE_BYTES - 20, 'd'),
    large(1, 'e'),
  ]
  const [group] = await roundTrip([plain('t', text, cells)])
  assert.ok(group!.chunks[0]!.pages.length >= 3)
})

test('a page of bytes closes at about a megabyte', async () => {
  const cells = Array.from({ length: 3000 }, (_, k) => Buffer.alloc(1000, `${k}`))
  const [group] = await roundTrip([plain('t', text, cells)])
  for (const page of group!.chunks[0]!.pages.slice(0, -1)) {
    assert.ok(page.uncompressedBytes >= PAGE_BYTES - 1100 && page.uncompressedBytes <= PAGE_BYTES + 1100)
  }
  assert.equal(group!.chunks[0]!.pages.length, 3)
})

test('pages and row groups without a single value come back', async () => {
  const nulls = new Array<null>(500).fill(null)
  const cells = [...nulls, Buffer.from('x'), ...nulls, ...nulls]
  const columns = [
    plain('t', text, cells),
    plain(
      'n',
      int64,
      cells.map((cell) => (cell === null ? null : 1n)),
    ),
  ]
  const groups = await roundTrip(columns, {
    sealAfter: (_, row) => row % 100 === 99,
    groupAfter: (row) => row === 1000,
  })
  assert.equal(groups.length, 2)
  assert.equal(groups[1]!.chunks[0]!.nulls, 500)
  assert.equal(groups[1]!.chunks[0]!.min, undefined)
})

test('two hundred row groups of different sizes come back in order', async () => {
  const rows = 3000
  const groups = await roundTrip(
    [
      plain(
        'n',
        int64,
        Array.from({ length: rows }, (_, k) => (k % 11 === 0 ? null : BigInt(k))),
      ),
      plain(
        't',
        text,
        Array.from({ length: rows }, (_, k) => Buffer.from(`g${k % 13}`)),
      ),
    ],
    { groupAfter: (row) => (row * row) % 15 === 1 },
  )
  assert.ok(groups.length > 200)
  assert.equal(
    groups.reduce((sum, group) => sum + group.rows, 0),
    rows,
  )
})

test('a full page of eight-byte values lies in half a megabyte', () => {
  const lent: number[] = []
  const leaf = new Int64Values(new Intake(new BufferPool((delta) => lent.push(delta), 0)))
  for (let k = 0; k < PAGE_ROWS; k++) leaf.push(k, 0)
  assert.equal(leaf.openBytes, 512 * 1024)
  assert.equal(
    lent.reduce((sum, delta) => sum + delta, 0),
    512 * 1024,
  )
})

test('values taken back leave the page as it was, and it still closes in time', () => {
  const intake = new Intake(new BufferPool(() => undefined, 0))
  const leaf = new BytesValues(intake)
  const push = (length: number): boolean => leaf.push(Buffer.alloc(length, 'x'), 0, length)
  const due = (): boolean => intake.sealDue
  push(10)
  push(3 * PAGE_BYTES)
  push(5)
  assert.equal(due(), true)
  intake.sealDue = false
  leaf.rewindTo(1)
  assert.deepEqual([leaf.count, intake.variableBytes, leaf.full], [1, 10, false])
  for (let k = 0; k < 1100 && !due(); k++) push(1000)
  assert.equal(due(), true, 'a page that had grown is not seen to be full any more')
})
