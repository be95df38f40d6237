// When a chunk has a dictionary, when it gives it up, and that neither a hash collision nor the moment of giving up can swap
// two values.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { BufferPool } from '../../../../internal/transform/buffer-pool.js'
import { Dictionary } from '../../../../internal/transform/parquet/dictionary.js'
import { BytesValues, Int64Values, Intake } from '../../../../internal/transform/parquet/leaf-values.js'
import { int64, text } from '../../../support/parquet-arbitraries.js'
import { plain, writeTable, type TestColumn, type WriteOptions } from '../../../support/parquet-columns.js'
import { factsOf, type ChunkFacts } from '../../../support/parquet-footer.js'
import { DuckReader, plainOf, readWithHyparquet } from '../../../support/parquet-readers.js'

let duck: DuckReader
before(async () => (duck = await DuckReader.open()))
after(() => duck.close())

const everyRows = (rows: number): WriteOptions => ({ sealAfter: (_, row) => row % rows === rows - 1 })

/** Both readers must give back what went in. Returns what the file says of the chunk. */
async function roundTrip(column: TestColumn, options: WriteOptions): Promise<ChunkFacts> {
  const { bytes, leakedBytes } = await writeTable([column], options)
  const expected = column.cells.map((cell) => ({ [column.column.name]: plainOf(column.column.type, cell) }))
  assert.deepStrictEqual(await readWithHyparquet(bytes, [column.column]), expected)
  assert.deepStrictEqual(await duck.rows(bytes), expected)
  assert.equal(leakedBytes, 0)
  return factsOf(bytes)[0]!.chunks[0]!
}

const encodedPages = (chunk: ChunkFacts): boolean[] => chunk.pages.map((page) => page.dictionaryEncoded)

test('a column that repeats keeps its dictionary through every page', async () => {
  const cells = Array.from({ length: 4000 }, (_, k) => Buffer.from(`value ${k % 200}`))
  const chunk = await roundTrip(plain('c', text, cells), everyRows(1000))
  assert.equal(chunk.hasDictionary, true)
  assert.deepEqual(encodedPages(chunk), [true, true, true, true])
})

test('a column that hardly repeats gives its dictionary up at the first page and writes none', async () => {
  const cells = Array.from({ length: 2000 }, (_, k) => BigInt(k) * 1_000_003n)
  const chunk = await roundTrip(plain('c', int64, cells), everyRows(1000))
  assert.equal(chunk.hasDictionary, false)
  assert.deepEqual(encodedPages(chunk), [false, false])
})

test('a dictionary that grows too large later is kept for the pages before', async () => {
  const few = Array.from({ length: 3000 }, (_, k) => BigInt(k % 7))
  const many = Array.from({ length: 70_000 }, (_, k) => BigInt(k) << 20n)
  const chunk = await roundTrip(plain('c', int64, [...few, ...many, ...few]), {
    sealAfter: (_, row) => row === 2999 || row === 72_999,
  })
  assert.equal(chunk.hasDictionary, true)
  assert.deepEqual(encodedPages(chunk), [true, true, false, false])
})

test('exactly 65,536 entries use all 16 bits of an index', async () => {
  // The first page repeats, so that the dictionary is tried; the later ones fill it to the last entry.
  const repeated = Array.from({ length: 2000 }, (_, k) => BigInt(k % 2))
  const entries = Array.from({ length: 65_536 }, (_, k) => BigInt(k))
  const chunk = await roundTrip(plain('c', int64, [...repeated, ...entries]), { sealAfter: (_, row) => row === 1999 })
  assert.deepEqual(encodedPages(chunk), [true, true, true])
})

test('a dictionary that no page uses is not written, even behind a page of NULLs', async () => {
  const nulls = new Array<null>(600).fill(null)
  const distinct = Array.from({ length: 300 }, (_, k) => BigInt(k) << 33n)
  const chunk = await roundTrip(plain('c', int64, [...nulls, ...distinct]), { sealAfter: (_, row) => row === 599 })
  assert.deepEqual([chunk.hasDictionary, ...encodedPages(chunk)], [false, false, false])
  assert.ok(!chunk.encodings.includes(8))
})

test('a page of NULLs between two dictionary pages is PLAIN and harms neither', async () => {
  const value = (k: number): Buffer => Buffer.from(`v${k % 3}`)
  const filled = Array.from({ length: 500 }, (_, k) => value(k))
  const nulls = new Array<null>(500).fill(null)
  const chunk = await roundTrip(plain('c', text, [...filled, ...nulls, ...filled]), everyRows(500))
  assert.deepEqual(encodedPages(chunk), [true, false, true])
})

test('a value larger than a dictionary may be ends it, and comes back whole', async () => {
  const large = Buffer.alloc(1_200_000, 'x')
  const cells = [...Array.from({ length: 1000 }, (_, k) => Buffer.from(`v${k % 3}`)), large, Buffer.alloc(0), large]
  const chunk = await roundTrip(plain('c', text, cells), { sealAfter: (_, row) => row === 999 })
  assert.equal(encodedPages(chunk)[0], true)
  assert.equal(encodedPages(chunk).at(-1), false)
})

/** The hash of dictionary.ts, to find values that collide in it. */
function hashOf(bytes: Buffer): number {
  let hash = bytes.length
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193)
  return hash ^ (hash >>> 15)
}

/** Pairs of different 8-byte texts with one hash. */
function collidingPairs(wanted: number): [Buffer, Buffer][] {
  const seen = new Map<number, Buffer>()
  const pairs: [Buffer, Buffer][] = []
  for (let k = 0; pairs.length < wanted; k++) {
    const value = Buffer.from((k * 2_654_435_761).toString(36).padStart(12, '0').slice(-8), 'latin1')
    const other = seen.get(hashOf(value))
    if (other !== undefined && !other.equals(value)) pairs.push([other, value])
    else seen.set(hashOf(value), value)
  }
  return pairs
}

test('two values with one hash are never swapped', async () => {
  const pairs = collidingPairs(5)
  const cells = Array.from({ length: 2000 }, (_, k) => pairs[k % 5]![(k >> 3) & 1]!)
  const asTexts = await roundTrip(plain('c', text, cells), everyRows(600))
  assert.ok(encodedPages(asTexts).every(Boolean), 'the dictionary was used')
  const asNumbers = await roundTrip(
    plain(
      'c',
      int64,
      cells.map((value) => value.readBigInt64LE(0)),
    ),
    everyRows(600),
  )
  assert.ok(encodedPages(asNumbers).every(Boolean), 'the dictionary was used')
})

test('colliding values get entries of their own, equal ones share one', () => {
  const pool = new BufferPool(() => undefined, 0)
  const [a, b] = collidingPairs(1)[0]!
  const leaf = new BytesValues(new Intake(pool))
  for (const value of [a, b, b, a, a, b]) leaf.push(value, 0, 8)
  const dictionary = new Dictionary(0, pool)
  const indices = dictionary.encode(leaf.take(), 6, 6_000)
  assert.deepEqual([...indices!], [0, 1, 1, 0, 0, 1])
  assert.equal(dictionary.entries, 2)
})

test('an entry survives every growth of the table', () => {
  const pool = new BufferPool(() => undefined, 0)
  const leaf = new Int64Values(new Intake(pool))
  for (let round = 0; round < 2; round++) for (let k = 0; k < 20_000; k++) leaf.push(k * 7, k)
  const dictionary = new Dictionary(8, pool)
  const indices = dictionary.encode(leaf.take(), 40_000, 400_000)!
  for (let k = 0; k < 40_000; k++) assert.equal(indices[k], k % 20_000)
})
