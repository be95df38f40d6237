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

export type CutReason = 'interval' | 'bytes' | 'memory' | 'stop'

/** A batch that has less than this part of a whole one is not ended for the sake of memory. */
const WORTH_ENDING = 0.25

/** Why the batch ends at this commit, or undefined where it goes on. */
export function cutAtCommit(
  progress: BatchProgress,
  limits: CutLimits,
  now: { stopping: boolean; memoryShort: boolean },
): CutReason | undefined {
  if (now.stopping) return 'stop'
  if (progress.bytes >= limits.rollBytes) return 'bytes'
  // Memory may be short because earlier batches are still on their way: ending a small one would not help.
  if (now.memoryShort && progress.bytes >= limits.rollBytes * WORTH_ENDING) return 'memory'
  if (progress.ageMs >= limits.flushIntervalMs) return 'interval'
  return undefined
}
