// When is an idle position recorded? Only when nothing is open, planned or on its way (G3), and not at every keepalive:
// each record is two objects in the bucket.
import type { Lsn } from '../model/lsn.js'

/** At most this often an idle position is recorded in the bucket … */
const IDLE_RECORD_MS = 60_000
/** … and this often when the server waits for it, as it does before it shuts down. */
const URGENT_IDLE_RECORD_MS = 1_000

export interface IdleMoment {
  readonly position: Lsn
  /** End of the log. */
  readonly durable: Lsn
  /** Nothing is planned, uploading or waiting for its commit. */
  readonly committerIdle: boolean
  /** Since the last record of this kind. */
  readonly sinceMs: number
  /** The server waits for an answer. */
  readonly urgent: boolean
}

export function idleIsDue({ position, durable, committerIdle, sinceMs, urgent }: IdleMoment): boolean {
  return position > durable && committerIdle && sinceMs >= (urgent ? URGENT_IDLE_RECORD_MS : IDLE_RECORD_MS)
}
