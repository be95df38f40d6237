// The rule by which a reader gets a table's current rows from its change log, in the contract's own words and written
// only for being right. Independent of the product: the tests compare the two.

export type Row = Readonly<Record<string, unknown>>

const metaColumns = ['_op', '_lsn', '_seq', '_xid', '_commit_ts', '_unchanged', '_before', '_raw']

/**
 * Per key the last row by (`_lsn`, `_seq`), unless it is a D; a T ends everything before it, and a U whose
 * `_before` has another key ends that one; `_unchanged` columns take the last value sent for that key, or for the key from
 * which the D just before moved the row. Without the columns of
 * ours, in the order of the key.
 */
export function currentState(log: readonly Row[], keyColumns: readonly string[]): Row[] {
  const states = new Map<string, Record<string, unknown>>()
  let moved: { readonly row: Row; readonly state: Record<string, unknown> | undefined } | undefined
  const keyOf = (row: Row) => JSON.stringify(keyColumns.map((column) => String(row[column])))
  for (const row of [...log].sort(byPosition)) {
    if (row._op === 'T') {
      states.clear()
      continue
    }
    const key = keyOf(row)
    const before = states.get(key) ?? (moved !== undefined && follows(row, moved.row) ? moved.state : undefined)
    moved = row._op === 'D' ? { row, state: before } : undefined
    // Taken out first, so that a row that comes again is a new one.
    states.delete(key)
    if (row._op === 'U' && typeof row._before === 'string') states.delete(keyOf(JSON.parse(row._before) as Row))
    if (row._op === 'D') continue
    const state = Object.fromEntries(Object.entries(row).filter(([column]) => !metaColumns.includes(column)))
    for (const column of unchangedColumns(row)) state[column] = before?.[column] ?? null
    states.set(key, state)
  }
  return [...states.values()].sort((a, b) => compareKeys(a, b, keyColumns))
}

export function byPosition(a: Row, b: Row): number {
  return compareKeys(a, b, ['_lsn', '_seq'])
}

/** In the same transaction, with nothing between them. */
function follows(row: Row, other: Row): boolean {
  return row._lsn === other._lsn && Number(row._seq) === Number(other._seq) + 1
}

function unchangedColumns(row: Row): string[] {
  return typeof row._unchanged === 'string' ? (JSON.parse(row._unchanged) as string[]) : []
}

function compareKeys(a: Row, b: Row, columns: readonly string[]): number {
  for (const column of columns) {
    const [left, right] = [a[column], b[column]]
    if (left === right) continue
    return (left as string) < (right as string) ? -1 : 1
  }
  return 0
}
