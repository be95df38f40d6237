// What the model's writers go by: the product's own decision functions, and the order of steps that the product keeps by
// waiting. A broken variant replaces one of them.
import { Failure, verdictOf } from '../../../internal/model/failure.js'
import type { Commit, CutParameters } from '../../../internal/model/batch-record.js'
import { idleIsDue } from '../../../internal/pipeline/idle-decision.js'
import {
  checkMayPlan,
  checkPlanWon,
  checkReplay,
  judgeMisfit,
  splitOpenPlans,
} from '../../../internal/pipeline/plan-rules.js'
import { ProgressLedger } from '../../../internal/pipeline/progress-ledger.js'
import { decideStart } from '../../../internal/pipeline/start-decision.js'
import {
  checkChain,
  checkStandingCommit,
  gapInLog,
  outcomeOfPlan,
  sameGap,
} from '../../../internal/storage/log-rules.js'
import { placeOfPosition, placeOfTransaction } from '../../../internal/transform/stream-place.js'
import { foldIn, lastBatchOf, type Folded } from './folded-log.js'
import type { Bucket } from './world.js'

const productRules = {
  ...{ decideStart, splitOpenPlans, gapInLog, sameGap, checkChain },
  ...{ placeOfTransaction, placeOfPosition, idleIsDue },
  ...{ checkMayPlan, checkReplay, outcomeOfPlan, checkPlanWon, checkStandingCommit, judgeMisfit, verdictOf },
  ledgerAt: (durable: bigint) => new ProgressLedger(durable),
  /** What the builder throws where the stream does not fit the plan. */
  misfit: (text: string) => new Failure('unsafe', text),
  foldIn,
  /** What a start knows of the log: the newest checkpoint, and the commits after it. */
  foldLog: (checkpoint: Folded, after: readonly Commit[]): Folded =>
    after.reduce((folded, commit) => foldIn(folded, commit), checkpoint),
  /** The batch that a start begins with: open plans are its first ones. */
  nextBatch: (folded: Folded, _bucket: Bucket): number => lastBatchOf(folded) + 1,
  cutOfReplay: (planned: CutParameters, _ours: CutParameters): CutParameters => planned,
}

const productOrder = {
  slotBeforeLog: true,
  claimAfterLog: true,
  plansAreWritten: true,
  plansAreKept: true,
  dataAwaitsPlan: true,
  commitAwaitsData: true,
  commitAwaitsEarlier: true,
  ackAwaitsCommit: true,
  idleIsRecorded: true,
  checkpointAwaitsCommit: true,
}

export type Rules = typeof productRules & typeof productOrder

export const rulesOfProduct: Rules = { ...productRules, ...productOrder }
