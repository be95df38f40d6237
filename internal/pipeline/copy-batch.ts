// A batch of kind `copy`: files that lie staged in the store become visible, and by a plan that names them whoever comes next
// can finish that. Nothing here is read from the server again.
import type {
  BatchSummary,
  Commit,
  CopyProgress,
  CutParameters,
  DataFile,
  PlannedCopy,
  StagedFile,
} from '../model/batch-record.js'
import type { Lsn } from '../model/lsn.js'
import type { ObjectStore } from '../storage/object-store.js'

/** What a batch without transactions says of the stream. */
export function standingStill(position: Lsn): BatchSummary {
  return { toLsn: position, endLsn: position, transactions: 0, rows: 0 }
}

/** So long after a batch of copies the next one is planned, so that many small tables share one. */
const PAUSE_MS = 500

interface WaitingCopy {
  readonly copy: PlannedCopy
  readonly cut: CutParameters
  readonly resolve: (copied: CopyProgress) => void
}

/** Copies that wait for a batch. One batch at a time: what is staged meanwhile goes into the next one. */
export class CopyQueue {
  readonly #onReady: () => void
  #waiting: WaitingCopy[] = []
  #busy = false
  #pausedUntilMs = 0

  /** `onReady`: there may be something to take. */
  constructor(onReady: () => void) {
    this.#onReady = onReady
  }

  /** Resolves when its batch is durable, with what counts as copied of all that was in the batch. */
  add(copy: PlannedCopy, cut: CutParameters): Promise<CopyProgress> {
    return new Promise((resolve) => {
      this.#waiting.push({ copy, cut, resolve })
      this.#onReady()
    })
  }

  /** All that waits, as one, if a batch may begin now; `done` is called with its commit. `hurried`: without a pause. */
  take(hurried: boolean): { copy: PlannedCopy; cut: CutParameters; done: (commit: Commit) => void } | undefined {
    const [first] = this.#waiting
    if (first === undefined || this.#busy || (performance.now() < this.#pausedUntilMs && !hurried)) return undefined
    const taken = this.#waiting
    this.#waiting = []
    this.#busy = true
    return {
      copy: joinCopies(taken.map(({ copy }) => copy)),
      cut: first.cut,
      done: ({ copied }) => {
        for (const { resolve } of taken) resolve(copied!)
        this.#busy = false
        this.#pausedUntilMs = performance.now() + PAUSE_MS
        setTimeout(this.#onReady, PAUSE_MS + 1)
        this.#onReady()
      },
    }
  }
}

export function joinCopies(copies: readonly PlannedCopy[]): PlannedCopy {
  return {
    files: copies.flatMap(({ files }) => files),
    pieces: copies.flatMap(({ pieces }) => pieces),
    finished: copies.flatMap(({ finished }) => finished),
  }
}

/**
 * Completes what a copy's plan names, each call by `limit`; also what is complete already. Should the store have lost some of it,
 * what it has is listed, and of those tables nothing counts as copied, so that they are copied again.
 */
export async function finishCopy(
  store: ObjectStore,
  limit: <T>(work: () => Promise<T>) => Promise<T>,
  { files, pieces, finished }: PlannedCopy,
): Promise<Pick<Commit, 'files' | 'copied' | 'rows'>> {
  const gone = new Set<StagedFile>()
  const complete = (file: StagedFile): Promise<void> =>
    limit(async () => {
      if ((await store.complete(file.key, file.receipt)) === 'gone') gone.add(file)
    })
  // What a T supersedes must not vanish before the rows are there that stand in its place.
  for (const supersedes of [false, true])
    await Promise.all(files.filter((file) => file.supersedes === supersedes).map(complete))

  const lost = new Set([...gone].map(nameOf))
  const whole = (table: { schema: string; table: string }): boolean => !lost.has(nameOf(table))
  const standing = files.filter((file) => !gone.has(file)).map(dataFileOf)
  return {
    files: standing,
    rows: standing.reduce((sum, { rows }) => sum + rows, 0),
    copied: { pieces: pieces.filter(whole), finished: finished.filter(whole) },
  }
}

function dataFileOf({ receipt: _, supersedes: __, ...file }: StagedFile): DataFile {
  return file
}

function nameOf({ schema, table }: { schema: string; table: string }): string {
  return JSON.stringify([schema, table])
}
