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

/** Why the batch ends at this commit, or undefined where it goes on. */
export function cutAtCommit(
  progress: BatchProgress,
  limits: CutLimits,
  now: { stopping: boolean; memoryShort: boolean },
): CutReason | undefined {
  if (now.stopping) return 'stop'
  if (progress.bytes >= limits.rollBytes) return 'bytes'
  if (now.memoryShort) return 'memory'
  if (progress.ageMs >= limits.flushIntervalMs) return 'interval'
  return undefined
}
