// Every state that can be reached, breadth first, so that the trace of a violation is a shortest one; then, backwards, from
// which of them a run without further faults comes to its end.

export interface Violation<Kind extends string> {
  readonly kind: Kind
  readonly text: string
}

/** From one state to the next. */
export interface Step<World, Kind extends string> {
  readonly label: string
  /** A fault, or the answer to one that is lost: no run needs it to come to its end. */
  readonly fault: boolean
  readonly world: World
  readonly violation?: Violation<Kind> | undefined
}

export interface Explorable<World, Kind extends string> {
  readonly first: World
  /** The same for equal states. */
  readonly keyOf: (world: World) => string
  readonly steps: (world: World) => readonly Step<World, Kind>[] | Promise<readonly Step<World, Kind>[]>
  readonly check: (world: World) => Violation<Kind> | undefined
  readonly done: (world: World) => boolean
  /** What a state is from which no end is reached. */
  readonly stuck: Violation<Kind>
}

export interface Exploration<Kind extends string> {
  readonly states: number
  readonly violation: Violation<Kind> | undefined
  /** What led to the violation. */
  readonly trace: readonly string[]
}

/** Explores until the first violation; with `sought` the first of that kind. */
export async function exploreAll<World, Kind extends string>(
  model: Explorable<World, Kind>,
  sought?: Kind,
): Promise<Exploration<Kind>> {
  const { stackTraceLimit } = Error
  // Refusals are made and caught by the hundred thousand.
  Error.stackTraceLimit = 0
  try {
    return await new Explorer(model, sought).run()
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
}

/** What was found, with the steps that led there. */
export function story({ states, violation, trace }: Exploration<string>): string {
  if (violation === undefined) return `nothing is wrong in ${states} states`
  return [`${violation.kind}: ${violation.text}`, ...trace.map((step, index) => `  ${index + 1}. ${step}`)].join('\n')
}

class Explorer<World, Kind extends string> {
  readonly #model: Explorable<World, Kind>
  readonly #sought: Kind | undefined
  readonly #numbers = new Map<string, number>()
  readonly #parents: number[] = []
  readonly #labels: string[] = []
  readonly #done: number[] = []
  // Steps that are no faults
  readonly #from: number[] = []
  readonly #to: number[] = []
  #frontier: { readonly number: number; readonly world: World }[] = []

  constructor(model: Explorable<World, Kind>, sought: Kind | undefined) {
    this.#model = model
    this.#sought = sought
  }

  async run(): Promise<Exploration<Kind>> {
    this.#visit(this.#model.first, -1, '', this.#model.keyOf(this.#model.first))
    while (this.#frontier.length > 0) {
      const layer = this.#frontier
      this.#frontier = []
      for (const { number, world } of layer) {
        const steps = this.#model.steps(world)
        for (const step of steps instanceof Promise ? await steps : steps) {
          const found = this.#take(number, step)
          if (found !== undefined && (this.#sought === undefined || found.kind === this.#sought))
            return this.#report(found, number, step.label)
        }
      }
    }
    const stuck = this.#stuck()
    if (stuck === undefined) return { states: this.#numbers.size, violation: undefined, trace: [] }
    return this.#report(this.#model.stuck, stuck, '')
  }

  /** What is wrong with the step or the state it leads to; such a state is not gone on from. */
  #take(from: number, step: Step<World, Kind>): Violation<Kind> | undefined {
    if (step.violation !== undefined) return step.violation
    const key = this.#model.keyOf(step.world)
    let number = this.#numbers.get(key)
    if (number === undefined) {
      const violation = this.#model.check(step.world)
      if (violation !== undefined) return violation
      number = this.#visit(step.world, from, step.label, key)
    }
    if (!step.fault && number !== from) {
      this.#from.push(from)
      this.#to.push(number)
    }
    return undefined
  }

  #visit(world: World, parent: number, label: string, key: string): number {
    const number = this.#numbers.size
    this.#numbers.set(key, number)
    this.#parents.push(parent)
    this.#labels.push(label)
    if (this.#model.done(world)) this.#done.push(number)
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

  #report(violation: Violation<Kind>, last: number, label: string): Exploration<Kind> {
    const trace = label === '' ? [] : [label]
    for (let state = last; this.#parents[state]! >= 0; state = this.#parents[state]!) trace.push(this.#labels[state]!)
    return { states: this.#numbers.size, violation, trace: trace.reverse() }
  }
}
