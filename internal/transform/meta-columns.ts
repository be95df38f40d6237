// The columns that every row has beside its table's: what happened, and in which transaction. All but the place in the
// transaction change seldom, and cost only where they do.
import { RunColumn, ScalarColumn, type ColumnBuffer } from './parquet/column-buffers.js'
import { BytesValues, Int64Values, type Intake } from './parquet/leaf-values.js'
import type { TransactionStamp } from './transaction-stamp.js'

/** Kinds of rows, as their letter in `_op`. */
export const OP = { insert: 0x49, update: 0x55, delete: 0x44, truncate: 0x54, snapshot: 0x53 } as const

const OP_BYTES = Buffer.from('IUDTS', 'latin1')
const TWO_32 = 2 ** 32

export class MetaColumns {
  /** `_op`, `_lsn`, `_seq`, `_xid`, `_commit_ts`. */
  readonly columns: readonly ColumnBuffer[]
  readonly #op: RunColumn<BytesValues>
  readonly #lsn: RunColumn<Int64Values>
  readonly #seq: ScalarColumn<Int64Values>
  readonly #xid: RunColumn<Int64Values>
  readonly #commitTs: RunColumn<Int64Values>
  /** What the open runs say. */
  #stamp: TransactionStamp | undefined
  #opNow = 0

  constructor(intake: Intake) {
    this.#op = new RunColumn(new BytesValues(intake))
    this.#lsn = new RunColumn(new Int64Values(intake))
    this.#seq = new ScalarColumn(new Int64Values(intake))
    this.#xid = new RunColumn(new Int64Values(intake))
    this.#commitTs = new RunColumn(new Int64Values(intake))
    this.columns = [this.#op, this.#lsn, this.#seq, this.#xid, this.#commitTs]
  }

  /** Row `row` of the row group begins. */
  beginRow(row: number, stamp: TransactionStamp, seq: number, op: number): void {
    if (stamp !== this.#stamp) this.#beginTransaction(row, stamp)
    if (op !== this.#opNow) {
      this.#opNow = op
      this.#op.beginRun(row).push(OP_BYTES, OP_BYTES.indexOf(op), OP_BYTES.indexOf(op) + 1)
    }
    this.#seq.leaf.push(seq | 0, Math.floor(seq / TWO_32))
  }

  /** A page of `column` was closed, and its runs with it: the next row has to begin them again. */
  sealed(column: ColumnBuffer): void {
    if (column === this.#op) this.#opNow = 0
    if (column === this.#lsn || column === this.#xid || column === this.#commitTs) this.#stamp = undefined
  }

  #beginTransaction(row: number, stamp: TransactionStamp): void {
    this.#stamp = stamp
    this.#lsn.beginRun(row).push(stamp.lsnLow, stamp.lsnHigh)
    if (stamp.xid === undefined) this.#xid.appendNull(row)
    else this.#xid.beginRun(row).push(stamp.xid | 0, 0)
    this.#commitTs.beginRun(row).push(stamp.microsLow, stamp.microsHigh)
  }
}
