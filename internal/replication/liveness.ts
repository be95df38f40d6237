// Is the link alive, and what has to be done to keep it so: decisions from numbers, without timers.

export interface LivenessTimings {
  /** How often to send a status update unasked. */
  readonly statusEveryMs: number
  /** Silence after which the server is asked for a sign of life. */
  readonly askAfterMs: number
  /** Silence after which the link counts as dead; so long, too, an answer on the control connection is waited for. */
  readonly deadAfterMs: number
}

/** What a server that never gives up on us is taken to have; PostgreSQL's own default. */
const USUAL_TIMEOUT_MS = 60_000
/** However impatient the server is, a busy machine may take this long for an answer. */
const SHORTEST_BOUND_MS = 5_000
/** No bound grows beyond so many times the first. */
const MOST_PATIENCE = 16

/** From the server's wal_sender_timeout in milliseconds; 0 there means that it never gives up on us. */
export function livenessTimings(walSenderTimeoutMs: number, patience = 1): LivenessTimings {
  const timeoutMs = walSenderTimeoutMs > 0 ? walSenderTimeoutMs : USUAL_TIMEOUT_MS
  return {
    statusEveryMs: Math.min(10_000, Math.max(100, timeoutMs / 3)),
    // One small message: cheap enough to ask often, so that the answer is there long before the link counts as dead.
    askAfterMs: Math.min(10_000, Math.max(1_000, timeoutMs / 2)),
    deadAfterMs: Math.max(SHORTEST_BOUND_MS, timeoutMs * 2) * patience,
  }
}

/** What to do after `silentMs` without a byte. While we do not read, silence proves nothing. */
export function judgeSilence(silentMs: number, reading: boolean, timings: LivenessTimings): 'fine' | 'ask' | 'dead' {
  if (!reading || silentMs < timings.askAfterMs) return 'fine'
  return silentMs < timings.deadAfterMs ? 'ask' : 'dead'
}

/**
 * How much longer than usual to wait, over several streams: a server that decodes a huge transaction may say nothing for
 * longer than the bound, and begins anew with each connection. If each waited as long as the last, it would never come to
 * its end.
 */
export class LinkPatience {
  #factor = 1

  get factor(): number {
    return this.#factor
  }

  /** A silent link was given up. */
  gaveUp(): void {
    this.#factor = Math.min(MOST_PATIENCE, this.#factor * 2)
  }

  /** Changes have come and are stored. */
  progressed(): void {
    this.#factor = 1
  }
}
