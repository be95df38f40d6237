// The commits of a log from a position on, as they come.
import { setTimeout as delay } from 'node:timers/promises'
import type { Commit } from '../../model/batch-record.js'
import type { Lsn } from '../../model/lsn.js'
import type { CommitLog } from '../../storage/commit-log.js'

const LOOK_MS = 500

/** The first batch that ends after `from`; the one that comes next where there is none yet. `last`: of the newest commit, or -1. */
export async function firstBatchAfter(log: CommitLog, from: Lsn, last: number): Promise<number> {
  let low = 0
  let high = last + 1
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    if ((await log.readCommit(middle)).endLsn > from) high = middle
    else low = middle + 1
  }
  return low
}

/** From batch `first` on, without end, until `stop` fires. */
export async function* commitsFrom(log: CommitLog, first: number, stop: AbortSignal): AsyncGenerator<Commit> {
  for (let batch = first; !stop.aborted;) {
    const commit = await log.findCommit(batch)
    if (commit === undefined) await delay(LOOK_MS, undefined, { signal: stop }).catch(() => undefined)
    else {
      yield commit
      batch++
    }
  }
}
