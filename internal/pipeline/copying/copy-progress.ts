// How far a copy is: what the server has sent of each table, and what is expected of it. First from what the server remembers of the
// table (pg_class), then from how many rows the pages had that were read.
import type { Lsn } from '../../model/lsn.js'
import type { PublishedTable, TableEstimate } from '../../replication/copy-source.js'
import type { CopyReport, TableReport } from '../../storage/copy-report.js'

/** The rate is that of so long before. */
const RATE_OVER_MS = 30_000

interface TableProgress {
  readonly schema: string
  readonly table: string
  readonly estimate: TableEstimate | undefined
  /** To read; undefined while it waits. */
  pages: number | undefined
  /** To their end, and how many rows they had. */
  readPages: number
  readRows: number
  rows: number
  bytes: number
  isCopied: boolean
}

export class CopyProgressMeter {
  readonly #lsn: Lsn
  readonly #startedMs: number
  readonly #tables = new Map<number, TableProgress>()
  /** Of the last RATE_OVER_MS, the oldest first. */
  readonly #marks: { readonly ms: number; readonly rows: number }[] = []
  #rows = 0
  #bytes = 0

  /** Times are in milliseconds since 1970. */
  constructor(tables: readonly PublishedTable[], estimates: readonly TableEstimate[], lsn: Lsn, nowMs: number) {
    this.#lsn = lsn
    this.#startedMs = nowMs
    this.#marks.push({ ms: nowMs, rows: 0 })
    const estimateOf = new Map(estimates.map((estimate) => [estimate.oid, estimate]))
    for (const { schema, table, oid } of tables)
      this.#tables.set(oid, {
        ...{ schema, table, estimate: estimateOf.get(oid) },
        ...{ pages: undefined, readPages: 0, readRows: 0, rows: 0, bytes: 0, isCopied: false },
      })
  }

  opened({ oid }: PublishedTable, pages: number): void {
    this.#tables.get(oid)!.pages = pages
  }

  received({ oid }: PublishedTable, rows: number, bytes: number): void {
    const progress = this.#tables.get(oid)!
    progress.rows += rows
    progress.bytes += bytes
    this.#rows += rows
    this.#bytes += bytes
  }

  read({ oid }: PublishedTable, pages: number, rows: number): void {
    const progress = this.#tables.get(oid)!
    progress.readPages += pages
    progress.readRows += rows
  }

  copied({ oid }: PublishedTable): void {
    this.#tables.get(oid)!.isCopied = true
  }

  report(nowMs: number): CopyReport {
    const tables = [...this.#tables.values()]
    const left = tables.filter(({ isCopied }) => !isCopied)
    const rowsPerSecond = this.#rate(nowMs)
    const rowsLeft = left.reduce((sum, progress) => sum + Math.max(0, expectedRows(progress) - progress.rows), 0)
    return {
      ...{ writtenMs: nowMs, startedMs: this.#startedMs, lsn: this.#lsn },
      ...{ tablesCopied: tables.length - left.length, tablesLeft: left.length },
      ...{ rows: this.#rows, rowsExpected: Math.round(this.#rows + rowsLeft), bytes: this.#bytes, rowsPerSecond },
      ...(left.length > 0 && rowsPerSecond > 0 ? { secondsLeft: Math.ceil(rowsLeft / rowsPerSecond) } : {}),
      tables: left.filter(({ pages }) => pages !== undefined).map(tableReport),
    }
  }

  #rate(nowMs: number): number {
    this.#marks.push({ ms: nowMs, rows: this.#rows })
    while (this.#marks.length > 2 && this.#marks[1]!.ms <= nowMs - RATE_OVER_MS) this.#marks.shift()
    const { ms, rows } = this.#marks[0]!
    return nowMs === ms ? 0 : Math.round(((this.#rows - rows) * 1000) / (nowMs - ms))
  }
}

function tableReport(progress: TableProgress): TableReport {
  const { schema, table, rows, bytes } = progress
  return { schema, table, rows, rowsExpected: Math.round(Math.max(rows, expectedRows(progress))), bytes }
}

/** Of what is to be read of the table in this run. */
function expectedRows({ estimate, pages, readPages, readRows, rows }: TableProgress): number {
  // Of what is under way nobody knows how many pages it took.
  if (pages !== undefined && readPages > 0) return readPages >= pages ? rows : (readRows / readPages) * pages
  if (estimate === undefined || estimate.pages === 0) return rows
  return pages === undefined ? estimate.rows : (estimate.rows / estimate.pages) * pages
}
