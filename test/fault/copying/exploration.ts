// Every state that a scenario can reach: the server's transactions, the writers, and what goes wrong.
import { exploreAll, type Exploration } from '../../support/exploration.js'
import { Checks, STUCK, type ViolationKind } from './checks.js'
import { committerSteps, giveUpSteps, startSteps } from './committer.js'
import { copierSteps, name } from './copier.js'
import { Model, TABLE, type Step } from './model.js'
import type { Rules } from './rules.js'
import { keyOfWorld, withWriter, type Scenario, type World, type Writer } from './world.js'

/** More than all snapshots between two transactions take. */
const TRANSACTION_APART = 1000

/** Explores until the first violation; with `sought` the first of that kind. */
export function explore(rules: Rules, scenario: Scenario, sought?: ViolationKind): Promise<Exploration<ViolationKind>> {
  const model = new Model(rules, scenario)
  const checks = new Checks(model.source)
  return exploreAll<World, ViolationKind>(
    {
      first: model.first(),
      keyOf: keyOfWorld,
      steps: (world) => stepsFrom(model, world),
      check: (world) => checks.of(world),
      done: (world) => checks.done(world),
      stuck: { kind: STUCK, text: 'from here no run without faults comes to its end' },
    },
    sought,
  )
}

async function stepsFrom(model: Model, world: World): Promise<Step[]> {
  const steps = [...transactionSteps(model, world), ...startSteps(model, world)]
  for (const index of [0, 1] as const) {
    const writer = world.writers[index]
    if (writer === undefined) continue
    steps.push(
      ...faultSteps(world, index, writer),
      ...giveUpSteps(model, world, index, writer),
      ...(await committerSteps(model, world, index, writer)),
      ...(await copierSteps(model, world, index, writer)),
    )
  }
  return steps.map((step) => ({ ...step, world: afterwards(model, step.world) }))
}

/** Where nobody is or will be cut off, nothing can come between a plan and the giving up. */
function afterwards(model: Model, world: World): World {
  let after = world
  for (const index of [0, 1] as const) {
    const writer = after.writers[index]
    if (world.cuts === 0 && writer !== undefined && !world.writers.some((other) => other?.cut))
      after = giveUpSteps(model, after, index, writer)[0]?.world ?? after
  }
  return model.tidy(after)
}

/** Nothing lies between a snapshot's position and a commit record that follows it. */
function transactionSteps({ source }: Model, world: World): Step[] {
  const { committed, wal, lsns } = world
  if (committed === source.length) return []
  const next = (committed + 1) * TRANSACTION_APART
  const after = { ...world, committed: committed + 1, wal: next, lsns: [...lsns, wal] }
  return [{ label: `transaction ${committed + 1} commits at ${wal}`, fault: false, world: after }]
}

function faultSteps(world: World, index: 0 | 1, writer: Writer): Step[] {
  const who = name(writer)
  const steps: Step[] = []
  // Nothing is at stake any more.
  if (world.log.length === 0 && world.answered && world.folded.totals.isFinished(TABLE)) return steps
  const over = withWriter(world, index, undefined)
  if (writer.cut) steps.push({ label: `${who} notices`, fault: false, world: over })
  if (world.deaths > 0 && !writer.cut)
    steps.push({ label: `${who} dies`, fault: true, world: { ...over, deaths: world.deaths - 1 } })
  if (world.links > 0 && writer.reading !== undefined) {
    const broken = withWriter({ ...world, links: world.links - 1 }, index, { ...writer, reading: undefined })
    steps.push({ label: `${who} loses the link of its copy`, fault: true, world: broken })
  }
  if (world.cuts > 0 && !writer.cut) {
    const cut = withWriter({ ...world, cuts: world.cuts - 1 }, index, { ...writer, cut: true })
    steps.push({ label: `${who} is cut off`, fault: true, world: cut })
  }
  return steps
}
