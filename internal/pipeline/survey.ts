// Everything that decides whether and where we may start, read in the one order in which a hand-over from another process
// cannot look like a gap. Reads only.
import type pg from 'pg'
import { Failure } from '../model/failure.js'
import type { Lsn } from '../model/lsn.js'
import { inspectServer, placeOfServer, type ServerFacts } from '../replication/server.js'
import { readSlot } from '../replication/slot.js'
import { CommitLog, type LogState } from '../storage/commit-log.js'
import type { ObjectStore } from '../storage/object-store.js'
import { durableEnd } from './gap.js'
import type { SessionSettings } from './session.js'
import type { StartFacts } from './start-decision.js'

export interface Connections {
  readonly control: pg.Client
  readonly replication: pg.Client
}

export interface Survey {
  readonly facts: ServerFacts
  readonly log: CommitLog
  readonly state: LogState
  readonly start: StartFacts
}

/** `seenDurable`: where this process saw the log end before. Throws Failure `slot_busy` while somebody holds the slot. */
export async function survey(
  { slot: slotName, publication, snapshot }: Pick<SessionSettings, 'slot' | 'publication' | 'snapshot'>,
  store: ObjectStore,
  { control, replication }: Connections,
  seenDurable: Lsn | undefined,
): Promise<Survey> {
  const facts = await inspectServer(control)
  // The slot first, then the log: whoever held the slot until now has committed before it acknowledged, so a log that is
  // read after the slot was found free cannot be behind it. The other way round a hand-over would look like a gap.
  const slot = await readSlot(control, slotName, facts.database)
  if (slot?.activePid !== undefined)
    throw new Failure('slot_busy', `the slot ${slotName} is held by process ${slot.activePid} of the server`, {
      hint: 'This goes on by itself as soon as the other connection ends.',
    })
  const log = new CommitLog(store, slotName)
  const state = await log.recover()
  if ((slot?.lost ?? true) && durableEnd(state) !== undefined) {
    const now = await readSlot(control, slotName, facts.database)
    if (now?.lost === false)
      throw new Failure('plan_taken', 'the slot was created just now, by another process; slot and log are read again')
  }
  // After the log, because it is written before it: a log that has begun has an identity.
  const lake = await log.readIdentity()
  // After the log too: what it holds was sent before, so the server can only be further on.
  const place = await placeOfServer(replication, state.lastCommit?.timeline)
  const { systemIdentifier } = place
  const copies = snapshot === 'adopted' || (snapshot === 'initial' && slot === undefined)
  const server = { systemIdentifier, database: facts.database, slot: slotName, publication, copies }
  return { facts, log, state, start: { lake, log: state, server, place, slot, location: store.location, seenDurable } }
}
