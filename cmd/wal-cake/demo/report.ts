// What DuckDB finds in the demo's lake, as text: counts, sizes, freshness, and whether it equals the database. The files
// and the database are its only sources; it takes nobody's word for what was written.
import { databaseRows, differences } from './comparison.js'
import type { LakeFile, LakeReader } from './lake-reader.js'
import { shopTables } from './shop-schema.js'
import { formatBytes, formatCount, formatSeconds, textTable } from '../text-table.js'

export interface Report {
  readonly text: string
  /** Empty when the lake holds what the database holds. */
  readonly differences: readonly string[]
}

const operations = ['I', 'U', 'D'] as const
const head = ['table', 'inserts', 'updates', 'deletes', 'changes', 'rows now', 'in database', 'files', 'size']
const LEAST_ROWS = 1

export async function reportOnLake(lake: LakeReader, url: string): Promise<Report> {
  const found: string[] = []
  const rows: string[][] = []
  const files: LakeFile[] = []
  const totals = new Array<number>(head.length - 1).fill(0)
  for (const { name, key } of shopTables) {
    const expected = await databaseRows(url, name)
    const current = await lake.currentRows(name, expected.columns)
    found.push(...differences(expected.columns, key, expected.rows, current).map((line) => `${name} ${line}`))
    if (expected.rows.length < LEAST_ROWS) found.push(`${name}: the shop left no row, so nothing was compared`)
    found.push(...(await doubles(lake, name)))
    const tableFiles = await lake.files(name)
    files.push(...tableFiles)
    const counts = await changes(lake, name)
    const size = sum(tableFiles.map((file) => file.bytes))
    const numbers = [...counts, sum(counts), current.length, expected.rows.length, tableFiles.length, size]
    numbers.forEach((value, at) => (totals[at]! += value))
    rows.push(cells(name, numbers))
  }
  rows.push(cells('all', totals))
  return { text: `${textTable(head, rows)}\n\n${await freshness(lake, files)}`, differences: found }
}

function cells(name: string, numbers: readonly number[]): string[] {
  return [name, ...numbers.slice(0, -1).map(formatCount), formatBytes(numbers.at(-1) ?? 0)]
}

async function changes(lake: LakeReader, table: string): Promise<number[]> {
  const { rows } = await lake.query(`SELECT _op, count(*) FROM ${table}_log GROUP BY _op`)
  const counts = new Map(rows.map(([operation, count]) => [operation, Number(count)]))
  return operations.map((operation) => counts.get(operation) ?? 0)
}

async function doubles(lake: LakeReader, table: string): Promise<string[]> {
  const { rows } = await lake.query(`SELECT count(*) - count(DISTINCT (_lsn, _seq)) FROM ${table}_log`)
  const count = Number(rows[0]?.[0])
  return count === 0 ? [] : [`${table}: ${count} changes are in the lake twice`]
}

/** From a change's commit in the database to the moment at which its file could be read. */
async function freshness(lake: LakeReader, files: readonly LakeFile[]): Promise<string> {
  const times = files.map(({ path, visibleMs }) => `('${path.replaceAll("'", "''")}', ${visibleMs})`)
  const paths = files.map(({ path }) => `'${path.replaceAll("'", "''")}'`)
  const { rows } = await lake.query(
    `SELECT median(age), quantile_cont(age, 0.99), max(age)
       FROM (SELECT (visible_ms - epoch_us(_commit_ts) / 1000) / 1000 AS age
               FROM read_parquet([${paths.join(', ')}], union_by_name = true, filename = true)
               JOIN (VALUES ${times.join(', ')}) AS file (filename, visible_ms) USING (filename))`,
  )
  const [median, most, longest] = (rows[0] ?? []).map((value) => formatSeconds(Number(value)))
  return `From commit to readable file: median ${median}, 99 % within ${most}, longest ${longest}`
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
