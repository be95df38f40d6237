// Where the stream stands to the open batch: what is done with a transaction or a quiet position, as pure decisions. A plan
// that is replayed covers exactly the transactions up to the one it names; a stream that passes that one is another history.
import type { LastTransaction, QuietStretch } from '../model/batch-record.js'
import type { Lsn } from '../model/lsn.js'

/** As much of a plan as decides. */
export interface PlannedEnd {
  /** Commit LSN of the last transaction. */
  readonly toLsn: Lsn
}

/** `drop`: it is durable already; a server that crashed may send it again. */
export function placeOfTransaction(
  commitLsn: Lsn,
  from: Lsn,
  replayed: PlannedEnd | undefined,
): 'take' | 'drop' | 'misfit' {
  if (replayed !== undefined && commitLsn > replayed.toLsn) return 'misfit'
  return commitLsn < from ? 'drop' : 'take'
}

/** The stretch of the log by which a durable transaction at this position can have no row that was taken then. */
export function quietAt(commitLsn: Lsn, quiet: readonly QuietStretch[]): QuietStretch | undefined {
  return quiet.find(({ from, to }) => from <= commitLsn && commitLsn < to)
}

/** `idle`: every transaction before it has been seen and nothing of them is open. `busy`: rows are open. */
export function placeOfPosition(
  position: Lsn,
  openRows: number,
  replayed: PlannedEnd | undefined,
): 'idle' | 'busy' | 'replay' | 'misfit' {
  if (replayed !== undefined) return position > replayed.toLsn ? 'misfit' : 'replay'
  return openRows === 0 ? 'idle' : 'busy'
}

/**
 * A server that was set back to an earlier state goes on with other transactions at the same positions. So the last durable
 * one, asked for once more, must come first and be the same. `commitMicros`: undefined for a quiet
 * position.
 */
export function provesHistory(
  expected: LastTransaction,
  position: Lsn,
  commitMicros: bigint | undefined,
): 'same' | 'other' | 'not yet' {
  if (position < expected.commitLsn) return 'not yet'
  if (commitMicros === undefined) return position === expected.commitLsn ? 'not yet' : 'other'
  return position === expected.commitLsn && commitMicros === expected.commitMicros ? 'same' : 'other'
}
