// What may happen to a batch's plan: written, adopted, or given up, as pure decisions (G4, G5, G6). They throw Failure with
// the kind that says whether the service reads the log again or stops.
import type { Plan } from '../model/batch-record.js'
import { Failure } from '../model/failure.js'
import type { Lsn } from '../model/lsn.js'

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

/** Plans of idle positions that come first cover no transaction: committing them is all there is to replay. */
export function splitOpenPlans(openPlans: readonly Plan[]): { idle: readonly Plan[]; changes: readonly Plan[] } {
  const firstChanges = openPlans.findIndex((plan) => plan.kind === 'changes')
  const idle = firstChanges < 0 ? openPlans.length : firstChanges
  return { idle: openPlans.slice(0, idle), changes: openPlans.slice(idle) }
}

export interface Closing {
  readonly plan: Plan
  readonly endLsn: Lsn
  /** Everything is there that the plan covers. */
  readonly whole: boolean
}

/** Where a repair ends the batches that were planned and can no longer be replayed. */
export function closingsOf(openPlans: readonly Plan[]): readonly Closing[] {
  return openPlans.map((plan, index) => ({
    plan,
    // Past the last transaction, so that a server that still has it is not asked for it.
    endLsn: openPlans[index + 1]?.fromLsn ?? (plan.kind === 'changes' ? plan.toLsn + 1n : plan.toLsn),
    whole: plan.kind === 'idle',
  }))
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
