// One table of the server against the same table of the lake, at one position.
import type pg from 'pg'
import type { DataFile as ListedFile } from '../../model/batch-record.js'
import type { Lsn } from '../../model/lsn.js'
import type { SourceTable } from '../../replication/copy-source.js'
import type { ObjectStore } from '../../storage/object-store.js'
import type { SchemaVersion } from '../../storage/schema-registry.js'
import type { LogRows, WantedColumn } from '../reading/log-rows.js'
import { lakeNameIn } from '../reading/table-columns.js'
import {
  partSums,
  PARTS,
  rowCount,
  rowsOfParts,
  sampledRows,
  type ComparedTable,
  type PartSum,
  type SourceRow,
} from './compared-table.js'
import { CountedState, inOrder, KeyedState, type ReadableFile, type Span } from './lake-state.js'
import { digestOf, type Encoding } from './row-digest.js'
import { comparedColumns, keyColumns } from './source-columns.js'
import { lookThrough } from './table-files.js'

export interface Difference {
  /** Values of the key. */
  readonly key: readonly string[]
  readonly what: 'missing in the lake' | 'only in the lake' | 'different'
}

export interface TableVerdict {
  readonly rowsInSource: number
  readonly rowsInLake: number
  /** Rows of the source that were compared one by one; undefined where all were, by their sums. */
  readonly sampled?: number
  readonly isEqual: boolean
  /** Some of the keys that differ. */
  readonly differences: readonly Difference[]
  /** Columns that are hashed or left out on their way into the lake. */
  readonly hidden: readonly string[]
  /** Of files that are not what the log says. */
  readonly problems: readonly string[]
}

export interface TableQuestion {
  readonly source: SourceTable
  /** In order of the log. */
  readonly files: readonly ListedFile[]
  /** Of the table's schema. */
  readonly versions: readonly SchemaVersion[]
  readonly until: Lsn
  readonly encoding: Encoding
  /** Only a part of the source's rows is read. */
  readonly sample: boolean
  /** Is the column in the lake as it is? */
  readonly isClear: (column: string) => boolean
  readonly read: (file: ListedFile) => void
}

const MOST_NAMED = 20
/** About as many rows are asked for to name those that differ. */
const ROWS_LOOKED_AT = 100_000
const SAMPLED_PAGES = 1000

/** Undefined where the key is hidden. `client`: in a transaction under the snapshot of the position. Throws Failure where server or store cannot be asked. */
export async function verifyTable(
  client: pg.Client,
  store: ObjectStore,
  question: TableQuestion,
): Promise<TableVerdict | undefined> {
  const { source, versions, until, encoding } = question
  const all = await comparedColumns(client, source)
  const columns = all.filter(({ name }) => question.isClear(name))
  const hidden = all.filter(({ name }) => !question.isClear(name)).map(({ name }) => name)
  const keyNames = await keyColumns(client, source)
  if (hidden.some((name) => keyNames.has(name))) return undefined
  const key = columns.flatMap(({ name }, k) => (keyNames.has(name) ? [k] : []))
  const wanted = (version: number): WantedColumn[] =>
    columns.map((column) => ({ ...column, lakeName: lakeNameIn(versions, version, column.name) }))
  const { files, truncated, late, problems } = await lookThrough(store, question.files, wanted, until, question.read)
  const table = { source, columns, key, late: late.filter((k) => !key.includes(k)), encoding }
  const log = { files, span: { after: truncated, until } }
  if (key.length === 0) return { ...(await counted(client, table, log)), hidden, problems }
  const found = question.sample ? await sampled(client, table, log) : await summed(client, table, log)
  return { ...found, hidden, problems }
}

type Found = Omit<TableVerdict, 'hidden' | 'problems'>

/** The change log of a table. */
interface TableLog {
  readonly files: readonly ReadableFile[]
  readonly span: Span
}

/** Carries out the log while the server answers. */
async function atOnce<T>(
  asked: Promise<T>,
  { files, span }: TableLog,
  state: { take(rows: LogRows, row: number): void },
): Promise<T> {
  const [answer] = await Promise.all([asked, inOrder(files, span, (rows, row) => state.take(rows, row))])
  return answer
}

async function counted(client: pg.Client, table: ComparedTable, log: TableLog): Promise<Found> {
  const state = new CountedState(table)
  const theirs = await atOnce(partSums(client, table), log, state)
  const ours = state.sums()
  return { ...totals(ours, theirs), isEqual: differingParts(ours, theirs).length === 0, differences: [] }
}

async function summed(client: pg.Client, table: ComparedTable, log: TableLog): Promise<Found> {
  const state = new KeyedState(table)
  const theirs = await atOnce(partSums(client, table), log, state)
  const ours = state.sums()
  const parts = differingParts(ours, theirs)
  const rows = totals(ours, theirs)
  if (parts.length === 0) return { ...rows, isEqual: true, differences: [] }
  const perPart = Math.max(1, rows.rowsInSource / PARTS)
  const looked = parts.slice(0, Math.max(1, Math.floor(ROWS_LOOKED_AT / perPart)))
  const theirRows = await rowsOfParts(client, table, looked)
  const known = new Set(theirRows.map(({ key }) => key.toString('hex')))
  const extra = new Set<string>()
  for (const key of state.keysOf(new Set(looked))) {
    const text = key.toString('hex')
    if (!known.has(text) && extra.size < MOST_NAMED) extra.add(text)
  }
  const only = (await namesOf(extra, table, log)).map((key): Difference => ({ key, what: 'only in the lake' }))
  const differences = [...compare(theirRows, state), ...only].slice(0, MOST_NAMED)
  return { ...rows, isEqual: false, differences }
}

async function sampled(client: pg.Client, table: ComparedTable, log: TableLog): Promise<Found> {
  const state = new KeyedState(table)
  const theirRows = await atOnce(sampledRows(client, table, SAMPLED_PAGES), log, state)
  const rowsInSource = await rowCount(client, table)
  const rowsInLake = [...state.sums().values()].reduce((sum, part) => sum + part.rows, 0)
  const differences = compare(theirRows, state)
  return {
    ...{ rowsInSource, rowsInLake, sampled: theirRows.length },
    isEqual: differences.length === 0 && rowsInSource === rowsInLake,
    differences: differences.slice(0, MOST_NAMED),
  }
}

function compare(rows: readonly SourceRow[], state: KeyedState): Difference[] {
  return rows.flatMap(({ key, digest, names }): Difference[] => {
    const ours = state.digest(key)
    if (ours === digest) return []
    return [{ key: names, what: ours === undefined ? 'missing in the lake' : 'different' }]
  })
}

/** The values of keys that only their digests are known of (hexadecimal). */
async function namesOf(
  wanted: ReadonlySet<string>,
  table: ComparedTable,
  { files, span }: TableLog,
): Promise<(readonly string[])[]> {
  const names = new Map<string, readonly string[]>()
  if (wanted.size > 0)
    await inOrder(files, span, (rows, row) => {
      const texts = table.key.map((k) => rows.text(row, k))
      const digest = digestOf(texts).toString('hex')
      if (wanted.has(digest))
        names.set(
          digest,
          texts.map((text) => Buffer.from(text ?? '').toString('utf8')),
        )
    })
  return [...names.values()]
}

function differingParts(ours: ReadonlyMap<string, PartSum>, theirs: ReadonlyMap<string, PartSum>): string[] {
  const names = new Set([...ours.keys(), ...theirs.keys()])
  return [...names].filter((name) => {
    const [our, their] = [ours.get(name), theirs.get(name)]
    return (our?.rows ?? 0) !== (their?.rows ?? 0) || (our?.sum ?? 0n) !== (their?.sum ?? 0n)
  })
}

function totals(
  ours: ReadonlyMap<string, PartSum>,
  theirs: ReadonlyMap<string, PartSum>,
): Pick<TableVerdict, 'rowsInSource' | 'rowsInLake'> {
  const rows = (sums: ReadonlyMap<string, PartSum>): number =>
    [...sums.values()].reduce((sum, part) => sum + part.rows, 0)
  return { rowsInSource: rows(theirs), rowsInLake: rows(ours) }
}
