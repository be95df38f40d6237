// A replay must make the same files as the run before it, whatever was different that is not in the plan: the clock, the
// memory, the flush interval, the place in the stream where the process ended.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { CutParameters, Plan } from '../../../internal/model/batch-record.js'
import { Failure } from '../../../internal/model/failure.js'
import type { Relation } from '../../../internal/model/relation.js'
import {
  BuilderRun,
  bytesOf,
  fileName,
  planOf,
  wideCut,
  type RecordedBatch,
  type RecordedFile,
} from '../../support/builder-run.js'
import { columnOf } from '../../support/builtin-types.js'
import { readWithHyparquet } from '../../support/parquet-readers.js'
import { NULL, text, transaction, UNCHANGED, type Message } from '../../support/pgoutput-messages.js'
import { unlessSoaking } from '../../support/soak.js'

const MIB = 1 << 20
const MIDNIGHT = BigInt(Date.UTC(2026, 2, 1)) * 1000n

const relations: readonly Relation[] = ['a', 'b', 'c'].map((name, oid) => ({
  oid,
  schema: 'public',
  name,
  replicaIdentity: 'd',
  columns: [columnOf('id', 'int4', true), columnOf('v', 'text')],
}))
/** The same tables once a column was added. */
const widened = relations.map((relation) => ({ ...relation, columns: [...relation.columns, columnOf('w', 'text')] }))

interface Change {
  readonly table: number
  readonly kind: 'insert' | 'update' | 'key' | 'delete' | 'truncate' | 'widen'
  readonly bytes: number
}

interface Transaction {
  readonly afterMidnight: boolean
  readonly changes: readonly Change[]
}

const change: fc.Arbitrary<Change> = fc.record(
  {
    table: fc.nat(2),
    kind: fc.oneof(
      { weight: 12, arbitrary: fc.constant('insert' as const) },
      fc.constantFrom('update' as const, 'key' as const, 'delete' as const, 'truncate' as const),
      fc.constant('widen' as const),
    ),
    bytes: fc.oneof(fc.nat(2000), fc.integer({ min: 100_000, max: 1_300_000 })),
  },
  { noNullPrototype: true },
)
const histories = fc.array(
  fc.record(
    {
      afterMidnight: fc.boolean(),
      changes: fc.oneof(fc.array(change, { maxLength: 5 }), fc.array(change, { minLength: 8, maxLength: 18 })),
    },
    { noNullPrototype: true },
  ),
  { minLength: 1, maxLength: 7 },
)

/** The transactions' messages; whole transactions, so that a stream can begin at any. */
function messagesOf(history: readonly Transaction[]): Message[][] {
  const wide = new Set<number>()
  let id = 0
  return history.map(({ afterMidnight, changes }, n) => {
    // The server describes a table anew to each connection; a builder that goes on knows most of these already.
    const described = relations.map((relation, table): Message => ({
      tag: 'relation',
      relation: wide.has(table) ? widened[table]! : relation,
    }))
    const inside = changes.flatMap(({ table, kind, bytes }): Message[] => {
      if (kind === 'widen') {
        wide.add(table)
        return [{ tag: 'relation', relation: widened[table]! }]
      }
      const fields = [text(String(++id)), text('y'.repeat(bytes)), ...(wide.has(table) ? [NULL] : [])]
      const key = [text(String(id - 1)), ...fields.slice(1).map(() => NULL)]
      switch (kind) {
        case 'insert':
          return [{ tag: 'insert', oid: table, new: fields }]
        case 'update':
          return [{ tag: 'update', oid: table, new: [fields[0]!, UNCHANGED, ...fields.slice(2)] }]
        case 'key':
          return [{ tag: 'update', oid: table, old: { kind: 'K', fields: key }, new: fields }]
        case 'delete':
          return [{ tag: 'delete', oid: table, old: { kind: 'K', fields: key } }]
        default:
          return [{ tag: 'truncate', oids: [table], flags: 0 }]
      }
    })
    const micros = afterMidnight ? MIDNIGHT + BigInt(n) : MIDNIGHT - 1000n + BigInt(n)
    return transaction(BigInt(n + 1) * 1000n, micros, ...described, ...inside)
  })
}

/** What differs between two runs and must not matter. */
interface Circumstances {
  /** Messages until the process ends. */
  readonly lifetime: number
  /** Of the batches that ended, how many are committed before it ends. */
  readonly commits: number
  /** Transactions that the server sends again although they are durable. */
  readonly again: number
  readonly flushIntervalMs: number
  readonly memory: readonly boolean[]
}

const circumstances: fc.Arbitrary<Circumstances> = fc.record(
  {
    lifetime: fc.nat(90),
    commits: fc.nat(3),
    again: fc.nat(3),
    flushIntervalMs: fc.constantFrom(0, 3, 1000, Infinity),
    memory: fc.array(fc.boolean(), { minLength: 1, maxLength: 7 }),
  },
  { noNullPrototype: true },
)

const cuts: fc.Arbitrary<CutParameters> = fc
  .tuple(fc.constantFrom(MIB, 4 * MIB, 5 * MIB), fc.constantFrom(200_000, 2 * MIB, 64 * MIB))
  .map(([rollBytes, targetFileBytes]) => ({ ...wideCut, rollBytes, targetFileBytes }))

/** The bucket, as far as it matters here. */
class Lake {
  readonly plans: Plan[] = []
  readonly committed: RecordedBatch[] = []
  /** Content of every data file that has become visible, by its key. */
  readonly files = new Map<string, string>()

  get durableLsn(): bigint {
    return this.committed.at(-1)?.summary!.endLsn ?? 0n
  }

  async show(batch: number, { from, to }: { from: bigint; to: bigint }, recorded: RecordedFile): Promise<void> {
    const { file } = recorded
    const rows = (await readWithHyparquet(bytesOf(await file.content()), file.layout.fileColumns)).map((row) => ({
      ...row,
      v: row.v === null ? null : (row.v as string).length,
    }))
    const content = JSON.stringify(rows, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value))
    const key = `${batch} ${from} ${to} ${fileName(recorded)}`
    assert.equal(this.files.get(key) ?? content, content, `${key} was written with other rows`)
    this.files.set(key, content)
  }
}

async function session(
  lake: Lake,
  stream: readonly Message[][],
  cut: CutParameters,
  now: Circumstances,
  last: boolean,
): Promise<void> {
  const openPlans = lake.plans.slice(lake.committed.length)
  const firstBatch = lake.committed.length
  const run = new BuilderRun({ durableLsn: lake.durableLsn, openPlans, cut, flushIntervalMs: now.flushIntervalMs })
  let asked = 0
  run.answerMemoryShort = () => now.memory[asked++ % now.memory.length]!
  run.answerRoom = () =>
    now.memory[asked++ % now.memory.length]! ? new Promise<void>((resolve) => setImmediate(resolve)) : undefined
  const durableTransactions = stream.filter(
    (messages) => (messages[0] as { commitLsn: bigint }).commitLsn < lake.durableLsn,
  )
  const sent = stream.slice(Math.max(0, durableTransactions.length - now.again)).flat()
  for (const message of last ? sent : sent.slice(0, now.lifetime)) {
    run.nowMs++
    await run.feed(message)
  }
  if (last) run.builder.requestCut()

  for (const [k, batch] of run.batches.entries()) {
    if (batch.plan === undefined) continue
    const number = firstBatch + k
    const plan = lake.plans[number]
    if (plan === undefined) lake.plans.push(planOf(batch, number))
    else assert.deepEqual({ ...planOf(batch, number), batch: plan.batch }, plan, 'a replay came to another plan')
    for (const file of batch.files) await lake.show(number, { from: batch.plan.fromLsn, to: batch.plan.toLsn }, file)
  }
  lake.committed.push(...run.closed.slice(0, last ? Infinity : now.commits))
  await run.builder.discard()
}

/** Table, LSN and place of every row that the history makes. */
function placesOf(stream: readonly Message[][]): string[] {
  return stream.flatMap((messages) => {
    const begin = messages[0] as { commitLsn: bigint }
    let seq = 0
    return messages.flatMap((message) => {
      const place = (oid: number): string => `${relations[oid]!.name} ${begin.commitLsn} ${seq++}`
      switch (message.tag) {
        case 'insert':
        case 'delete':
          return [place(message.oid)]
        case 'update':
          return message.old === undefined ? [place(message.oid)] : [place(message.oid), place(message.oid)]
        case 'truncate':
          return message.oids.map(place)
        default:
          return []
      }
    })
  })
}

test('G4: runs that end anywhere and begin again make the same files, and every row is in exactly one', async () => {
  await fc.assert(
    fc.asyncProperty(
      histories,
      cuts,
      fc.array(fc.tuple(circumstances, cuts), { maxLength: 3 }),
      circumstances,
      async (history, cut, crashes, lastly) => {
        const stream = messagesOf(history)
        const lake = new Lake()
        // Each run may be configured otherwise: a replay follows its plan.
        for (const [now, other] of crashes) await session(lake, stream, other, now, false)
        await session(lake, stream, cut, lastly, true)
        assert.equal(lake.committed.length, lake.plans.length)
        const found = [...lake.files].flatMap(([key, content]) =>
          (JSON.parse(content) as { _lsn: string; _seq: string }[]).map(
            (row) => `${/public\.(.)/.exec(key)![1]!} ${row._lsn} ${row._seq}`,
          ),
        )
        assert.deepEqual(found.sort(), placesOf(stream).sort())
      },
    ),
    { numRuns: unlessSoaking(20, 200), interruptAfterTimeLimit: unlessSoaking(20_000, 300_000) },
  )
})

test('G4: a replayed batch ends by its plan alone', async () => {
  const stream = messagesOf(
    [1, 2, 3].map(() => ({ afterMidnight: true, changes: [{ table: 0, kind: 'insert' as const, bytes: 10 }] })),
  )
  const plan: Plan = {
    batch: 0,
    kind: 'changes',
    fromLsn: 0n,
    toLsn: 2000n,
    cut: wideCut,
    writer: 'w',
    writerVersion: '1',
  }
  const run = new BuilderRun({ openPlans: [plan], flushIntervalMs: 0, cut: { ...wideCut, rollBytes: 1 } })
  run.answerMemoryShort = () => true
  assert.equal(run.builder.replaying, true)
  await run.feed(...stream[0]!)
  run.builder.requestCut()
  run.keepalive(1500n, true)
  assert.equal(run.closed.length, 0)
  await run.feed(...stream[1]!)
  assert.deepEqual(
    run.closed.map((batch) => [batch.plan!.toLsn, batch.reason, batch.plan!.cut]),
    [[2000n, 'replay', wideCut]],
  )
  assert.equal(run.builder.replaying, false)
  await run.feed(...stream[2]!)
  assert.deepEqual(
    run.closed.map((batch) => batch.reason),
    ['replay', 'bytes'],
  )
})

const planTo = (toLsn: bigint, fromLsn = 0n): Plan => ({
  batch: 7,
  kind: 'changes',
  fromLsn,
  toLsn,
  cut: wideCut,
  writer: 'w',
  writerVersion: '1',
})
const oneRow = { afterMidnight: true, changes: [{ table: 0, kind: 'insert' as const, bytes: 1 }] }

function isOtherHistory(error: unknown): boolean {
  return (
    error instanceof Failure && error.kind === 'unsafe' && error.message.includes('batch 7') && error.hint !== undefined
  )
}

test('G6: a stream that passes the planned LSN without that commit is another history', async () => {
  const stream = messagesOf([oneRow, oneRow, oneRow])
  const passed = new BuilderRun({ openPlans: [planTo(1500n)] })
  await passed.feed(...stream[0]!)
  await assert.rejects(passed.feed(...stream[1]!), isOtherHistory)
  assert.deepEqual(
    passed.calls.filter((call) => call === 'plan' || call === 'end'),
    [],
  )
  const byKeepalive = new BuilderRun({ openPlans: [planTo(1500n)] })
  await byKeepalive.feed(...stream[0]!)
  byKeepalive.keepalive(1500n, true)
  assert.throws(() => byKeepalive.keepalive(1501n, false), isOtherHistory)
  const atOnce = new BuilderRun({ openPlans: [planTo(500n)] })
  await assert.rejects(atOnce.feed(...stream[0]!), isOtherHistory)
})

test('G6: a planned transaction that has no row now is another history', async () => {
  const empty = transaction(1000n, MIDNIGHT)
  const run = new BuilderRun({ openPlans: [planTo(1000n)] })
  await assert.rejects(run.feed(...empty), isOtherHistory)
})

test('G6: the second of two open plans is held to as well', async () => {
  const stream = messagesOf([oneRow, oneRow, oneRow])
  const run = new BuilderRun({ openPlans: [planTo(1000n), planTo(2500n, 1008n)] })
  await run.feed(...stream[0]!, ...stream[1]!)
  assert.equal(run.closed.length, 1)
  await assert.rejects(run.feed(...stream[2]!), isOtherHistory)
})
