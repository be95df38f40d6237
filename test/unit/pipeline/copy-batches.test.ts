// Batches of copied rows between those of the stream: they move no position, become visible in one order, and are finished by whoever
// finds their plan.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Commit, CutParameters, Plan, PlannedCopy, StagedFile } from '../../../internal/model/batch-record.js'
import { Failure } from '../../../internal/model/failure.js'
import { BatchCommitter, type CommitterOptions } from '../../../internal/pipeline/batch-committer.js'
import { MemoryGate } from '../../../internal/pipeline/memory-gate.js'
import { CommitLog } from '../../../internal/storage/commit-log.js'
import { copyKey, parseCopyKey, parseDataKey, planKey } from '../../../internal/storage/keys.js'
import { decodeCommit, decodePlan, encodeCommit, encodePlan } from '../../../internal/storage/log-records.js'
import { LogTotals } from '../../../internal/storage/log-totals.js'
import { copiedPiece, copiedTable } from '../../support/copied-piece.js'
import { MemoryStore } from '../../support/memory-store.js'

const cut: CutParameters = { rollBytes: 1, targetFileBytes: 1, tables: '', excludeTables: '' }
const table = copiedTable
const begun = 1000n
const summary = (batch: number) => ({
  toLsn: begun + BigInt(batch) * 100n + 90n,
  endLsn: begun + BigInt(batch) * 100n + 100n,
  transactions: 1,
  rows: 0,
})

const piece = (fromPage: number) => copiedPiece(fromPage, fromPage + 1)

async function staged(store: MemoryStore, part: number, supersedes = false): Promise<StagedFile> {
  const key = copyKey({ ...table, dateColumn: 'dt', date: '2026-03-01', slot: 's', run: '0123456789ab', part })
  const receipt = await store.stage(key, [Buffer.from(`part ${part}`)])
  return { key, schema: 'public', table: 't', schemaVersion: 1, rows: 2, bytes: 6, sha256: 'ab', receipt, supersedes }
}

class Rig {
  readonly committer: BatchCommitter
  readonly durable: Commit[] = []
  readonly failures: Failure[] = []

  constructor(
    readonly store: MemoryStore,
    options: Partial<CommitterOptions> = {},
  ) {
    this.committer = new BatchCommitter({
      ...{ log: new CommitLog(store, 's'), store, gate: new MemoryGate(1 << 30), slot: 's', writer: 'ours' },
      ...{
        writerVersion: '1',
        timeline: 1,
        uploadConcurrency: 4,
        openPlans: [],
        totals: new LogTotals(),
        checkpoint: -1,
      },
      durableLsn: begun,
      connected: () => true,
      onPlanWon: () => undefined,
      onDurable: (commit) => this.durable.push(commit),
      onClosed: () => undefined,
      onFailure: (failure) => this.failures.push(failure),
      ...options,
    })
  }

  changes(batch: number): void {
    const { toLsn, endLsn } = summary(batch)
    this.committer.plan(endLsn - 100n, toLsn, cut)
    this.committer.end(summary(batch), new Map(), 'bytes')
  }

  kinds(): string[] {
    return this.durable.map(({ kind }) => kind)
  }
}

test('G2: a copy goes in before a batch that is not planned, and after one that is', async () => {
  const store = new MemoryStore()
  const rig = new Rig(store)
  const first = rig.committer.copy({ files: [await staged(store, 0)], pieces: [piece(0)], finished: [] }, cut)
  assert.deepEqual(await first, { pieces: [piece(0)], finished: [] })
  const { endLsn, toLsn } = summary(0)
  rig.committer.plan(begun, toLsn, cut)
  const second = rig.committer.copy({ files: [await staged(store, 1)], pieces: [piece(1)], finished: [table] }, cut)
  rig.committer.end(summary(0), new Map(), 'bytes')
  await second
  rig.changes(1)
  await rig.committer.settle()
  assert.deepEqual(rig.kinds(), ['copy', 'changes', 'copy', 'changes'])
  assert.deepEqual(
    rig.durable.map(({ batch, fromLsn, endLsn }) => [batch, fromLsn, endLsn]),
    [
      [0, begun, begun],
      [1, begun, endLsn],
      [2, endLsn, endLsn],
      [3, endLsn, summary(1).endLsn],
    ],
  )
})

test('what is staged while a copy is on its way goes into one batch', async () => {
  const store = new MemoryStore()
  const rig = new Rig(store)
  const files = await Promise.all([0, 1, 2, 3].map((part) => staged(store, part)))
  await Promise.all(
    files.map((file, k) => rig.committer.copy({ files: [file], pieces: [piece(k)], finished: [] }, cut)),
  )
  assert.deepEqual(
    rig.durable.map((commit) => commit.files.length),
    [1, 3],
  )
})

test('an orderly end waits for no pause between copies', async () => {
  const store = new MemoryStore()
  const rig = new Rig(store)
  await rig.committer.copy({ files: [await staged(store, 0)], pieces: [piece(0)], finished: [] }, cut)
  void rig.committer.copy({ files: [await staged(store, 1)], pieces: [piece(1)], finished: [] }, cut)
  await rig.committer.settle()
  assert.deepEqual(
    rig.durable.map(({ copied }) => copied?.pieces.map(({ fromPage }) => fromPage)),
    [[0], [1]],
  )
})

test('G4: what supersedes a table becomes visible after the rows that stand in its place', async () => {
  const store = new MemoryStore()
  const rig = new Rig(store)
  const files = [await staged(store, 0, true), await staged(store, 1), await staged(store, 2)]
  await rig.committer.copy({ files, pieces: [], finished: [table] }, cut)
  const order = store.events
    .filter(({ operation, what }) => operation === 'complete' && what === 'done')
    .map(({ key }) => parseCopyKey(key)?.part)
  assert.deepEqual(order, [1, 2, 0])
  assert.ok(
    store.events.findIndex(({ key }) => key === planKey('s', 0)) <
      store.events.findIndex(({ operation }) => operation === 'complete'),
  )
})

test('G4: whoever finds open plans finishes their copies in their place, also what is complete already', async () => {
  const store = new MemoryStore()
  const [first, second] = [await staged(store, 0), await staged(store, 1)]
  await store.complete(first.key, first.receipt)
  const planned = (batch: number, at: bigint, file: StagedFile): Plan => ({
    ...{ batch, kind: 'copy', fromLsn: at, toLsn: at, cut, writer: 'other', writerVersion: '1' },
    copy: { files: [file], pieces: [piece(batch)], finished: [] },
  })
  const { toLsn, endLsn } = summary(0)
  const changes: Plan = { batch: 1, kind: 'changes', fromLsn: begun, toLsn, cut, writer: 'other', writerVersion: '1' }
  const openPlans = [planned(0, begun, first), changes, planned(2, endLsn, second)]
  for (const plan of openPlans) await new CommitLog(store, 's').writePlan(plan)
  const rig = new Rig(store, { openPlans })
  rig.committer.finishStanding()
  await rig.committer.settle()
  assert.deepEqual(rig.kinds(), ['copy'])
  // Ours waits until what stands is finished.
  const ours = rig.committer.copy({ files: [await staged(store, 3)], pieces: [], finished: [table] }, cut)
  rig.changes(0)
  await ours
  assert.deepEqual(rig.kinds(), ['copy', 'changes', 'copy', 'copy'])
  assert.deepEqual(
    rig.durable.map(({ files }) => files.map(({ key }) => parseCopyKey(key)?.part)),
    [[0], [], [1], [3]],
  )
  assert.deepEqual(rig.failures, [])
})

test('of a table whose staged files are lost nothing counts as copied, and what is there is listed', async () => {
  const store = new MemoryStore()
  const rig = new Rig(store)
  const other = { ...table, table: 'u' }
  const lost = await staged(store, 0)
  const kept = await staged(store, 1)
  store.staged.delete(lost.key)
  const copied = await rig.committer.copy({ files: [lost, kept], pieces: [piece(0)], finished: [table, other] }, cut)
  assert.deepEqual(copied, { pieces: [], finished: [other] })
  assert.deepEqual(
    rig.durable.map(({ files, rows }) => [files.map(({ key }) => key), rows]),
    [[[kept.key], 2]],
  )
})

test('records of a copy come back as they were written, and the totals know what is whole', () => {
  const copy: PlannedCopy = { files: [], pieces: [piece(3)], finished: [table] }
  const plan: Plan = { batch: 0, kind: 'copy', fromLsn: 5n, toLsn: 5n, cut, writer: 'w', writerVersion: '1', copy }
  assert.deepEqual(decodePlan('x', encodePlan(plan)), plan)
  const { copy: _, ...planned } = plan
  const copied = { pieces: [piece(3), piece(4)], finished: [{ ...table, table: 'whole' }] }
  const commit: Commit = { ...planned, endLsn: 5n, timeline: 1, transactions: 0, rows: 0, files: [], copied }
  assert.deepEqual(decodeCommit('x', encodeCommit(commit)), commit)
  const totals = new LogTotals()
  totals.add(commit)
  const decoded = LogTotals.decode('x', totals.encode())
  for (const { copies } of [totals, decoded]) {
    assert.equal(copies.isFinished({ ...table, table: 'whole' }), true)
    assert.equal(copies.isFinished({ ...table, table: 'whole', relationOid: 8 }), false, 'another table of this name')
    assert.deepEqual(copies.piecesOf(table), [{ ...piece(3), toPage: 5 }])
  }
  // What was copied before a gap lacks what the gap swallowed.
  totals.add({
    ...commit,
    batch: 1,
    kind: 'gap',
    gap: { reason: 'slot_lost', missingFrom: 5n, recordedMicros: 0n },
    copied: { pieces: [], finished: [] },
  })
  assert.equal(totals.copies.isFinished({ ...table, table: 'whole' }), false)
  assert.deepEqual(totals.copies.piecesOf(table), [])
})

test('the key of a copied file says what it is, and is no key of a streamed one', () => {
  const name = {
    schema: 'a.b',
    table: 'ü',
    dateColumn: 'dt_commit',
    date: '2026-03-01',
    slot: 's_1',
    lsn: 0xabcn,
    run: '0123456789ab',
    part: 12,
  } as const
  const key = copyKey(name)
  assert.equal(key, 'data/a.b/%C3%BC/dt_commit=2026-03-01/s_1-copy-0000000000000ABC-0123456789ab-000012.parquet')
  assert.deepEqual(parseCopyKey(key), name)
  assert.equal(parseDataKey(key), undefined)
  for (const other of [
    `${key}x`,
    key.replace('copy', 'snap'),
    key.replace('%C3%BC', 'ü'),
    key.replace('0123456789ab', '0123456789aG'),
  ])
    assert.equal(parseCopyKey(other), undefined)
})
