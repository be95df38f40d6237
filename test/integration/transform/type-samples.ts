// One type of the oracle test: which values a real server is given, and what the lake does with them. Random values come from
// a fixed seed, so that a failure can be seen again.
import fc from 'fast-check'

export interface TypeSamples {
  /** As declared in SQL. */
  readonly type: string
  /** Text literals, cast to the type by the server; none where its input refuses every text. */
  readonly values: readonly string[]
  /** SQL that gives more values. */
  readonly query?: string
  /** SQL over `v`: the typed column cannot hold it. */
  readonly refused?: string
  /** SQL over `v`: the number, where its text is not the number itself but what rounds to it. */
  readonly number?: string
  /** It is an array under a domain: the column is a list. */
  readonly list?: true
  /** No binary form is known. */
  readonly textOnly?: true
  /** Delimiter of its arrays. */
  readonly delimiter?: string
  /** Oldest major version of the server that has it. */
  readonly since?: number
}

const SEED = 20_240_229

export function random<T>(arbitrary: fc.Arbitrary<T>, count = 300): T[] {
  return fc.sample(arbitrary, { numRuns: count, seed: SEED })
}

/** A text as an array or range literal has to quote it. */
export const quoted = (text: string): string => `"${text.replace(/["\\]/g, '\\$&')}"`

/** Values beyond this length make no arrays: they would only be much. */
const LONGEST_ELEMENT = 2_000

/** Lists of these values, with NULLs, empty, of more dimensions, with other lower bounds. */
export function arraysOf({ values, delimiter = ',' }: Pick<TypeSamples, 'values' | 'delimiter'>): string[] {
  const shapes = ['{}', `{NULL}`, `{NULL${delimiter}NULL}`]
  const literals = values.filter((text) => text.length < LONGEST_ELEMENT).map(quoted)
  const [a, b = a] = literals
  if (a === undefined || b === undefined) return shapes
  const element = fc.option(fc.constantFrom(...literals), { freq: 8, nil: 'NULL' })
  const list = (elements: readonly string[]): string => `{${elements.join(delimiter)}}`
  const lists = random(fc.array(element, { maxLength: 6 }), 60).map(list)
  const pair = list([a, 'NULL'])
  return [
    ...[...shapes, ...lists, list(literals.slice(0, 40)), list([pair, list([b, a])])],
    ...[`[0:1]=${list([a, b])}`, `[-1:-1][3:4]=${list([pair])}`, list([list([list([b])])])],
  ]
}
