// The log from its first record to its last, each held against the one before and against its plan, and the objects of the store against
// what the log lists.
import type { Commit, DataFile, Plan } from '../../model/batch-record.js'
import { asFailure } from '../../model/failure.js'
import { formatLsn } from '../../model/lsn.js'
import type { CommitLog } from '../../storage/commit-log.js'
import { DATA_PREFIX, identityKey, parseCopyKey, parseDataKey } from '../../storage/keys.js'
import type { ObjectStore } from '../../storage/object-store.js'

export interface WholeLog {
  readonly commits: readonly Commit[]
  /** What is wrong, a line each. */
  readonly problems: readonly string[]
}

/** Called with what is done of how much. */
export type Progress = (done: number, of: number) => void

const READ_AT_ONCE = 32

/** Reads batches 0 to `last`. */
export async function readWholeLog(log: CommitLog, last: number, progress: Progress): Promise<WholeLog> {
  const commits: Commit[] = []
  const problems: string[] = []
  const read = async <R>(record: Promise<R>): Promise<R | undefined> =>
    record.catch((error: unknown) => {
      const failure = asFailure(error)
      // What the store does not give is not known to be wrong.
      if (failure.kind !== 'unsafe') throw failure
      problems.push(failure.message)
      return undefined
    })
  for (let from = 0; from <= last; from += READ_AT_ONCE) {
    const batches = Array.from({ length: Math.min(READ_AT_ONCE, last + 1 - from) }, (_, k) => from + k)
    const records = await Promise.all(
      batches.map(async (batch) => ({
        plan: await read(log.readPlan(batch)),
        commit: await read(log.readCommit(batch)),
      })),
    )
    for (const { plan, commit } of records) {
      if (commit === undefined) continue
      const before = commits.at(-1)
      if (before?.batch === commit.batch - 1 && before.endLsn !== commit.fromLsn)
        problems.push(
          `batch ${commit.batch} begins at ${formatLsn(commit.fromLsn)}, and the one before ends at ${formatLsn(before.endLsn)}`,
        )
      if (plan !== undefined && !isPlanned(commit, plan)) problems.push(`batch ${commit.batch} is not what was planned`)
      const rows = commit.files.reduce((sum, file) => sum + file.rows, 0)
      if (rows !== commit.rows)
        problems.push(`batch ${commit.batch} has ${commit.rows} rows, and its files have ${rows}`)
      commits.push(commit)
    }
    progress(Math.min(last + 1, from + READ_AT_ONCE), last + 1)
  }
  return { commits, problems }
}

/** A gap may swallow a batch that was planned as something else. */
function isPlanned(commit: Commit, plan: Plan): boolean {
  if (commit.gap !== undefined) return commit.batch === plan.batch
  return (
    commit.kind === plan.kind &&
    commit.fromLsn === plan.fromLsn &&
    commit.toLsn === plan.toLsn &&
    JSON.stringify(commit.cut) === JSON.stringify(plan.cut)
  )
}

/** Sizes of the data files in the store, of this slot and of those that nobody's log can have. */
export interface Listing {
  readonly ours: ReadonlyMap<string, number>
  /** Keys under `data/` that belong to no lake there. */
  readonly strays: readonly string[]
}

export async function listData(store: ObjectStore, slot: string): Promise<Listing> {
  const ours = new Map<string, number>()
  const strays: string[] = []
  const others = new Map<string, boolean>()
  for await (const { key, bytes } of store.list(DATA_PREFIX)) {
    const owner = (parseDataKey(key) ?? parseCopyKey(key))?.slot
    if (owner === slot) ours.set(key, bytes)
    else {
      if (owner !== undefined && !others.has(owner))
        others.set(owner, (await store.get(identityKey(owner))) !== undefined)
      if (owner === undefined || others.get(owner) === false) strays.push(key)
    }
  }
  return { ours, strays }
}

/**
 * What is in the store and should not be, or has another size, by the log as it was read after the listing. `open`: plans that are not
 * committed, whose files may be there already.
 */
export function listingProblems(
  { ours, strays }: Listing,
  files: readonly DataFile[],
  open: readonly Plan[],
): string[] {
  const problems = strays.map((key) => `${key} belongs to no log, and readers take it for rows`)
  const listed = new Map<string, DataFile>()
  for (const file of files) {
    if (listed.has(file.key)) problems.push(`${file.key} is listed twice`)
    listed.set(file.key, file)
  }
  const expected = new Set(open.flatMap(({ copy }) => copy?.files.map(({ key }) => key) ?? []))
  for (const [key, bytes] of ours) {
    const file = listed.get(key)
    const batch = parseDataKey(key)?.batch
    if (file === undefined) {
      const isOpen = expected.has(key) || open.some((plan) => plan.kind === 'changes' && plan.batch === batch)
      if (!isOpen) problems.push(`${key} is in no commit`)
    } else if (file.bytes !== bytes) problems.push(`${key} has ${bytes} bytes, and the log says ${file.bytes}`)
  }
  return problems
}
