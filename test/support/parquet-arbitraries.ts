// Random columns of every physical type and storage for property tests, with the values that encoders get wrong: empty
// texts, the ends of integer ranges, NaN, both zeros, long and non-ASCII texts, and few distinct values as well as many.
import fc from 'fast-check'
import type { LakeColumn, LeafType } from '../../internal/model/lake-column.js'
import { anyCharacter } from './any-character.js'
import type { Cell, Scalar, TestColumn } from './parquet-columns.js'

const decimal18: LeafType = { physical: 'INT64', logical: 'decimal', precision: 18, scale: 4 }
const decimal38: LeafType = { physical: 'FIXED16', logical: 'decimal', precision: 38, scale: 10 }
export const text: LeafType = { physical: 'BYTE_ARRAY', logical: 'string' }
export const int64: LeafType = { physical: 'INT64', logical: 'int64' }

const int = (bits: number): fc.Arbitrary<number> => fc.integer({ min: -(2 ** (bits - 1)), max: 2 ** (bits - 1) - 1 })
const bigint = (min: bigint, max: bigint): fc.Arbitrary<bigint> =>
  fc.oneof(fc.constantFrom(0n, -1n, 1n, min, max), fc.bigInt({ min, max }))
const bytes = fc
  .oneof(fc.uint8Array({ maxLength: 6 }), fc.uint8Array({ maxLength: 400 }), fc.constant(new Uint8Array(0)))
  .map((value) => Buffer.from(value))
const texts = fc
  .oneof(fc.string({ maxLength: 5 }), fc.string({ unit: anyCharacter, maxLength: 40 }), fc.constantFrom('', 'é', '😀'))
  .map((value) => Buffer.from(value, 'utf8'))

/** Every leaf type with values of it. Dates and times leave out what DuckDB reads as infinity. */
const leaves: readonly (readonly [LeafType, fc.Arbitrary<Scalar>])[] = [
  [{ physical: 'BOOLEAN' }, fc.boolean()],
  [{ physical: 'INT32', logical: 'int16' }, int(16)],
  [{ physical: 'INT32', logical: 'int32' }, int(32)],
  [{ physical: 'INT32', logical: 'date' }, fc.integer({ min: -2_000_000, max: 100_000_000 })],
  [int64, bigint(-(2n ** 63n), 2n ** 63n - 1n)],
  [{ physical: 'INT64', logical: 'timestamp' }, bigint(-(2n ** 57n), 2n ** 63n - 2n)],
  [{ physical: 'INT64', logical: 'timestamptz' }, bigint(-(2n ** 57n), 2n ** 63n - 2n)],
  [decimal18, bigint(-(10n ** 18n) + 1n, 10n ** 18n - 1n)],
  [{ physical: 'FLOAT' }, fc.float()],
  [{ physical: 'DOUBLE' }, fc.double()],
  [text, texts],
  [{ physical: 'BYTE_ARRAY', logical: 'bytes' }, bytes],
  [decimal38, bigint(-(10n ** 38n) + 1n, 10n ** 38n - 1n)],
]

/** `rows` cells: NULL at any density, values repeated or not. */
function cells(rows: number, value: fc.Arbitrary<Cell>): fc.Arbitrary<Cell[]> {
  const repeated = fc.array(value, { minLength: 1, maxLength: 5 }).chain((few) => fc.constantFrom(...few))
  return fc.tuple(fc.constantFrom(0, 0, 1, 50, 99, 100), fc.boolean()).chain(([nullPercent, repeats]) =>
    fc.array(
      fc
        .tuple(fc.integer({ min: 0, max: 99 }), repeats ? repeated : value)
        .map(([dice, cell]) => (dice < nullPercent ? null : cell)),
      { minLength: rows, maxLength: rows },
    ),
  )
}

/** Runs of the same value or NULL. */
function runs(rows: number, value: fc.Arbitrary<Cell>): fc.Arbitrary<Cell[]> {
  const run = fc.tuple(fc.option(value, { freq: 4 }), fc.integer({ min: 1, max: rows }))
  return fc.array(run, { minLength: 1, maxLength: 12 }).map((all) => {
    const out = all.flatMap(([cell, length]) => new Array<Cell>(length).fill(cell))
    while (out.length < rows) out.push(out.at(-1)!)
    return out.slice(0, rows)
  })
}

function columnOf(name: string, rows: number): fc.Arbitrary<TestColumn> {
  const of = (type: LeafType, list: boolean): LakeColumn => ({ name, type, list })
  const scalar = fc
    .constantFrom(...leaves)
    .chain(([type, value]) =>
      cells(rows, value).map((column): TestColumn => ({ column: of(type, false), storage: 'plain', cells: column })),
    )
  const list = fc.constantFrom(...leaves).chain(([type, value]) =>
    cells(rows, fc.array(fc.option(value, { freq: 3 }), { maxLength: 12 })).map((column): TestColumn => ({
      column: of(type, true),
      storage: 'plain',
      cells: column,
    })),
  )
  const sparse = cells(rows, texts).map((column): TestColumn => ({
    column: of(text, false),
    storage: 'sparse',
    cells: column,
  }))
  const numbers = runs(rows, bigint(-(2n ** 63n), 2n ** 63n - 1n)).map((column): TestColumn => ({
    column: of(int64, false),
    storage: 'run',
    cells: column,
  }))
  const letters = runs(
    rows,
    fc.constantFrom('I', 'U', 'D', 'T').map((letter) => Buffer.from(letter)),
  ).map((column): TestColumn => ({ column: of(text, false), storage: 'run', cells: column }))
  return fc.oneof({ weight: 4, arbitrary: scalar }, { weight: 3, arbitrary: list }, sparse, numbers, letters)
}

/** Up to `maxColumns` columns of one length. */
export function tables(maxRows: number, maxColumns: number): fc.Arbitrary<TestColumn[]> {
  return fc
    .tuple(fc.integer({ min: 1, max: maxRows }), fc.integer({ min: 1, max: maxColumns }))
    .chain(([rows, columns]) => fc.tuple(...Array.from({ length: columns }, (_, k) => columnOf(`c${k}`, rows))))
}
