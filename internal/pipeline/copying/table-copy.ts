// One table that is being copied under a snapshot: which pieces are out, what is staged, and when what becomes visible. A table
// with a key piece by piece, another one as a whole.
import type { CopiedPiece, CopiedTable, CopyProgress, PlannedCopy, StagedFile } from '../../model/batch-record.js'
import { Failure } from '../../model/failure.js'
import type { PublishedTable, SourceTable } from '../../replication/copy-source.js'
import type { CopyRequest } from '../../storage/copy-requests.js'
import type { RegisteredVersion } from '../../transform/batch-sink.js'
import type { TableLayout } from '../../transform/table-layout.js'
import type { Piece } from './table-pieces.js'

/** What was read of a table is not to be gone on with: it is copied under a new snapshot. */
export class CopyAgain extends Error {}

/** A table that is to be copied: because the lake does not have it whole, or because of a request. */
export interface WantedTable extends PublishedTable {
  readonly request?: Pick<CopyRequest, 'id' | 'where'>
}

/** What was asked for does not fit the table. */
export class UnfitRequest extends Failure {}

export function unfit({ schema, table }: { schema: string; table: string }, why: string): UnfitRequest {
  return new UnfitRequest('config', `chosen rows of ${schema}.${table} cannot be copied: ${why}`, {
    hint: 'Copy the whole table: run `snapshot` without --where.',
  })
}

export interface TableCopyOptions {
  readonly wanted: WantedTable
  readonly table: CopiedTable
  readonly source: SourceTable
  /** Of each source. */
  readonly pages: readonly number[]
  readonly layout: TableLayout
  readonly version: RegisteredVersion
  readonly pieces: readonly Piece[]
  /** All becomes visible at once. */
  readonly whole: boolean
  /** A `T` comes before the rows. */
  readonly supersedes: boolean
  /** pg_snapshot_xmin of the snapshot. */
  readonly xmin: bigint
  readonly commit: (copy: PlannedCopy) => Promise<CopyProgress>
}

/** A part of the work. */
export interface PieceOfTable {
  readonly copy: TableCopy
  /** Absent in a table without rows. */
  readonly piece?: Piece
  readonly supersedes: boolean
}

export class TableCopy {
  readonly wanted: WantedTable
  readonly table: CopiedTable
  readonly source: SourceTable
  readonly pages: readonly number[]
  readonly layout: TableLayout
  readonly version: RegisteredVersion
  /** Without the T. */
  rows = 0
  /** It is given up under this snapshot. */
  failed = false
  readonly #options: TableCopyOptions
  readonly #files: StagedFile[] = []
  readonly #commits: Promise<void>[] = []
  #left: number

  constructor(options: TableCopyOptions) {
    this.#options = options
    this.wanted = options.wanted
    this.table = options.table
    this.source = options.source
    this.pages = options.pages
    this.layout = options.layout
    this.version = options.version
    this.#left = this.work().length
  }

  /** What there is to do. */
  work(): PieceOfTable[] {
    const { pieces, supersedes } = this.#options
    if (pieces.length === 0 && supersedes) return [{ copy: this, supersedes }]
    return pieces.map((piece, k) => ({ copy: this, piece, supersedes: supersedes && k === 0 }))
  }

  /** Its files are staged. Resolves true when that was the last part, and everything is durable. */
  async done({ piece, supersedes }: Partial<PieceOfTable>, files: readonly StagedFile[]): Promise<boolean> {
    this.rows += files.reduce((sum, file) => sum + file.rows, supersedes === true ? -1 : 0)
    const last = --this.#left <= 0
    if (this.#options.whole) {
      this.#files.push(...files)
      if (last) await this.#commit({ files: this.#files, pieces: [], finished: [this.table] })
      return last
    }
    // Chosen rows do not make the table whole.
    const chosenRows = this.wanted.request?.where !== undefined
    const pieces = piece?.toPage === undefined || chosenRows ? [] : [this.#record(piece, piece.toPage)]
    const finished = chosenRows ? [] : [this.table]
    if (last && this.#commits.length === 0) {
      await this.#commit({ files, pieces, finished })
      return true
    }
    const commit = this.#commit({ files, pieces, finished: [] })
    commit.catch(() => undefined) // told by the last one
    this.#commits.push(commit)
    if (!last) return false
    await Promise.all(this.#commits)
    if (!chosenRows) await this.#commit({ files: [], pieces: [], finished })
    return true
  }

  /** Throws where the store has lost what was staged: then not all of the table is in the lake. */
  async #commit(copy: PlannedCopy): Promise<void> {
    const copied = await this.#options.commit(copy)
    const isThere = (piece: CopiedPiece): boolean =>
      copied.pieces.some((other) => other.sourceOid === piece.sourceOid && other.fromPage === piece.fromPage)
    if (!copy.pieces.every(isThere)) throw new CopyAgain('the store has lost files that were staged')
  }

  #record(piece: Piece, toPage: number): CopiedPiece {
    const { table, xmin, version } = this.#options
    const { source, fromPage } = piece
    return {
      ...table,
      schemaVersion: version.version,
      sourceOid: source.oid,
      fileNode: source.fileNode,
      attributes: source.attributes,
      xmin,
      fromPage,
      toPage,
    }
  }
}
