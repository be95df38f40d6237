// Plans, commits and data files as the model holds them: the product's own records, one object for each that is equal, so
// that a state can name them by number. Positions: transaction t commits at 10 t and ends at 10 t + 1.
import type { Commit, CutParameters, Plan } from '../../../internal/model/batch-record.js'
import type { Lsn } from '../../../internal/model/lsn.js'

export const commitLsnOf = (transaction: number): Lsn => BigInt(transaction * 10)
export const endLsnOf = (transaction: number): Lsn => BigInt(transaction * 10 + 1)

export type WriterId = 'a' | 'b'
/** Writes what no running session will know as its own. */
export const GONE = 'gone'

/** Rows of a transaction, by bit; each part of a batch holds some row of each of its transactions. */
export type RowMask = number
export const ALL_ROWS: RowMask = 3

/** The writers are configured differently, so a replay by the wrong parameters shows. */
export const CUTS: Readonly<Record<WriterId, CutParameters>> = {
  a: { rollBytes: 1, targetFileBytes: 1, tables: '', excludeTables: '' },
  b: { rollBytes: 2, targetFileBytes: 2, tables: '', excludeTables: '' },
}

/** Rows that lie in a part under these parameters. */
export function rowsOfPart(cut: CutParameters, parts: number, part: number): RowMask {
  if (parts === 1) return ALL_ROWS
  return cut.rollBytes === 1 ? 1 << part : 2 >> part
}

export interface StoredFile {
  readonly id: number
  readonly key: string
  readonly transactions: readonly number[]
  readonly rows: RowMask
}

const plans = new Map<string, Plan>()
const commits = new Map<string, Commit>()
const files = new Map<string, StoredFile>()
const ids = new Map<object, number>()
let lastId = 0

/** The number of a plan or commit. */
export function idOf(record: Plan | undefined): number {
  return record === undefined ? 0 : ids.get(record)!
}

export function planOf(fields: Pick<Plan, 'batch' | 'kind' | 'fromLsn' | 'toLsn' | 'cut' | 'writer'>): Plan {
  const { batch, kind, fromLsn, toLsn, cut, writer } = fields
  return kept(plans, `${batch} ${kind} ${fromLsn} ${toLsn} ${cut.rollBytes} ${writer}`, () => ({
    ...{ batch, kind, fromLsn, toLsn, cut, writer },
    writerVersion: '1',
  }))
}

export function commitOf(
  plan: Plan,
  writer: string,
  endLsn: Lsn,
  transactions: number,
  keys: readonly string[],
): Commit {
  // Its plan's writer is nobody's business any more.
  return kept(
    commits,
    `${plan.batch} ${plan.kind} ${plan.fromLsn} ${plan.toLsn} ${plan.cut.rollBytes} ${writer} ${endLsn} ${transactions} ${keys.join(' ')}`,
    () => ({
      ...{ ...plan, writer, endLsn, transactions, rows: transactions * 2, timeline: 1 },
      ...(transactions === 0 ? {} : { firstCommitMicros: 1n, lastCommitMicros: plan.toLsn }),
      files: keys.map((key) => ({
        ...{ key, schema: 's', table: 't', schemaVersion: 1, bytes: 1, sha256: '' },
        rows: (transactions * 2) / keys.length,
      })),
    }),
  )
}

/** The plan as it is read once the session that wrote it is over. */
export function orphanedPlan(plan: Plan | undefined, writer: WriterId): Plan | undefined {
  return plan?.writer === writer ? planOf({ ...plan, writer: GONE }) : plan
}

export function orphanedCommit(commit: Commit | undefined, writer: WriterId): Commit | undefined {
  if (commit === undefined) return undefined
  if (commit.writer !== writer) return commit
  const { endLsn, transactions, files } = commit
  const keys = files.map(({ key }) => key)
  return commitOf(planOf({ ...commit, writer: GONE }), GONE, endLsn, transactions, keys)
}

export function keyOfPart({ batch, fromLsn, toLsn }: Plan, number: number, part: number): string {
  return `${number}${number === batch ? '' : ` (planned as ${batch})`}/${fromLsn}-${toLsn}/${part}`
}

export function fileOf(key: string, transactions: readonly number[], rows: RowMask): StoredFile {
  const name = `${key}:${transactions.join()}:${rows}`
  let file = files.get(name)
  if (file === undefined) files.set(name, (file = { id: files.size + 1, key, transactions, rows }))
  return file
}

function kept<Record extends object>(known: Map<string, Record>, key: string, make: () => Record): Record {
  let record = known.get(key)
  if (record === undefined) {
    known.set(key, (record = make()))
    ids.set(record, ++lastId)
  }
  return record
}
