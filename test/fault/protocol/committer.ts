// The committer's part: plan, data, commit, ack, head.json. Batches overlap; a conditional write's answer may be lost, and
// then the write is tried again.
import type { Commit } from '../../../internal/model/batch-record.js'
import { lastBatchOf, NOTHING, type Folded } from './folded-log.js'
import { commitOf, fileOf, keyOfPart, rowsOfPart, type StoredFile } from './records.js'
import type { Rules } from './rules.js'
import { attempt, putFile, type Model, type Step } from './step.js'
import { withBucket, withWriter, type Batch, type Bucket, type Scenario, type World, type Writer } from './world.js'

export function committerSteps(model: Model, world: World, writer: Writer): Step[] {
  const steps = planSteps(model, world, writer)
  for (const batch of writer.queue) steps.push(...storeSteps(model, world, writer, batch))
  for (const ready of committable(model.rules, model.scenario, writer))
    steps.push(...commitSteps(model, world, writer, ready.batch, ready.commit))
  return steps.concat(ackSteps(model, world, writer), checkpointSteps(model, world, writer))
}

/** Plans are written one after the other. */
function planSteps(model: Model, world: World, writer: Writer): Step[] {
  const { rules } = model
  const batch = writer.queue.find(({ planned }) => !planned)
  if (batch === undefined) return []
  const { plan } = batch
  const label = `${writer.id} plans batch ${plan.batch} as (${plan.fromLsn}, ${plan.toLsn}]`
  return attempt(model, world, writer, label, () => {
    rules.checkMayPlan(true)
    const planned = withBatch(writer, { ...batch, planned: true })
    const standing = world.bucket.plans[plan.batch]
    if (standing !== undefined) {
      rules.checkPlanWon(plan, rules.outcomeOfPlan(plan, standing))
      return [{ label: `${label}, which stands`, fault: false, world: withWriter(world, planned) }]
    }
    const won = withBucket(world, { plans: at(world.bucket.plans, plan.batch, plan) })
    return [
      { label, fault: false, world: withWriter(won, planned) },
      { label: `${label}; the answer is lost`, fault: true, world: won },
    ]
  })
}

function storeSteps({ rules, scenario }: Model, world: World, writer: Writer, batch: Batch): Step[] {
  return storable(rules, scenario, batch).map(({ part, file }) => {
    const stored = withBatch(writer, { ...batch, stored: batch.stored | (1 << part) })
    return putFile(withWriter(world, stored), file, `${writer.id} stores part ${part} of batch ${batch.number}`)
  })
}

function commitSteps(model: Model, world: World, writer: Writer, batch: Batch, commit: Commit): Step[] {
  const { rules } = model
  const { bucket } = world
  const label = `${writer.id} commits batch ${commit.batch}, up to ${commit.endLsn}`
  return attempt(model, world, writer, label, () => {
    const standing = bucket.commits[commit.batch]
    if (standing !== undefined) rules.checkStandingCommit(commit, standing, `commit ${commit.batch}`)
    const created = standing === undefined ? withBucket(world, withCommit(rules, bucket, commit)) : world
    // A lost answer leaves the writer where it was.
    const lost = { label: `${label}; the answer is lost`, fault: true, world: created }
    const ledger = rules.ledgerAt(writer.durable)
    ledger.noteReceived(writer.received)
    try {
      ledger.noteDurable(commit.fromLsn, commit.endLsn)
    } catch (error) {
      return [lost, ...attempt(model, created, writer, label, () => raise(error))]
    }
    const noted: Writer = {
      ...writer,
      durable: ledger.durable,
      received: ledger.received,
      queue: writer.queue.filter((other) => other !== batch),
      headDue: model.scenario.head ? commit.batch : -1,
      ...checkpointAfter(model, writer, commit),
    }
    const done = { label, fault: false, world: withWriter(created, noted) }
    return standing === undefined ? [done, lost] : [{ ...done, label: `${label}, which stands` }]
  })
}

function ackSteps({ rules }: Model, world: World, writer: Writer): Step[] {
  const steps: Step[] = []
  const { id, headDue } = writer
  const acked = rules.ackAwaitsCommit ? writer.durable : writer.received
  if (world.holder === id && acked > world.confirmed)
    steps.push({ label: `${id} acknowledges ${acked}`, fault: false, world: { ...world, confirmed: acked } })
  if (headDue >= 0)
    steps.push({
      label: `${id} writes head.json for batch ${headDue}`,
      fault: false,
      world: withWriter(withBucket(world, { head: headDue }), { ...writer, headDue: -1 }),
    })
  return steps
}

/** A checkpoint that still waits gives way to the newer one. */
function checkpointAfter({ rules, scenario }: Model, { folded }: Writer, commit: Commit) {
  const after = rules.foldIn(folded, commit)
  return { folded: after, checkpointDue: scenario.checkpoints ? after : NOTHING }
}

/** Written after the commit, by whoever folds the log; nobody waits for it. */
function checkpointSteps({ rules, scenario }: Model, world: World, writer: Writer): Step[] {
  const early = rules.checkpointAwaitsCommit ? [] : committable(rules, scenario, writer)
  const due = [writer.checkpointDue, ...early.map(({ commit }) => rules.foldIn(writer.folded, commit))]
  return due
    .filter((folded) => folded !== NOTHING)
    .map((folded) => {
      const written = withBucket(world, withCheckpoint(world.bucket, folded))
      const label = `${writer.id} writes a checkpoint of batch ${lastBatchOf(folded)}`
      return { label, fault: false, world: withWriter(written, { ...writer, checkpointDue: NOTHING }) }
    })
}

export function withCheckpoint(bucket: Bucket, folded: Folded): Partial<Bucket> {
  return { checkpoints: at(bucket.checkpoints, lastBatchOf(folded), folded) }
}

/** Parts of the batch that may be stored now. */
export function storable(rules: Rules, { parts }: Scenario, batch: Batch): { part: number; file: StoredFile }[] {
  if (batch.plan.kind === 'idle' || (rules.dataAwaitsPlan && !batch.planned)) return []
  const found = []
  for (let part = 0; part < parts; part++) {
    const rows = rowsOfPart(batch.cut, parts, part)
    // Half of a large transaction has arrived: its first row.
    const complete = batch.endLsn !== undefined || rows === 1
    if (complete && (batch.stored & (1 << part)) === 0)
      found.push({ part, file: fileOf(keyOfPart(batch.plan, batch.number, part), batch.transactions, rows) })
  }
  return found
}

/** Batches whose commit may be written now. */
export function committable(
  rules: Rules,
  { parts }: Scenario,
  { queue, id }: Writer,
): { batch: Batch; commit: Commit }[] {
  const found = []
  for (const batch of rules.commitAwaitsEarlier ? queue.slice(0, 1) : queue) {
    const { plan, endLsn, transactions, number } = batch
    const all = plan.kind === 'idle' ? 0 : parts
    const stored = !rules.commitAwaitsData || batch.stored === (1 << all) - 1
    if (endLsn === undefined || !batch.planned || !stored) continue
    const keys = Array.from({ length: all }, (_, part) => keyOfPart(plan, number, part))
    found.push({ batch, commit: commitOf(plan, id, endLsn, transactions.length, keys) })
  }
  return found
}

export function withCommit(rules: Rules, bucket: Bucket, commit: Commit): Bucket {
  const commits = at(bucket.commits, commit.batch, commit)
  return { ...bucket, commits, plans: rules.plansAreKept ? bucket.plans : at(bucket.plans, commit.batch, undefined) }
}

/** The list with `value` at `index`. */
export function at<Value>(list: readonly (Value | undefined)[], index: number, value: Value | undefined) {
  const longer: (Value | undefined)[] = [...list]
  while (longer.length <= index) longer.push(undefined)
  longer[index] = value
  return longer
}

function withBatch(writer: Writer, batch: Batch): Writer {
  return { ...writer, queue: writer.queue.map((other) => (other.number === batch.number ? batch : other)) }
}

function raise(error: unknown): never {
  throw error
}
