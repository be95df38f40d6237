// The Parquet writer alone, against other writers that Node has: all write the same rows to a file in a temporary folder, take
// turns, and the medians count. Speeds are of one run on one machine; only their ratios say something.
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { asyncBufferFromFile, parquetRead } from 'hyparquet'
import { compressors } from '../test/support/zstd-pages.js'
import type { Figure } from './figures.js'
import { median } from './measuring.js'
import { DuckdbTable, hyparquetWrite, parquetjsWrite, type Write } from './other-writers.js'
import { orderTuples, writeWithOurs } from './our-writer.js'

const ROUNDS = 3
const ROWS = 1_000_000
/** Of a writer that takes a while for them. */
const FEWER_ROWS = 100_000
const COLUMNS = 10
/** With our own, which say what happened to the row. */
const ALL_COLUMNS = COLUMNS + 8
const OURS = 'wal-cake'
const DUCKDB = 'DuckDB'
/** Above this the bench fails: ours and DuckDB's file hold the same and are compressed by the same means. */
const MOST_SIZE = 1.05

interface Contender {
  readonly name: string
  /** What it writes, and how. */
  readonly subject: string
  readonly columns: number
  readonly rows: number
  /** Makes ready what is not measured. */
  readonly prepare: () => Write
}

interface Result {
  readonly rowsPerSecond: number
  readonly bytesPerRow: number
}

export async function writers(): Promise<readonly Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), 'wal-cake-bench-'))
  const ours = ourContender()
  try {
    const seed = join(folder, 'seed.parquet')
    await ours.prepare()(seed)
    const duckdb = await DuckdbTable.of(seed)
    try {
      return figuresOf(await rounds(folder, [ours, ...others(duckdb)]))
    } finally {
      duckdb.close()
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function ourContender(): Contender {
  const tuples = orderTuples(ROWS)
  return {
    name: OURS,
    subject: "orders from the server's tuples, with _op, _lsn and our 6 others, ZSTD",
    columns: ALL_COLUMNS,
    rows: ROWS,
    prepare: () => (path) => writeWithOurs(path, tuples),
  }
}

function others(duckdb: DuckdbTable): Contender[] {
  return [
    {
      name: DUCKDB,
      subject: 'COPY of a table of the same columns in memory, ZSTD',
      columns: ALL_COLUMNS,
      rows: ROWS,
      prepare: () => (path) => duckdb.write(path),
    },
    {
      name: 'hyparquet-writer',
      subject: 'orders from arrays of values, Snappy (it brings no ZSTD)',
      columns: COLUMNS,
      rows: ROWS,
      prepare: () => hyparquetWrite(ROWS),
    },
    {
      name: 'parquetjs-lite',
      subject: 'orders from objects, Snappy (it has no ZSTD)',
      columns: COLUMNS,
      rows: FEWER_ROWS,
      prepare: () => parquetjsWrite(FEWER_ROWS),
    },
  ]
}

/** By contender. The first round warms up: its files are read back, and its times do not count. */
async function rounds(folder: string, contenders: readonly Contender[]): Promise<Map<Contender, Result>> {
  const results = new Map<Contender, Result[]>(contenders.map((contender) => [contender, []]))
  for (let round = 0; round <= ROUNDS; round++) {
    for (const contender of contenders) {
      const path = join(folder, `${contender.name}.parquet`)
      const result = await turn(contender, path)
      if (round === 0) await checkRows(contender, path)
      else results.get(contender)!.push(result)
      await rm(path)
    }
  }
  return new Map([...results].map(([contender, all]) => [contender, middle(all)]))
}

async function turn({ rows, prepare }: Contender, path: string): Promise<Result> {
  const write = prepare()
  const started = performance.now()
  await write(path)
  const seconds = (performance.now() - started) / 1000
  return { rowsPerSecond: rows / seconds, bytesPerRow: (await stat(path)).size / rows }
}

function middle(results: readonly Result[]): Result {
  return {
    rowsPerSecond: median(results.map(({ rowsPerSecond }) => rowsPerSecond)),
    bytesPerRow: median(results.map(({ bytesPerRow }) => bytesPerRow)),
  }
}

/** Decodes every value of the file. Throws Error where a column has not one for each row. */
async function checkRows({ name, columns, rows }: Contender, path: string): Promise<void> {
  const found = new Map<string, number>()
  await parquetRead({
    file: await asyncBufferFromFile(path),
    compressors,
    onChunk: ({ columnName, columnData }) => {
      found.set(columnName, (found.get(columnName) ?? 0) + columnData.length)
    },
  })
  if (found.size !== columns) throw new Error(`${name} wrote ${found.size} columns of ${columns}`)
  for (const [column, values] of found) {
    if (values !== rows) throw new Error(`${name} wrote ${values} values of ${column} for ${rows} rows`)
  }
}

function figuresOf(results: ReadonlyMap<Contender, Result>): Figure[] {
  const [[, ours], ...rest] = [...results] as [[Contender, Result], ...[Contender, Result][]]
  const measured = [...results].flatMap(([contender, { rowsPerSecond, bytesPerRow }]) => [
    figure(fullSubject(contender), 'rate', rowsPerSecond / 1000, 'k rows/s'),
    figure(fullSubject(contender), 'size', bytesPerRow, 'bytes per row'),
  ])
  const speeds = rest.map(([{ name }, { rowsPerSecond }]) =>
    figure(`${OURS} against ${name}`, 'speed', ours.rowsPerSecond / rowsPerSecond, `x ${name}`),
  )
  const duckdb = rest.find(([{ name }]) => name === DUCKDB)![1]
  const size = ours.bytesPerRow / duckdb.bytesPerRow
  return [
    ...measured,
    ...speeds,
    {
      ...figure(`${OURS} against ${DUCKDB}, the same ${ALL_COLUMNS} columns`, 'size', size, `x ${DUCKDB}`),
      most: MOST_SIZE,
    },
  ]
}

function fullSubject({ name, subject, columns, rows }: Contender): string {
  return `${name}, ${rows.toLocaleString('en')} rows of ${columns} columns: ${subject}`
}

function figure(subject: string, measure: string, value: number, unit: string): Figure {
  return { bench: 'writers', subject, measure, value, unit }
}
