// A batch of kind `copy`: files that lie staged in the store become visible, and by a plan that names them whoever comes next
// can finish that. Nothing here is read from the server again.
import type { BatchSummary, Commit, DataFile, PlannedCopy, StagedFile } from '../model/batch-record.js'
import type { Lsn } from '../model/lsn.js'
import type { ObjectStore } from '../storage/object-store.js'

/** What a batch without transactions says of the stream. */
export function standingStill(position: Lsn): BatchSummary {
  return { toLsn: position, endLsn: position, transactions: 0, rows: 0 }
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
