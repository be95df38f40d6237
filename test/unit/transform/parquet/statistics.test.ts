// Statistics of chunks and bounds of pages against the values that are really there: a bound that is wrong makes a reader
// skip rows that it was asked for.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import type { LeafType } from '../../../../internal/model/lake-column.js'
import { tables, text } from '../../../support/parquet-arbitraries.js'
import { plain, writeTable, type Cell, type TestColumn } from '../../../support/parquet-columns.js'
import { factsOf, type ChunkFacts } from '../../../support/parquet-footer.js'
import { boundValue, compareScalars, extremes, nullSlots, scalarsOf, slotsOf } from '../../../support/parquet-order.js'
import { DuckReader, textOf } from '../../../support/parquet-readers.js'

let duck: DuckReader
before(async () => (duck = await DuckReader.open()))
after(() => duck.close())

/** Longest text whose exact value may stand as a chunk's bound. */
const LONGEST_EXACT = 256

const bytesOf = (...values: (string | null)[]): Cell[] =>
  values.map((value) => (value === null ? null : Buffer.from(value, 'utf8')))

async function chunkOf(type: LeafType, cells: readonly Cell[]): Promise<ChunkFacts> {
  const { bytes } = await writeTable([plain('c', type, cells)])
  return factsOf(bytes)[0]!.chunks[0]!
}

function checkChunk({ column, cells }: TestColumn, chunk: ChunkFacts): void {
  const { type } = column
  assert.equal(chunk.nulls, nullSlots(cells), `${column.name}: null count`)
  assert.equal(chunk.slots, slotsOf(cells), `${column.name}: slots`)
  const truth = extremes(scalarsOf(type, cells))
  const tooLong = [truth?.min, truth?.max].some((bound) => Buffer.isBuffer(bound) && bound.length > LONGEST_EXACT)
  if (truth === undefined || tooLong) {
    assert.deepEqual([chunk.min, chunk.max], [undefined, undefined], `${column.name}: bounds where none can be known`)
    return
  }
  assert.equal(compareScalars(boundValue(type, chunk.min!), truth.min), 0, `${column.name}: minimum`)
  assert.equal(compareScalars(boundValue(type, chunk.max!), truth.max), 0, `${column.name}: maximum`)
}

function checkPages({ column, cells }: TestColumn, chunk: ChunkFacts): void {
  for (const { firstRow, rows, slots, index } of chunk.pages) {
    const inPage = cells.slice(firstRow, firstRow + rows)
    assert.equal(slots, slotsOf(inPage), `${column.name}: slots of the page at row ${firstRow}`)
    if (index === undefined) continue
    const values = scalarsOf(column.type, inPage)
    assert.equal(index.nulls, nullSlots(inPage), `${column.name}: null count of the page at row ${firstRow}`)
    assert.equal(index.nullPage, nullSlots(inPage) === slots, `${column.name}: null page at row ${firstRow}`)
    for (const value of values) {
      assert.ok(compareScalars(boundValue(column.type, index.min), value) <= 0, `${column.name}: lower bound`)
      assert.ok(compareScalars(boundValue(column.type, index.max), value) >= 0, `${column.name}: upper bound`)
    }
  }
}

test('statistics and page bounds are those of the values, for any table, page and row group', async () => {
  await fc.assert(
    fc.asyncProperty(
      tables(200, 4),
      fc.integer({ min: 1, max: 60 }),
      fc.integer({ min: 40, max: 250 }),
      async (columns, pageRows, groupRows) => {
        const { bytes } = await writeTable(columns, {
          sealAfter: (_, row) => row % pageRows === pageRows - 1,
          groupAfter: (row) => row % groupRows === groupRows - 1,
        })
        let from = 0
        for (const { rows, chunks } of factsOf(bytes)) {
          columns.forEach((column, k) => {
            const ofGroup = { ...column, cells: column.cells.slice(from, from + rows) }
            checkChunk(ofGroup, chunks[k]!)
            checkPages(ofGroup, chunks[k]!)
          })
          from += rows
        }
        assert.equal(from, columns[0]!.cells.length)
      },
    ),
    { numRuns: 90 },
  )
})

test('bounds of bytes that begin alike, end early, or differ in their first or ninth byte alone', async () => {
  const piece = fc.constantFrom('', 'a', 'b', 'aaaa', 'aaaaaaa', 'aaaaaaaa', '\u00ff')
  const value = fc.array(piece, { maxLength: 4 }).map((pieces) => Buffer.from(pieces.join(''), 'latin1'))
  await fc.assert(
    fc.asyncProperty(fc.array(value, { minLength: 1, maxLength: 12 }), async (cells) => {
      const type = { physical: 'BYTE_ARRAY', logical: 'bytes' } as const
      const column = plain('c', type, cells)
      const { bytes } = await writeTable([column])
      checkChunk(column, factsOf(bytes)[0]!.chunks[0]!)
    }),
    { numRuns: 500 },
  )
})

test('a zero bound is -0 below and +0 above, and a NaN leaves no bound', async () => {
  for (const physical of ['FLOAT', 'DOUBLE'] as const) {
    const bound = async (...cells: number[]): Promise<unknown[]> => {
      const { min, max } = await chunkOf({ physical }, cells)
      return [min, max].map((bytes) => bytes && boundValue({ physical }, bytes))
    }
    assert.deepStrictEqual(await bound(0), [-0, 0])
    assert.deepStrictEqual(await bound(-0), [-0, 0])
    assert.deepStrictEqual(await bound(-1, -0), [-1, 0])
    assert.deepStrictEqual(await bound(0, 2, Infinity), [-0, Infinity])
    assert.deepStrictEqual(await bound(-1, NaN, 1), [undefined, undefined])
    assert.deepStrictEqual(await bound(NaN, NaN), [undefined, undefined])
  }
})

test('one NaN in one page leaves the chunk without bounds and without a column index', async () => {
  const cells = [1, 2, NaN, 4, 5, 6]
  const { bytes } = await writeTable([plain('c', { physical: 'DOUBLE' }, cells)], {
    sealAfter: (_, row) => row % 2 === 1,
  })
  const [chunk] = factsOf(bytes)[0]!.chunks
  assert.deepStrictEqual(
    chunk!.pages.map((page) => page.index),
    [undefined, undefined, undefined],
  )
  assert.deepStrictEqual([chunk!.min, chunk!.max], [undefined, undefined])
})

test('long texts are cut at a character in the page index, and left out of the chunk statistics', async () => {
  const cases: readonly (readonly [string, string, string])[] = [
    // value, lower bound, upper bound
    ['a'.repeat(64), 'a'.repeat(64), 'a'.repeat(64)],
    ['a'.repeat(65), 'a'.repeat(64), `${'a'.repeat(63)}b`],
    [`${'a'.repeat(63)}é`, 'a'.repeat(63), `${'a'.repeat(62)}b`],
    [`${'a'.repeat(62)}éé`, `${'a'.repeat(62)}é`, `${'a'.repeat(62)}ê`],
    [`${'a'.repeat(61)}😀x`, 'a'.repeat(61), `${'a'.repeat(60)}b`],
    [`${'a'.repeat(60)}\u{10FFFF}x`, `${'a'.repeat(60)}\u{10FFFF}`, `${'a'.repeat(59)}b`],
    [`${'a'.repeat(61)}\u{D7FF}x`, `${'a'.repeat(61)}\u{D7FF}`, `${'a'.repeat(60)}b`],
  ]
  for (const [value, min, max] of cases) {
    const chunk = await chunkOf(text, bytesOf(value))
    assert.equal(chunk.pages[0]!.index!.min.toString('utf8'), min)
    assert.equal(chunk.pages[0]!.index!.max.toString('utf8'), max)
    assert.equal(chunk.max?.toString('utf8'), value, 'the chunk bound is exact')
  }
  const highest = await chunkOf(text, bytesOf('\u{10FFFF}'.repeat(20)))
  assert.equal(highest.pages[0]!.index, undefined, 'nothing sorts above')
  const beyond = await chunkOf(text, bytesOf('b', 'a'.repeat(257), 'c'))
  assert.deepEqual([beyond.min, beyond.max], [undefined, undefined])
})

test('bytes are raised as bytes, past any number of 0xff', async () => {
  const type: LeafType = { physical: 'BYTE_ARRAY', logical: 'bytes' }
  const bound = async (value: Buffer): Promise<string | undefined> =>
    (await chunkOf(type, [value])).pages[0]!.index?.max.toString('hex')
  const tail = Buffer.alloc(70, 0xff)
  assert.equal(await bound(Buffer.concat([Buffer.from([1, 2]), tail])), '0103')
  assert.equal(await bound(Buffer.alloc(70, 0x7f)), `${'7f'.repeat(63)}80`)
  assert.equal(await bound(tail), undefined)
})

test('DuckDB shows the same minimum, maximum and null count', async () => {
  const columns = [
    plain('n', { physical: 'INT32', logical: 'int32' }, [5, -7, null, 3]),
    plain('big', { physical: 'INT64', logical: 'int64' }, [-(2n ** 63n), 2n ** 63n - 1n, null, null]),
    plain('small', { physical: 'INT64', logical: 'decimal', precision: 10, scale: 2 }, [-123n, 456n, null, 0n]),
    plain('large', { physical: 'FIXED16', logical: 'decimal', precision: 38, scale: 3 }, [
      -(10n ** 37n),
      10n ** 37n,
      1n,
      null,
    ]),
    plain('name', text, bytesOf('Zürich', 'Ærø', null, 'Aachen')),
    plain('day', { physical: 'INT32', logical: 'date' }, [-1, 19_000, null, null]),
  ]
  const path = await duck.file((await writeTable(columns)).bytes)
  const rows = await duck.query(
    `SELECT path_in_schema p, stats_min_value lo, stats_max_value hi, stats_null_count n FROM parquet_metadata('${path}')`,
  )
  assert.deepStrictEqual(
    rows.map((row) => [textOf(row.p), textOf(row.lo), textOf(row.hi), row.n]),
    [
      ['n', '-7', '5', 1n],
      ['big', '-9223372036854775808', '9223372036854775807', 2n],
      ['small', '-1.23', '4.56', 1n],
      ['large', `-1${'0'.repeat(34)}.000`, `1${'0'.repeat(34)}.000`, 1n],
      ['name', 'Aachen', 'Ærø', 1n],
      ['day', '1969-12-31', '2022-01-08', 2n],
    ],
  )
})

test('a filter in DuckDB finds every row, although it skips row groups by their bounds', async () => {
  const values = Array.from({ length: 400 }, (_, k) => ((k * 7919) % 400) - 200)
  const columns = [
    plain('n', { physical: 'INT32', logical: 'int32' }, values),
    plain(
      'f',
      { physical: 'DOUBLE' },
      values.map((value) => (value % 9 === 0 ? NaN : value === 1 ? -0 : value / 4)),
    ),
    plain(
      's',
      text,
      values.map((value) => Buffer.from(`${'é'.repeat(140)}${value}`, 'utf8')),
    ),
  ]
  const { bytes } = await writeTable(columns, {
    sealAfter: (_, row) => row % 10 === 9,
    groupAfter: (row) => row % 40 === 39,
  })
  const path = await duck.file(bytes)
  const count = async (where: string): Promise<unknown> =>
    (await duck.query(`SELECT count(*) c FROM read_parquet('${path}') WHERE ${where}`))[0]!.c
  for (const value of [-200, -63, 0, 1, 199]) {
    assert.equal(await count(`n = ${value}`), 1n)
    assert.equal(await count(`s = '${'é'.repeat(140)}${value}'`), 1n)
  }
  assert.equal(await count("f = 'NaN'::DOUBLE"), BigInt(values.filter((value) => value % 9 === 0).length))
  assert.equal(await count('f = 0'), BigInt(values.filter((value) => value === 1).length))
  assert.equal(
    await count("f > 49 AND f < 'NaN'::DOUBLE"),
    BigInt(values.filter((v) => v % 9 !== 0 && v / 4 > 49).length),
  )
})
