// At which level pages are compressed: at the one that was asked for, but texts that level 1 makes no larger at that.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, test } from 'node:test'
import type { LeafType } from '../../../../internal/model/lake-column.js'
import { zstdAt } from '../../../../internal/transform/zstd.js'
import { plain, writeTable, type TestColumn } from '../../../support/parquet-columns.js'
import { DuckReader, plainOf } from '../../../support/parquet-readers.js'

let duck: DuckReader
before(async () => (duck = await DuckReader.open()))
after(() => duck.close())

const PAGES = 6
const PAGE_ROWS = 2_000
const isPageEnd = (_: number, row: number): boolean => row % PAGE_ROWS === PAGE_ROWS - 1
const text: LeafType = { physical: 'BYTE_ARRAY', logical: 'string' }

/** A column of PAGES full pages. */
function column(type: LeafType, cell: (row: number) => TestColumn['cells'][number]): TestColumn {
  return plain(
    'c',
    type,
    Array.from({ length: PAGES * PAGE_ROWS }, (_, row) => cell(row)),
  )
}

const digits = (row: number): string => createHash('md5').update(String(row)).digest('hex')
const randomTexts = column(text, (row) => Buffer.from(`note ${digits(row)}`))
/** Two lines of a log in a thousand forms: what is alike is far apart. */
const likeTexts = column(text, (row) => {
  const form = Number.parseInt(digits(row).slice(0, 8), 16) % 1000
  return Buffer.from(`${digits(form)} ${row} of the service has asked ${digits(form + 1)} and got ${row}`)
})

/** The file, and of each page that was compressed at `level` (`asked`) or 1 (`fastest`) which. */
async function written(of: TestColumn, level = 9): Promise<{ bytes: Buffer; levels: string[] }> {
  const compress = zstdAt(level)
  const levels: string[] = []
  const { bytes, leakedBytes } = await writeTable([of], {
    sealAfter: isPageEnd,
    compress: (page, fastest) => {
      levels.push(fastest === true ? 'fastest' : 'asked')
      return compress(page, fastest)
    },
  })
  assert.equal(leakedBytes, 0)
  return { bytes, levels }
}

async function comesBack(of: TestColumn, bytes: Buffer): Promise<void> {
  const rows = await duck.rows(bytes)
  assert.deepStrictEqual(
    rows.map(({ c }) => c),
    of.cells.map((cell) => plainOf(of.column.type, cell)),
  )
}

test('random digits: the second page is tried at both, the others are compressed at level 1, and the file is smaller', async () => {
  const { bytes, levels } = await written(randomTexts, 3)
  assert.deepEqual(levels, ['asked', 'fastest', 'asked', 'fastest', 'fastest', 'fastest', 'fastest'])
  await comesBack(randomTexts, bytes)
  const asked = zstdAt(3)
  const { bytes: atThree } = await writeTable([randomTexts], {
    sealAfter: isPageEnd,
    compress: (page) => asked(page),
  })
  assert.ok(bytes.length < atThree.length * 0.96, `${bytes.length} bytes, and ${atThree.length} at level 3 alone`)
})

test('texts that the level asked for makes smaller stay at it', async () => {
  const { bytes, levels } = await written(likeTexts)
  assert.deepEqual(levels, ['asked', 'fastest', 'asked', 'asked', 'asked', 'asked', 'asked'])
  await comesBack(likeTexts, bytes)
})

test('of a large page only one outcome is ever held', async () => {
  const large = plain(
    'c',
    text,
    Array.from({ length: 4 }, (_, row) => Buffer.alloc(5 << 20, digits(row))),
  )
  const levels: (boolean | undefined)[] = []
  await writeTable([large], {
    sealAfter: () => true,
    compress: (page, fastest) => {
      levels.push(fastest)
      return zstdAt(1)(page)
    },
  })
  assert.deepEqual(levels, [undefined, undefined, undefined, undefined])
})

test('a page that cannot be compressed at one of both is the failure of the file', async () => {
  const compress = zstdAt(3)
  const written = writeTable([randomTexts], {
    sealAfter: isPageEnd,
    compress: (page, fastest) => (fastest === true ? Promise.reject(new Error('no memory')) : compress(page)),
  })
  await assert.rejects(written, /no memory/)
})

test('numbers and dictionaries are compressed at the level asked for', async () => {
  const random = (row: number): bigint => BigInt(`0x${digits(row).slice(0, 15)}`)
  const { levels } = await written(column({ physical: 'INT64', logical: 'int64' }, random))
  assert.deepEqual(levels, new Array(PAGES).fill('asked'))
  const few = await written(column(text, (row) => Buffer.from(digits(row % 5))))
  assert.deepEqual(few.levels, new Array(PAGES + 1).fill('asked'))
})
