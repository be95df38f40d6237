// Is the state that the lake's change log comes to the table? Every column as text, the table's as the server prints it;
// of a table without a key all rows, each as often as it is there.
import assert from 'node:assert/strict'
import { currentState, type Row } from './current-state.js'
import type { Source } from './rig.js'
import { quoteName } from './server-text.js'
import type { LakeRow } from './wal-oracle.js'

export interface StateOfTable {
  /** `schema.table`. */
  readonly table: string
  /** Empty: rows were only added. */
  readonly key: readonly string[]
  /** Those that are compared. */
  readonly columns: readonly string[]
}

/** `rows`: of the whole lake. Gives the number of rows that the table has. */
export async function assertStateIsTable(
  source: Source,
  rows: readonly LakeRow[],
  { table, key, columns }: StateOfTable,
): Promise<number> {
  const ofTable = rows.filter((row) => row.table === table).flatMap(asRows)
  const state = key.length === 0 ? keyless(ofTable) : currentState(ofTable, key)
  const wanted = await source.query<Row & Record<string, unknown>>(
    `SELECT ${columns.map(printed).join(', ')} FROM ${table.split('.').map(quoteName).join('.')}`,
  )
  const text = (row: Row): string => JSON.stringify(columns.map((column) => row[column] ?? null))
  const differing = difference(state.map(text), wanted.map(text))
  assert.deepEqual(differing, { onlyLake: [], onlyTable: [] }, `${table}: the lake's state, and the table`)
  return wanted.length
}

/** A cast takes the blanks away that char(n) has at its end. */
function printed(column: string): string {
  const name = quoteName(column)
  return `CASE WHEN ${name} IS NULL THEN NULL WHEN pg_typeof(${name}) = 'bpchar'::regtype
    THEN format('%s', ${name}) ELSE ${name}::text END AS ${name}`
}

/** As the rule of the current state reads them: an update with an old row of another key ends that one. */
function asRows(row: LakeRow): Row[] {
  const { op, lsn: _lsn, seq: _seq, unchanged, before, values } = row
  const now = { ...Object.fromEntries(values), _op: op, _lsn, _seq, _unchanged: JSON.stringify(unchanged) }
  return op === 'U' && before !== undefined ? [{ ...before, _op: 'D', _lsn, _seq: _seq - 0.5 }, now] : [now]
}

function keyless(rows: readonly Row[]): readonly Row[] {
  const truncated = rows.findLastIndex((row) => row._op === 'T')
  return rows.slice(truncated + 1)
}

const MOST_SHOWN = 3

function difference(lake: readonly string[], table: readonly string[]): { onlyLake: string[]; onlyTable: string[] } {
  const counts = new Map<string, number>()
  for (const text of lake) counts.set(text, (counts.get(text) ?? 0) + 1)
  for (const text of table) counts.set(text, (counts.get(text) ?? 0) - 1)
  const left = [...counts].filter(([, count]) => count !== 0)
  const shown = (sign: number): string[] =>
    left
      .filter(([, count]) => Math.sign(count) === sign)
      .slice(0, MOST_SHOWN)
      .map(([text]) => text.slice(0, 300))
  return { onlyLake: shown(1), onlyTable: shown(-1) }
}
