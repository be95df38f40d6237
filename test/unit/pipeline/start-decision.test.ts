// The start-up decision table of the guarantees, row by row.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Commit, Plan } from '../../../internal/model/batch-record.js'
import { Failure } from '../../../internal/model/failure.js'
import { decideStart, type StartDecision, type StartFacts } from '../../../internal/pipeline/start-decision.js'
import type { Slot } from '../../../internal/replication/slot.js'
import type { LakeIdentity } from '../../../internal/storage/log-records.js'

const server: LakeIdentity = {
  systemIdentifier: '7400000000000000001',
  database: 'shop',
  slot: 'wal_cake_slot',
  publication: 'wal_cake_pub',
  copies: false,
}
const place = { systemIdentifier: server.systemIdentifier, timeline: 1, walEnd: 0x1000n, switches: [] }
const cut = { rollBytes: 1, targetFileBytes: 1, tables: '', excludeTables: '' }

function plan(batch: number, fromLsn: bigint, toLsn: bigint): Plan {
  return { batch, kind: 'changes', fromLsn, toLsn, cut, writer: 'w', writerVersion: '1' }
}

function commit(batch: number, fromLsn: bigint, toLsn: bigint, endLsn: bigint): Commit {
  return { ...plan(batch, fromLsn, toLsn), endLsn, timeline: 1, transactions: 1, rows: 1, files: [] }
}

function slot(confirmedLsn: bigint, changed: Partial<Slot> = {}): Slot {
  return { name: server.slot, confirmedLsn, lost: false, activePid: undefined, restartLsn: confirmedLsn, ...changed }
}

function decide(facts: Partial<StartFacts>): StartDecision {
  const empty = { lastCommit: undefined, openPlans: [] }
  return decideStart({ lake: server, log: empty, server, place, slot: undefined, location: 's3://lake/x', ...facts })
}

function refusal(facts: Partial<StartFacts>, ...named: (string | RegExp)[]): void {
  assert.throws(
    () => decide(facts),
    (error) => {
      assert.ok(error instanceof Failure && error.kind === 'unsafe', String(error))
      for (const part of named) assert.match(error.message, typeof part === 'string' ? new RegExp(part) : part)
      assert.ok(error.hint !== undefined && error.hint.length > 20, 'no way out is named')
      return true
    },
  )
}

const last = { lastCommit: commit(4, 800n, 0x1f0n, 0x200n), openPlans: [] }

test('empty bucket, no slot: create', () => {
  assert.deepEqual(decide({ lake: undefined }), { act: 'create' })
  assert.deepEqual(decide({}), { act: 'create' }, 'an identity without a log is an empty lake')
})

test('empty bucket, slot there: adopt it from its own position', () => {
  const expected = { act: 'stream', durableLsn: 77n, openPlans: [], adopted: true }
  assert.deepEqual(decide({ lake: undefined, slot: slot(77n) }), expected)
  assert.deepEqual(decide({ slot: slot(77n) }), expected)
})

test('commits, slot at or behind the bucket: go on from the bucket, replay the open plans', () => {
  const openPlans = [plan(5, 0x200n, 0x300n), plan(6, 0x310n, 0x400n)]
  for (const confirmed of [0n, 0x1ffn, 0x200n])
    assert.deepEqual(decide({ log: { ...last, openPlans }, slot: slot(confirmed) }), {
      act: 'stream',
      durableLsn: 0x200n,
      openPlans,
      adopted: false,
    })
})

test('a plan before the first commit: its beginning is what is durable', () => {
  const openPlans = [plan(0, 0x200n, 0x300n)]
  const log = { lastCommit: undefined, openPlans }
  assert.deepEqual(decide({ log, slot: slot(0x200n) }), {
    act: 'stream',
    durableLsn: 0x200n,
    openPlans,
    adopted: false,
  })
  refusal({ log, slot: slot(0x201n) }, 'transactions between are missing')
  refusal({ log }, 'is gone')
})

test('G6: commits, slot ahead of the bucket: refuse, naming both positions', () => {
  refusal({ log: last, slot: slot(0x201n) }, 'stands at 0/201', 'lake ends at 0/200', 'missing')
})

test('G6: commits, slot absent: refuse, naming what is missing', () => {
  refusal({ log: last }, 'wal_cake_slot is gone', 'ended after', '0/200')
})

test('G6: commits, slot lost: refuse, even where its position looks right', () => {
  refusal({ log: last, slot: slot(0x200n, { lost: true }) }, 'removed its WAL', '0/200')
  refusal({ log: last, slot: slot(0n, { lost: true }) }, 'removed its WAL')
})

test('G6: empty bucket, slot lost: refuse', () => {
  refusal({ lake: undefined, slot: slot(5n, { lost: true }) }, 'removed its WAL')
})

test('G6: another cluster or another database: refuse, whatever the slot says', () => {
  const slots = [undefined, slot(0x100n), slot(0x900n), slot(0n, { lost: true })]
  for (const there of slots) {
    const lake = { ...server, systemIdentifier: '9999' }
    refusal({ lake, log: last, slot: there }, 'cluster 9999 and not 7400000000000000001', 's3://lake/x')
    refusal({ lake: { ...server, database: 'blog' }, log: last, slot: there }, 'database blog and not shop')
    refusal({ lake, slot: there }, 'cluster 9999')
  }
})

test('G6: a log without an identity: refuse', () => {
  refusal({ lake: undefined, log: last, slot: slot(0x100n) }, 'identity.json')
  const log = { lastCommit: undefined, openPlans: [plan(0, 1n, 2n)] }
  refusal({ lake: undefined, log, slot: slot(0n) }, 'identity.json')
})

test('G6: a log that ended further on in this very process has lost objects', () => {
  refusal({ log: last, slot: slot(0x100n), seenDurable: 0x201n }, 'ended at 0/201, and now it ends at 0/200')
  refusal({ lake: undefined, slot: slot(0x200n), seenDurable: 0x200n }, 'now it is empty')
  assert.equal(decide({ log: last, slot: slot(0x200n), seenDurable: 0x200n }).act, 'stream')
})

test('G6: a repair that was not finished is finished first', () => {
  const open: Plan = { ...plan(5, 0x200n, 0x300n), kind: 'gap' }
  refusal({ log: { ...last, openPlans: [open] }, slot: slot(0x200n) }, 'a repair was begun')
})

test('the publication is no part of whose lake it is', () => {
  assert.equal(decide({ lake: { ...server, publication: 'other' }, log: last, slot: slot(1n) }).act, 'stream')
})
