// One type of the oracle test: which values to ask a real server about, and what it should say of them. Random values come
// from a fixed seed, so that a failure can be seen again.
import fc from 'fast-check'

export interface TypeSamples {
  /** As declared in SQL. */
  readonly type: string
  /** Text literals, cast to the type by the server. */
  readonly values: readonly string[]
  /** SQL that gives more values. */
  readonly query?: string
  /** SQL over `v`: the canonical text of what the lake should hold (stored-column.ts); default: the server's text. */
  readonly stored?: string
  /** SQL over `v`: the typed column cannot hold it. */
  readonly refused?: string
  /** No binary form is known. */
  readonly textOnly?: true
}

const SEED = 20_240_229

export function random<T>(arbitrary: fc.Arbitrary<T>, count = 300): T[] {
  return fc.sample(arbitrary, { numRuns: count, seed: SEED })
}

/** A text as an array or range literal has to quote it. */
export const quoted = (text: string): string => `"${text.replace(/["\\]/g, '\\$&')}"`
