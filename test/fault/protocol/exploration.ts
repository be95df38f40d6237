// Every state of the protocol that two writers and the faults of a scenario can reach.
import { exploreAll, type Exploration } from '../../support/exploration.js'
import { Checks } from './checks.js'
import { committerSteps } from './committer.js'
import { faultSteps, lateSteps } from './faults.js'
import { startSteps } from './starter.js'
import type { Model, Step, ViolationKind } from './step.js'
import { streamSteps } from './streamer.js'
import { firstWorld, keyOfWorld, type World } from './world.js'

/** Explores until the first violation; with `sought` the first of that kind. */
export function explore(model: Model, sought?: ViolationKind): Promise<Exploration<ViolationKind>> {
  const checks = new Checks(model.scenario)
  return exploreAll<World, ViolationKind>(
    {
      first: firstWorld(model.scenario),
      keyOf: keyOfWorld,
      steps: (world) => stepsFrom(model, world),
      check: (world) => checks.of(world),
      done: (world) => checks.done(world),
      stuck: { kind: 'G11: never comes to its end', text: 'from here no run without faults comes to its end' },
    },
    sought,
  )
}

function stepsFrom(model: Model, world: World): Step[] {
  const steps = lateSteps(model, world)
  for (const writer of [world.a, world.b]) {
    steps.push(...startSteps(model, world, writer), ...faultSteps(model, world, writer))
    if (writer.phase === 'streaming') steps.push(...streamSteps(model, world, writer))
    if (writer.phase === 'streaming' || writer.phase === 'starting') steps.push(...committerSteps(model, world, writer))
  }
  return steps
}
