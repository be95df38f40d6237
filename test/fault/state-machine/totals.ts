// What the runs of the state machine did and found, summed up for people.

export class Totals {
  readonly #counts = new Map<string, number>()

  add(what: string, count = 1): void {
    this.#counts.set(what, this.of(what) + count)
  }

  of(what: string): number {
    return this.#counts.get(what) ?? 0
  }

  /** Sum of all whose name begins so. */
  sum(prefix: string): number {
    return [...this.#counts].reduce((sum, [what, count]) => sum + (what.startsWith(prefix) ? count : 0), 0)
  }

  /** The main numbers in the order given, then the others by name. */
  text(main: readonly string[]): string {
    const others = [...this.#counts.keys()].filter((what) => !main.includes(what)).sort()
    return [...main, ...others].map((what) => `${what} ${this.of(what)}`).join(', ')
  }
}
