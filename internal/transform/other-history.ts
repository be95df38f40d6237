// What is said when the server turns out to have another history than the one this lake was written from (G6).
import type { LastTransaction, Plan, QuietStretch } from '../model/batch-record.js'
import { Failure } from '../model/failure.js'
import { formatLsn, type Lsn } from '../model/lsn.js'
import type { Relation } from '../model/relation.js'

/** The stream has come to `position` without the transaction with which the plan's batch ends. */
export function notAsPlanned(plan: Plan, position: Lsn): Failure {
  return new Failure(
    'unsafe',
    `batch ${plan.batch} was planned to end with the transaction at ${formatLsn(plan.toLsn)}, but the server is at ${formatLsn(position)} and has not sent it`,
    {
      hint: 'The server has another history than the one this lake was written from. Was it restored from a backup, or was the publication changed?',
    },
  )
}

/** The stream has come to `position` without the lake's last transaction, which it was asked for once more. */
export function notSentAgain(expected: LastTransaction, position: Lsn): Failure {
  return new Failure(
    'unsafe',
    `the last transaction of the lake committed at ${formatLsn(expected.commitLsn)}, but the server is at ${formatLsn(position)} and did not send it again as it was`,
    {
      hint: SET_BACK,
    },
  )
}

/** The server has sent a row of a transaction at a position at which nothing had happened. */
export function notQuiet({ from, to }: QuietStretch, commitLsn: Lsn, { schema, name }: Relation): Failure {
  return new Failure(
    'unsafe',
    `the log says that nothing was committed between ${formatLsn(from)} and ${formatLsn(to)}, but the server has sent a transaction that was committed there, at ${formatLsn(commitLsn)}, with rows of ${schema}.${name} (missing: ${formatLsn(from)} to ${formatLsn(to)}, ${to - from} bytes of WAL)`,
    { hint: `${SET_BACK} If only PG_PUBLICATION was changed, set it back until the slot has passed that position.` },
  )
}

const SET_BACK =
  'The server has another history than the one this lake was written from: it was set back to an earlier state. Give its new history a lake of its own: another PG_SLOT and an empty NAMESPACE.'
