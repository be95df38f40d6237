// How far the copy of existing rows is, as an object that the process which copies writes over and over, for whoever wants to look.
import { formatMicros } from '../model/instant.js'
import { formatLsn, type Lsn } from '../model/lsn.js'
import { copyReportKey } from './keys.js'
import type { ObjectStore } from './object-store.js'
import { bytesOfRecord, RecordReader, type Json } from './record-reader.js'

export interface TableReport {
  readonly schema: string
  readonly table: string
  /** That the server has sent. */
  readonly rows: number
  /** In the end; at least `rows`. */
  readonly rowsExpected: number
  /** That the server has sent. */
  readonly bytes: number
}

/** Times in milliseconds since 1970. Counts are of this run: what an earlier one has copied is not in them. */
export interface CopyReport {
  readonly writtenMs: number
  readonly startedMs: number
  /** `_lsn` of the rows. */
  readonly lsn: Lsn
  readonly tablesCopied: number
  readonly tablesLeft: number
  readonly rows: number
  readonly rowsExpected: number
  readonly bytes: number
  readonly rowsPerSecond: number
  /** Absent when nothing comes, and at the end. */
  readonly secondsLeft?: number
  /** Those that are being copied. */
  readonly tables: readonly TableReport[]
}

export async function writeCopyReport(store: ObjectStore, slot: string, report: CopyReport): Promise<void> {
  const { writtenMs, startedMs, tables, secondsLeft = null } = report
  const content = bytesOfRecord({
    written_at: formatMicros(BigInt(writtenMs) * 1000n),
    started_at: formatMicros(BigInt(startedMs) * 1000n),
    ...copyNumbers(report),
    seconds_left: secondsLeft,
    tables: tables.map(tableFields),
  })
  await store.put(copyReportKey(slot), [content], { role: 'log' })
}

/** Under the names that they have wherever they are told: in the lake, in the log, in `status`. */
export function copyNumbers(report: CopyReport): Json {
  return {
    lsn: formatLsn(report.lsn),
    tables_copied: report.tablesCopied,
    tables_left: report.tablesLeft,
    rows: report.rows,
    rows_expected: report.rowsExpected,
    bytes: report.bytes,
    rows_per_second: report.rowsPerSecond,
  }
}

export function tableFields({ schema, table, rows, rowsExpected, bytes }: TableReport): Json {
  return { schema, table, rows, rows_expected: rowsExpected, bytes }
}

/** Undefined where nothing was ever copied. */
export async function readCopyReport(store: ObjectStore, slot: string): Promise<CopyReport | undefined> {
  const key = copyReportKey(slot)
  const content = await store.get(key)
  if (content === undefined) return undefined
  const reader = new RecordReader(key, content)
  reader.checkFormat()
  return {
    writtenMs: Number(reader.micros('written_at') / 1000n),
    startedMs: Number(reader.micros('started_at') / 1000n),
    lsn: reader.lsn('lsn'),
    tablesCopied: reader.count('tables_copied'),
    tablesLeft: reader.count('tables_left'),
    rows: reader.count('rows'),
    rowsExpected: reader.count('rows_expected'),
    bytes: reader.count('bytes'),
    rowsPerSecond: reader.count('rows_per_second'),
    ...(reader.has('seconds_left') ? { secondsLeft: reader.count('seconds_left') } : {}),
    tables: reader.list('tables').map((table) => ({
      schema: table.text('schema'),
      table: table.text('table'),
      rows: table.count('rows'),
      rowsExpected: table.count('rows_expected'),
      bytes: table.count('bytes'),
    })),
  }
}

/** Longer than a service that copies takes from one report to the next. */
const STALE_MS = 30_000

/** A copy runs, as far as its last report tells. `nowMs`: milliseconds since 1970. */
export function isUnderWay({ tablesLeft, writtenMs }: CopyReport, nowMs: number): boolean {
  return tablesLeft > 0 && nowMs - writtenMs < STALE_MS
}
