// Rows of a change log that a test knows beforehand: every column of a table and its operation, in the order of the changes.
import assert from 'node:assert/strict'
import type { Lake } from './lake.js'

export interface ExpectedRows {
  /** `schema.table`. */
  readonly table: string
  /** All of the table's, in their order, and those of ours that matter. */
  readonly columns: readonly string[]
  /** The operation, and the values as text. */
  readonly rows: readonly (readonly unknown[])[]
}

const meta = ['_op', '_lsn', '_seq', '_xid', '_commit_ts', '_unchanged', '_before', '_raw']

export async function assertRows(lake: Lake, { table, columns, rows }: ExpectedRows): Promise<void> {
  const found = await lake.rows(table)
  const own = Object.keys(found[0] ?? {}).filter((name) => !meta.includes(name))
  assert.deepEqual(
    own,
    columns.filter((name) => !meta.includes(name)),
    `columns of ${table}`,
  )
  assert.deepEqual(
    found.map((row) => [row._op, ...columns.map((column) => row[column])].map(asText)),
    rows.map((row) => row.map(asText)),
    table,
  )
}

function asText(value: unknown): unknown {
  return typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean' ? String(value) : value
}
