// What must hold when a run has come to rest: the lake is the server's log, row for row; its current state is the tables;
// the commit log is whole; and nobody who watched has seen what must never be seen.
import assert from 'node:assert/strict'
import { auditLog } from '../../support/log-audit.js'
import { lsn } from '../../support/lsn-text.js'
import { assertStateIsTable } from '../../support/table-state.js'
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
    await assertStateIsTable(rig.source, rows, { table: `public.${table.name}`, key: table.key, columns })
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
