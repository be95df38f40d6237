// The log folded: a start reads the newest checkpoint and the commits after it, however long the log is; and what it cannot
// read, or what contradicts the log, it names (G6).
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Commit, Plan } from '../../../internal/model/batch-record.js'
import { Failure } from '../../../internal/model/failure.js'
import { CHECKPOINT_EVERY, CommitLog } from '../../../internal/storage/commit-log.js'
import { checkpointKey, commitKey, parseCheckpointKey, parseLogKey, planKey } from '../../../internal/storage/keys.js'
import { encodeCommit, encodePlan } from '../../../internal/storage/log-records.js'
import { LogTotals } from '../../../internal/storage/log-totals.js'
import type { StoredObject } from '../../../internal/storage/object-store.js'
import { MemoryStore } from '../../support/memory-store.js'

const SLOT = 's'
const PAGE = 1000
const cut = { rollBytes: 1, targetFileBytes: 1, tables: '', excludeTables: '' }

function planOf(batch: number): Plan {
  const [fromLsn, toLsn] = [BigInt(batch * 10), BigInt(batch * 10 + 9)]
  return { batch, kind: 'changes', cut, writer: 'w', writerVersion: '1', fromLsn, toLsn }
}

/** Made by the million, so each field is written out: objects that are spread take ten times as long. */
function commitOf(batch: number): Commit {
  return {
    batch,
    kind: 'changes',
    cut,
    writer: 'w',
    writerVersion: '1',
    fromLsn: BigInt(batch * 10),
    toLsn: BigInt(batch * 10 + 9),
    endLsn: BigInt(batch * 10 + 10),
    transactions: 1,
    rows: 2,
    timeline: 1,
    firstCommitMicros: 5n,
    lastCommitMicros: BigInt(batch),
    files: [
      {
        key: `data/${batch}`,
        schema: 'public',
        table: `t${batch % 3}`,
        schemaVersion: 1,
        rows: 2,
        bytes: 100,
        sha256: 'ab',
      },
    ],
  }
}

function foldOf(batches: number): LogTotals {
  const totals = new LogTotals()
  for (let batch = 0; batch < batches; batch++) totals.add(commitOf(batch))
  return totals
}

/** A log of many batches that is not kept but made up when it is asked for; counts what it is asked. */
class LongLog extends MemoryStore {
  requests = 0
  readonly #batches: number
  readonly #checkpoints: ReadonlyMap<number, Buffer>

  constructor(batches: number, checkpoints: ReadonlyMap<number, Buffer>) {
    super()
    this.#batches = batches
    this.#checkpoints = checkpoints
  }

  override get(key: string): Promise<Buffer | undefined> {
    this.requests++
    const record = parseLogKey(SLOT, key)
    if (record === undefined) return Promise.resolve(this.#checkpoints.get(parseCheckpointKey(SLOT, key) ?? -1))
    if (record.batch >= this.#batches) return Promise.resolve(undefined)
    const { batch } = record
    return Promise.resolve(record.record === 'plan' ? encodePlan(planOf(batch)) : encodeCommit(commitOf(batch)))
  }

  override async *list(prefix: string, { startAfter = '' }: { startAfter?: string } = {}): AsyncIterable<StoredObject> {
    await Promise.resolve()
    this.requests++
    const kept = [...this.#checkpoints.keys()].map((batch) => checkpointKey(SLOT, batch))
    const keys = kept.filter((key) => key.startsWith(prefix) && key > startAfter)
    for (const [index, key] of keys.entries()) {
      if (index > 0 && index % PAGE === 0) this.requests++
      yield { key, bytes: 1 }
    }
  }
}

test('a log of 1,000,000 batches is read with a few hundred requests, and folded whole', async (t) => {
  const batches = 1_000_000
  const kept = new Map<number, Buffer>()
  const totals = new LogTotals()
  for (let batch = 0; batch < batches; batch++) {
    totals.add(commitOf(batch))
    if (batch % CHECKPOINT_EVERY === CHECKPOINT_EVERY - 1) kept.set(batch, totals.encode())
  }
  const store = new LongLog(batches, kept)
  const { lastCommit, totals: read, checkpoint } = await new CommitLog(store, SLOT).recover()
  assert.deepEqual(lastCommit, commitOf(batches - 1))
  assert.equal(checkpoint, 999_935)
  assert.deepEqual(read.encode(), totals.encode())
  assert.equal(read.rows, 2_000_000)
  t.diagnostic(`${store.requests} requests`)
  assert.ok(store.requests < 400, `${store.requests} requests`)
})

test('checkpoints that were lost cost reads, and nothing else', async () => {
  for (const lastKept of [-1, 255, 511]) {
    const kept = new Map(lastKept < 0 ? [] : [[lastKept, foldOf(lastKept + 1).encode()]])
    const { totals, checkpoint } = await new CommitLog(new LongLog(9_000, kept), SLOT).recover()
    assert.equal(checkpoint, lastKept)
    assert.deepEqual(totals.encode(), foldOf(9_000).encode())
  }
})

test('a checkpoint is the same bytes whoever folds the log, from wherever', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 30 }), fc.integer({ min: 0, max: 30 }), (first, more) => {
      const resumed = first === 0 ? new LogTotals() : LogTotals.decode('key', foldOf(first).encode())
      for (let batch = first; batch < first + more; batch++) resumed.add(commitOf(batch))
      assert.deepEqual(resumed.encode(), foldOf(first + more).encode())
    }),
  )
})

test('gaps are kept for ever, and what came before one proves nothing about what comes after', () => {
  const totals = foldOf(3)
  assert.deepEqual(totals.lastTransaction, { commitLsn: 29n, commitMicros: 2n })
  const gap = { reason: 'slot_lost', missingFrom: 30n, recordedMicros: 7n } as const
  totals.add({ ...commitOf(3), kind: 'gap', toLsn: 90n, endLsn: 90n, transactions: 0, rows: 0, files: [], gap })
  const read = LogTotals.decode('key', totals.encode())
  assert.deepEqual(read.gaps, [{ ...gap, batch: 3, missingTo: 90n }])
  assert.equal(read.lastTransaction, undefined)
})

function idleOf(batch: number, tables: string): Commit {
  const [fromLsn, endLsn] = [BigInt(batch * 10), BigInt(batch * 10 + 10)]
  const position = { kind: 'idle', fromLsn, toLsn: endLsn, endLsn } as const
  const { lastCommitMicros: _, ...rest } = commitOf(batch)
  return { ...rest, ...position, cut: { ...cut, tables }, transactions: 0, rows: 0, files: [] }
}

test('G6: where nothing happened since the last transaction is known, with the filters of then, and is over with the next or a gap', () => {
  const totals = foldOf(2)
  assert.deepEqual(totals.quiet, [])
  for (const [index, tables] of ['', '', 'a.b', ''].entries()) totals.add(idleOf(2 + index, tables))
  const stretches = [
    { from: 20n, to: 40n, tables: '', excludeTables: '' },
    { from: 40n, to: 50n, tables: 'a.b', excludeTables: '' },
    { from: 50n, to: 60n, tables: '', excludeTables: '' },
  ]
  assert.deepEqual(totals.quiet, stretches)
  assert.deepEqual(LogTotals.decode('key', totals.encode()).quiet, stretches)
  assert.deepEqual(totals.lastTransaction, { commitLsn: 19n, commitMicros: 1n })
  const gap = { reason: 'slot_lost', missingFrom: 60n, recordedMicros: 7n } as const
  const after = LogTotals.decode('key', totals.encode())
  after.add({ ...idleOf(6, ''), kind: 'gap', gap })
  assert.deepEqual(after.quiet, [])
  totals.add(commitOf(6))
  assert.deepEqual(totals.quiet, [])
})

function filled(batches: number): MemoryStore {
  const store = new MemoryStore()
  for (let batch = 0; batch < batches; batch++) {
    store.objects.set(planKey(SLOT, batch), encodePlan(planOf(batch)))
    store.objects.set(commitKey(SLOT, batch), encodeCommit(commitOf(batch)))
  }
  return store
}

async function refusesNaming(store: MemoryStore, named: string): Promise<void> {
  await assert.rejects(new CommitLog(store, SLOT).recover(), (error) => {
    assert.ok(error instanceof Failure && error.kind === 'unsafe', String(error))
    assert.ok(error.message.includes(named), error.message)
    return true
  })
}

test('G6: a log that ends before its newest checkpoint has lost commits, and the checkpoint is named', async () => {
  const store = filled(4)
  store.objects.set(checkpointKey(SLOT, 9), foldOf(10).encode())
  await refusesNaming(store, checkpointKey(SLOT, 9))
})

test('G6: a record that is cut anywhere is named', async () => {
  for (const key of [commitKey(SLOT, 2), checkpointKey(SLOT, 1), planKey(SLOT, 3)]) {
    const store = filled(3)
    store.objects.set(checkpointKey(SLOT, 1), foldOf(2).encode())
    store.objects.set(planKey(SLOT, 3), encodePlan(planOf(3)))
    await new CommitLog(store, SLOT).recover()
    const whole = store.objects.get(key)!
    for (let length = 0; length < whole.length - 2; length += 7) {
      store.objects.set(key, whole.subarray(0, length))
      await refusesNaming(store, key)
    }
  }
})

test('G2: a commit that does not begin where the one before it ends is refused', async () => {
  const store = filled(5)
  store.objects.set(commitKey(SLOT, 3), encodeCommit({ ...commitOf(3), fromLsn: 31n }))
  await refusesNaming(store, 'commit 3 begins at 0/1F, but batch 2 ends at 0/1E')
})
