// When does a batch end? A pure decision at each commit, so that it can be read and tested as a table. A batch that is
// being replayed ends where its plan says, and nowhere else.

export interface BatchProgress {
  /** Bytes of values in the batch since its files last rolled. */
  readonly bytes: number
  /** Milliseconds since its first transaction arrived whole. */
  readonly ageMs: number
}

export interface CutLimits {
  readonly rollBytes: number
  readonly flushIntervalMs: number
}

/** What is known of the batches before this one. */
export interface Pressure {
  /** Open pages should be compressed and batches ended early. */
  readonly memoryShort: boolean
  /** So many are on their way that one more would only wait behind them. */
  readonly behind: boolean
}

export type CutReason = 'interval' | 'bytes' | 'memory' | 'stop'

/** A batch that has less than this part of a whole one is not ended for the sake of memory. */
const WORTH_ENDING = 0.25

/** Why the batch ends at this commit, or undefined where it goes on. */
export function cutAtCommit(
  progress: BatchProgress,
  limits: CutLimits,
  now: Pressure & { readonly stopping: boolean },
): CutReason | undefined {
  if (now.stopping) return 'stop'
  if (progress.bytes >= limits.rollBytes) return 'bytes'
  // Memory may be short because earlier batches are still on their way: ending a small one would not help.
  if (now.memoryShort && progress.bytes >= limits.rollBytes * WORTH_ENDING) return 'memory'
  // A store that is away or slow gets fewer and larger batches; many small ones would cost memory that nobody counts.
  if (progress.ageMs >= limits.flushIntervalMs && !now.behind) return 'interval'
  return undefined
}
