// The parts of the state machine that must not be wrong without a word: reading test_decoding, comparing with it, and
// naming and shortening a run. With a real server where its text matters.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testDatabase } from '../support/postgres.js'
import { makeDecodingSlot, readTransactions, UNCHANGED, type DecodedTransaction } from '../support/test-decoding.js'
import { compareWithLog, type LakeRow } from '../support/wal-oracle.js'
import { formatRanges, parseRanges, shorten } from './state-machine/seeds.js'
import { FAULTS, sequenceOf } from './state-machine/steps.js'

test('what test_decoding says is read as it was written', async (t) => {
  const database = await testDatabase(t)
  await database.query(`
    CREATE TABLE "odd ""name" (id int PRIMARY KEY, "select" text, tags text[], active boolean, doc text);
    ALTER TABLE "odd ""name" ALTER doc SET STORAGE EXTERNAL;
    CREATE TABLE plain (id int PRIMARY KEY)`)
  const slot = `d_${database.name}`
  await makeDecodingSlot(database, slot)
  await database.query(`INSERT INTO "odd ""name" VALUES (1, 'it''s [x]:1 null', '{a,"b c"}', true, repeat('x', 4000))`)
  await database.query(`UPDATE "odd ""name" SET id = 2, "select" = NULL`)
  await database.query(`DELETE FROM "odd ""name"`)
  await database.query(`TRUNCATE "odd ""name", plain`)
  const [inserted, updated, deleted, truncated] = await readTransactions(database, slot)
  const table = 'public.odd "name'
  const row = { select: "it's [x]:1 null", tags: '{a,"b c"}', active: 'true', doc: 'x'.repeat(4000) }
  assert.deepEqual(inserted!.changes, [{ op: 'I', table, old: undefined, new: tuple({ id: '1', ...row }) }])
  const changed = tuple({ id: '2', ...row, select: null, doc: UNCHANGED })
  assert.deepEqual(updated!.changes, [{ op: 'U', table, old: tuple({ id: '1' }), new: changed }])
  assert.deepEqual(deleted!.changes, [{ op: 'D', table, old: tuple({ id: '2' }), new: undefined }])
  assert.deepEqual(
    truncated!.changes.map((change) => [change.op, change.table]),
    [
      ['T', table],
      ['T', 'public.plain'],
    ],
  )
  assert.ok(inserted!.xid < updated!.xid && inserted!.endLsn < updated!.endLsn)
})

const logged: DecodedTransaction = {
  xid: 7n,
  endLsn: 100n,
  committedAt: '2026-03-01 00:00:00+00',
  changes: [
    { op: 'I', table: 'public.t', old: undefined, new: tuple({ id: '1', note: 'a' }) },
    { op: 'U', table: 'public.t', old: tuple({ id: '1' }), new: tuple({ id: '2', note: UNCHANGED }) },
  ],
}
/** The contract's rows of it: a changed key is a D and a U. */
const right: readonly LakeRow[] = [
  lakeRow(0, 'I', { id: '1', note: 'a' }),
  lakeRow(1, 'D', { id: '1', note: null }),
  { ...lakeRow(2, 'U', { id: '2', note: null }), unchanged: ['note'] },
]

for (const [what, rows, counts] of [
  ['the rows of the log', right, {}],
  ['a row that is missing', right.slice(1), { lost: 1 }],
  ['a row that is there twice', [...right, right[2]!], { twice: 1 }],
  ['a row too many', [...right, { ...right[2]!, seq: 3 }], { foreign: 1 }],
  ['a row of an unknown transaction', [...right, { ...right[0]!, xid: 8n }], { foreign: 1 }],
  ['another value', [{ ...right[0]!, values: tupleOfLake({ id: '1', note: 'b' }) }, ...right.slice(1)], { wrong: 1 }],
  ['an unchanged value as NULL', [...right.slice(0, 2), { ...right[2]!, unchanged: [] }], { wrong: 1 }],
  ['another operation', [{ ...right[0]!, op: 'U' }, ...right.slice(1)], { wrong: 1 }],
  ['a position behind its commit', right.map((row) => ({ ...row, lsn: 100n })), { wrong: 3 }],
] as const)
  test(`the oracle tells ${what}`, () => {
    const found = compareWithLog([logged], rows, () => ['id'])
    const expected = { transactions: 1, rows: 3, lost: 0, twice: 0, foreign: 0, wrong: 0, ...counts }
    const { problems, ...sums } = found
    assert.deepEqual(sums, expected)
    assert.equal(
      problems.length,
      Object.values(counts).reduce((sum, count) => sum + count, 0),
    )
  })

test('a seed always gives the same run, and many seeds give every fault', () => {
  assert.deepEqual(sequenceOf(5, 'short'), sequenceOf(5, 'short'))
  const steps = Array.from({ length: 60 }, (_, seed) => sequenceOf(seed, 'long').steps).flat()
  const kinds = new Set(steps.map((step) => (step.do === 'fault' ? step.kind : undefined)))
  assert.deepEqual(
    FAULTS.filter((kind) => !kinds.has(kind)),
    [],
  )
})

test('a failed run is made as short as it can be, and is named so that it can be run again', async () => {
  const all = Array.from({ length: 40 }, (_, k) => k)
  const fails = (kept: readonly number[]): Promise<boolean> => Promise.resolve([3, 17].every((k) => kept.includes(k)))
  assert.deepEqual(await shorten(all, fails, () => true), [3, 17])
  let tries = 0
  const some = await shorten(all, fails, () => tries++ < 3)
  assert.ok(some.length < all.length && (await fails(some)))
  assert.equal(formatRanges([0, 1, 2, 5, 7, 8]), '0-2,5,7-8')
  assert.deepEqual(parseRanges('0-2,5,7-8'), [0, 1, 2, 5, 7, 8])
})

function tuple(
  values: Record<string, string | null | typeof UNCHANGED>,
): Map<string, string | null | typeof UNCHANGED> {
  return new Map(Object.entries(values))
}

function tupleOfLake(values: Record<string, string | null>): Map<string, string | null> {
  return new Map(Object.entries(values))
}

function lakeRow(seq: number, op: string, values: Record<string, string | null>): LakeRow {
  const { xid, committedAt } = logged
  const place = { table: 'public.t', op, lsn: 90n, seq, xid, committedAt }
  return { ...place, unchanged: [], before: undefined, values: tupleOfLake(values) }
}
