// A step from one state to the next, and what can be wrong with it. Whatever a rule throws ends the writer's session as the
// product's table of failures says: it starts again, or it stops, which no history of this model gives a reason for.
import { Failure } from '../../../internal/model/failure.js'
import type * as Explored from '../../support/exploration.js'
import { committable, storable } from './committer.js'
import { NOTHING } from './folded-log.js'
import { GONE, orphanedCommit, orphanedPlan, planOf, type StoredFile } from './records.js'
import type { Rules } from './rules.js'
import {
  down,
  logEnd,
  withBucket,
  withWriter,
  type LateRequest,
  type Scenario,
  type World,
  type Writer,
} from './world.js'

export const VIOLATIONS = [
  'G1: acked beyond the log',
  'G1: durable beyond what was received',
  'G1: a durable row is nowhere',
  'G2: the log has a hole',
  'G2: the head is ahead of the log',
  'G2: a checkpoint is not the log folded',
  'G4: a row is in two files',
  'G4: a row vanishes',
  'G4: a commit without its files',
  'G5: planned without a connection',
  'G6: refused without a reason',
  'G11: never comes to its end',
] as const

export type ViolationKind = (typeof VIOLATIONS)[number]

export type Violation = Explored.Violation<ViolationKind>
export type Step = Explored.Step<World, ViolationKind>

export interface Model {
  readonly rules: Rules
  readonly scenario: Scenario
}

/** One step of `writer` in which a rule may refuse. `judged`: the session runs, so a misfit is looked at again. */
export function attempt(model: Model, world: World, writer: Writer, label: string, act: () => Step[]): Step[] {
  try {
    return act()
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    const runs = writer.phase === 'starting' || writer.phase === 'streaming'
    const failure = runs ? model.rules.judgeMisfit(error, writer.durable, logEnd(world.bucket)) : error
    const ended = `${label}: ${failure.kind}`
    const verdict = model.rules.verdictOf(failure)
    if (verdict.act === 'retry') return endSession(model, world, writer, ended, false)
    const violation: Violation = { kind: 'G6: refused without a reason', text: failure.message }
    return [{ label: ended, fault: false, world, violation }]
  }
}

/** The session is over. One request that was on its way may still arrive. */
export function endSession(model: Model, world: World, writer: Writer, label: string, fault: boolean): Step[] {
  const { id } = writer
  const { plans, commits } = world.bucket
  const left = { ...world, holder: world.holder === id ? undefined : world.holder }
  const orphaned = [...plans, ...commits].some((record) => record?.writer === id)
    ? withBucket(left, {
        plans: plans.map((plan) => orphanedPlan(plan, id)),
        commits: commits.map((commit) => orphanedCommit(commit, id)),
      })
    : left
  const ended = withWriter(orphaned, down(id))
  const steps = [{ label, fault, world: ended }]
  if (world.lateLeft === 0 || world.late !== undefined) return steps
  for (const late of onTheirWay(model, writer))
    steps.push({
      label: `${label}; its ${late.what} is still on its way`,
      fault: true,
      world: { ...ended, late, lateLeft: world.lateLeft - 1 },
    })
  return steps
}

function onTheirWay({ rules, scenario }: Model, writer: Writer): LateRequest[] {
  const requests: LateRequest[] = []
  const unplanned = writer.queue.find((batch) => !batch.planned)
  if (unplanned !== undefined) requests.push({ what: 'plan', plan: planOf({ ...unplanned.plan, writer: GONE }) })
  for (const batch of writer.queue)
    for (const { file } of storable(rules, scenario, batch)) requests.push({ what: 'file', file })
  const commit = committable(rules, scenario, writer)[0]?.commit
  if (commit !== undefined) requests.push({ what: 'commit', commit: orphanedCommit(commit, writer.id)! })
  if (writer.checkpointDue !== NOTHING) requests.push({ what: 'checkpoint', folded: writer.checkpointDue })
  return requests
}

/** Puts a file, and says whether a reader loses a row by it. */
export function putFile(world: World, file: StoredFile, label: string): Step {
  const { files } = world.bucket
  const standing = files.find(({ key }) => key === file.key)
  const rest = standing === undefined ? files : files.filter((other) => other !== standing)
  const sorted = [...rest, file].sort((x, y) => (x.key < y.key ? -1 : 1))
  const step = { label, fault: false, world: withBucket(world, { files: sorted }) }
  const lost =
    standing !== undefined &&
    ((standing.rows & ~file.rows) !== 0 || standing.transactions.some((t) => !file.transactions.includes(t)))
  return lost ? { ...step, violation: { kind: 'G4: a row vanishes', text: `${file.key} is overwritten` } } : step
}
