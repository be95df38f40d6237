// Which parts of a table are left to copy under a snapshot, and how: as one pure function of what the log says of it and what the
// server does (docs/decisions/0011-copies.md has the cases).
import type { CopiedPiece } from '../../model/batch-record.js'
import type { CopyRange, SourceTable } from '../../replication/copy-source.js'

/** More rows than a page can hold, of 32 KiB and empty rows. */
const ROWS_A_PAGE = 2048
/** More rows than a source can hold that is read at once. */
const ROWS_UNBOUNDED = 2 ** 40

export interface TableFacts {
  readonly table: SourceTable
  /** Pages of each source, in order. */
  readonly pages: readonly number[]
  /** Version of the table's schema under the snapshot. */
  readonly schemaVersion: number
  /** What is copied already. */
  readonly done: readonly CopiedPiece[]
  /** The server can read a range of pages without reading the others. */
  readonly readsRanges: boolean
  readonly pagesAPiece: number
}

export interface Piece extends CopyRange {
  /** Index of its source. */
  readonly sourceIndex: number
  /** `_seq` of its first row: unique among all pieces of the table under this snapshot. */
  readonly seqFrom: number
}

/** Pages of the table that are read for the first time. */
export function pagesIn({ fromPage, toPage, sinceXid, sourceIndex }: Piece, pages: readonly number[]): number {
  return sinceXid === undefined ? (toPage ?? pages[sourceIndex]!) - fromPage : 0
}

export interface TableInLake {
  readonly hasKey: boolean
  readonly relationOid: number
  /** Of the versions that the lake has of a table of this name, up to the snapshot. */
  readonly earlierOids: readonly number[]
  /** What the lake has of it cannot be built upon, or was asked to be replaced. */
  readonly replaces: boolean
  /** Only some rows are read. */
  readonly chosenRows: boolean
}

export interface WayOfCopy {
  readonly whole: boolean
  readonly supersedes: boolean
  readonly refused?: string
}

/**
 * `whole`: it becomes visible at once, and is read under one snapshot. `supersedes`: after a T. What another table of this name
 * has left in the lake goes with the same T: of pieces that become visible one by one any may be the first. `refused`: chosen rows
 * cannot have a T, so a reader must be able to tell by the key which rows they stand for, and nothing of another table may be left.
 */
export function wayOfCopy({ hasKey, relationOid, earlierOids, replaces, chosenRows }: TableInLake): WayOfCopy {
  if (chosenRows) {
    if (!hasKey)
      return { ...AS_PIECES, refused: 'it has no key by which the copied rows could take the place of earlier ones' }
    if (earlierOids.length > 0 && earlierOids.at(-1) !== relationOid)
      return { ...AS_PIECES, refused: 'it has taken the name of another table, whose rows are still in the lake' }
    return AS_PIECES
  }
  const whole = !hasKey || replaces || earlierOids.some((oid) => oid !== relationOid)
  return { whole, supersedes: whole && earlierOids.length > 0 }
}

const AS_PIECES = { whole: false, supersedes: false }

/**
 * The stream has come to this table after the snapshot, and to another one of its name before: the T that it has set between them
 * would end the copied rows.
 */
export function isSuperseded({
  relationOid,
  earlierOids,
  laterOids,
}: Pick<TableInLake, 'relationOid' | 'earlierOids'> & { readonly laterOids: readonly number[] }): boolean {
  return earlierOids.length > 0 && earlierOids.at(-1) !== relationOid && laterOids.includes(relationOid)
}

/** In the order in which they are to be read. */
export function piecesLeft(facts: TableFacts): Piece[] {
  const { table, pages } = facts
  let seqFrom = 0
  return table.sources.flatMap((source, sourceIndex) => {
    const whole = !facts.readsRanges || !source.isHeap
    const done = facts.done.filter(
      (piece) =>
        !whole &&
        piece.sourceOid === source.oid &&
        piece.fileNode === source.fileNode &&
        piece.attributes === source.attributes &&
        piece.schemaVersion === facts.schemaVersion,
    )
    const ranges: CopyRange[] = whole
      ? [{ source, fromPage: 0, toPage: undefined }]
      : [
          // Rows that came here from pages that were not read: what the stream did not send of them was never sent.
          ...(source.hasToast
            ? done.map(({ fromPage, toPage, xmin }) => ({ source, fromPage, toPage, sinceXid: xmin }))
            : []),
          ...gaps(done, pages[sourceIndex]!).flatMap(({ from, to }) =>
            slices(from, to, facts.pagesAPiece).map(([fromPage, toPage]) => ({ source, fromPage, toPage })),
          ),
        ]
    return ranges.map((range) => {
      const piece = { ...range, sourceIndex, seqFrom }
      seqFrom += range.toPage === undefined ? ROWS_UNBOUNDED : (range.toPage - range.fromPage) * ROWS_A_PAGE
      return piece
    })
  })
}

/** Pages before `end` that none of `done` covers, which are in order and do not overlap. */
function gaps(done: readonly CopiedPiece[], end: number): { from: number; to: number }[] {
  const left: { from: number; to: number }[] = []
  let from = 0
  for (const { fromPage, toPage } of done) {
    if (fromPage > from) left.push({ from, to: Math.min(fromPage, end) })
    from = toPage
  }
  if (from < end) left.push({ from, to: end })
  return left
}

function slices(from: number, to: number, size: number): [number, number][] {
  return Array.from({ length: Math.ceil((to - from) / size) }, (_, k) => [
    from + k * size,
    Math.min(to, from + (k + 1) * size),
  ])
}
