// parquet-java, on which Spark, Hive and others stand, by its command line: it refuses no file, its values are the known ones,
// and the statistics and page indexes agree with them.
import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { footerOf, readWithHyparquet, type Plain } from '../support/parquet-readers.js'
import { fileColumns, postgresText, type FileColumn } from '../support/postgres-text.js'
import { lakeUnderTest } from './lake-under-test.js'
import { parquetJava, type ParquetJava } from './parquet-java.js'
import type { Cell } from './reader.js'

/** Its columns are no names for Avro, through which `cat` prints. */
const UNPRINTABLE = 'names'

async function program(t: TestContext): Promise<ParquetJava | undefined> {
  const found = await parquetJava()
  if (typeof found !== 'string') return found
  console.log(`parquet-java is not tested: ${found}`)
  t.skip(found)
  return undefined
}

test('G8: parquet-java reads every value, but for what docs/readers.md says of its command line', async (t) => {
  const run = await program(t)
  if (run === undefined) return
  const { folder, cases } = await lakeUnderTest(t)
  const tables = [...new Set(cases.map(({ table }) => table))].filter((table) => table !== UNPRINTABLE)
  const files: { table: string; path: string }[] = []
  for (const table of tables) for (const path of await filesOf(join(folder, table))) files.push({ table, path })
  const printed = (await run('cat', ...files.map(({ path }) => path))).split('\n').filter((line) => line !== '')

  const rows = new Map<string, Map<string, Cell>[]>(tables.map((table) => [table, []]))
  for (const { table, path } of files) {
    const footer = footerOf(await readFile(path))
    const columns = fileColumns(footer.schema)
    const lines = printed.splice(0, Number(footer.num_rows))
    rows.get(table)!.push(...lines.map((line) => rowOf(line, columns)))
  }
  assert.deepEqual(printed, [])
  for (const { name, table, columns, rows: known } of cases.filter(({ table }) => table !== UNPRINTABLE))
    assert.deepEqual(
      rows.get(table)!.map((row) => columns.map((column) => row.get(column) ?? null)),
      // It shows NULL for every list.
      known.map((row) => row.map((cell) => (typeof cell === 'object' ? null : cell))),
      name,
    )

  const unprintable = await filesOf(join(folder, UNPRINTABLE))
  await assert.rejects(run('cat', ...unprintable), /Illegal character in: with space/)
})

test('G8: statistics and page indexes agree with the values, for parquet-java', async (t) => {
  const run = await program(t)
  if (run === undefined) return
  const { folder } = await lakeUnderTest(t)
  const files = await filesOf(folder)
  const checked = (await run('check-stats', ...files)).split('\n').filter((line) => line !== '')
  assert.deepEqual(
    checked.sort(),
    files.map((file) => `${file} has no corrupt stats`),
  )
  const ofTypes = await filesOf(join(folder, 'types'))
  assert.ok(ofTypes.length > 0)
  for (const file of ofTypes) await assertAgree(run, file)
})

async function assertAgree(run: ParquetJava, file: string): Promise<void> {
  const bytes = await readFile(file)
  const columns = fileColumns(footerOf(bytes).schema)
  const physical = [...columns].map(([name, { leaf }]) => {
    const type = leaf.type === 'FIXED_LEN_BYTE_ARRAY' ? 'FIXED16' : 'INT32'
    return { name, type: { physical: type } } as const
  })
  const rows = await readWithHyparquet(bytes, physical)
  const found = chunksOf(await run('footer', file))
  const indexed = indexesOf(await run('column-index', file))
  assert.deepEqual([...found.keys()], [...columns.keys()])
  for (const [name, column] of columns) {
    const entries = rows.flatMap((row) => entriesOf(row[name]!, column))
    const values = entries.filter((value) => value !== null)
    const { nulls, bounds } = found.get(name)!
    assert.deepEqual(bounds, boundsOf(values), `bounds of ${name}`)
    assert.equal(nulls, entries.length - values.length, `NULLs of ${name}`)
    // There are none where a page has a NaN in it.
    if (!values.some(Number.isNaN)) assert.equal(indexed.get(name), nulls, `NULLs of the pages of ${name}`)
  }
  for (const command of ['meta', 'pages']) assert.match(await run(command, file), /\bv0\b/)
}

/** In the order of their paths, and so of their batches. */
async function filesOf(folder: string): Promise<string[]> {
  const paths = await readdir(folder, { recursive: true })
  return paths
    .filter((path) => path.endsWith('.parquet'))
    .sort()
    .map((path) => join(folder, path))
}

/** A record as `cat` prints it: values as they are stored, and bytes as characters. */
function rowOf(line: string, columns: ReadonlyMap<string, FileColumn>): Map<string, Cell> {
  // JSON's numbers would lose digits.
  const exact = line.replace(/"(?:[^"\\]|\\.)*"|-?\d[\d.]*(?:E-?\d+)?/g, (token) =>
    token.startsWith('"') ? token : `"${token}"`,
  )
  const record = JSON.parse(exact) as Record<string, Printed>
  return new Map([...columns].map(([name, column]) => [name, cellOf(record[name]!, column)]))
}

type Printed = string | boolean | null | readonly string[]

function cellOf(printed: Printed, column: FileColumn): Cell {
  if (printed === null) return null
  const { type } = column.leaf
  if (type === 'FLOAT') return Math.fround(Number(printed))
  if (type === 'DOUBLE') return Number(printed)
  if (typeof printed === 'boolean') return String(printed)
  return postgresText(column, plainOf(printed, column))
}

function plainOf(printed: string | readonly string[], { leaf }: FileColumn): Plain {
  if (typeof printed !== 'string') return unscaled(Buffer.from(printed.map(Number)))
  if (leaf.type === 'INT32') return Number(printed)
  if (leaf.type === 'INT64') return BigInt(printed)
  return Buffer.from(printed, leaf.logical_type?.type === 'STRING' ? 'utf8' : 'latin1').toString('hex')
}

function unscaled(bytes: Buffer): bigint {
  return BigInt.asIntN(128, BigInt(`0x${bytes.toString('hex')}`))
}

/** What a page counts: an empty list is one NULL, like a list that is NULL. */
function entriesOf(value: Plain, { list }: FileColumn): readonly Plain[] {
  const items = list && value !== null ? (value as readonly Plain[]) : [value]
  return items.length === 0 ? [null] : items
}

type Bounds = readonly [least: Plain, greatest: Plain] | undefined

/** None where a NaN is among them. Bytes are hexadecimal, which has their order. */
function boundsOf(values: readonly Plain[]): Bounds {
  if (values.length === 0 || values.some(Number.isNaN)) return undefined
  const sorted = values.toSorted((a, b) => (a! < b! ? -1 : a! > b! ? 1 : 0))
  return [sorted[0]!, sorted.at(-1)!]
}

interface Chunk {
  readonly nulls: number
  readonly bounds: Bounds
}

/** Columns of the one row group of a footer, as it prints it. */
function chunksOf(footer: string): Map<string, Chunk> {
  const exact = footer.replace(/"(min|max)" : (-?\d+)(?=[\s,}])/g, '"$1" : "$2"')
  const { blocks } = JSON.parse(exact) as { blocks: readonly { columns: readonly FooterColumn[] }[] }
  assert.equal(blocks.length, 1)
  return new Map(
    blocks[0]!.columns.map(({ properties: { path }, statistics }) => {
      const { type, min, max, num_nulls: nulls, hasNonNullValue } = statistics
      const bounds = hasNonNullValue
        ? ([boundOf(min, type.primitive), boundOf(max, type.primitive)] as const)
        : undefined
      return [path.p[0]!, { nulls, bounds }]
    }),
  )
}

type Bound = string | number | boolean | { readonly value: string }

interface FooterColumn {
  readonly properties: { readonly path: { readonly p: readonly string[] } }
  readonly statistics: {
    readonly type: { readonly primitive: string }
    readonly hasNonNullValue: boolean
    readonly num_nulls: number
    readonly min: Bound
    readonly max: Bound
  }
}

function boundOf(bound: Bound, primitive: string): Plain {
  if (typeof bound === 'object') {
    const bytes = Buffer.from(bound.value, 'base64')
    return primitive === 'BINARY' ? bytes.toString('hex') : unscaled(bytes)
  }
  if (typeof bound !== 'string') return bound
  return primitive === 'INT64' ? BigInt(bound) : Number(bound)
}

/** The NULLs of all pages of each column that has an index of them. */
function indexesOf(printed: string): Map<string, number> {
  const nulls = new Map<string, number>()
  for (const [, name = '', pages = ''] of printed.matchAll(
    /^column index for column \[?(\w+)[^\n]*:\n(.*?)^offset index/gms,
  )) {
    const counts = [...pages.matchAll(/^page-\d+ +(\d+) /gm)].map(([, count]) => Number(count))
    if (counts.length > 0)
      nulls.set(
        name,
        counts.reduce((a, b) => a + b),
      )
  }
  return nulls
}
