// Is the lake what the server's log says? Holds the change log in the lake against an independent decoding of the same WAL:
// every transaction, every change, in order, with its values. Counts what is lost, twice, foreign or wrong.
import type { Lake, Row } from './lake.js'
import { quoteName, serverText } from './server-text.js'
import { UNCHANGED, type DecodedChange, type DecodedTransaction, type DecodedTuple } from './test-decoding.js'

/** A row of the lake, every value as text; where `_raw` has a value it stands in its column. */
export interface LakeRow {
  readonly table: string
  readonly op: string
  readonly lsn: bigint
  readonly seq: number
  readonly xid: bigint
  readonly committedAt: string
  readonly unchanged: readonly string[]
  readonly before: Readonly<Record<string, string | null>> | undefined
  readonly values: ReadonlyMap<string, string | null>
}

export interface OracleCounts {
  /** Of the server's log, with changes. */
  readonly transactions: number
  /** That the lake has to have. */
  readonly rows: number
  readonly lost: number
  /** More rows than one at a position. */
  readonly twice: number
  /** Rows that the log knows nothing of. */
  readonly foreign: number
  /** Rows whose operation, table or values are not those of the log. */
  readonly wrong: number
  /** The first of all these, for people. */
  readonly problems: readonly string[]
}

const PROBLEMS_SHOWN = 8

/** `keyOf`: the columns of a table's key or replica identity; tables are named `schema.table`. */
export function compareWithLog(
  expected: readonly DecodedTransaction[],
  rows: readonly LakeRow[],
  keyOf: (table: string) => readonly string[],
): OracleCounts {
  const counts = { transactions: expected.length, rows: 0, lost: 0, twice: 0, foreign: 0, wrong: 0 }
  const problems: string[] = []
  const note = (what: 'lost' | 'twice' | 'foreign' | 'wrong', problem: string): void => {
    counts[what]++
    if (problems.length < PROBLEMS_SHOWN) problems.push(`${what}: ${problem}`)
  }
  const ofLake = byTransaction(rows)
  let floor = 0n
  for (const transaction of expected) {
    const { xid, endLsn } = transaction
    const found = new Map<number, LakeRow>()
    for (const row of ofLake.get(xid) ?? []) {
      const what = `${positionOf(row)} of transaction ${xid} in ${row.table}`
      if (row.lsn < floor || row.lsn >= endLsn) note('wrong', `${what}, whose commit ends at ${endLsn}`)
      if (row.committedAt !== transaction.committedAt)
        note('wrong', `${what} committed at ${row.committedAt} and not ${transaction.committedAt}`)
      if (found.has(row.seq)) note('twice', what)
      else found.set(row.seq, row)
    }
    ofLake.delete(xid)
    const changes = transaction.changes.flatMap((change) => expectedRows(change, keyOf(change.table)))
    counts.rows += changes.length
    for (const [seq, change] of changes.entries()) {
      const row = found.get(seq)
      found.delete(seq)
      const what = `change ${seq} of transaction ${xid} (${change.op} of ${change.table})`
      const difference = row === undefined ? undefined : differenceOf(change, row)
      if (row === undefined) note('lost', what)
      else if (difference !== undefined) note('wrong', `${what}: ${difference}`)
    }
    for (const row of found.values()) note('foreign', `${positionOf(row)} of transaction ${xid} in ${row.table}`)
    floor = endLsn
  }
  for (const [xid, others] of ofLake)
    for (const row of others) note('foreign', `${positionOf(row)} of the unknown transaction ${xid} in ${row.table}`)
  return { ...counts, problems }
}

function byTransaction(rows: readonly LakeRow[]): Map<bigint, LakeRow[]> {
  const groups = new Map<bigint, LakeRow[]>()
  for (const row of rows) {
    const group = groups.get(row.xid)
    if (group === undefined) groups.set(row.xid, [row])
    else group.push(row)
  }
  return groups
}

/** All rows of all tables in the lake, in log order. */
export async function readLakeRows(lake: Lake): Promise<LakeRow[]> {
  const rows: LakeRow[] = []
  for (const table of await lake.tables()) {
    const columns = await lake.query(`DESCRIBE SELECT * EXCLUDE dt FROM ${lake.from(table)}`)
    const texts = columns.map(({ column_name: name, column_type: type }) => {
      return `${serverText(String(name), String(type))} AS ${quoteName(String(name))}`
    })
    for (const row of await lake.query(`SELECT ${texts.join(', ')} FROM ${lake.from(table)}`))
      rows.push(lakeRow(table, row))
  }
  return rows.sort((a, b) => (a.lsn === b.lsn ? a.seq - b.seq : a.lsn < b.lsn ? -1 : 1))
}

function lakeRow(table: string, row: Row): LakeRow {
  const { _op, _lsn, _seq, _xid, _commit_ts, _unchanged, _before, _raw, ...columns } = row as Record<
    string,
    string | null
  >
  const values = new Map(Object.entries(columns))
  if (typeof _raw === 'string')
    for (const [column, text] of Object.entries(JSON.parse(_raw) as Record<string, string>)) values.set(column, text)
  return {
    table,
    op: String(_op),
    lsn: BigInt(_lsn ?? -1),
    seq: Number(_seq),
    xid: BigInt(_xid ?? -1),
    committedAt: String(_commit_ts),
    unchanged: typeof _unchanged === 'string' ? (JSON.parse(_unchanged) as string[]) : [],
    before: typeof _before === 'string' ? (JSON.parse(_before) as Record<string, string | null>) : undefined,
    values,
  }
}

interface ExpectedRow {
  readonly op: 'I' | 'U' | 'D' | 'T'
  readonly table: string
  readonly values: DecodedTuple
  /** Under REPLICA IDENTITY FULL; NULLs left out. */
  readonly before: DecodedTuple | undefined
}

const nothing: DecodedTuple = new Map()

/** The contract's rows of one change. */
function expectedRows({ op, table, old, new: now }: DecodedChange, key: readonly string[]): ExpectedRow[] {
  // Under any other identity only the key is logged. Every table here has a column outside its key that is never NULL.
  const before = old !== undefined && [...old.keys()].some((column) => !key.includes(column)) ? old : undefined
  if (op === 'I' || op === 'T') return [{ op, table, values: now ?? nothing, before: undefined }]
  if (op === 'D') return [{ op, table, values: old ?? nothing, before }]
  const update: ExpectedRow = { op, table, values: completed(now ?? nothing, before), before }
  const keyChanged = before === undefined && old !== undefined && key.some((name) => old.get(name) !== now?.get(name))
  return keyChanged ? [{ op: 'D', table, values: old, before: undefined }, update] : [update]
}

/** A value that was not sent is that of the old row, where the whole of it was logged. */
function completed(now: DecodedTuple, before: DecodedTuple | undefined): DecodedTuple {
  if (before === undefined) return now
  return new Map([...now].map(([name, value]) => [name, value === UNCHANGED ? (before.get(name) ?? null) : value]))
}

function differenceOf(expected: ExpectedRow, row: LakeRow): string | undefined {
  if (row.table !== expected.table) return `it is in ${row.table}`
  if (row.op !== expected.op) return `it is ${row.op}`
  for (const column of expected.values.keys()) if (!row.values.has(column)) return `${column} is not in the lake`
  for (const [column, value] of row.values) {
    const wanted = expected.values.get(column) ?? null
    if ((wanted === UNCHANGED) !== row.unchanged.includes(column)) return `_unchanged is ${row.unchanged.join(', ')}`
    if (value !== (wanted === UNCHANGED ? null : wanted)) return `${column} is ${short(value)} and not ${short(wanted)}`
  }
  return beforeDifference(expected.before, row.before)
}

function beforeDifference(wanted: DecodedTuple | undefined, before: LakeRow['before']): string | undefined {
  if ((wanted === undefined) !== (before === undefined)) return `_before is ${before === undefined ? 'not ' : ''}there`
  if (wanted === undefined || before === undefined) return undefined
  for (const column of wanted.keys()) if (!(column in before)) return `_before has no ${column}`
  for (const [column, value] of Object.entries(before)) {
    const text = wanted.get(column) ?? null
    // In the server's own text form; test_decoding writes booleans out.
    if (value !== text && { true: 't', false: 'f' }[String(text)] !== value)
      return `_before has ${column} ${short(value)} and not ${short(text)}`
  }
  return undefined
}

function positionOf({ lsn, seq }: LakeRow): string {
  return `(${lsn}, ${seq})`
}

function short(value: string | symbol | null): string {
  const text = JSON.stringify(typeof value === 'symbol' ? String(value) : value)
  return text.length > 60 ? `${text.slice(0, 60)}… (${text.length})` : text
}
