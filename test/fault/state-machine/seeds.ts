// Which runs there are: from a random seed, or from the environment, which is read here and nowhere else. A failed run is
// told with the command line that runs it again, and made shorter while there is time.
import { randomInt } from 'node:crypto'
import { SIZES, type SizeName } from './steps.js'

export interface Chosen {
  readonly seed: number
  readonly size: SizeName
  /** Numbers of the steps that are taken; undefined: all. */
  readonly kept: readonly number[] | undefined
}

/** The one run that STATE_SEED, STATE_SIZE and STATE_STEPS name. */
export function chosenRun(env: NodeJS.ProcessEnv = process.env): Chosen | undefined {
  const { STATE_SEED: seed, STATE_SIZE: size = 'short', STATE_STEPS: steps } = env
  if (seed === undefined || seed === '') return undefined
  if (!(size in SIZES)) throw new Error(`STATE_SIZE is ${size}, and not one of ${Object.keys(SIZES).join(', ')}`)
  return {
    seed: Number(seed),
    size: size as SizeName,
    kept: steps === undefined || steps === '' ? undefined : parseRanges(steps),
  }
}

export function randomSeed(): number {
  return randomInt(1, 2 ** 30)
}

export function commandLine({ seed, size, kept }: Chosen): string {
  const parts = [`STATE_SEED=${seed}`]
  if (size !== 'short') parts.push(`STATE_SIZE=${size}`)
  if (kept !== undefined) parts.push(`STATE_STEPS=${formatRanges(kept)}`)
  return [...parts, './run.sh test fault state-machine'].join(' ')
}

/** `0-3,7` */
export function formatRanges(numbers: readonly number[]): string {
  const ranges: [number, number][] = []
  for (const number of numbers) {
    const last = ranges.at(-1)
    if (last?.[1] === number - 1) last[1] = number
    else ranges.push([number, number])
  }
  return ranges.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(',')
}

export function parseRanges(text: string): number[] {
  return text.split(',').flatMap((range) => {
    const [from = NaN, to = from] = range.split('-').map(Number)
    if (!(from <= to)) throw new Error(`not a range of steps: ${range}`)
    return Array.from({ length: to - from + 1 }, (_, k) => from + k)
  })
}

/**
 * A shorter list of steps that fails too: leaves out halves, quarters and so on, each tried once, until `mayGoOn` says no.
 * `fails` runs the steps. The failure need not come every time: what did not fail is kept.
 */
export async function shorten(
  steps: readonly number[],
  fails: (steps: readonly number[]) => Promise<boolean>,
  mayGoOn: () => boolean,
): Promise<readonly number[]> {
  let kept = steps
  for (let length = Math.ceil(kept.length / 2); length >= 1; length = length === 1 ? 0 : Math.ceil(length / 2)) {
    for (let from = 0; from < kept.length;) {
      if (!mayGoOn()) return kept
      const without = [...kept.slice(0, from), ...kept.slice(from + length)]
      if (without.length > 0 && (await fails(without))) kept = without
      else from += length
    }
  }
  return kept
}
