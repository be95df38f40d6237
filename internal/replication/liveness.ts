// Is the link alive, and what has to be done to keep it so: decisions from numbers, without timers.

export interface LivenessTimings {
  /** How often to send a status update unasked. */
  readonly statusEveryMs: number
  /** Silence after which the server is asked for a sign of life. */
  readonly askAfterMs: number
  /** Silence after which the link counts as dead. */
  readonly deadAfterMs: number
}

/** From the server's wal_sender_timeout in milliseconds; 0 there means that it never gives up on us. */
export function livenessTimings(walSenderTimeoutMs: number): LivenessTimings {
  const timeoutMs = walSenderTimeoutMs > 0 ? walSenderTimeoutMs : 60_000
  return {
    statusEveryMs: Math.min(10_000, Math.max(100, timeoutMs / 3)),
    askAfterMs: Math.max(1_000, timeoutMs / 2),
    deadAfterMs: Math.max(10_000, timeoutMs * 2),
  }
}

/** What to do after `silentMs` without a byte. While we do not read, silence proves nothing. */
export function judgeSilence(silentMs: number, reading: boolean, timings: LivenessTimings): 'fine' | 'ask' | 'dead' {
  if (!reading || silentMs < timings.askAfterMs) return 'fine'
  return silentMs < timings.deadAfterMs ? 'ask' : 'dead'
}
