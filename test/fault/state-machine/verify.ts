// What must hold when a run has come to rest: the lake is the server's log, row for row; its current state is the tables;
// the commit log is whole; and nobody who watched has seen what must never be seen.
import assert from 'node:assert/strict'
import { currentState, type Row } from '../../support/current-state.js'
import { auditLog } from '../../support/log-audit.js'
import { lsn } from '../../support/lsn-text.js'
import { readTransactions } from '../../support/test-decoding.js'
import { compareWithLog, readLakeRows, type LakeRow } from '../../support/wal-oracle.js'
import { keyOf, tablesThere } from './tables.js'
import type { Totals } from './totals.js'
import type { World } from './world.js'

export async function verify(world: World, totals: Totals): Promise<void> {
  const { rig, oracleSlot, ackWatch, poller } = world
  const rows = await readLakeRows(rig.lake)
  const expected = await readTransactions(rig.source, oracleSlot)
  const counts = compareWithLog(expected, rows, keyOf)
  totals.add('transactions', counts.transactions)
  totals.add('rows checked', counts.rows)
  totals.add('rows lost', counts.lost)
  totals.add('rows twice', counts.twice)
  totals.add('rows foreign', counts.foreign)
  totals.add('rows wrong', counts.wrong)
  assert.deepEqual(counts.problems, [], `of ${counts.rows} rows ${counts.lost} are lost, ${counts.twice} twice`)

  const { commits, files } = await auditLog(rig.lake, rig.slot)
  totals.add('batches', commits.length)
  totals.add('files', files.length)
  totals.add('batches replayed', replayed(world))
  const confirmed = await rig.confirmed()
  const end = lsn(commits.at(-1)!.end_lsn)
  assert.ok(confirmed !== undefined && confirmed <= end, `the slot stands at ${confirmed}, the log ends at ${end}`)

  await assertStates(world, rows)
  assert.deepEqual(ackWatch.faults, [], 'the slot was never ahead of the log')
  assert.deepEqual(poller.faults, [], 'a reader who polls saw each change once, and none vanish')
  totals.add('looks at slot and log', ackWatch.looks)
  totals.add('looks of the polling reader', poller.looks)
}

function replayed({ fleet }: World): number {
  return fleet.logged('streaming').reduce((sum, line) => sum + Number(line.replaying ?? 0), 0)
}

/** What the lake says of each table that is there now is the table. */
async function assertStates({ rig }: World, rows: readonly LakeRow[]): Promise<void> {
  for (const table of await tablesThere((sql) => rig.source.query(sql))) {
    const columns = await comparedColumns(rig.source, table.name)
    if (columns.length === 0) continue
    const ofTable = rows.filter((row) => row.table === `public.${table.name}`).flatMap(asRows)
    const state = table.key.length === 0 ? keyless(ofTable) : currentState(ofTable, table.key)
    const texts = (row: Row): string => JSON.stringify(columns.map((column) => row[column] ?? null))
    const wanted = await rig.source.query<Row & Record<string, unknown>>(
      `SELECT ${columns.map((column) => `${column}::text`).join(', ')} FROM ${table.name}`,
    )
    const differing = difference(state.map(texts), wanted.map(texts))
    assert.deepEqual(differing, { onlyFirst: [], onlySecond: [] }, `${table.name}: the lake's state, and the table`)
  }
}

/**
 * Those that every version of the table had, and those that came later as NULL; what a default or another name did to old
 * rows is in no log.
 */
async function comparedColumns(source: World['rig']['source'], table: string): Promise<string[]> {
  const rows = await source.query<{ name: string }>(
    `SELECT attname AS name FROM pg_attribute
      WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped AND attname !~ '^[dr]_'`,
    [table],
  )
  return rows.map(({ name }) => name)
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

function difference(
  first: readonly string[],
  second: readonly string[],
): { onlyFirst: string[]; onlySecond: string[] } {
  const counts = new Map<string, number>()
  for (const text of first) counts.set(text, (counts.get(text) ?? 0) + 1)
  for (const text of second) counts.set(text, (counts.get(text) ?? 0) - 1)
  const left = [...counts].filter(([, count]) => count !== 0)
  const shown = (sign: number): string[] =>
    left
      .filter(([, count]) => Math.sign(count) === sign)
      .slice(0, MOST_SHOWN)
      .map(([text]) => text.slice(0, 300))
  return { onlyFirst: shown(1), onlySecond: shown(-1) }
}
