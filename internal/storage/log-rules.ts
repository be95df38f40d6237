// What the records of the log say to one another: whether a plan was won, whether a commit that stands is as good as ours,
// whether what was listed is whole. Pure rules over records that are never rewritten or deleted (G2, G4, G5).
import type { Commit, Plan } from '../model/batch-record.js'
import { Failure } from '../model/failure.js'
import { formatLsn, type Lsn } from '../model/lsn.js'

export interface LogRecord {
  readonly batch: number
  readonly record: 'plan' | 'commit' | 'checkpoint'
}

/** A record that was not seen although one that is written after it was. */
export interface LogGap {
  readonly missing: LogRecord
  readonly found: LogRecord
}

/**
 * `won`: the plan stands and is ours. `taken`: another writer's stands there, which whoever holds the slot has to read
 * the log for and replay. A first try may have been won and its answer lost: our own record is told by the writer's id.
 */
export function outcomeOfPlan(plan: Plan, standing: Pick<Plan, 'writer'>): 'won' | 'taken' {
  return standing.writer === plan.writer ? 'won' : 'taken'
}

/**
 * A commit of another writer for the same plan with the same rows is as good as ours (it slept and woke up); any other
 * throws Failure `fenced`.
 */
export function checkStandingCommit(commit: Commit, standing: Commit, key: string): void {
  if (standing.writer !== commit.writer && !sameBatch(standing, commit))
    throw new Failure('fenced', `another writer has committed batch ${commit.batch} with other contents: ${key}`, {
      hint: 'Two services share this slot and lake. Stop one of them.',
    })
}

/**
 * The first gap in what was listed from batch `next` on, the first without a commit when it was looked for; `checkpoint`:
 * batch of the newest checkpoint, which is written after the commit. Another writer can make a gap by going on meanwhile:
 * only one that a second look finds again is a hole.
 */
export function gapInLog(next: number, checkpoint: number, listed: readonly LogRecord[]): LogGap | undefined {
  const missing = { batch: next, record: 'commit' } as const
  if (checkpoint >= next) return { missing, found: { batch: checkpoint, record: 'checkpoint' } }
  let batch = next
  for (const found of listed) {
    if (found.record !== 'plan') return { missing, found }
    if (found.batch !== batch) return { missing: { batch, record: 'plan' }, found }
    batch++
  }
  return undefined
}

export function sameGap(a: LogGap | undefined, b: LogGap): boolean {
  return a?.missing.batch === b.missing.batch && a.missing.record === b.missing.record
}

/**
 * Each batch begins where the one before it ends; open plans of changes overlap nothing. A repair plans its gap while a
 * writer that slept may still commit what comes before, a little past where the gap begins.
 */
export function checkChain(lastCommit: Commit | undefined, openPlans: readonly Plan[]): void {
  let floor: Lsn | undefined = lastCommit?.endLsn
  for (const plan of openPlans) {
    if (!follows(plan, floor, plan === openPlans[0]) || plan.toLsn < plan.fromLsn)
      throw new Failure(
        'unsafe',
        `plan ${plan.batch} begins at ${formatLsn(plan.fromLsn)}, which does not follow the log`,
        {
          hint: 'Records of two lakes were mixed under one prefix. Restore the prefix from a backup.',
        },
      )
    floor = plan.toLsn
  }
}

function follows({ kind, fromLsn }: Plan, floor: Lsn | undefined, isNext: boolean): boolean {
  if (floor === undefined || !isNext) return floor === undefined || fromLsn >= floor
  return kind === 'gap' ? fromLsn <= floor : fromLsn === floor
}

function sameBatch(a: Commit, b: Commit): boolean {
  return (
    a.fromLsn === b.fromLsn &&
    a.toLsn === b.toLsn &&
    a.endLsn === b.endLsn &&
    a.rows === b.rows &&
    a.files.length === b.files.length &&
    a.files.every((file, index) => file.key === b.files[index]!.key && file.rows === b.files[index]!.rows)
  )
}
