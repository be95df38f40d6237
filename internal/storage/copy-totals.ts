// What the log says of copies, folded: which tables are copied, and of the others which pages. Ranges that touch become one,
// so that a table of any size takes a few lines.
import type { CopiedPiece, CopiedTable, CopyProgress } from '../model/batch-record.js'

export class CopyTotals {
  readonly #finished = new Map<string, CopiedTable>()
  /** By table, then in order of source and page; none overlap. */
  readonly #pieces = new Map<string, readonly CopiedPiece[]>()

  /** All of it, in a form that can be folded in again. */
  get progress(): CopyProgress {
    return { pieces: [...this.#pieces.values()].flat(), finished: [...this.#finished.values()] }
  }

  add({ pieces, finished }: CopyProgress): void {
    for (const piece of pieces) {
      const name = nameOf(piece)
      const before = (this.#pieces.get(name) ?? []).filter(({ relationOid }) => relationOid === piece.relationOid)
      this.#pieces.set(name, merged(piece, before))
    }
    for (const table of finished) {
      this.#finished.set(nameOf(table), table)
      this.#pieces.delete(nameOf(table))
    }
  }

  /** What was copied may be incomplete: transactions are missing. */
  forget(): void {
    this.#finished.clear()
    this.#pieces.clear()
  }

  /** Nothing of this table is left to copy. */
  isFinished(table: Pick<CopiedTable, 'schema' | 'table' | 'relationOid'>): boolean {
    return this.#finished.get(nameOf(table))?.relationOid === table.relationOid
  }

  /** What was copied of a table that is not finished, in order of source and page. */
  piecesOf(table: Pick<CopiedTable, 'schema' | 'table' | 'relationOid'>): readonly CopiedPiece[] {
    return (this.#pieces.get(nameOf(table)) ?? []).filter(({ relationOid }) => relationOid === table.relationOid)
  }
}

/** `pieces` with `piece` in place of what they have of its pages. */
function merged(piece: CopiedPiece, pieces: readonly CopiedPiece[]): CopiedPiece[] {
  const ordered = [...pieces.flatMap((old) => without(old, piece)), piece].sort(
    (a, b) => a.sourceOid - b.sourceOid || a.fromPage - b.fromPage,
  )
  const result: CopiedPiece[] = []
  for (const next of ordered) {
    const last = result.at(-1)
    if (last?.toPage === next.fromPage && sameRead(last, next))
      result[result.length - 1] = { ...last, toPage: next.toPage }
    else result.push(next)
  }
  return result
}

/** What is left of `old` beside the pages of `piece`. */
function without(old: CopiedPiece, piece: CopiedPiece): CopiedPiece[] {
  if (old.sourceOid !== piece.sourceOid) return [old]
  if (old.fileNode !== piece.fileNode) return []
  return [
    { ...old, toPage: Math.min(old.toPage, piece.fromPage) },
    { ...old, fromPage: Math.max(old.fromPage, piece.toPage) },
  ].filter(({ fromPage, toPage }) => fromPage < toPage)
}

function sameRead(a: CopiedPiece, b: CopiedPiece): boolean {
  return a.sourceOid === b.sourceOid && a.fileNode === b.fileNode && a.lsn === b.lsn && a.xmin === b.xmin
}

function nameOf({ schema, table }: Pick<CopiedTable, 'schema' | 'table'>): string {
  return JSON.stringify([schema, table])
}
