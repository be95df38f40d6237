// What of a table is compared, and what PostgreSQL says of it: by key into so many parts, each with the number of its rows and the sum
// of their digests, so that the rows themselves stay where they are.
import type pg from 'pg'
import { pagesOf, textSql, type SourceTable } from '../../replication/copy-source.js'
import type { ColumnType } from '../reading/value-text.js'
import { digestSql, rowSql, type Encoding } from './row-digest.js'

export interface ComparedColumn extends ColumnType {
  readonly name: string
}

export interface ComparedTable {
  readonly source: SourceTable
  readonly columns: readonly ComparedColumn[]
  /** Places in `columns`; empty where rows cannot be told apart. */
  readonly key: readonly number[]
  /** Columns whose value is not in every row of theirs: large ones that were not changed. */
  readonly late: readonly number[]
  readonly encoding: Encoding
}

/** A part of a table's rows, or of all that have no key. */
export interface PartSum {
  rows: number
  /** Modulo 2^64. */
  sum: bigint
}

/** A row of the server. */
export interface SourceRow {
  readonly key: Buffer
  readonly digest: bigint
  /** Values of the key, as people read them. */
  readonly names: readonly string[]
}

/** Hexadecimal digits of a key's digest that name its part. */
const PART_DIGITS = 3
export const PARTS = 16 ** PART_DIGITS

export function partOf(key: Buffer): string {
  return key.toString('hex', 0, 2).slice(0, PART_DIGITS)
}

/** All columns that are not late together, then each late one: what has a digest of its own. */
export function groupsOf({ columns, late }: Pick<ComparedTable, 'columns' | 'late'>): readonly (readonly number[])[] {
  const base = columns.map((_, k) => k).filter((k) => !late.includes(k))
  return [base, ...late.map((k) => [k])]
}

/** By the name of the part; rows without a key are all in `''`. `client`: in a transaction under the snapshot. */
export async function partSums(client: pg.Client, table: ComparedTable): Promise<Map<string, PartSum>> {
  const part = table.key.length === 0 ? `''` : partSql
  const sums = new Map<string, PartSum>()
  for (const { name } of table.source.sources) {
    const { rows } = await client.query<{ part: string; rows: string; sum: string }>(
      `SELECT ${part} AS part, count(*)::text AS rows, sum(digest)::text AS sum FROM (${digestsSql(table, name)}) d GROUP BY 1`,
    )
    for (const row of rows) {
      const sum = sums.get(row.part) ?? { rows: 0, sum: 0n }
      sum.rows += Number(row.rows)
      sum.sum = BigInt.asUintN(64, sum.sum + BigInt(row.sum))
      sums.set(row.part, sum)
    }
  }
  return sums
}

/** The rows of these parts. */
export async function rowsOfParts(
  client: pg.Client,
  table: ComparedTable,
  parts: readonly string[],
): Promise<SourceRow[]> {
  return sourceRows(client, table, ({ name }) => `${digestsSql(table, name)} WHERE ${partSql} = ANY ($1)`, [parts])
}

/** Some rows: those of so many pages of each source. */
export async function sampledRows(client: pg.Client, table: ComparedTable, pages: number): Promise<SourceRow[]> {
  const percent = (all: number): number => Math.min(100, Math.max(0.001, (100 * pages) / Math.max(1, all)))
  const found: SourceRow[] = []
  const pagesOfSources = await pagesOf(client, table.source.sources)
  for (const [k, source] of table.source.sources.entries()) {
    const sample = source.isHeap ? ` TABLESAMPLE SYSTEM (${percent(pagesOfSources[k]!)})` : ''
    const only = { ...table, source: { ...table.source, sources: [source] } }
    found.push(...(await sourceRows(client, only, ({ name }) => digestsSql(table, name + sample), [])))
  }
  return found
}

/** How many rows are published. */
export async function rowCount(client: pg.Client, { source }: ComparedTable): Promise<number> {
  let count = 0
  for (const { name } of source.sources) {
    const { rows } = await client.query<{ rows: string }>(
      `SELECT count(*)::text AS rows FROM ONLY ${name}${whereSql(source)}`,
    )
    count += Number(rows[0]!.rows)
  }
  return count
}

async function sourceRows(
  client: pg.Client,
  { source }: ComparedTable,
  from: (source: { name: string }) => string,
  values: unknown[],
): Promise<SourceRow[]> {
  const found: SourceRow[] = []
  for (const one of source.sources) {
    const { rows } = await client.query<{ key: Buffer; digest: string; names: string[] }>(
      `SELECT key, digest::text AS digest, names FROM (${from(one)}) d`,
      values,
    )
    for (const { key, digest, names } of rows) found.push({ key, digest: BigInt.asUintN(64, BigInt(digest)), names })
  }
  return found
}

const partSql = `left(encode(key, 'hex'), ${PART_DIGITS})`

/** SQL: `key` (bytea, or NULL), `digest` (int8) and `names` (text[]) of each published row. */
function digestsSql(table: ComparedTable, from: string): string {
  const { columns, key, encoding, source } = table
  const text = (k: number): string => `c${k}`
  const texts = columns.map(({ name }, k) => `${textSql(name)} AS ${text(k)}`)
  const digests = groupsOf(table).map((group) => digestSql(group.map(text), encoding))
  // Without OFFSET each text would be made again wherever it is used.
  const rows = `SELECT ${texts.join(', ')} FROM ONLY ${from}${whereSql(source)} OFFSET 0`
  const keySql = key.length === 0 ? 'NULL::bytea' : digestSql(key.map(text), encoding)
  const names = key.length === 0 ? `'{}'::text[]` : `ARRAY[${key.map(text).join(', ')}]`
  return `SELECT * FROM (SELECT ${keySql} AS key, ${rowSql(digests)} AS digest, ${names} AS names FROM (${rows}) t OFFSET 0) r`
}

function whereSql({ filter }: SourceTable): string {
  return filter === undefined ? '' : ` WHERE (${filter})`
}
