// The log read while another writer goes on with it: what was not there a moment ago is no hole, what is not there at a
// second look is one (G6).
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Commit, Plan } from '../../../internal/model/batch-record.js'
import { Failure } from '../../../internal/model/failure.js'
import { CommitLog } from '../../../internal/storage/commit-log.js'
import { commitKey, planKey } from '../../../internal/storage/keys.js'
import type { StoredObject } from '../../../internal/storage/object-store.js'
import { encodeCommit, encodePlan } from '../../../internal/storage/log-records.js'
import { MemoryStore } from '../../support/memory-store.js'

const SLOT = 's'
const cut = { rollBytes: 1, targetFileBytes: 1, tables: '', excludeTables: '' }

const planOf = (batch: number): Plan => ({
  ...{ batch, kind: 'changes', cut, writer: 'w', writerVersion: '1' },
  fromLsn: BigInt(batch * 10),
  toLsn: BigInt(batch * 10 + 9),
})
const commitOf = (batch: number): Commit => ({
  ...{ ...planOf(batch), endLsn: BigInt(batch * 10 + 10), transactions: 1, rows: 1, timeline: 1, files: [] },
  ...{ firstCommitMicros: 0n, lastCommitMicros: 0n },
})

function write(store: MemoryStore, record: 'plan' | 'commit', batch: number): void {
  if (record === 'plan') store.objects.set(planKey(SLOT, batch), encodePlan(planOf(batch)))
  else store.objects.set(commitKey(SLOT, batch), encodeCommit(commitOf(batch)))
}

/** Fills `store` with a log of `committed` whole batches. */
function logOf<Store extends MemoryStore>(committed: number, store: Store): Store {
  for (let batch = 0; batch < committed; batch++) {
    write(store, 'plan', batch)
    write(store, 'commit', batch)
  }
  return store
}

/** Gets one more record before some of its reads, and lists key by key, as a listing of several pages would. */
class GrowingStore extends MemoryStore {
  grow: () => void = () => undefined

  override async get(key: string, options: { lastBytes?: number } = {}): Promise<Buffer | undefined> {
    this.grow()
    return super.get(key, options)
  }

  override async *list(prefix: string, options: { startAfter?: string } = {}): AsyncIterable<StoredObject> {
    await Promise.resolve()
    for (let after = options.startAfter ?? ''; ;) {
      this.grow()
      const key = this.keys(prefix).find((other) => other > after)
      if (key === undefined) return
      yield { key, bytes: 1 }
      after = key
    }
  }
}

/** What another writer does meanwhile to a log of `committed` batches. */
const growthOf = (committed: number) =>
  [
    ...[{ record: 'plan', batch: committed } as const, { record: 'commit', batch: committed } as const],
    ...[{ record: 'plan', batch: committed + 1 } as const, { record: 'plan', batch: committed + 2 } as const],
    ...[{ record: 'commit', batch: committed + 1 } as const, { record: 'plan', batch: committed + 3 } as const],
    { record: 'commit', batch: committed + 2 } as const,
  ] as const

for (const committed of [0, 1, 2, 3, 7, 8, 21])
  test(`G6: a log of ${committed} batches that grows between any two reads is read without a hole`, async () => {
    for (let firstAt = 0; firstAt < 20; firstAt++)
      for (const every of [1, 2, 5]) {
        const store = logOf(committed, new GrowingStore())
        const left = [...growthOf(committed)]
        let reads = 0
        store.grow = () => {
          const due = reads++ - firstAt
          const next = due >= 0 && due % every === 0 ? left.shift() : undefined
          if (next !== undefined) write(store, next.record, next.batch)
        }
        const { lastCommit, openPlans } = await new CommitLog(store, SLOT).recover()
        const last = lastCommit?.batch ?? -1
        assert.ok(last >= committed - 1)
        assert.deepEqual(
          openPlans.map((plan) => plan.batch),
          openPlans.map((_, index) => last + 1 + index),
        )
      }
  })

for (const [name, missing, found] of [
  ['commit', commitKey(SLOT, 4), commitKey(SLOT, 5)],
  ['plan', planKey(SLOT, 6), planKey(SLOT, 7)],
] as const)
  test(`G6: a ${name} that is missing at every look is a hole, and the record after it is named`, async () => {
    const store = logOf(6, new MemoryStore())
    write(store, 'plan', 6)
    write(store, 'plan', 7)
    store.objects.delete(missing)
    await assert.rejects(new CommitLog(store, SLOT).recover(), (error) => {
      assert.ok(error instanceof Failure && error.kind === 'unsafe')
      assert.ok(error.message.includes(found), error.message)
      return true
    })
  })
