// The bars of a copy on a terminal, and the lines elsewhere.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CopyBars } from '../../../cmd/wal-cake/copy-bars.js'
import type { CopyReport } from '../../../internal/storage/copy-report.js'
import { output } from '../../support/terminal.js'

const report: CopyReport = {
  ...{ writtenMs: 0, startedMs: 0, lsn: 1n, tablesCopied: 1, tablesLeft: 2, rows: 250, rowsExpected: 1000 },
  ...{ bytes: 5_000_000, rowsPerSecond: 1234, secondsLeft: 300 },
  tables: [{ schema: 'public', table: 'orders', rows: 50, rowsExpected: 100, bytes: 1000 }],
}

test('on a terminal: one for all, one for each table that is being copied', async () => {
  const { stream, text } = output(true)
  const bars = new CopyBars(stream)
  bars.show(report, 0)
  // They are drawn ten times a second.
  await new Promise((resolve) => setTimeout(resolve, 300))
  const shown = text()
  assert.match(shown, /all of 3 tables +.* 25 % +5\.0 MB, 1,234 rows\/s, about 5 min left/)
  assert.match(shown, /public\.orders +.* 50 % +50 of about 100 rows, 1\.0 kB/)
  bars.show({ ...report, tables: [] }, 0)
  await new Promise((resolve) => setTimeout(resolve, 300))
  assert.doesNotMatch(text(), /public\.orders/)
  bars.end()
})

test('elsewhere: a line now and then', () => {
  const { stream, text } = output(false)
  const bars = new CopyBars(stream)
  for (const nowMs of [0, 1000, 9000, 11_000]) bars.show(report, nowMs)
  bars.end()
  const line = '1 of 3 tables, 250 of about 1,000 rows, 5.0 MB, 1,234 rows/s, about 5 min left\n'
  assert.equal(text(), line + line)
})
