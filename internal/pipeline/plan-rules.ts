// What may happen to a batch's plan: written, adopted, or given up, as pure decisions (G4, G5, G6). They throw Failure with
// the kind that says whether the service reads the log again or stops.
import type { ColumnSettings, Commit, Plan } from '../model/batch-record.js'
import { Failure } from '../model/failure.js'
import { maxLsn, type Lsn } from '../model/lsn.js'

/** Before a plan is written: a writer whose replication connection is gone plans nothing any more (G5). */
export function checkMayPlan(connected: boolean): void {
  if (!connected) throw new Failure('link', 'the replication connection was lost before the batch was planned')
}

/** After it was written: another writer's plan that stands in its place is replayed, from the log. */
export function checkPlanWon(plan: Plan, outcome: 'won' | 'taken'): void {
  if (outcome === 'taken')
    throw new Failure('plan_taken', `another writer has planned batch ${plan.batch}; it is replayed as planned`)
}

/** A replay must come to the very batch that was planned. */
export function checkReplay(plan: Plan, replayed: Pick<Plan, 'fromLsn' | 'toLsn'>): void {
  if (plan.fromLsn !== replayed.fromLsn || plan.toLsn !== replayed.toLsn)
    throw new Failure('unsafe', `replaying batch ${plan.batch} did not come to what its plan says`, {
      hint: 'The server has another history than the one this lake was written from. Was it restored from a backup?',
    })
}

/**
 * A planned batch holds columns as they were hidden when it was planned. To replay it so would bring into the lake what is not to
 * come into it now, and to replay it otherwise another batch. Throws Failure `unsafe` where the settings have changed since.
 */
export function checkColumnsAsPlanned(openPlans: readonly Plan[], settings: ColumnSettings | undefined): void {
  const now = settings ?? nothingHidden
  for (const { batch, kind, cut } of openPlans) {
    if (kind !== 'changes' && kind !== 'copy') continue
    const then = cut.columns ?? nothingHidden
    const changed = [
      ...(then.excludeColumns === now.excludeColumns ? [] : [`EXCLUDE_COLUMNS=${JSON.stringify(then.excludeColumns)}`]),
      ...(then.hashColumns === now.hashColumns ? [] : [`HASH_COLUMNS=${JSON.stringify(then.hashColumns)}`]),
      ...(then.saltFingerprint === now.saltFingerprint || then.saltFingerprint === '' ? [] : ['the HASH_SALT of then']),
    ]
    if (changed.length > 0) throw plannedOtherwise(batch, changed)
  }
}

const nothingHidden: ColumnSettings = { excludeColumns: '', hashColumns: '', saltFingerprint: '' }

function plannedOtherwise(batch: number, settings: readonly string[]): Failure {
  return new Failure(
    'unsafe',
    `batch ${batch} was planned with ${settings.join(' and ')}, and is not whole yet: with other settings it cannot be finished`,
    {
      hint: 'Start once more with these settings, stop when it streams (SIGTERM, exit code 0), and change them then. Where that must not be, `drop` and `repair --yes` give the batch up.',
    },
  )
}

/** Plans of idle positions and copies cover no transaction: of them `changes`, in order, are replayed, and `first` come before. */
export function splitOpenPlans(openPlans: readonly Plan[]): { first: readonly Plan[]; changes: readonly Plan[] } {
  const changes = openPlans.filter(({ kind }) => kind === 'changes')
  const begin = changes[0] === undefined ? openPlans.length : openPlans.indexOf(changes[0])
  return { first: openPlans.slice(0, begin), changes }
}

/**
 * The plan by which a repair takes the log for itself, before it closes anything: from then on no writer that slept can plan
 * another batch. It also covers what is left of the gap up to `end`. Undefined where there is nothing to take or to cover.
 */
export function fenceOf(
  log: { readonly batch: number; readonly endLsn: Lsn },
  openPlans: readonly Plan[],
  end: Lsn,
): Pick<Plan, 'batch' | 'kind' | 'fromLsn' | 'toLsn'> | undefined {
  const last = openPlans.at(-1)
  const fromLsn = last === undefined ? log.endLsn : last.kind === 'changes' ? pastLast(last) : last.toLsn
  if (end <= fromLsn && (last === undefined || last.kind === 'gap')) return undefined
  return { batch: log.batch + openPlans.length + 1, kind: 'gap', fromLsn, toLsn: maxLsn(fromLsn, end) }
}

/** What a repair commits for `plan`, which `next` follows, once the log ends at `logEnd`; undefined before the first commit. */
export function closingOf(
  plan: Plan,
  next: Plan | undefined,
  logEnd: Lsn | undefined,
): Pick<Commit, 'fromLsn' | 'toLsn' | 'endLsn'> {
  // A writer that slept may have committed the batch before with its true end, past where this plan begins.
  const fromLsn = logEnd ?? plan.fromLsn
  const toLsn = maxLsn(fromLsn, plan.toLsn)
  return { fromLsn, toLsn, endLsn: maxLsn(toLsn, next?.fromLsn ?? plan.toLsn) }
}

/** Past the last transaction, so that a server that still has it is not asked for it. */
function pastLast({ toLsn }: Plan): Lsn {
  return toLsn + 1n
}

/**
 * What a stream that does not fit the log means. `durable` is where this session thinks that the log ends, `logEnd` where
 * it does: another writer who held the slot between our reading of the log and our taking of the slot has moved both, and
 * the log is read again. Else it is what it looks like.
 */
export function judgeMisfit(misfit: Failure, durable: Lsn, logEnd: Lsn | undefined): Failure {
  if (misfit.kind !== 'unsafe' || logEnd === undefined || logEnd <= durable) return misfit
  return new Failure('plan_taken', 'another writer has moved the log since it was read; it is read again', {
    cause: misfit,
  })
}
