// How long to wait before the next session, by kind of failure: exponential with full jitter, so that many services that
// lost one server do not come back in step.
import type { FailureKind } from '../model/failure.js'

interface Backoff {
  readonly firstMs: number
  readonly longestMs: number
}

const usual: Backoff = { firstMs: 500, longestMs: 30_000 }
const backoffs: Partial<Record<FailureKind, Backoff>> = {
  // The one who holds the slot ends when it ends; a hand-over should take no longer than needed.
  slot_busy: { firstMs: 500, longestMs: 2_000 },
  plan_taken: { firstMs: 50, longestMs: 2_000 },
  // A person is on it, or not yet.
  config: { firstMs: 1_000, longestMs: 60_000 },
  needs_text: { firstMs: 0, longestMs: 0 },
}

/** `failuresBefore`: how many have come in a row before this one. `random`: from 0 to 1. */
export function retryDelayMs(kind: FailureKind, failuresBefore: number, random: () => number = Math.random): number {
  const { firstMs, longestMs } = backoffs[kind] ?? usual
  return random() * Math.min(longestMs, firstMs * 2 ** Math.min(failuresBefore, 20))
}
