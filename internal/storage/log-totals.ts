// The log folded: what all commits up to one hold together, by table, and every gap. Written now and then as a checkpoint,
// so that a start reads the newest one and the few commits after it. Derived from the commits alone: any writer that folds
// the same log makes the same bytes, and a lost checkpoint is made again.
import type { Commit, Gap, LastTransaction, QuietStretch } from '../model/batch-record.js'
import { Failure } from '../model/failure.js'
import { formatMicros } from '../model/instant.js'
import { formatLsn, type Lsn } from '../model/lsn.js'
import { progressFields, progressOf } from './copy-records.js'
import { CopyTotals } from './copy-totals.js'
import { gapFields, gapOf } from './log-records.js'
import { bytesOfRecord, RecordReader } from './record-reader.js'

export interface TableTotals {
  readonly schema: string
  readonly table: string
  rows: number
  files: number
  bytes: number
}

/** A gap in the lake's history: of these transactions the lake has at most a part. */
export interface RecordedGap extends Gap {
  readonly batch: number
  readonly missingTo: Lsn
}

export class LogTotals {
  /** The last batch that is folded in, -1 before the first. */
  batch = -1
  /** End of that batch. */
  endLsn: Lsn = 0n
  transactions = 0
  rows = 0
  files = 0
  bytes = 0
  lastTransaction: LastTransaction | undefined
  /** What comes after that transaction, or the last gap, in order; one for each setting of the filters. */
  quiet: readonly QuietStretch[] = []
  readonly gaps: RecordedGap[] = []
  readonly copies = new CopyTotals()
  readonly #tables = new Map<string, TableTotals>()

  get tables(): readonly TableTotals[] {
    return [...this.#tables.values()]
  }

  /** Folds in the commit that follows. Throws Failure `unsafe` where it does not follow (G2). */
  add(commit: Commit): void {
    if (commit.batch !== this.batch + 1 || (this.batch >= 0 && commit.fromLsn !== this.endLsn))
      throw new Failure(
        'unsafe',
        `commit ${commit.batch} begins at ${formatLsn(commit.fromLsn)}, but batch ${this.batch} ends at ${formatLsn(this.endLsn)}`,
        { hint: 'Records of two lakes were mixed under one prefix. Restore the prefix from a backup.' },
      )
    this.batch = commit.batch
    this.endLsn = commit.endLsn
    this.transactions += commit.transactions
    this.rows += commit.rows
    for (const { schema, table, rows, bytes } of commit.files) {
      this.files++
      this.bytes += bytes
      const totals = this.#table(schema, table)
      totals.rows += rows
      totals.files++
      totals.bytes += bytes
    }
    if (commit.lastCommitMicros !== undefined)
      this.lastTransaction = { commitLsn: commit.toLsn, commitMicros: commit.lastCommitMicros }
    if (commit.copied !== undefined) this.copies.add(commit.copied)
    // A copy has no place in the stream.
    if (commit.kind !== 'copy') this.quiet = commit.kind === 'idle' ? quietOn(this.quiet, commit) : []
    // What comes after a gap may be another history than what came before.
    if (commit.gap === undefined) return
    this.lastTransaction = undefined
    this.copies.forget()
    this.gaps.push({ ...commit.gap, batch: commit.batch, missingTo: commit.endLsn })
  }

  /** A checkpoint's content. */
  encode(): Buffer {
    const last = this.lastTransaction
    return bytesOfRecord({
      batch: this.batch,
      end_lsn: formatLsn(this.endLsn),
      transactions: this.transactions,
      rows: this.rows,
      files: this.files,
      bytes: this.bytes,
      last_transaction:
        last === undefined
          ? null
          : { commit_lsn: formatLsn(last.commitLsn), commit_ts: formatMicros(last.commitMicros) },
      quiet: this.quiet.map((stretch) => ({
        from_lsn: formatLsn(stretch.from),
        to_lsn: formatLsn(stretch.to),
        tables: stretch.tables,
        exclude_tables: stretch.excludeTables,
      })),
      gaps: this.gaps.map((gap) => ({ batch: gap.batch, ...gapFields(gap), missing_to: formatLsn(gap.missingTo) })),
      copies: progressFields(this.copies.progress),
      tables: this.tables,
    })
  }

  /** Throws Failure `unsafe` naming `key`. */
  static decode(key: string, bytes: Buffer): LogTotals {
    const reader = new RecordReader(key, bytes)
    reader.checkFormat()
    const totals = new LogTotals()
    totals.batch = reader.count('batch')
    totals.endLsn = reader.lsn('end_lsn')
    totals.transactions = reader.count('transactions')
    totals.rows = reader.count('rows')
    totals.files = reader.count('files')
    totals.bytes = reader.count('bytes')
    if (reader.has('last_transaction')) {
      const last = reader.nested('last_transaction')
      totals.lastTransaction = { commitLsn: last.lsn('commit_lsn'), commitMicros: last.micros('commit_ts') }
    }
    totals.quiet = reader.list('quiet').map((stretch) => ({
      from: stretch.lsn('from_lsn'),
      to: stretch.lsn('to_lsn'),
      tables: stretch.text('tables'),
      excludeTables: stretch.text('exclude_tables'),
    }))
    for (const gap of reader.list('gaps'))
      totals.gaps.push({ ...gapOf(gap), batch: gap.count('batch'), missingTo: gap.lsn('missing_to') })
    // Checkpoints that are older than copies have none.
    if (reader.has('copies')) totals.copies.add(progressOf(reader.nested('copies')))
    for (const entry of reader.list('tables')) {
      const table = totals.#table(entry.text('schema'), entry.text('table'))
      table.rows = entry.count('rows')
      table.files = entry.count('files')
      table.bytes = entry.count('bytes')
    }
    return totals
  }

  #table(schema: string, table: string): TableTotals {
    const name = JSON.stringify([schema, table])
    let totals = this.#tables.get(name)
    if (totals === undefined) this.#tables.set(name, (totals = { schema, table, rows: 0, files: 0, bytes: 0 }))
    return totals
  }
}

/** The quiet stretches that end with the idle position of `commit`. */
function quietOn(quiet: readonly QuietStretch[], { fromLsn, endLsn, cut }: Commit): readonly QuietStretch[] {
  const { tables, excludeTables } = cut
  const last = quiet.at(-1)
  if (last?.tables === tables && last.excludeTables === excludeTables)
    return [...quiet.slice(0, -1), { ...last, to: endLsn }]
  return [...quiet, { from: fromLsn, to: endLsn, tables, excludeTables }]
}
