// Is something missing between the end of the lake and what the server can still send? A gap is never silent (G6): it is
// found by comparing positions and timelines, named with its range, and closed on an operator's word only (`repair`).
import type { GapReason, LastTransaction } from '../model/batch-record.js'
import { Failure } from '../model/failure.js'
import { formatLsn, type Lsn } from '../model/lsn.js'
import type { ServerPlace } from '../replication/server.js'
import type { Slot } from '../replication/slot.js'
import type { LogEnd } from '../storage/commit-log.js'
import type { LogTotals } from '../storage/log-totals.js'

export interface GapFacts {
  readonly log: LogEnd
  readonly place: ServerPlace
  readonly slotName: string
  readonly slot: Slot | undefined
}

export interface FoundGap {
  readonly reason: GapReason
  /** Transactions that ended after this are missing … */
  readonly missingFrom: Lsn
  /** … up to where the server stands now, or its slot. */
  readonly missingTo: Lsn
  /** What the service says when it refuses to run. */
  readonly failure: Failure
}

/** What the log says is durable: the end of the last batch; undefined where nothing was ever planned. */
export function durableEnd({ lastCommit, openPlans }: LogEnd): Lsn | undefined {
  return lastCommit?.endLsn ?? openPlans[0]?.fromLsn
}

/**
 * The gap between the lake and the server, undefined where there is none or the lake is empty. Throws Failure `unsafe` where
 * the server has another history, which no repair can join to this lake's.
 */
export function findGap(facts: GapFacts): FoundGap | undefined {
  const { log, place, slot, slotName } = facts
  const durable = durableEnd(log)
  if (durable === undefined) return undefined
  const fork = forkBefore(durable, facts)
  checkServerNotBehind(durable, place)
  if (fork !== undefined)
    return gap(
      'other_timeline',
      fork,
      place.walEnd,
      `the server went over to timeline ${place.timeline} at ${formatLsn(fork)}, but the lake has transactions of timeline ${log.lastCommit!.timeline} up to ${formatLsn(durable)}: they are not in this server, and what it has committed since then is missing`,
      'It was promoted, or restored from a backup, without the newest transactions.',
    )
  if (slot === undefined)
    return gap(
      'slot_missing',
      durable,
      place.walEnd,
      `the slot ${slotName} is gone: the lake ends at ${formatLsn(durable)}, and every transaction that ended after that is missing`,
      'It was dropped, or the server was replaced by one that does not have it.',
    )
  if (slot.lost)
    return gap(
      'slot_lost',
      durable,
      place.walEnd,
      `the server has given up the slot ${slotName} and removed its WAL: the lake ends at ${formatLsn(durable)}, and every transaction that ended after that is missing`,
      'Raise max_slot_wal_keep_size, or idle_replication_slot_timeout where that ended it.',
    )
  if (slot.confirmedLsn > durable)
    return gap(
      'slot_ahead',
      durable,
      slot.confirmedLsn,
      `the slot ${slotName} stands at ${formatLsn(slot.confirmedLsn)}, but the lake ends at ${formatLsn(durable)}: the transactions between are missing`,
      'Somebody else has read from this slot, or the lake was restored from an older copy.',
    )
  return undefined
}

/** Does a repair go on with the slot that is there? Else a new one takes its place. No reason: a repair was begun. */
export function slotStays(reason: GapReason | undefined): boolean {
  return reason === undefined || reason === 'slot_ahead'
}

/** The last transaction of the lake, where the slot still stands before it: the server can be asked for it again. */
export function lastSentAgain(
  { lastTransaction }: Pick<LogTotals, 'lastTransaction'>,
  confirmed: Lsn | undefined,
): LastTransaction | undefined {
  return confirmed !== undefined && lastTransaction !== undefined && confirmed <= lastTransaction.commitLsn
    ? lastTransaction
    : undefined
}

/** Where the server's history left that of the lake, if the lake holds something of after that. */
function forkBefore(durable: Lsn, { log, place }: GapFacts): Lsn | undefined {
  const ours = log.lastCommit?.timeline
  if (ours === undefined || ours === place.timeline) return undefined
  const left = place.switches.find(({ timeline }) => timeline === ours)
  if (left === undefined)
    throw new Failure(
      'unsafe',
      `the lake was written from timeline ${ours}, which is not in the history of this server (timeline ${place.timeline})`,
      { hint: `Check that PG_CONN_STRING names the right server. ${ANOTHER_LAKE}` },
    )
  return durable > left.switchedAt ? left.switchedAt : undefined
}

/** A server sends only what it has flushed, so one that stands before the lake's end has lost what the lake has. */
function checkServerNotBehind(durable: Lsn, { walEnd }: ServerPlace): void {
  if (walEnd >= durable) return
  throw new Failure(
    'unsafe',
    `the server is at ${formatLsn(walEnd)}, behind the end of the lake at ${formatLsn(durable)}: it was restored from a backup, and will use positions again that the lake has for other transactions`,
    { hint: `Check that PG_CONN_STRING names the right server. ${ANOTHER_LAKE}` },
  )
}

const ANOTHER_LAKE = 'Else give its new history a lake of its own: another PG_SLOT and an empty NAMESPACE.'

function gap(reason: GapReason, missingFrom: Lsn, missingTo: Lsn, what: string, why: string): FoundGap {
  const range = `missing: ${formatLsn(missingFrom)} to ${formatLsn(missingTo)}, ${missingTo - missingFrom} bytes of WAL`
  return {
    reason,
    missingFrom,
    missingTo,
    failure: new Failure('unsafe', `${what} (${range})`, {
      hint: `${why} To go on without these transactions, run \`repair\`: it says what it would do, and \`repair --yes\` does it.`,
    }),
  }
}
