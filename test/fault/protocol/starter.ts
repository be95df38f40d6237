// A session's start, step by step: the slot is read, the log's end is looked for, what follows it is listed, idle plans are
// finished, the slot is taken. The other writer may do anything between two of these steps.
import type { Commit, Plan } from '../../../internal/model/batch-record.js'
import type { LogRecord } from '../../../internal/storage/log-rules.js'
import { NOTHING } from './folded-log.js'
import { attempt, endSession, type Model, type Step } from './step.js'
import { withBucket, withWriter, type Batch, type Bucket, type World, type Writer } from './world.js'

/** The server only ever goes on. */
const place = { systemIdentifier: '1', timeline: 1, walEnd: 1_000_000n, switches: [] }
const identity = { systemIdentifier: '1', database: 'd', slot: 's', publication: 'p', copies: false }

export function startSteps(model: Model, world: World, writer: Writer): Step[] {
  switch (writer.phase) {
    case 'down':
      return readSlot(model, world, writer)
    case 'slot read': {
      const probed: Writer = { ...writer, phase: 'log probed', lastSeen: lastCommit(world.bucket) }
      return [{ label: `${writer.id} finds the last commit`, fault: false, world: withWriter(world, probed) }]
    }
    case 'log probed':
      if (model.scenario.checkpoints) {
        const checkpointSeen = world.bucket.checkpoints.length - 1
        const seen: Writer = { ...writer, phase: 'checkpoint seen', checkpointSeen }
        return [
          { label: `${writer.id} finds checkpoint ${checkpointSeen}`, fault: false, world: withWriter(world, seen) },
        ]
      }
      return attempt(model, world, writer, `${writer.id} lists the log`, () => list(model, world, writer))
    case 'checkpoint seen':
      return attempt(model, world, writer, `${writer.id} lists the log`, () => list(model, world, writer))
    case 'log listed':
      return attempt(model, world, writer, `${writer.id} reads whose lake it is`, () => decide(model, world, writer))
    case 'starting':
      return writer.queue.length > 0 ? [] : takeSlot(model, world, writer)
    case 'streaming':
      return []
  }
}

function readSlot({ rules }: Model, world: World, writer: Writer): Step[] {
  // Held by the other: it tries again later.
  if (rules.slotBeforeLog && world.holder !== undefined) return []
  const read: Writer = {
    ...writer,
    phase: 'slot read',
    slotSeen: rules.slotBeforeLog ? world.confirmed : undefined,
    claimSeen: rules.claimAfterLog ? undefined : world.bucket.claimed,
  }
  return [{ label: `${writer.id} reads the slot`, fault: false, world: withWriter(world, read) }]
}

function list(model: Model, world: World, writer: Writer): Step[] {
  const { rules } = model
  const { bucket } = world
  const label = `${writer.id} lists the log`
  const next = (writer.lastSeen?.batch ?? -1) + 1
  const listed = recordsFrom(bucket, next)
  const gap = rules.gapInLog(next, writer.checkpointSeen, listed)
  if (gap !== undefined) {
    if (rules.sameGap(writer.gapSeen, gap)) return refused(label, world, `a hole before ${gap.found.record}`)
    const again: Writer = { ...writer, phase: 'slot read', lastSeen: undefined, checkpointSeen: -1, gapSeen: gap }
    return [{ label: `${label}, which goes on meanwhile`, fault: false, world: withWriter(world, again) }]
  }
  const openPlans = listed.map((record) => bucket.plans[record.batch]!)
  rules.checkChain(writer.lastSeen, openPlans)
  const folded = rules.foldLog(
    bucket.checkpoints[writer.checkpointSeen] ?? NOTHING,
    bucket.commits.slice(writer.checkpointSeen + 1, next).map((commit) => commit!),
  )
  const read: Writer = { ...writer, phase: 'log listed', checkpointSeen: -1, replaying: openPlans, folded }
  // Once claimed a lake stays claimed, so it makes no difference when that is read.
  if (rules.slotBeforeLog && world.bucket.claimed) return decide(model, world, read)
  return [{ label, fault: false, world: withWriter(world, read) }]
}

function decide({ rules }: Model, world: World, writer: Writer): Step[] {
  const label = `${writer.id} reads whose lake it is, and claims it`
  const log = { lastCommit: writer.lastSeen, openPlans: writer.replaying }
  const slot = {
    ...{ name: 's', lost: false, activePid: undefined, restartLsn: undefined },
    confirmedLsn: writer.slotSeen ?? world.confirmed,
  }
  const lake = (writer.claimSeen ?? world.bucket.claimed) ? identity : undefined
  const decision = rules.decideStart({ lake, log, server: identity, place, slot, location: 'here' })
  if (decision.act === 'create') return refused(label, world, 'the slot is created again')
  const first = rules.nextBatch(writer.folded, world.bucket)
  const { first: idle, changes } = rules.splitOpenPlans(decision.openPlans)
  const started: Writer = {
    ...writer,
    ...{ phase: 'starting', slotSeen: undefined, claimSeen: undefined, lastSeen: undefined, gapSeen: undefined },
    durable: decision.durableLsn,
    received: decision.durableLsn,
    replaying: changes,
    queue: idle.map((plan, index) => idleBatch(plan, first + index)),
    next: first + idle.length,
  }
  return [{ label, fault: false, world: withWriter(withBucket(world, { claimed: true }), started) }]
}

function takeSlot(model: Model, world: World, writer: Writer): Step[] {
  const { id, durable } = writer
  if (world.holder !== undefined) return endSession(model, world, writer, `${id} finds the slot busy`, false)
  // A server that has crashed may send again what is durable.
  const start = world.confirmed
  const { messages } = model.scenario
  const first = messages.findIndex((message) =>
    message.kind === 'quiet' ? message.position > start : BigInt(message.number * 10) >= start,
  )
  const cursor = first < 0 ? messages.length : first
  const streaming: Writer = { ...writer, phase: 'streaming', from: durable, cursor }
  const label = `${id} takes the slot, streams from ${start}`
  return [{ label, fault: false, world: withWriter({ ...world, holder: id }, streaming) }]
}

function idleBatch(plan: Plan, number: number): Batch {
  return { number, plan, cut: plan.cut, planned: true, endLsn: plan.toLsn, transactions: [], stored: 0 }
}

/** As it is found by number: the last before the first that is missing. */
function lastCommit({ commits }: Bucket): Commit | undefined {
  const missing = commits.indexOf(undefined)
  return missing < 0 ? commits.at(-1) : commits[missing - 1]
}

function recordsFrom({ plans, commits }: Bucket, next: number): LogRecord[] {
  const records: LogRecord[] = []
  for (let batch = next; batch < Math.max(plans.length, commits.length); batch++) {
    if (commits[batch] !== undefined) records.push({ batch, record: 'commit' })
    if (plans[batch] !== undefined) records.push({ batch, record: 'plan' })
  }
  return records
}

function refused(label: string, world: World, text: string): Step[] {
  return [{ label, fault: false, world, violation: { kind: 'G6: refused without a reason', text } }]
}
