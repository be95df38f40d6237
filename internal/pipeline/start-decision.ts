// May we start, and where? The start-up table as one pure function of what the bucket says and what the server says. It
// refuses rather than guesses: a gap is never silent (G6).
import type { Plan } from '../model/batch-record.js'
import { Failure } from '../model/failure.js'
import { formatLsn, type Lsn } from '../model/lsn.js'
import type { Slot } from '../replication/slot.js'
import type { LogState } from '../storage/commit-log.js'
import type { LakeIdentity } from '../storage/log-records.js'

export type StartDecision =
  /** Neither log nor slot: create the slot. */
  | { readonly act: 'create' }
  /** Stream what ends after `durableLsn`, after replaying the open plans. `adopted`: the slot was there before the lake. */
  | { readonly act: 'stream'; readonly durableLsn: Lsn; readonly openPlans: readonly Plan[]; readonly adopted: boolean }

export interface StartFacts {
  /** What the lake says of itself; undefined where it is empty. */
  readonly lake: LakeIdentity | undefined
  readonly log: LogState
  /** What the server and the configuration say. */
  readonly server: LakeIdentity
  readonly slot: Slot | undefined
  /** For messages: where the lake is. */
  readonly location: string
}

/** Throws Failure `unsafe` with what is missing and what to do. */
export function decideStart(facts: StartFacts): StartDecision {
  checkIdentity(facts)
  const { log, slot } = facts
  const firstPlan = log.openPlans[0]
  const durable = log.lastCommit?.endLsn ?? firstPlan?.fromLsn
  if (durable === undefined) {
    if (slot === undefined) return { act: 'create' }
    if (slot.lost) throw lostSlot(slot.name, undefined)
    return { act: 'stream', durableLsn: slot.confirmedLsn, openPlans: [], adopted: true }
  }
  if (slot === undefined) throw missingSlot(facts.server.slot, durable)
  if (slot.lost) throw lostSlot(slot.name, durable)
  if (slot.confirmedLsn > durable) throw slotAhead(slot, durable)
  return { act: 'stream', durableLsn: durable, openPlans: log.openPlans, adopted: false }
}

/** Number of the batch that a start begins with: open plans are its first ones. Never asked of `head.json`. */
export function nextBatchOf(log: LogState): number {
  return (log.lastCommit?.batch ?? -1) + 1
}

const NEW_HISTORY =
  'To begin a new history without these transactions, run with another PG_SLOT and an empty NAMESPACE; what the lake holds stays as it is.'

function checkIdentity({ lake, server, location, log }: StartFacts): void {
  if (lake === undefined) {
    if (log.lastCommit === undefined && log.openPlans.length === 0) return
    throw new Failure('unsafe', `the lake at ${location} has a log but no identity.json, so nobody knows whose it is`, {
      hint: 'Restore identity.json from a backup, or use an empty NAMESPACE.',
    })
  }
  const differences = (['systemIdentifier', 'database'] as const)
    .filter((field) => lake[field] !== server[field])
    .map((field) => `${labels[field]} ${lake[field]} and not ${server[field]}`)
  if (differences.length === 0) return
  throw new Failure('unsafe', `the lake at ${location} was written from ${differences.join(', ')}`, {
    hint: 'Check PG_CONN_STRING, or give this database its own NAMESPACE.',
  })
}

const labels = { systemIdentifier: 'the PostgreSQL cluster', database: 'the database' }

function missingSlot(name: string, durable: Lsn): Failure {
  return new Failure(
    'unsafe',
    `the slot ${name} is gone, but the lake ends at ${formatLsn(durable)}: every transaction that ended after that is missing`,
    {
      hint: `If the slot was dropped or the server restored, those transactions can no longer be streamed. ${NEW_HISTORY}`,
    },
  )
}

function lostSlot(name: string, durable: Lsn | undefined): Failure {
  const from = durable === undefined ? 'what it held' : `every transaction that ended after ${formatLsn(durable)}`
  return new Failure('unsafe', `the server has given up the slot ${name} and removed its WAL: ${from} is missing`, {
    hint: `Drop the slot, and raise max_slot_wal_keep_size. ${NEW_HISTORY}`,
  })
}

function slotAhead(slot: Slot, durable: Lsn): Failure {
  return new Failure(
    'unsafe',
    `the slot ${slot.name} stands at ${formatLsn(slot.confirmedLsn)}, but the lake ends at ${formatLsn(durable)}: the transactions between are missing`,
    { hint: `Somebody else has read from this slot, or the lake was restored from an older copy. ${NEW_HISTORY}` },
  )
}
