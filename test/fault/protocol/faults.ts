// What goes wrong: connections are cut and noticed late, processes die, requests of sessions that are over arrive. Answers
// of conditional writes are lost where they are written.
import { at, withCheckpoint, withCommit } from './committer.js'
import { attempt, endSession, putFile, type Model, type Step, type Violation } from './step.js'
import { withBucket, type World, type Writer } from './world.js'

export function faultSteps(model: Model, world: World, writer: Writer): Step[] {
  const { id, phase } = writer
  if (phase === 'down') return []
  if (phase === 'streaming' && world.holder !== id) return notice(model, world, writer)
  if (world.cutsLeft === 0) return []
  const fewer = { ...world, cutsLeft: world.cutsLeft - 1 }
  // A process that dies is a cut that is noticed at once.
  if (phase === 'streaming')
    return [{ label: `the connection of ${id} is cut`, fault: true, world: { ...fewer, holder: undefined } }]
  return endSession(model, fewer, writer, `${id} dies`, true)
}

/** It may come while a batch waits to be planned, which is given up then. */
function notice(model: Model, world: World, writer: Writer): Step[] {
  const label = `${writer.id} notices that its connection is gone, or dies`
  const ended = endSession(model, world, writer, label, false)
  if (writer.queue.every(({ planned }) => planned)) return ended
  const planned = attempt(model, world, writer, label, () => {
    model.rules.checkMayPlan(false)
    const violation: Violation = { kind: 'G5: planned without a connection', text: 'it plans all the same' }
    return [{ label, fault: false, world, violation }]
  })
  return [...ended, ...planned.filter(({ violation }) => violation !== undefined)]
}

/** A request of a session that is over arrives. */
export function lateSteps({ rules }: Model, world: World): Step[] {
  const { late, bucket } = world
  if (late === undefined) return []
  const label = `the late ${late.what} arrives`
  const after = { ...world, late: undefined }
  switch (late.what) {
    case 'file':
      return [putFile(after, late.file, label)]
    case 'plan': {
      const { plan } = late
      const plans = bucket.plans[plan.batch] === undefined ? at(bucket.plans, plan.batch, plan) : bucket.plans
      return [{ label, fault: false, world: withBucket(after, { plans }) }]
    }
    case 'checkpoint':
      return [{ label, fault: false, world: withBucket(after, withCheckpoint(bucket, late.folded)) }]
    case 'commit': {
      const { commit } = late
      const absent = bucket.commits[commit.batch] === undefined
      const created = absent ? withCommit(rules, bucket, commit) : bucket
      return [{ label, fault: false, world: withBucket(after, created) }]
    }
  }
}
