// The protocol with one rule broken each, and what must come of it: so many proofs that the model would see a fault, and
// that the rule is needed.
import { rulesOfProduct, type Rules } from './rules.js'
import type { ViolationKind } from './step.js'
import type { ScenarioName } from './scenarios.js'

export interface Variant {
  readonly name: string
  readonly broken: Partial<Rules>
  readonly scenario: ScenarioName
  readonly violates: ViolationKind
}

const nothing = (): void => undefined

export const variants: readonly Variant[] = [
  {
    name: 'what was received is acked before its commit',
    broken: { ackAwaitsCommit: false },
    scenario: 'one after the other',
    violates: 'G1: acked beyond the log',
  },
  {
    name: 'an idle position is acked without a record',
    broken: { idleIsRecorded: false },
    scenario: 'idle positions last',
    violates: 'G1: acked beyond the log',
  },
  {
    name: 'an idle position is recorded while a batch is on its way',
    broken: { idleIsDue: (moment) => rulesOfProduct.idleIsDue({ ...moment, committerIdle: true }) },
    scenario: 'idle positions last',
    violates: 'G6: refused without a reason',
  },
  {
    name: 'an idle position is recorded although rows are open',
    broken: { placeOfPosition: (position, _rows, plan) => rulesOfProduct.placeOfPosition(position, 0, plan) },
    scenario: 'idle positions last',
    violates: 'G1: a durable row is nowhere',
  },
  {
    name: 'commits are written as soon as their own batch is stored',
    broken: { commitAwaitsEarlier: false },
    scenario: 'overlapping batches',
    violates: 'G2: the log has a hole',
  },
  {
    name: 'a commit does not wait for its files',
    broken: { commitAwaitsData: false },
    scenario: 'one after the other',
    violates: 'G4: a commit without its files',
  },
  {
    name: 'no plans are written',
    broken: { plansAreWritten: false },
    scenario: 'one after the other',
    violates: 'G4: a row is in two files',
  },
  {
    name: 'a plan is deleted once its batch is durable',
    broken: { plansAreKept: false },
    scenario: 'one after the other',
    violates: 'G4: a row is in two files',
  },
  {
    name: 'files go up before their plan',
    broken: { dataAwaitsPlan: false },
    scenario: 'one after the other',
    violates: 'G4: a row is in two files',
  },
  {
    name: 'a plan that is taken is ignored',
    broken: { checkPlanWon: nothing },
    scenario: 'one after the other',
    violates: 'G4: a row is in two files',
  },
  {
    name: 'a plan and a commit that stand with other contents are ignored',
    broken: { checkPlanWon: nothing, checkStandingCommit: nothing },
    scenario: 'one after the other',
    violates: 'G1: acked beyond the log',
  },
  {
    name: 'open plans are not replayed',
    broken: { splitOpenPlans: () => ({ first: [], changes: [] }) },
    scenario: 'one after the other',
    violates: 'G11: never comes to its end',
  },
  {
    name: 'a replay cuts by its own parameters',
    broken: { cutOfReplay: (_planned, ours) => ours },
    scenario: 'a large transaction last',
    violates: 'G4: a row vanishes',
  },
  {
    name: 'open plans are won again and cut anew',
    broken: { splitOpenPlans: () => ({ first: [], changes: [] }), checkPlanWon: nothing },
    scenario: 'one after the other',
    violates: 'G4: a row is in two files',
  },
  {
    name: 'what is durable and sent again is taken again',
    broken: { placeOfTransaction: (commitLsn, _from, plan) => rulesOfProduct.placeOfTransaction(commitLsn, 0n, plan) },
    scenario: 'one after the other',
    violates: 'G4: a row is in two files',
  },
  {
    name: 'a start trusts the slot and not the log',
    broken: {
      decideStart: (facts) => {
        const decision = rulesOfProduct.decideStart(facts)
        return decision.act === 'stream' ? { ...decision, durableLsn: facts.slot!.confirmedLsn } : decision
      },
    },
    scenario: 'one after the other',
    violates: 'G4: a row is in two files',
  },
  {
    name: 'batches are numbered from head.json',
    broken: { nextBatch: (_log, bucket) => bucket.head + 1 },
    scenario: 'head.json',
    violates: 'G4: a row is in two files',
  },
  {
    name: 'a start goes by the newest checkpoint alone',
    broken: { foldLog: (checkpoint) => checkpoint },
    scenario: 'checkpoints',
    violates: 'G11: never comes to its end',
  },
  {
    name: 'a start folds the commit of the checkpoint once more',
    broken: { foldLog: (checkpoint, after) => rulesOfProduct.foldLog(checkpoint, [...after.slice(-1), ...after]) },
    scenario: 'checkpoints',
    violates: 'G6: refused without a reason',
  },
  {
    name: 'a checkpoint is written before its commit',
    broken: { checkpointAwaitsCommit: false },
    scenario: 'checkpoints',
    violates: 'G2: a checkpoint is not the log folded',
  },
  {
    name: 'a plan is written without a connection',
    broken: { checkMayPlan: nothing },
    scenario: 'one after the other',
    violates: 'G5: planned without a connection',
  },
  {
    name: 'the log is read before the slot',
    broken: { slotBeforeLog: false },
    scenario: 'one after the other',
    violates: 'G6: refused without a reason',
  },
  {
    name: 'whose lake it is is read before the log',
    broken: { claimAfterLog: false },
    scenario: 'one after the other',
    violates: 'G6: refused without a reason',
  },
  {
    name: 'a gap in the listing is a hole at first sight',
    broken: { sameGap: () => true },
    scenario: 'one after the other',
    violates: 'G6: refused without a reason',
  },
  {
    name: 'a stream that does not fit an old reading of the log is another history',
    broken: { judgeMisfit: (misfit) => misfit },
    scenario: 'three cuts',
    violates: 'G6: refused without a reason',
  },
  {
    name: 'a writer that finds its plan taken stops for good',
    broken: {
      verdictOf: (failure) => (failure.kind === 'plan_taken' ? { act: 'stop', exitCode: 4 } : { act: 'retry' }),
    },
    scenario: 'one after the other',
    violates: 'G6: refused without a reason',
  },
]
