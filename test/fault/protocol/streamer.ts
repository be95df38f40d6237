// The stream and the batch builder: transactions and quiet positions come in, batches end. A writer whose connection was
// cut goes on with what had reached it until it notices.
import type { Plan } from '../../../internal/model/batch-record.js'
import type { Lsn } from '../../../internal/model/lsn.js'
import { commitLsnOf, CUTS, endLsnOf, planOf } from './records.js'
import { attempt, type Model, type Step } from './step.js'
import { withWriter, type Batch, type Message, type World, type Writer } from './world.js'

export function streamSteps(model: Model, world: World, writer: Writer): Step[] {
  const steps: Step[] = []
  const { messages } = model.scenario
  for (let index = writer.cursor; index < messages.length; index++) {
    const message = messages[index]!
    if (message.kind === 'transaction') {
      steps.push(...receiveTransaction(model, world, writer, message, index))
      break
    }
    if (!writer.halfReceived) steps.push(...receiveQuiet(model, world, writer, message.position, index))
  }
  const ends = writer.open.length > 0 && !writer.halfReceived && writer.replaying.length === 0
  if (ends && hasRoom(model, writer)) {
    const label = `${writer.id} ends batch ${writer.next}`
    steps.push(
      ...attempt(model, world, writer, label, () => [
        { label, fault: false, world: withWriter(world, endBatch(model, writer, writer.open)) },
      ]),
    )
  }
  return steps
}

function receiveTransaction(
  model: Model,
  world: World,
  writer: Writer,
  { number, large }: Message & { kind: 'transaction' },
  index: number,
): Step[] {
  const { rules } = model
  const label = `${writer.id} receives transaction ${number}`
  const whole: Writer = {
    ...writer,
    cursor: index + 1,
    halfReceived: false,
    received: later(writer.received, endLsnOf(number)),
  }
  return attempt(model, world, writer, label, () => {
    const place = rules.placeOfTransaction(commitLsnOf(number), writer.from, writer.replaying[0])
    if (place === 'misfit') throw rules.misfit(`transaction ${number} is not in the plan`)
    if (place === 'drop') return [{ label: `${label}, again`, fault: false, world: withWriter(world, whole) }]
    const open = [...writer.open, number]
    if (large && !writer.halfReceived) {
      if (!hasRoom(model, writer)) return []
      const toLsn = writer.replaying[0]?.toLsn ?? commitLsnOf(number)
      const early = planBatch(model, writer, { kind: 'changes', fromLsn: writer.from, toLsn }, open, undefined)
      const half = { ...early, cursor: index, halfReceived: true }
      return [{ label: `${label}, the first half`, fault: false, world: withWriter(world, half) }]
    }
    const ends = writer.halfReceived || writer.replaying[0]?.toLsn === commitLsnOf(number)
    if (!ends) return [{ label, fault: false, world: withWriter(world, { ...whole, open }) }]
    if (!writer.halfReceived && !hasRoom(model, writer)) return []
    const done = `${label}, which ends batch ${writer.next}`
    return [{ label: done, fault: false, world: withWriter(world, endBatch(model, whole, open)) }]
  })
}

function receiveQuiet(model: Model, world: World, writer: Writer, position: Lsn, index: number): Step[] {
  const { rules } = model
  const label = `${writer.id} hears that nothing happens before ${position}`
  return attempt(model, world, writer, label, () => {
    const place = rules.placeOfPosition(position, writer.open.length, writer.replaying[0])
    if (place === 'misfit') throw rules.misfit(`${position} is past the plan`)
    const { durable } = writer
    const committerIdle = writer.queue.length === 0
    if (place !== 'idle' || !hasRoom(model, writer)) return []
    if (!rules.idleIsDue({ position, durable, committerIdle, sinceMs: Infinity, urgent: true })) return []
    const heard: Writer = { ...writer, cursor: index + 1, received: later(writer.received, position) }
    if (!rules.idleIsRecorded)
      return [{ label, fault: false, world: withWriter(world, { ...heard, durable: position, from: position }) }]
    const idle = planBatch(model, heard, { kind: 'idle', fromLsn: durable, toLsn: position }, [], position)
    const skipped: Writer = { ...idle, from: position, next: writer.next + 1 }
    return [{ label, fault: false, world: withWriter(world, skipped) }]
  })
}

/** Ends the open batch with the last of `transactions`. */
function endBatch(model: Model, writer: Writer, transactions: readonly number[]): Writer {
  const last = transactions.at(-1)!
  const endLsn = endLsnOf(last)
  const early = writer.queue.at(-1)
  const planned =
    early !== undefined && early.endLsn === undefined
      ? { ...writer, queue: [...writer.queue.slice(0, -1), { ...early, endLsn, transactions }] }
      : planBatch(
          model,
          writer,
          { kind: 'changes', fromLsn: writer.from, toLsn: commitLsnOf(last) },
          transactions,
          endLsn,
        )
  return { ...planned, next: writer.next + 1, from: endLsn, replaying: writer.replaying.slice(1), open: [] }
}

function planBatch(
  { rules }: Model,
  writer: Writer,
  fields: Pick<Plan, 'kind' | 'fromLsn' | 'toLsn'>,
  transactions: readonly number[],
  endLsn: Lsn | undefined,
): Writer {
  const { id, next, queue } = writer
  const standing = fields.kind === 'idle' ? undefined : writer.replaying[0]
  if (standing !== undefined) rules.checkReplay(standing, fields)
  const plan = standing ?? planOf({ batch: next, ...fields, cut: CUTS[id], writer: id })
  const batch: Batch = {
    ...{ number: next, plan, transactions, endLsn, stored: 0 },
    cut: rules.cutOfReplay(plan.cut, CUTS[id]),
    planned: standing !== undefined || !rules.plansAreWritten,
  }
  return { ...writer, queue: [...queue, batch] }
}

function hasRoom({ scenario }: Model, { queue }: Writer): boolean {
  return queue.length < scenario.batchesInFlight
}

function later(a: Lsn, b: Lsn): Lsn {
  return a > b ? a : b
}
