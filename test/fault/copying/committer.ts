// Starting, the stream's batches, the plans of copies, their finishing, and what is given up.
import type { CopyProgress } from '../../../internal/model/batch-record.js'
import { parseCopyKey } from '../../../internal/storage/keys.js'
import { hasEnded, name, tell } from './copier.js'
import { heldAt, taken, withVersion, won, type Model, type Step } from './model.js'
import { OID } from './source.js'
import { ALIGNED, placeAfter, sorted, withWriter, type Copy, type Entry, type World, type Writer } from './world.js'

/** One that is not cut off holds the slot. Starting is one step: the model of the stream's protocol takes it apart. */
export function startSteps({ rules }: Model, world: World): Step[] {
  const { log, writers } = world
  const index = writers[0] === undefined ? 0 : 1
  if (writers.some((writer) => writer?.cut === false) || writers[index] !== undefined) return []
  const open = log.findIndex(({ copied }) => copied === undefined)
  const known = open < 0 ? log.length : open
  const writer: Writer = {
    ...{
      run: freeRun(world),
      cut: false,
      began: placeAfter(world, known).endLsn,
      stood: log.length,
      known,
      next: log.length,
    },
    ...{ waiting: [], planned: [], givesUp: rules.givingUpAwaitsPlan ? 'not yet' : 'due', reading: undefined },
  }
  const started = withWriter(world, index, writer)
  return [{ label: `${name(writer)} starts, ${log.length - known} plans stand`, fault: false, world: started }]
}

export async function committerSteps(model: Model, world: World, index: 0 | 1, writer: Writer): Promise<Step[]> {
  return [
    ...streamSteps(model, world, index, writer),
    ...planSteps(model, world, index, writer),
    ...(await finishSteps(model, world, index, writer)),
  ]
}

/** A transaction, or the position that a copy waits for, in a batch of its own and one step. */
function streamSteps(model: Model, world: World, index: 0 | 1, writer: Writer): Step[] {
  const { known, next, cut, run, reading } = writer
  if (cut || known < next) return []
  const { landed, endLsn } = placeAfter(world, known)
  const entry = { copy: undefined, run, copied: model.nothing }
  const put = (label: string, batch: Entry, change: Partial<World>): Step => {
    if (world.log.length > next) return taken(world, index, label)
    const durable = won({ ...writer, known: known + 1, next: next + 1 })
    return {
      label,
      fault: false,
      world: withWriter({ ...world, ...change, log: [...world.log, batch] }, index, durable),
    }
  }
  if (landed < world.committed) {
    const commit = world.lsns[landed]!
    const batch = model.entry({ ...entry, landed: landed + 1, endLsn: BigInt(commit + ALIGNED) })
    return [put(`${name(writer)} lands transaction ${landed + 1} of ${commit}`, batch, land(model, world, landed))]
  }
  const waits = reading?.layout === undefined && reading !== undefined && endLsn < reading.snapshot.point
  if (!waits) return []
  const batch = model.entry({ ...entry, landed, endLsn: BigInt(world.wal) })
  return [put(`${name(writer)} records position ${world.wal}`, batch, {})]
}

function land(model: Model, world: World, transaction: number): Partial<World> {
  const sent = model.source.sent(transaction)
  if (sent.length === 0) return {}
  const lsn = BigInt(world.lsns[transaction]!)
  const held = heldAt(world.versions, lsn)
  // Another table had this name until here.
  const replaces = held !== undefined && held.oid !== OID
  const rows = (replaces ? [{ _op: 'T' }, ...sent] : sent).map((row, _seq) => ({ ...row, _lsn: lsn, _seq }))
  const file = model.file({ key: `transaction ${transaction + 1}`, rows, supersedes: false, run: undefined, lsn })
  return { visible: sorted([...world.visible, file]), versions: withVersion(world.versions, lsn) }
}

/** What waits goes into one batch; while it is on its way the next waits. */
function planSteps(model: Model, world: World, index: 0 | 1, writer: Writer): Step[] {
  const { waiting, planned, next, run } = writer
  if (waiting.length === 0 || planned.length > 0) return []
  const label = `${name(writer)} plans batch ${next} with ${waiting.length} requests`
  if (world.log.length > next) return [taken(world, index, label)]
  const copies = waiting.map(({ copy }) => copy.planned)
  const copy = model.copy(model.rules.joinCopies(copies))
  const { landed, endLsn } = placeAfter(world, next)
  const log = [...world.log, model.entry({ copy, run, landed, endLsn, copied: undefined })]
  const after = won({ ...writer, waiting: [], planned: waiting, next: next + 1 })
  return [{ label, fault: false, world: withWriter({ ...world, log }, index, after) }]
}

async function finishSteps(model: Model, world: World, index: 0 | 1, writer: Writer): Promise<Step[]> {
  const { known, next } = writer
  const steps: Step[] = []
  for (let batch = known; batch < next; batch++) {
    const entry = world.log[batch]!
    if (entry.copy === undefined) continue
    const copy = toFinish(model, writer, batch, entry.copy)
    const { asks, copied } = await model.product.finishing(copy, world.visible)
    for (const key of asks) {
      const file = world.staged.find((other) => other.key === key)
      if (file === undefined) continue
      const moved = {
        staged: world.staged.filter((other) => other !== file),
        visible: sorted([...world.visible, file]),
      }
      steps.push({ label: `${name(writer)} completes ${key}`, fault: false, world: { ...world, ...moved } })
    }
    if (copied !== undefined && batch === known) steps.push(await commit(model, world, index, writer, copied))
  }
  // Another writer has committed it.
  if (known < next && world.log[known]!.copy === undefined)
    steps.push({
      label: `${name(writer)} knows batch ${known}`,
      fault: false,
      world: withWriter(world, index, { ...writer, known: known + 1 }),
    })
  return steps
}

async function commit(model: Model, world: World, index: 0 | 1, writer: Writer, copied: CopyProgress): Promise<Step> {
  const { known } = writer
  const entry = world.log[known]!
  const durable = entry.copied === undefined ? model.committed(entry, copied) : entry
  let after: Writer = { ...writer, known: known + 1 }
  if (entry.run === writer.run) {
    after = { ...after, planned: [] }
    for (const { point, index: request } of writer.planned) {
      const { reading } = after
      if (reading?.layout !== undefined && reading.snapshot.point === point)
        after = await tell(model, after, reading, reading.layout, { request, copied: durable.copied! })
    }
  }
  const log = world.log.map((other, batch) => (batch === known ? durable : other))
  const answered = world.answered || hasEnded(writer.reading, after)
  const missing = entry.copy?.files.find((file) => !world.visible.includes(file))
  return {
    label: `${name(writer)} commits batch ${known}`,
    fault: false,
    violation: missing && { kind: 'G4: a commit without its files', text: `${missing.key} is not there` },
    world: withWriter({ ...world, log, answered }, index, after),
  }
}

/** A number that nothing in the state is of. */
function freeRun({ writers, log, staged, visible }: World): number {
  return Math.max(0, ...[...writers, ...log, ...staged, ...visible].map((one) => one?.run ?? 0)) + 1
}

/** Staged files that no plan names. */
export function giveUpSteps(model: Model, world: World, index: 0 | 1, writer: Writer): Step[] {
  if (writer.givesUp !== 'due') return []
  const { run, began, stood } = writer
  const named = new Set(
    world.log.slice(0, stood).flatMap(({ copy }, batch) => {
      const standing = copy === undefined ? [] : toFinish(model, writer, batch, copy).planned.files
      return standing.map(({ key }) => key)
    }),
  )
  const ours = { run: String(run).padStart(12, '0'), durable: began }
  const staged = world.staged.filter(({ key }) => {
    const file = parseCopyKey(key)!
    return !model.rules.isLeftOver(file, ours) || named.has(key)
  })
  const label = `${name(writer)} gives up ${world.staged.length - staged.length} staged files`
  return [{ label, fault: false, world: withWriter({ ...world, staged }, index, { ...writer, givesUp: 'done' }) }]
}

function toFinish(model: Model, { stood }: Writer, batch: number, copy: Copy): Copy {
  const standing = batch < stood ? model.rules.standing(copy.planned) : copy.planned
  return standing === copy.planned ? copy : model.copy(standing)
}
