// The bounds of an orderly stop: how long it waits for the rest of a transaction, and how long for what is on its way. What is
// not waited for is sent again at the next start, so giving up loses nothing.
import { Failure } from '../model/failure.js'

/** With the goodbye to the server less than the 30 s that orchestrators give a process after its first signal. */
export const DRAIN_MS = 20_000
/** What is still arriving then is a large transaction. */
export const REST_OF_TRANSACTION_MS = 1_000

export interface Drain {
  /** Resolves when no transaction is half taken in. */
  readonly between: Promise<void>
  /** The rest of a transaction is not waited for any longer; with it goes the open batch, which holds a part of it. */
  readonly onLeft: () => void
  /** Everything that has ended becomes durable. */
  readonly settle: () => Promise<void>
  /** Rejects when that can no longer be. */
  readonly broken: Promise<unknown>
}

/** Throws Failure `gave_up` at the bound. */
export async function drainWithinBounds({ between, onLeft, settle, broken }: Drain): Promise<void> {
  const timers: NodeJS.Timeout[] = []
  const after = (ms: number): Promise<void> => new Promise((resolve) => timers.push(setTimeout(resolve, ms)))
  const whole = between.then(() => true)
  const late = after(REST_OF_TRANSACTION_MS).then(() => false)
  const settled = async (): Promise<void> => {
    if (!(await Promise.race([whole, late]))) onLeft()
    await settle()
  }
  const bound = after(DRAIN_MS).then(() => {
    throw new Failure('gave_up', `what was on its way could not be finished within ${DRAIN_MS / 1000} s`, {
      hint: 'Nothing is lost: it is sent again at the next start.',
    })
  })
  try {
    await Promise.race([settled(), broken, bound])
  } finally {
    for (const timer of timers) clearTimeout(timer)
  }
}
