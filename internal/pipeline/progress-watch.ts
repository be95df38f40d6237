// Is something stuck for good, so that only a restart would help? Everything that the service waits for and that should move is a
// step with a bound of its own, far beyond every timeout and every pause between two tries. Decides from a clock and from what it
// is told; what is tried again moves with each try, and what is not begun cannot be stuck.

/** A session that comes up, a call to the store, a batch on its way: longer than any of their own timeouts. */
export const STUCK_MS = 30 * 60_000
/** A range of pages of a copy, of which a condition may leave no row. */
export const COPY_STUCK_MS = 2 * STUCK_MS
/** A whole table of a copy, likewise. */
export const WHOLE_TABLE_STUCK_MS = 48 * STUCK_MS

/** Something that should move, until it has ended. */
export interface Step {
  moved(): void
  end(): void
}

export interface Stuck {
  /** What does not move, for people. */
  readonly what: string
  readonly seconds: number
}

/** Another value than at the last look: it has moved. Undefined: it is not its turn, and something else is waited for. */
export type Measure = () => number | undefined

interface Watched {
  readonly what: string
  readonly boundMs: number
  readonly measure: Measure
  measured: number | undefined
  movedMs: number
}

export class ProgressWatch {
  readonly #now: () => number
  readonly #steps = new Set<Watched>()

  /** `now`: milliseconds of a clock that only goes forward. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  /** `measure`: for a step that does not say when it moves. Read when somebody asks. */
  begin(what: string, boundMs: number, measure: Measure = () => 0): Step {
    const step: Watched = { what, boundMs, measure, measured: measure(), movedMs: this.#now() }
    this.#steps.add(step)
    return {
      moved: () => (step.movedMs = this.#now()),
      end: () => void this.#steps.delete(step),
    }
  }

  /** Forgets all steps: those of a session that is over. */
  clear(): void {
    this.#steps.clear()
  }

  /** The step that has not moved for longest, of those beyond their bound. */
  get stuck(): Stuck | undefined {
    const now = this.#now()
    let longest: Watched | undefined
    for (const step of this.#steps) {
      const measured = step.measure()
      if (measured === undefined || measured !== step.measured) step.movedMs = now
      step.measured = measured
      if (now - step.movedMs < step.boundMs) continue
      if (longest === undefined || step.movedMs < longest.movedMs) longest = step
    }
    return longest && { what: longest.what, seconds: Math.round((now - longest.movedMs) / 1000) }
  }
}

/** Watches a stream until the watch is cleared. While it waits for memory, it moves with what goes out. */
export function watchStream(
  watch: ProgressWatch,
  stream: { readonly paused: boolean; readonly bytesRead: number; readonly deadAfterMs: number },
  storeMoves: () => number,
): void {
  watch.begin('the stream', Math.max(STUCK_MS, 2 * stream.deadAfterMs), () =>
    stream.paused ? -1 - storeMoves() : stream.bytesRead,
  )
}
