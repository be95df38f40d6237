// From closed files to a durable batch: plan, data, commit, ack, in this order, whatever finishes first; and what happens
// where another writer was there before.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import type { BatchSummary, Commit, CutParameters, Plan } from '../../../internal/model/batch-record.js'
import { Failure, type FailureKind } from '../../../internal/model/failure.js'
import { BatchCommitter, type CommitterOptions } from '../../../internal/pipeline/batch-committer.js'
import { MemoryGate } from '../../../internal/pipeline/memory-gate.js'
import { CommitLog } from '../../../internal/storage/commit-log.js'
import { LogTotals } from '../../../internal/storage/log-totals.js'
import { commitKey, headKey, planKey } from '../../../internal/storage/keys.js'
import { decodeCommit, decodePlan, encodeCommit, encodePlan } from '../../../internal/storage/log-records.js'
import type { RegisteredVersion } from '../../../internal/transform/batch-sink.js'
import type { ClosedFile, FileContent } from '../../../internal/transform/open-file.js'
import { layoutOf } from '../../../internal/transform/table-layout.js'
import { plain, writeTable } from '../../support/parquet-columns.js'
import { int64 } from '../../support/parquet-arbitraries.js'
import { builtinTypes, columnOf } from '../../support/builtin-types.js'
import { MemoryStore } from '../../support/memory-store.js'

const SLOT = 's'
const cut: CutParameters = { rollBytes: 1, targetFileBytes: 1, tables: '', excludeTables: '' }
const layout = layoutOf(
  { oid: 1, schema: 'public', name: 'orders', replicaIdentity: 'd', columns: [columnOf('id', 'int4', true)] },
  builtinTypes([23]),
  'string',
)
const recorded: RegisteredVersion = { version: 1, recorded: Promise.resolve() }
const dataKeyOf = (batch: number, part: number): string =>
  `data/public/orders/dt=2026-03-01/${SLOT}-${String(batch).padStart(12, '0')}-${digits(from(batch))}-${digits(to(batch))}-${String(part).padStart(4, '0')}.parquet`
const digits = (lsn: bigint): string => lsn.toString(16).toUpperCase().padStart(16, '0')

// Batch n covers (100 n, 100 n + 100].
const from = (batch: number): bigint => BigInt(batch) * 100n
const to = (batch: number): bigint => from(batch) + 90n
const end = (batch: number): bigint => from(batch) + 100n
const summaryOf = (batch: number, rows = 3): BatchSummary => ({
  toLsn: to(batch),
  endLsn: end(batch),
  transactions: 1,
  rows,
})
const planFor = (batch: number, writer: string, changed: Partial<Plan> = {}): Plan => ({
  batch,
  kind: 'changes',
  fromLsn: from(batch),
  toLsn: to(batch),
  cut,
  writer,
  writerVersion: '1',
  ...changed,
})

/** A log of `batches` batches. */
function totalsOf(batches: number): LogTotals {
  const totals = new LogTotals()
  totals.batch = batches - 1
  totals.endLsn = from(batches)
  return totals
}

class Rig {
  readonly store: MemoryStore
  readonly gate = new MemoryGate(1 << 30)
  readonly committer: BatchCommitter
  readonly durable: Commit[] = []
  readonly failures: Failure[] = []
  connected = true

  constructor(options: Partial<CommitterOptions> = {}, store = new MemoryStore()) {
    this.store = store
    this.committer = new BatchCommitter({
      log: new CommitLog(store, SLOT),
      store,
      gate: this.gate,
      slot: SLOT,
      writer: 'ours',
      writerVersion: '1',
      timeline: 1,
      uploadConcurrency: 4,
      openPlans: [],
      totals: new LogTotals(),
      durableLsn: from(0),
      checkpoint: -1,
      onPlanWon: () => undefined,
      connected: () => this.connected,
      onDurable: (commit) => {
        assert.ok(store.objects.has(commitKey(SLOT, commit.batch)), 'acknowledged before its commit is in the bucket')
        this.durable.push(commit)
      },
      onClosed: () => undefined,
      onFailure: (failure) => this.failures.push(failure),
      ...options,
    })
  }

  file(part: number, options: { rows?: number; ready?: Promise<unknown>; schema?: RegisteredVersion } = {}): void {
    const { rows = 3, ready = Promise.resolve(), schema = recorded } = options
    const parts = [Buffer.from(`part ${part}`)]
    const bytes = parts[0]!.length
    this.gate.meter(10)
    const release = (): void => this.gate.meter(-10)
    const content = (): Promise<FileContent> => ready.then(() => ({ parts, bytes, rows, sha256: 'ab', release }))
    const file: ClosedFile = { layout, date: '2026-03-01', rows, valueBytes: 100, content }
    this.committer.file(file, part, schema)
  }

  /** Closes a batch of `files` files. */
  batch(number: number, files = 1, plannedBefore = false): void {
    if (plannedBefore) this.committer.plan(from(number), to(number), cut)
    for (let part = 0; part < files; part++) this.file(part)
    if (!plannedBefore) this.committer.plan(from(number), to(number), cut)
    this.committer.end(summaryOf(number), new Map(), 'bytes')
  }

  async failure(): Promise<Failure> {
    await assert.rejects(this.committer.settle())
    // What was on its way when the first thing failed comes to its end too.
    for (let k = 0; k < 50; k++) await new Promise(setImmediate)
    assert.equal(this.failures.length, 1, 'the first failure is told, once')
    return this.failures[0]!
  }
}

async function failsAs(rig: Rig, kind: FailureKind): Promise<Failure> {
  const failure = await rig.failure()
  assert.equal(failure.kind, kind, failure.message)
  return failure
}

const commitIn = (store: MemoryStore, batch: number): Commit =>
  decodeCommit('x', store.objects.get(commitKey(SLOT, batch))!)

test('it is behind while so many batches are on their way that another would only wait', async () => {
  let release = (): void => undefined
  const rig = new Rig()
  rig.file(0, { ready: new Promise<void>((resolve) => (release = resolve)) })
  for (let batch = 0; batch < 32; batch++) {
    assert.equal(rig.committer.behind, false, `with ${batch} batches`)
    rig.committer.plan(from(batch), to(batch), cut)
    rig.committer.end(summaryOf(batch), new Map(), 'bytes')
  }
  assert.equal(rig.committer.behind, true)
  release()
  await rig.committer.settle()
  assert.equal(rig.committer.behind, false)
})

test('G1, G2, G4: plan, data, commit, ack, in this order, whichever upload finishes first', async () => {
  const shape = fc.tuple(fc.nat(3), fc.boolean())
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      fc.array(shape, { minLength: 1, maxLength: 5 }),
      fc.integer({ min: 1, max: 4 }),
      fc.array(fc.boolean(), { minLength: 1, maxLength: 5 }),
      async (scheduler, batches, uploadConcurrency, lost) => {
        const rig = new Rig({ uploadConcurrency })
        const { store, committer } = rig
        let puts = 0
        store.before = async (operation, key) => {
          await scheduler.schedule(Promise.resolve(), `${operation} ${key}`)
        }
        store.losesAnswerOf = () => lost[puts++ % lost.length]!
        batches.forEach(([files, plannedBefore], n) => rig.batch(n, files, plannedBefore))
        await scheduler.waitFor(committer.settle())

        const at = (what: 'begins' | 'done', key: string): number => {
          const index = store.events.findIndex((event) => event.what === what && event.key === key)
          assert.ok(index >= 0, `${key} never ${what}`)
          return index
        }
        batches.forEach(([files], n) => {
          const data = Array.from({ length: files }, (_, part) => dataKeyOf(n, part))
          for (const key of data) {
            assert.ok(at('done', planKey(SLOT, n)) < at('begins', key), 'data before its plan')
            assert.ok(at('done', key) < at('begins', commitKey(SLOT, n)), 'commit before its data')
          }
          if (n > 0) {
            assert.ok(at('done', planKey(SLOT, n - 1)) < at('begins', planKey(SLOT, n)), 'plans out of order')
            assert.ok(at('done', commitKey(SLOT, n - 1)) < at('begins', commitKey(SLOT, n)), 'commits out of order')
          }
          assert.deepEqual(
            commitIn(store, n).files.map((file) => file.key),
            data,
          )
        })
        assert.deepEqual(
          rig.durable.map((commit) => commit.batch),
          batches.map((_, n) => n),
        )
        assert.ok(store.mostUploading <= uploadConcurrency)
        assert.deepEqual(rig.failures, [])
        assert.equal(committer.idle, true)
        assert.equal(rig.gate.heldBytes, 0)
        assert.equal(decodeCommit('head', store.objects.get(headKey(SLOT))!).batch, batches.length - 1)
      },
    ),
    { numRuns: 100 },
  )
})

test('G2, G4: whatever fails, commits are a beginning of the batches, and acks are those of commits', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      fc.integer({ min: 1, max: 5 }),
      fc.nat(30),
      async (scheduler, batches, failing) => {
        const rig = new Rig()
        const { store, committer } = rig
        let operations = 0
        store.before = async (operation, key) => {
          const fails = operations++ === failing
          await scheduler.schedule(Promise.resolve(), `${operation} ${key}`)
          if (fails) throw new Failure('gave_up', `${operation} ${key}`)
        }
        for (let n = 0; n < batches; n++) rig.batch(n, 2)
        await scheduler.waitFor(committer.settle().catch(() => undefined))
        await scheduler.waitIdle()
        const committed = Array.from({ length: batches }, (_, n) => store.objects.has(commitKey(SLOT, n)))
        assert.deepEqual(committed, [...committed].sort().reverse(), 'a commit stands behind one that is missing')
        assert.ok(rig.durable.length <= committed.filter(Boolean).length)
        for (const key of store.keys('data/')) {
          const batch = Number(/-(\d{12})-/.exec(key)![1])
          assert.ok(store.objects.has(planKey(SLOT, batch)), 'data without a plan')
          if (!committed[batch]!) continue
          assert.equal(
            store.keys('data/').filter((other) => other.includes(`-${String(batch).padStart(12, '0')}-`)).length,
            2,
          )
        }
        assert.equal(rig.failures.length, operations > failing ? 1 : 0)
      },
    ),
    { numRuns: 100 },
  )
})

test('a commit says what its batch holds', async () => {
  const rig = new Rig({ timeline: 7 })
  rig.committer.plan(from(0), to(0), cut)
  rig.file(0, { rows: 2 })
  rig.file(1, { rows: 1, schema: { version: 5, recorded: Promise.resolve() } })
  rig.committer.end({ ...summaryOf(0), firstCommitMicros: 5n, lastCommitMicros: 9n }, new Map(), 'interval')
  await rig.committer.settle()
  const { files, ...commit } = commitIn(rig.store, 0)
  assert.deepEqual(commit, {
    ...planFor(0, 'ours'),
    endLsn: end(0),
    transactions: 1,
    rows: 3,
    timeline: 7,
    firstCommitMicros: 5n,
    lastCommitMicros: 9n,
  })
  assert.deepEqual(files, [
    { key: dataKeyOf(0, 0), schema: 'public', table: 'orders', schemaVersion: 1, rows: 2, bytes: 6, sha256: 'ab' },
    { key: dataKeyOf(0, 1), schema: 'public', table: 'orders', schemaVersion: 5, rows: 1, bytes: 6, sha256: 'ab' },
  ])
  assert.deepEqual(decodePlan('x', rig.store.objects.get(planKey(SLOT, 0))!), planFor(0, 'ours'))
})

test('G5: where another writer has planned, nothing of the batch or of any later one becomes visible', async () => {
  const rig = new Rig()
  rig.store.objects.set(planKey(SLOT, 1), encodePlan(planFor(1, 'theirs', { toLsn: 140n })))
  rig.batch(0)
  rig.batch(1, 2)
  rig.batch(2, 1, true)
  await failsAs(rig, 'plan_taken')
  assert.deepEqual(
    rig.store.keys('data/').filter((key) => !key.includes('-000000000000-')),
    [],
  )
  assert.equal(rig.store.objects.has(planKey(SLOT, 2)), false)
  assert.equal(rig.store.objects.has(commitKey(SLOT, 1)), false)
  assert.ok(rig.durable.every((commit) => commit.batch === 0))
  assert.equal(decodePlan('x', rig.store.objects.get(planKey(SLOT, 1))!).writer, 'theirs')
})

test('G5: a plan and a commit whose answers were lost are ours', async () => {
  const rig = new Rig()
  rig.store.losesAnswerOf = () => true
  rig.batch(0)
  rig.batch(1)
  await rig.committer.settle()
  assert.deepEqual(
    rig.durable.map((commit) => commit.batch),
    [0, 1],
  )
})

function standing(batch: number, changed: Partial<Commit> = {}): Commit {
  const files = [
    {
      key: dataKeyOf(batch, 0),
      schema: 'public',
      table: 'orders',
      schemaVersion: 1,
      rows: 3,
      bytes: 1,
      sha256: 'other bytes',
    },
  ]
  return { ...planFor(batch, 'theirs'), ...summaryOf(batch), timeline: 1, files, ...changed }
}

test('G5: a commit of another writer with the same rows is as good as ours', async () => {
  const rig = new Rig()
  rig.store.objects.set(commitKey(SLOT, 0), encodeCommit(standing(0)))
  rig.batch(0)
  rig.batch(1)
  await rig.committer.settle()
  assert.deepEqual(
    rig.durable.map((commit) => [commit.batch, commit.endLsn]),
    [
      [0, 100n],
      [1, 200n],
    ],
  )
  assert.equal(commitIn(rig.store, 0).writer, 'theirs', 'a commit was rewritten')
})

test('G5: a commit of another writer with other contents fences us, and nothing later becomes durable', async () => {
  const others: Partial<Commit>[] = [
    { toLsn: 89n },
    { endLsn: 101n },
    { fromLsn: 1n },
    { rows: 4 },
    { files: [] },
    { files: [{ ...standing(0).files[0]!, rows: 2 }] },
    { files: [{ ...standing(0).files[0]!, key: dataKeyOf(0, 1) }] },
  ]
  for (const changed of others) {
    const rig = new Rig()
    rig.store.objects.set(commitKey(SLOT, 0), encodeCommit(standing(0, changed)))
    rig.batch(0)
    rig.batch(1)
    await failsAs(rig, 'fenced')
    assert.deepEqual(rig.durable, [])
    assert.equal(rig.store.objects.has(commitKey(SLOT, 1)), false)
  }
})

test('G5: once the link is gone nothing is planned any more, but what was planned may end', async () => {
  const rig = new Rig()
  rig.batch(0)
  while (!rig.store.objects.has(planKey(SLOT, 0))) await new Promise(setImmediate)
  rig.connected = false
  await rig.committer.settle()
  assert.equal(rig.durable.length, 1)
  rig.batch(1)
  await failsAs(rig, 'link')
  assert.equal(rig.store.objects.has(planKey(SLOT, 1)), false)
  assert.deepEqual(rig.store.keys('data/'), [dataKeyOf(0, 0)])
})

test('G5: a plan that waits for another is not written once the link is gone', async () => {
  const rig = new Rig()
  let release = (): void => undefined
  rig.store.before = (_, key) =>
    key === planKey(SLOT, 0) ? new Promise<void>((resolve) => (release = resolve)) : Promise.resolve()
  rig.batch(0)
  rig.batch(1)
  await new Promise(setImmediate)
  rig.connected = false
  release()
  await failsAs(rig, 'link')
  assert.equal(rig.store.objects.has(planKey(SLOT, 1)), false)
})

test('G3: an idle position is planned and committed before it is acked, without a file', async () => {
  const rig = new Rig()
  assert.equal(rig.committer.idle, true)
  rig.committer.recordIdle(0n, 77n, cut)
  assert.equal(rig.committer.idle, false)
  assert.equal(rig.durable.length, 0)
  await rig.committer.settle()
  assert.equal(rig.committer.idle, true)
  const [commit] = rig.durable
  assert.deepEqual(
    [commit!.kind, commit!.fromLsn, commit!.toLsn, commit!.endLsn, commit!.files],
    ['idle', 0n, 77n, 77n, []],
  )
  assert.ok(rig.store.objects.has(planKey(SLOT, 0)))
})

test('G3: idle means that nothing is buffered, planned or on its way', async () => {
  const buffered = new Rig()
  buffered.file(0)
  assert.equal(buffered.committer.idle, false, 'a file waits for its plan')
  const planned = new Rig()
  planned.committer.plan(from(0), to(0), cut)
  assert.equal(planned.committer.idle, false, 'a plan waits for its files')
  const uploading = new Rig()
  let release = (): void => undefined
  uploading.store.before = (_, key) =>
    key.startsWith('data/') ? new Promise<void>((resolve) => (release = resolve)) : Promise.resolve()
  uploading.batch(0)
  while (uploading.store.uploading === 0) await new Promise(setImmediate)
  assert.equal(uploading.committer.idle, false, 'a file is on its way')
  release()
  await uploading.committer.settle()
  assert.equal(uploading.committer.idle, true)
})

test('G4: a plan that stands is not written again, and its batch is committed under it', async () => {
  const store = new MemoryStore()
  const plan = planFor(3, 'the run before')
  store.objects.set(planKey(SLOT, 3), encodePlan(plan))
  const rig = new Rig({ totals: totalsOf(3), openPlans: [plan] }, store)
  rig.connected = false // replaying plans nothing
  rig.batch(3, 2)
  await rig.committer.settle()
  assert.deepEqual(
    store.events.filter((event) => event.key === planKey(SLOT, 3)),
    [],
  )
  const commit = commitIn(store, 3)
  assert.deepEqual([commit.writer, commit.files.length], ['ours', 2])
})

test('G6: a replay that comes to another batch than its plan stores nothing', async () => {
  for (const changed of [{ fromLsn: 299n }, { toLsn: 391n }]) {
    const plan = planFor(3, 'the run before', changed)
    const rig = new Rig({ totals: totalsOf(3), openPlans: [plan] })
    rig.batch(3, 2)
    const failure = await failsAs(rig, 'unsafe')
    assert.ok(failure.hint !== undefined)
    assert.deepEqual(rig.store.keys(), [])
  }
})

/** Another run's file, of another version or with other settings. */
async function fileOfRows(rows: number): Promise<Buffer> {
  const values = Array.from({ length: rows }, (_, k) => BigInt(k))
  return (await writeTable([plain('n', int64, values)])).bytes
}

for (const [what, replayed] of [
  ['an earlier run', true],
  ['a writer that replays our plan', false],
] as const) {
  const openPlans = replayed ? [planFor(3, 'the run before')] : []

  test(`G4: a data file that ${what} has stored stays as it is, and the commit lists it so`, async () => {
    const store = new MemoryStore()
    const before = await fileOfRows(3)
    store.objects.set(dataKeyOf(3, 0), before)
    const rig = new Rig({ totals: totalsOf(3), openPlans }, store)
    rig.batch(3, 2)
    await rig.committer.settle()
    assert.equal(store.objects.get(dataKeyOf(3, 0)), before)
    const sha256 = createHash('sha256').update(before).digest('hex')
    const listed = commitIn(store, 3).files.map((file) => [file.key, file.rows, file.bytes, file.sha256])
    assert.deepEqual(listed, [
      [dataKeyOf(3, 0), 3, before.length, sha256],
      [dataKeyOf(3, 1), 3, 6, 'ab'],
    ])
    assert.equal(rig.gate.heldBytes, 0)
  })

  test(`G9: another number of rows than ${what} has stored is not committed`, async () => {
    for (const rows of [2, 4]) {
      const store = new MemoryStore()
      const before = await fileOfRows(rows)
      store.objects.set(dataKeyOf(3, 0), before)
      const rig = new Rig({ totals: totalsOf(3), openPlans }, store)
      rig.batch(3)
      await failsAs(rig, 'unsafe')
      assert.equal(store.objects.get(dataKeyOf(3, 0)), before)
      assert.equal(store.objects.has(commitKey(SLOT, 3)), false)
    }
  })
}

test('no file becomes visible before its schema is recorded', async () => {
  let record = (): void => undefined
  const rig = new Rig()
  rig.committer.plan(from(0), to(0), cut)
  rig.file(0, { schema: { version: 1, recorded: new Promise<void>((resolve) => (record = resolve)) } })
  rig.committer.end(summaryOf(0), new Map(), 'bytes')
  for (let k = 0; k < 20; k++) await new Promise(setImmediate)
  assert.deepEqual(rig.store.keys('data/'), [])
  record()
  await rig.committer.settle()
  assert.equal(rig.store.keys('data/').length, 1)
})

test('a schema, a file or an upload that fails ends everything behind it', async () => {
  const reason = new Failure('fenced', 'x')
  const schema = new Rig()
  schema.committer.plan(from(0), to(0), cut)
  const rejected = Promise.reject<undefined>(reason)
  rejected.catch(() => undefined)
  schema.file(0, { schema: { version: 1, recorded: rejected } })
  schema.committer.end(summaryOf(0), new Map(), 'bytes')
  assert.equal(await failsAs(schema, 'fenced'), reason)
  const content = new Rig()
  content.committer.plan(from(0), to(0), cut)
  content.file(0, { ready: Promise.reject(new TypeError('compression')) })
  content.committer.end(summaryOf(0), new Map(), 'bytes')
  content.batch(1)
  await failsAs(content, 'unexpected')
  assert.deepEqual(
    content.store.keys('_wal_cake/s/log/').filter((key) => key.includes('commit')),
    [],
  )
})

test('G10: bytes are given back as each file is stored, and reading may wait only while something is on its way', async () => {
  const rig = new Rig()
  let release = (): void => undefined
  rig.store.before = (_, key) =>
    key === dataKeyOf(0, 1) ? new Promise<void>((resolve) => (release = resolve)) : Promise.resolve()
  rig.file(0)
  rig.file(1)
  rig.gate.meter(2 ** 31)
  assert.equal(rig.gate.room(), undefined, 'nothing is on its way yet')
  rig.committer.plan(from(0), to(0), cut)
  rig.committer.end(summaryOf(0), new Map(), 'bytes')
  assert.ok(rig.gate.room() instanceof Promise)
  while (rig.store.objects.size < 2) await new Promise(setImmediate)
  for (let k = 0; k < 5; k++) await new Promise(setImmediate)
  assert.equal(rig.gate.heldBytes, 2 ** 31 + 10)
  release()
  await rig.committer.settle()
  assert.equal(rig.gate.room(), undefined, 'nothing is on its way any more')
})
