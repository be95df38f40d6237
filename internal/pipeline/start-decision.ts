// May we start, and where? The start-up table as one pure function of what the bucket says and what the server says. It
// refuses rather than guesses: a gap is never silent (G6).
import type { Plan } from '../model/batch-record.js'
import { Failure } from '../model/failure.js'
import { formatLsn, type Lsn } from '../model/lsn.js'
import type { ServerPlace } from '../replication/server.js'
import type { Slot } from '../replication/slot.js'
import type { LogEnd } from '../storage/commit-log.js'
import type { LakeIdentity } from '../storage/log-records.js'
import { durableEnd, findGap, type FoundGap } from './gap.js'

export type StartDecision =
  /** Neither log nor slot: create the slot. */
  | { readonly act: 'create' }
  /** Stream what ends after `durableLsn`, after replaying the open plans. `adopted`: the slot was there before the lake. */
  | { readonly act: 'stream'; readonly durableLsn: Lsn; readonly openPlans: readonly Plan[]; readonly adopted: boolean }

export interface StartFacts {
  /** What the lake says of itself; undefined where it is empty. */
  readonly lake: LakeIdentity | undefined
  readonly log: LogEnd
  /** What the server and the configuration say. */
  readonly server: LakeIdentity
  readonly place: ServerPlace
  readonly slot: Slot | undefined
  /** For messages: where the lake is. */
  readonly location: string
  /** Where this process saw the log end before. */
  readonly seenDurable?: Lsn | undefined
}

/** Throws Failure `unsafe` with what is missing and what to do. */
export function decideStart(facts: StartFacts): StartDecision {
  const found = findGapOfLake(facts)
  if (found !== undefined) throw found.failure
  const { log, slot } = facts
  const durable = durableEnd(log)
  if (durable === undefined) {
    if (slot === undefined) return { act: 'create' }
    if (slot.lost) throw lostUnused(slot.name)
    return { act: 'stream', durableLsn: slot.confirmedLsn, openPlans: [], adopted: true }
  }
  if (log.openPlans.some(({ kind }) => kind === 'gap')) throw unfinishedRepair()
  return { act: 'stream', durableLsn: durable, openPlans: log.openPlans, adopted: false }
}

/** The gap that a repair would close. Throws Failure `unsafe` where this lake cannot be gone on with at all. */
export function findGapOfLake(facts: StartFacts): FoundGap | undefined {
  checkIdentity(facts)
  checkSeen(facts)
  const { log, place, slot, server } = facts
  return findGap({ log, place, slot, slotName: server.slot })
}

function checkIdentity({ lake, server, location, log }: StartFacts): void {
  if (lake === undefined) {
    if (durableEnd(log) === undefined) return
    throw new Failure('unsafe', `the lake at ${location} has a log but no identity.json, so nobody knows whose it is`, {
      hint: 'Restore identity.json from a backup, or use an empty NAMESPACE.',
    })
  }
  const differences = (['systemIdentifier', 'database'] as const)
    .filter((field) => lake[field] !== server[field])
    .map((field) => `${labels[field]} ${lake[field]} and not ${server[field]}`)
  if (differences.length === 0) return
  const end = durableEnd(log)
  const range = end === undefined ? '' : `; of that one it has everything up to ${formatLsn(end)}`
  throw new Failure('unsafe', `the lake at ${location} was written from ${differences.join(', ')}${range}`, {
    hint: 'Check PG_CONN_STRING, or give this database its own NAMESPACE.',
  })
}

const labels = { systemIdentifier: 'the PostgreSQL cluster', database: 'the database' }

/** A bucket that was emptied, or set back, under a running service would look like a lake that has yet to begin. */
function checkSeen({ log, seenDurable, location }: StartFacts): void {
  if (seenDurable === undefined) return
  const end = durableEnd(log)
  if (end !== undefined && end >= seenDurable) return
  const now = end === undefined ? 'and now it is empty' : `and now it ends at ${formatLsn(end)}`
  throw new Failure('unsafe', `the log at ${location} ended at ${formatLsn(seenDurable)}, ${now}: it lost objects`, {
    hint: 'Restore the objects from a backup or their older versions. To begin a new lake, run with another PG_SLOT and an empty NAMESPACE.',
  })
}

function unfinishedRepair(): Failure {
  return new Failure('unsafe', 'a repair was begun and not finished', { hint: 'Run `repair --yes` again.' })
}

function lostUnused(name: string): Failure {
  return new Failure(
    'unsafe',
    `the server has given up the slot ${name} and removed its WAL, and the lake is empty: what it held is missing`,
    { hint: 'Run `drop` and start again: a new slot begins with the changes made from then on.' },
  )
}
