// How far a copy is, on a terminal as one bar for all of it and one for each table that is being copied; elsewhere as a line now and
// then.
import { MultiBar, type SingleBar } from 'cli-progress'
import type { CopyReport, TableReport } from '../../internal/storage/copy-report.js'
import { formatBytes, formatCount } from './text-table.js'

const LINE_EVERY_MS = 10_000
const MOST_TABLES = 8
const NAME_COLUMNS = 32

export class CopyBars {
  readonly #out: NodeJS.WriteStream
  readonly #bars: MultiBar
  readonly #byName = new Map<string, SingleBar>()
  #lineMs = -Infinity

  constructor(out: NodeJS.WriteStream = process.stderr) {
    this.#out = out
    this.#bars = new MultiBar({
      stream: out,
      format: '{name} {bar} {percentage} %  {text}',
      hideCursor: true,
      clearOnComplete: true,
    })
  }

  show(report: CopyReport, nowMs: number): void {
    if (!this.#out.isTTY) {
      if (nowMs - this.#lineMs < LINE_EVERY_MS) return
      this.#lineMs = nowMs
      this.#out.write(`${summaryOf(report)}\n`)
      return
    }
    const tables = report.tables.slice(0, MOST_TABLES)
    const shown = new Map<string, { rows: number; rowsExpected: number; text: string }>([
      [`all of ${formatCount(report.tablesLeft + report.tablesCopied)} tables`, { ...report, text: ratesOf(report) }],
      ...tables.map((table) => [`${table.schema}.${table.table}`, { ...table, text: sizesOf(table) }] as const),
    ])
    for (const [name, bar] of this.#byName)
      if (!shown.has(name)) {
        this.#bars.remove(bar)
        this.#byName.delete(name)
      }
    for (const [name, { rows, rowsExpected, text }] of shown) {
      const payload = { name: name.slice(0, NAME_COLUMNS).padEnd(NAME_COLUMNS), text }
      const total = Math.max(1, rowsExpected)
      const bar = this.#byName.get(name)
      if (bar === undefined) this.#byName.set(name, this.#bars.create(total, rows, payload))
      else {
        bar.setTotal(total)
        bar.update(rows, payload)
      }
    }
  }

  /** The bars go. */
  end(): void {
    this.#bars.stop()
  }
}

/** One line. */
export function summaryOf(report: CopyReport): string {
  const tables = `${formatCount(report.tablesCopied)} of ${formatCount(report.tablesCopied + report.tablesLeft)} tables`
  return `${tables}, ${formatCount(report.rows)} of about ${formatCount(report.rowsExpected)} rows, ${ratesOf(report)}`
}

function ratesOf({ bytes, rowsPerSecond, secondsLeft }: CopyReport): string {
  const left = secondsLeft === undefined ? [] : [`about ${durationOf(secondsLeft)} left`]
  return [formatBytes(bytes), `${formatCount(rowsPerSecond)} rows/s`, ...left].join(', ')
}

function sizesOf({ rows, rowsExpected, bytes }: TableReport): string {
  return `${formatCount(rows)} of about ${formatCount(rowsExpected)} rows, ${formatBytes(bytes)}`
}

function durationOf(seconds: number): string {
  if (seconds < 120) return `${seconds} s`
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`
}
