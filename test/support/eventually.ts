// Waits for a condition by asking again and again, against a limit: no test sleeps for a fixed time.
import { setTimeout as delay } from 'node:timers/promises'

export interface Patience {
  /** When absent 45 s, of which a quick machine with nothing else to do needs one or two. */
  readonly timeoutMs?: number
  /** Pause between two questions; 20 ms when absent. One that takes long is asked less often. */
  readonly everyMs?: number
}

/** At least so many times as long as the question took is the pause after it, so that asking does not become the load. */
const PAUSE_PER_QUESTION = 5
const LONGEST_PAUSE_MS = 500

/**
 * The first result that is neither an error nor `false` nor `undefined`. `fn` may assert; when the time is up, what it
 * last threw becomes the cause.
 */
export async function eventually<T>(
  fn: () => T | Promise<T>,
  { timeoutMs = 45_000, everyMs = 20 }: Patience = {},
): Promise<Exclude<T, false | undefined>> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    const from = performance.now()
    let cause: unknown
    try {
      const result = await fn()
      if (result !== false && result !== undefined) return result as Exclude<T, false | undefined>
    } catch (error) {
      cause = error
    }
    const now = performance.now()
    if (now >= deadline) {
      const last = cause instanceof Error ? `: ${cause.message}` : ''
      throw new Error(`not within ${timeoutMs} ms${last}`, { cause })
    }
    await delay(Math.max(everyMs, Math.min(LONGEST_PAUSE_MS, PAUSE_PER_QUESTION * (now - from))))
  }
}
