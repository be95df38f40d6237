// Where a stream begins: what the bucket and the server said before it.
import type { LastTransaction, Plan } from '../model/batch-record.js'
import type { Lsn } from '../model/lsn.js'
import type { ServerPlace } from '../replication/server.js'
import type { LogTotals } from '../storage/log-totals.js'

export interface StartPoint {
  readonly place: ServerPlace
  readonly durableLsn: Lsn
  /** The server is asked for what committed from here on: what is durable of that proves its history. */
  readonly askFrom: Lsn
  readonly openPlans: readonly Plan[]
  /** The log so far. */
  readonly totals: LogTotals
  /** Batch of its newest checkpoint, -1 for none. */
  readonly checkpoint: number
  /** The last transaction of the lake, where the server can still be asked to send it again. */
  readonly sentAgain: LastTransaction | undefined
  /** Existing rows are copied into this lake without being asked for. */
  readonly copies: boolean
}
