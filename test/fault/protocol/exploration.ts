// Every state that can be reached, breadth first, so that the trace of a violation is a shortest one; then, backwards, from
// which of them a run without further faults comes to its end.
import { Checks } from './checks.js'
import { committerSteps } from './committer.js'
import { faultSteps, lateSteps } from './faults.js'
import { startSteps } from './starter.js'
import type { Model, Step, Violation, ViolationKind } from './step.js'
import { streamSteps } from './streamer.js'
import { firstWorld, keyOfWorld, type World } from './world.js'

export interface Exploration {
  readonly states: number
  readonly violation: Violation | undefined
  /** What led to the violation. */
  readonly trace: readonly string[]
}

/** Explores until the first violation; with `sought` the first of that kind. */
export function explore(model: Model, sought?: ViolationKind): Exploration {
  const { stackTraceLimit } = Error
  // Refusals are made and caught by the hundred thousand.
  Error.stackTraceLimit = 0
  try {
    return new Explorer(model, sought).run()
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
}

class Explorer {
  readonly #model: Model
  readonly #sought: ViolationKind | undefined
  readonly #checks: Checks
  readonly #numbers = new Map<string, number>()
  readonly #parents: number[] = []
  readonly #labels: string[] = []
  readonly #done: number[] = []
  // Steps that are no faults
  readonly #from: number[] = []
  readonly #to: number[] = []
  #frontier: { readonly number: number; readonly world: World }[] = []

  constructor(model: Model, sought: ViolationKind | undefined) {
    this.#model = model
    this.#sought = sought
    this.#checks = new Checks(model.scenario)
  }

  run(): Exploration {
    this.#visit(firstWorld(this.#model.scenario), -1, '')
    while (this.#frontier.length > 0) {
      const layer = this.#frontier
      this.#frontier = []
      for (const { number, world } of layer)
        for (const step of stepsFrom(this.#model, world)) {
          const found = this.#take(number, step)
          if (found !== undefined && (this.#sought === undefined || found.kind === this.#sought))
            return this.#report(found, number, step.label)
        }
    }
    const stuck = this.#stuck()
    if (stuck === undefined) return { states: this.#numbers.size, violation: undefined, trace: [] }
    const text = 'from here no run without faults comes to its end'
    return this.#report({ kind: 'G11: never comes to its end', text }, stuck, '')
  }

  /** What is wrong with the step or the state it leads to; such a state is not gone on from. */
  #take(from: number, step: Step): Violation | undefined {
    if (step.violation !== undefined) return step.violation
    const key = keyOfWorld(step.world)
    let number = this.#numbers.get(key)
    if (number === undefined) {
      const violation = this.#checks.of(step.world)
      if (violation !== undefined) return violation
      number = this.#visit(step.world, from, step.label, key)
    }
    if (!step.fault && number !== from) {
      this.#from.push(from)
      this.#to.push(number)
    }
    return undefined
  }

  #visit(world: World, parent: number, label: string, key = keyOfWorld(world)): number {
    const number = this.#numbers.size
    this.#numbers.set(key, number)
    this.#parents.push(parent)
    this.#labels.push(label)
    if (this.#checks.done(world)) this.#done.push(number)
    this.#frontier.push({ number, world })
    return number
  }

  /** The first state from which no end is reached. */
  #stuck(): number | undefined {
    const states = this.#numbers.size
    const firstInto = new Int32Array(states).fill(-1)
    const nextInto = new Int32Array(this.#to.length)
    this.#to.forEach((to, edge) => {
      nextInto[edge] = firstInto[to]!
      firstInto[to] = edge
    })
    const ends = new Uint8Array(states)
    const left = [...this.#done]
    for (const state of left) ends[state] = 1
    for (let state = left.pop(); state !== undefined; state = left.pop())
      for (let edge = firstInto[state]!; edge >= 0; edge = nextInto[edge]!) {
        const from = this.#from[edge]!
        if (ends[from] === 1) continue
        ends[from] = 1
        left.push(from)
      }
    const stuck = ends.indexOf(0)
    return stuck < 0 ? undefined : stuck
  }

  #report(violation: Violation, last: number, label: string): Exploration {
    const trace = label === '' ? [] : [label]
    for (let state = last; this.#parents[state]! >= 0; state = this.#parents[state]!) trace.push(this.#labels[state]!)
    return { states: this.#numbers.size, violation, trace: trace.reverse() }
  }
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
