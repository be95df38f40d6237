// What is kept of what happened: bounded, masked, and turned into rates.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Commit } from '../../../internal/model/batch-record.js'
import { Metrics } from '../../../internal/observability/metrics.js'
import { RunHistory, type StreamNumbers } from '../../../internal/observability/run-history.js'
import { statusReport } from '../../../internal/observability/status-report.js'

const START_MS = Date.UTC(2026, 0, 1)
const stream: StreamNumbers = { lagSeconds: 0, behindBytes: 0, retainedBytes: 0, walBytes: 0 }

function setUp() {
  const clock = { ms: START_MS }
  const history = new RunHistory(
    (text) => text.replaceAll('secret', '***'),
    () => clock.ms,
  )
  return { clock, history, later: (seconds: number) => (clock.ms += seconds * 1000) }
}

function commit(batch: number, rows: number, table = 't'): Commit {
  const files = [{ key: 'k', schema: 's', table, schemaVersion: 1, rows, bytes: 10 * rows, sha256: '' }]
  return {
    ...{ batch, kind: 'changes', fromLsn: 0n, toLsn: 1n, endLsn: 2n, transactions: 1, rows, timeline: 1, files },
    cut: { rollBytes: 1, targetFileBytes: 1, tables: '', excludeTables: '' },
    ...{ writer: '', writerVersion: '' },
  }
}

test('whatever happens, only so much is kept, the newest of it', () => {
  const { history, later } = setUp()
  for (let at = 0; at < 5000; at++) {
    later(1)
    history.committed(commit(at, 1, `t${at}`), 'interval', 0.1)
    history.note('warn', `failure ${at}`)
    history.sample(stream)
  }
  assert.deepEqual([history.batches.length, history.events.length, history.samples.length], [30, 50, 360])
  assert.equal(history.batches[0]?.batch, 4999)
  assert.equal(history.events[0]?.message, 'failure 4999')
  assert.equal(history.committedAt('s', 't4999'), START_MS + 5_000_000)
  assert.equal(
    history.committedAt('s', 't0'),
    undefined,
    'of the tables that were longest without a commit nothing is known',
  )
})

test('a batch without files is no commit that anybody looks for', () => {
  const { history } = setUp()
  history.committed({ ...commit(1, 0), kind: 'idle', files: [] }, undefined, undefined)
  assert.equal(history.lastCommit, undefined)
})

test('secrets are masked before they are kept', () => {
  const { history } = setUp()
  history.note('error', 'the password secret is wrong')
  assert.equal(history.events[0]?.message, 'the password *** is wrong')
})

test('rates are those of the last minute and of ten minutes; of one moment there is none', () => {
  const { history, later } = setUp()
  assert.equal(history.flow, undefined)
  history.sample(stream)
  assert.deepEqual([history.flow, history.walBytesPerSecond], [undefined, undefined])
  for (let at = 1; at <= 60; at++) {
    later(5)
    // In the last minute ten rows and a kilobyte a second, before nothing; WAL all the time.
    if (at > 48) {
      history.committed(commit(at, 50), 'interval', 0.1)
      history.received(5000)
    }
    history.sample({ ...stream, walBytes: at * 500 })
  }
  assert.deepEqual(history.flow, { rowsPerSecond: 10, bytesPerSecond: 1000 })
  assert.equal(history.walBytesPerSecond, 100)
  later(5)
  history.sample(undefined)
  assert.equal(history.walBytesPerSecond, 100, 'a moment without a connection is left out')
})

test('hours until the limit: what may be written, by what is written', () => {
  const { history, later } = setUp()
  const metrics = new Metrics('slot', history)
  const report = (safeBytes: number | undefined, walBytes: number) => {
    later(10)
    metrics.slot({
      ...{ walStatus: 'reserved', retainedBytes: 5, behindBytes: 7, safeBytes, checkpointAgeSeconds: 1, walBytes },
      ...{ lagSeconds: 2, heldBytes: 3, receivedBytes: 4, pausedSeconds: 0 },
    })
    metrics.sample()
    const run = { version: '1', slot: 'slot', source: 'a', lake: 'b', startedMs: START_MS, memoryLimitBytes: 9 }
    const service = { state: 'streaming', reason: 'streaming', live: true, durable: 0x1_0000_000an }
    return statusReport(run, service, metrics, START_MS + 60_000)
  }
  assert.equal(report(3_600_000, 0).wal.hours_left, null, 'no rate yet')
  const told = report(3_600_000, 1000)
  assert.deepEqual([told.wal.bytes_per_second, told.wal.hours_left], [100, 10])
  assert.deepEqual([told.lag_seconds, told.lag_bytes, told.durable_lsn], [2, 7, '1/A'])
  assert.equal(report(-5, 2000).wal.hours_left, 0)
  assert.equal(report(undefined, 3000).wal.hours_left, null, 'nothing limits it')
})
