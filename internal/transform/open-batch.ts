// The batch that is being filled: what it has taken in so far, counted. Forgotten whole when it ends; decides nothing.
import type { BatchSummary } from '../model/batch-record.js'
import type { Lsn } from '../model/lsn.js'
import type { RowCounts } from './batch-sink.js'

export class OpenBatch {
  /** Its end is fixed: files of it have gone out. */
  planned = false
  /** Bytes of values since the files last rolled. */
  bytes = 0
  rows = 0
  /** When its first transaction had arrived whole, on the builder's clock. */
  startedMs = 0
  /** Rows by table and operation. */
  readonly counts = new Map<string, RowCounts>()
  readonly #parts = new Map<string, number>()
  #transactions = 0
  #firstMicros = 0n
  #last: { readonly commitLsn: Lsn; readonly endLsn: Lsn; readonly micros: bigint } | undefined

  /** A transaction with rows has arrived whole. */
  get begun(): boolean {
    return this.#last !== undefined
  }

  /** The counts of `schema.table`, from 0. */
  countsOf(table: string): RowCounts {
    const counts = this.counts.get(table) ?? { insert: 0, update: 0, delete: 0, truncate: 0 }
    this.counts.set(table, counts)
    return counts
  }

  /** Number of the next file in `directory`, from 0. */
  nextPart(directory: string): number {
    const part = this.#parts.get(directory) ?? 0
    this.#parts.set(directory, part + 1)
    return part
  }

  /** Notes a whole transaction with rows; `nowMs` on the builder's clock. */
  noteTransaction(commitLsn: Lsn, endLsn: Lsn, micros: bigint, nowMs: number): void {
    if (this.#transactions++ === 0) {
      this.#firstMicros = micros
      this.startedMs = nowMs
    }
    this.#last = { commitLsn, endLsn, micros }
  }

  /** What it holds; undefined before its first transaction. */
  summary(): BatchSummary | undefined {
    if (this.#last === undefined) return undefined
    return {
      toLsn: this.#last.commitLsn,
      endLsn: this.#last.endLsn,
      transactions: this.#transactions,
      rows: this.rows,
      firstCommitMicros: this.#firstMicros,
      lastCommitMicros: this.#last.micros,
    }
  }
}
