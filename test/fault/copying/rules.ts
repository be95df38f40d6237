// What the model's writers go by: the product's own decisions, and the order of steps that the product keeps by waiting. A
// broken variant replaces one of them.
import { finishCopy, joinCopies } from '../../../internal/pipeline/copy-batch.js'
import { isLeftOver } from '../../../internal/pipeline/copying/copies-beside.js'
import { isSuperseded, piecesLeft, wayOfCopy } from '../../../internal/pipeline/copying/table-pieces.js'
import type { PlannedCopy } from '../../../internal/model/batch-record.js'
import type { SourceTable } from '../../../internal/replication/copy-source.js'
import type { Source } from './source.js'

export const rulesOfProduct = {
  ...{ piecesLeft, wayOfCopy, isSuperseded, isLeftOver, finishCopy, joinCopies },
  /** `_lsn` of what was read under a snapshot, by its consistent point. */
  lsnOfRows: (consistentPoint: bigint): bigint => consistentPoint - 1n,
  xminOf: (source: Source, seen: number): number => source.xmin(seen),
  /** The table is now what the snapshot saw. */
  isSame: (now: SourceTable, seen: SourceTable): boolean => JSON.stringify(now) === JSON.stringify(seen),
  /** What a writer finishes of the plans of copies that stand when it starts. */
  standing: (copy: PlannedCopy): PlannedCopy => copy,
  copyAwaitsStream: true,
  givingUpAwaitsPlan: true,
  countingAwaitsCommit: true,
}

export type Rules = typeof rulesOfProduct
