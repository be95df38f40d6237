// Batches: where they end, which files they have, what is left out of them, and what happens when a table changes under way.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CutParameters } from '../../../internal/model/batch-record.js'
import { Failure } from '../../../internal/model/failure.js'
import type { Relation } from '../../../internal/model/relation.js'
import { BufferPool } from '../../../internal/transform/buffer-pool.js'
import { layoutOf } from '../../../internal/transform/table-layout.js'
import { TableWriter } from '../../../internal/transform/table-writer.js'
import { stampOf } from '../../../internal/transform/transaction-stamp.js'
import { zstdAt } from '../../../internal/transform/zstd.js'
import { allRows, BuilderRun, bytesOf, fileName, planOf, rowsOf, wideCut } from '../../support/builder-run.js'
import { builtinTypes, columnOf } from '../../support/builtin-types.js'
import { factsOf } from '../../support/parquet-footer.js'
import { readWithHyparquet } from '../../support/parquet-readers.js'
import { NULL, text, transaction, type Message } from '../../support/pgoutput-messages.js'

const MIB = 1 << 20
/** 2026-03-01 00:00 UTC. */
const MIDNIGHT = BigInt(Date.UTC(2026, 2, 1)) * 1000n
const NOON = MIDNIGHT + 43_200_000_000n

function relationOf(oid: number, name: string): Relation {
  return {
    oid,
    schema: 'public',
    name,
    replicaIdentity: 'd',
    columns: [columnOf('id', 'int4', true), columnOf('v', 'text')],
  }
}
const orders = relationOf(1, 'orders')
const items = relationOf(2, 'items')
const describeBoth: Message[] = [orders, items].map((relation) => ({ tag: 'relation', relation }))

const insert = ({ oid }: Relation, id: number, value = 'x'): Message => ({
  tag: 'insert',
  oid,
  new: [text(String(id)), text(value)],
})
const large = (bytes: number): string => 'y'.repeat(bytes)

/** Messages of a transaction at LSN `n` × 100; it ends at that + 8. */
const tx = (n: number, ...inside: Message[]): Message[] => transaction(BigInt(n) * 100n, NOON, ...inside)

const names = (run: BuilderRun): string[][] => run.closed.map((batch) => batch.files.map(fileName))

test('G2 G4: a cut that is asked for when a transaction has arrived comes after it', async () => {
  const run: BuilderRun = new BuilderRun({
    onCommit: (endLsn) => (endLsn > 200n ? run.builder.requestCut() : undefined),
  })
  await run.feed(...tx(1, ...describeBoth, insert(orders, 1)), ...tx(2, insert(orders, 2)), ...tx(3, insert(orders, 3)))
  const ends = run.closed.map(({ summary }) => [summary!.toLsn, summary!.rows])
  assert.deepEqual(ends, [
    [200n, 2],
    [300n, 1],
  ])
})

test('a batch holds whole transactions, and ends where the next begins', async () => {
  const run = new BuilderRun({ flushIntervalMs: 30_000 })
  await run.feed(...tx(1, ...describeBoth, insert(orders, 1)), ...tx(2, insert(items, 1), insert(orders, 2)))
  assert.deepEqual(run.calls, ['started'])
  run.nowMs = 30_000
  await run.feed(...tx(3, insert(orders, 3)))
  assert.deepEqual(run.calls, ['started', 'plan', 'file', 'file', 'end'])
  const [batch] = run.closed
  assert.deepEqual(batch!.plan, { fromLsn: 0n, toLsn: 300n, cut: wideCut })
  assert.deepEqual(batch!.summary, {
    toLsn: 300n,
    endLsn: 308n,
    transactions: 3,
    rows: 4,
    firstCommitMicros: NOON,
    lastCommitMicros: NOON,
  })
  assert.deepEqual(
    batch!.counts,
    new Map([
      ['public.orders', { insert: 3, update: 0, delete: 0, truncate: 0 }],
      ['public.items', { insert: 1, update: 0, delete: 0, truncate: 0 }],
    ]),
  )
  assert.equal(batch!.reason, 'interval')
  run.nowMs += 30_000
  await run.feed(...tx(4, insert(items, 9)))
  await run.feed(...tx(5, insert(items, 10)))
  run.builder.requestCut()
  assert.deepEqual(run.closed[1]!.plan, { fromLsn: 308n, toLsn: 500n, cut: wideCut })
  assert.equal(run.closed[1]!.summary!.rows, 2)
})

test('G2: nothing ends inside a transaction, whoever asks', async () => {
  const run = new BuilderRun({ flushIntervalMs: 10 })
  const [begin, ...rest] = tx(1, ...describeBoth, insert(orders, 1), insert(orders, 2))
  await run.feed(begin!, ...rest.slice(0, 3))
  run.nowMs = 1000
  run.builder.requestCut()
  run.builder.stop()
  assert.equal(run.builder.betweenTransactions, false)
  assert.deepEqual(run.calls, [])
  await run.feed(...rest.slice(3))
  assert.deepEqual(run.calls, ['started', 'plan', 'file', 'end'])
  assert.equal(run.closed[0]!.summary!.rows, 2)
  assert.equal(run.closed[0]!.reason, 'stop')
  assert.equal(run.builder.betweenTransactions, true)
})

test('a cut that was asked for ends the open batch at once between two transactions, and only that one', async () => {
  const run = new BuilderRun()
  await run.feed(...tx(1, ...describeBoth, insert(orders, 1)))
  run.builder.requestCut()
  assert.equal(run.closed.length, 1)
  await run.feed(...tx(2, insert(orders, 2)))
  assert.equal(run.closed.length, 1)
})

test('a batch that is due while many are on their way ends when they are fewer, at a commit or when it is asked again', async () => {
  const run = new BuilderRun({ flushIntervalMs: 10 })
  run.answerBehind = () => true
  await run.feed(...tx(1, ...describeBoth, insert(orders, 1)))
  run.builder.requestCut()
  run.nowMs = 100
  await run.feed(...tx(2, insert(orders, 2)))
  run.builder.reconsider()
  assert.equal(run.closed.length, 0)
  run.answerBehind = () => false
  run.builder.reconsider()
  assert.equal(run.closed[0]!.summary!.rows, 2)
  run.builder.reconsider()
  await run.feed(...tx(3, insert(orders, 3)))
  run.builder.reconsider()
  assert.equal(run.closed.length, 1, 'what is asked again is whether it is due')
  run.nowMs = 200
  run.builder.reconsider()
  assert.equal(run.closed.length, 2)
})

test('a batch ends by its bytes, and for memory once it holds a good part of them', async () => {
  const cut = { ...wideCut, rollBytes: MIB }
  const byBytes = new BuilderRun({ cut })
  await byBytes.feed(...tx(1, ...describeBoth, insert(orders, 1, large(MIB / 2))))
  assert.equal(byBytes.closed.length, 0)
  await byBytes.feed(...tx(2, insert(orders, 2, large(MIB / 2))))
  assert.equal(byBytes.closed[0]!.reason, 'bytes')
  const byMemory = new BuilderRun({ cut })
  byMemory.answerMemoryShort = () => true
  await byMemory.feed(...tx(1, ...describeBoth, insert(orders, 1, large(MIB / 8))))
  assert.equal(byMemory.closed.length, 0)
  await byMemory.feed(...tx(2, insert(orders, 2, large(MIB / 8))))
  assert.equal(byMemory.closed[0]!.reason, 'memory')
})

test('transactions without a row make no batch, but are received', async () => {
  const run = new BuilderRun({ flushIntervalMs: 0 })
  await run.feed(...tx(1), ...tx(2, ...describeBoth), ...tx(3))
  assert.deepEqual(run.calls, [])
  assert.deepEqual(run.received, [108n, 208n, 308n])
  await run.feed(...tx(4, insert(orders, 1)))
  assert.deepEqual(run.closed[0]!.plan, { fromLsn: 0n, toLsn: 400n, cut: wideCut })
})

test('transactions that are durable already are dropped, and take no part in anything', async () => {
  const run = new BuilderRun({ durableLsn: 208n, flushIntervalMs: 0 })
  await run.feed(...tx(1, ...describeBoth, insert(orders, 1)), ...tx(2, insert(orders, 2)))
  assert.deepEqual(run.calls, [])
  await run.feed(...tx(3, insert(orders, 3)))
  assert.deepEqual(
    (await allRows(run.closed)).map((row) => [row.id, row._seq]),
    [[3, 0n]],
  )
  assert.deepEqual(run.closed[0]!.plan?.fromLsn, 208n)
})

const quietTo = (to: bigint, tables = '') => [{ from: 108n, to, tables, excludeTables: '' }]

test('G6: a row at a position at which nothing had happened is another history, and the range is named', async () => {
  const rows: Message[][] = [
    [insert(orders, 2)],
    [{ tag: 'truncate', oids: [orders.oid], flags: 0 }],
    [{ tag: 'update', oid: orders.oid, new: [text('1'), text('x')] }],
    [{ tag: 'delete', oid: orders.oid, old: { kind: 'K', fields: [text('1'), NULL] } }],
  ]
  for (const row of rows) {
    const run = new BuilderRun({ durableLsn: 300n, quiet: quietTo(300n), flushIntervalMs: 0 })
    await run.feed(...tx(1, ...describeBoth, insert(orders, 1)))
    await assert.rejects(
      run.feed(...tx(2, ...row)),
      (error) =>
        error instanceof Failure &&
        error.kind === 'unsafe' &&
        /between 0\/6C and 0\/12C, .* at 0\/C8, with rows of public\.orders \(missing: 0\/6C to 0\/12C, 192 bytes/.test(
          error.message,
        ),
    )
    assert.deepEqual(run.calls, [])
  }
})

test('G6: transactions that prove nothing where nothing had happened are dropped: empty ones, and of tables left out then', async () => {
  const run = new BuilderRun({
    durableLsn: 500n,
    quiet: [...quietTo(400n, 'orders'), { from: 400n, to: 500n, tables: '', excludeTables: '' }],
    flushIntervalMs: 0,
    takes: (_schema, table, { tables }) => tables === '' || tables === table,
  })
  await run.feed(...tx(1, ...describeBoth, insert(orders, 1)), ...tx(2), ...tx(3, insert(items, 1)))
  assert.deepEqual([run.calls, run.received], [[], [108n, 208n, 308n]])
  await assert.rejects(run.feed(...tx(4, insert(items, 2))), /rows of public\.items/)
})

test('G6: what is left out now was taken where nothing had happened', async () => {
  const takes = (_schema: string, _table: string, { tables }: { tables: string }): boolean => tables === 'then'
  const run = new BuilderRun({ durableLsn: 300n, quiet: quietTo(300n, 'then'), takes })
  await assert.rejects(run.feed(...tx(2, ...describeBoth, insert(orders, 1))), /nothing was committed/)
})

test('a transaction whose commit record begins where the durable one ended is new', async () => {
  const run = new BuilderRun({ durableLsn: 300n, flushIntervalMs: 0 })
  await run.feed(...tx(3, ...describeBoth, insert(orders, 3)))
  assert.equal(run.closed.length, 1)
})

test('commits on both sides of midnight UTC lie in files of their own, numbered per date', async () => {
  const run = new BuilderRun()
  const at = (n: number, micros: bigint, ...inside: Message[]): Message[] =>
    transaction(BigInt(n) * 100n, micros, ...inside)
  await run.feed(
    ...at(1, MIDNIGHT - 2n, ...describeBoth, insert(orders, 1), insert(items, 1)),
    ...at(2, MIDNIGHT - 1n, insert(orders, 2)),
    ...at(3, MIDNIGHT, insert(orders, 3)),
    // Commit times need not be in order.
    ...at(4, MIDNIGHT - 1n, insert(orders, 4)),
    ...at(5, MIDNIGHT + 5n, insert(orders, 5), insert(items, 2)),
  )
  run.builder.requestCut()
  const files = run.closed[0]!.files
  const rows = new Map<string, unknown[]>()
  for (const file of files)
    rows.set(
      fileName(file),
      (await rowsOf(file)).map((row) => row.id),
    )
  assert.deepEqual(
    rows,
    new Map<string, unknown[]>([
      ['public.orders/dt=2026-02-28/0', [1, 2]],
      ['public.orders/dt=2026-03-01/0', [3]],
      ['public.orders/dt=2026-02-28/1', [4]],
      ['public.items/dt=2026-02-28/0', [1]],
      ['public.orders/dt=2026-03-01/1', [5]],
      ['public.items/dt=2026-03-01/0', [2]],
    ]),
  )
  const { firstCommitMicros, lastCommitMicros } = run.closed[0]!.summary!
  assert.deepEqual([firstCommitMicros, lastCommitMicros], [MIDNIGHT - 2n, MIDNIGHT + 5n])
})

test('part numbers begin again in each batch', async () => {
  const run = new BuilderRun({ flushIntervalMs: 0, cut: { ...wideCut, targetFileBytes: 1000 } })
  for (let n = 1; n < 3; n++)
    await run.feed(
      ...tx(n, ...describeBoth, insert(orders, 1, large(2000)), insert(orders, 2, large(2000)), insert(items, 3)),
    )
  const expected = ['public.orders/dt=2026-03-01/0', 'public.orders/dt=2026-03-01/1', 'public.items/dt=2026-03-01/0']
  assert.deepEqual(names(run), [expected, expected])
})

test('a table with a column dt is partitioned by dt_commit', async () => {
  for (const name of ['dt', 'DT']) {
    const relation = { ...orders, columns: [...orders.columns, columnOf(name, 'date')] }
    const run = new BuilderRun({ flushIntervalMs: 0 })
    await run.feed(...tx(1, { tag: 'relation', relation }, { tag: 'insert', oid: 1, new: [text('1'), NULL, NULL] }))
    assert.deepEqual(names(run), [['public.orders/dt_commit=2026-03-01/0']])
  }
})

test('a relation that is sent again unchanged is no change, in the middle of a transaction or after', async () => {
  const run = new BuilderRun()
  const again: Message = { tag: 'relation', relation: structuredClone(orders) }
  await run.feed(
    ...tx(1, ...describeBoth, insert(orders, 1), again, insert(orders, 2)),
    ...tx(2, again, insert(orders, 3)),
  )
  run.builder.requestCut()
  assert.deepEqual(names(run), [['public.orders/dt=2026-03-01/0']])
  assert.equal(run.registered.length, 2)
})

test('a table that changes in the middle of a transaction goes on in a file and a version of its own', async () => {
  const run = new BuilderRun()
  const wider: Relation = { ...orders, columns: [...orders.columns, columnOf('extra', 'int8')] }
  await run.feed(
    ...tx(
      1,
      ...describeBoth,
      insert(orders, 1),
      { tag: 'relation', relation: wider },
      {
        tag: 'insert',
        oid: 1,
        new: [text('2'), text('x'), text('7')],
      },
    ),
  )
  run.builder.requestCut()
  const [first, second] = run.closed[0]!.files
  assert.deepEqual(
    [first, second].map((file) => [fileName(file!), file!.version]),
    [
      ['public.orders/dt=2026-03-01/0', 1],
      ['public.orders/dt=2026-03-01/1', 3],
    ],
  )
  const [before] = await rowsOf(first!)
  const [after] = await rowsOf(second!)
  assert.ok(!('extra' in before!))
  assert.deepEqual([after!.id, after!.extra, after!._seq], [2, 7n, 1n])
  assert.deepEqual(
    run.registered.map(({ position }) => position),
    [
      { lsn: 100n, seq: 0 },
      { lsn: 100n, seq: 0 },
      { lsn: 100n, seq: 1 },
    ],
  )
  assert.deepEqual(run.closed[0]!.counts!.get('public.orders')!.insert, 2)
})

test('a table that is renamed goes on in another folder', async () => {
  const run = new BuilderRun()
  const renamed = { ...orders, name: 'orders_old' }
  await run.feed(
    ...tx(1, ...describeBoth, insert(orders, 1)),
    ...tx(2, { tag: 'relation', relation: renamed }, insert(orders, 2)),
  )
  run.builder.requestCut()
  assert.deepEqual(names(run), [['public.orders/dt=2026-03-01/0', 'public.orders_old/dt=2026-03-01/0']])
})

test('one truncate of several tables is a row in each, with a place of its own', async () => {
  const run = new BuilderRun()
  await run.feed(
    ...tx(1, ...describeBoth, insert(orders, 1), { tag: 'truncate', oids: [1, 2, 1], flags: 3 }, insert(items, 5)),
  )
  run.builder.requestCut()
  const seen = await Promise.all(
    run.closed[0]!.files.map(async (file) => [
      file.file.layout.relation.name,
      ...(await rowsOf(file)).map((row) => [row._op, row._seq, row.id]),
    ]),
  )
  assert.deepEqual(seen, [
    ['orders', ['I', 0n, 1], ['T', 1n, null], ['T', 3n, null]],
    ['items', ['T', 2n, null], ['I', 4n, 5]],
  ])
  assert.equal(run.closed[0]!.counts!.get('public.orders')!.truncate, 2)
})

test('tables that are filtered out leave no row, but keep their places in the order', async () => {
  const run = new BuilderRun({ takes: (_, name) => name !== 'items' })
  await run.feed(
    ...tx(
      1,
      ...describeBoth,
      insert(items, 1),
      insert(orders, 2),
      { tag: 'truncate', oids: [2, 1], flags: 0 },
      insert(orders, 3),
    ),
    ...tx(2, insert(items, 4)),
  )
  run.builder.requestCut()
  assert.deepEqual(
    (await allRows(run.closed)).map((row) => [row._op, row._seq, row.id]),
    [
      ['I', 1n, 2],
      ['T', 3n, null],
      ['I', 4n, 3],
    ],
  )
  assert.equal(run.closed[0]!.summary!.transactions, 1)
  assert.deepEqual(
    run.registered.map(({ schema }) => schema.table),
    ['orders'],
  )
})

test('G10: a transaction larger than a batch is planned before it ends, and its files roll', async () => {
  const cut: CutParameters = { ...wideCut, rollBytes: 5 * MIB }
  const run = new BuilderRun({ cut })
  const waits: (() => void)[] = []
  run.answerRoom = () =>
    new Promise<void>((resolve) => {
      waits.push(resolve)
      setImmediate(resolve)
    })
  const [begin, ...rest] = tx(
    7,
    ...describeBoth,
    ...Array.from({ length: 16 }, (_, k) => insert(orders, k, large(MIB))),
  )
  await run.feed(begin!, ...rest.slice(0, 2 + 7))
  assert.equal(run.calls[0], undefined, 'before its bytes are reached nothing is planned')
  await run.feed(...rest.slice(2 + 7, -1))
  assert.deepEqual(run.calls, ['plan', 'file', 'file'])
  assert.deepEqual(run.batches[0]!.plan, { fromLsn: 0n, toLsn: 700n, cut })
  assert.ok(waits.length >= 3, 'room is asked for under way')
  await run.feed(rest.at(-1)!)
  assert.deepEqual(run.calls, ['plan', 'file', 'file', 'started', 'end'])
  assert.deepEqual(names(run)[0], ['public.orders/dt=2026-03-01/0', 'public.orders/dt=2026-03-01/1'])
  assert.deepEqual(
    (await allRows(run.closed)).map((row) => row._seq),
    Array.from({ length: 16 }, (_, k) => BigInt(k)),
  )
})

test('G10: pages are closed where memory is short, and nobody sees it in the rows', async () => {
  const run = new BuilderRun({ cut: { ...wideCut, rollBytes: 32 * MIB } })
  let asked = 0
  run.answerMemoryShort = () => ++asked > 0
  await run.feed(...tx(1, ...describeBoth, ...Array.from({ length: 20 }, (_, k) => insert(orders, k, large(MIB / 2)))))
  assert.ok(asked >= 2)
  run.answerMemoryShort = () => false
  run.builder.requestCut()
  assert.deepEqual(
    (await allRows(run.closed)).map((row) => row.id),
    Array.from({ length: 20 }, (_, k) => k),
  )
})

test('G10: what a batch held is given back when its files are stored, and at once when it is dropped', async () => {
  const run = new BuilderRun()
  await run.feed(...tx(1, ...describeBoth, insert(orders, 1, large(MIB)), insert(items, 1, large(MIB))))
  assert.ok(run.heldBytes > 2 * MIB)
  run.builder.requestCut()
  const contents = await Promise.all(run.closed[0]!.files.map(({ file }) => file.content()))
  const stored = contents.reduce((sum, { bytes }) => sum + bytes, 0)
  assert.ok(run.heldBytes >= stored && run.heldBytes < stored + MIB, `${run.heldBytes} held for ${stored}`)
  for (const content of contents) content.release()
  assert.equal(run.heldBytes, 0)
  await run.feed(...tx(2, insert(orders, 1, large(3 * MIB)), insert(items, 1, large(10))))
  assert.ok(run.heldBytes > 3 * MIB)
  await run.builder.discard()
  assert.equal(run.heldBytes, 0)
})

test('a file of more than 64 MiB has several row groups, and gives all its memory back', async () => {
  const run = new BuilderRun()
  const value = large(MIB)
  for (let n = 1; n <= 3; n++)
    await run.feed(...tx(n, ...describeBoth, ...Array.from({ length: 26 }, (_, k) => insert(orders, k, value))))
  run.builder.requestCut()
  const [file] = run.closed[0]!.files
  const content = await file!.file.content()
  const groups = factsOf(bytesOf(content))
  assert.deepEqual(
    groups.map((group) => group.rows),
    [64, 14],
  )
  const rows = await readWithHyparquet(bytesOf(content), file!.file.layout.fileColumns)
  assert.deepEqual(
    rows.map((row) => [row._lsn, row._seq, row.id, (row.v as string).length]),
    Array.from({ length: 78 }, (_, k) => [BigInt(Math.floor(k / 26) + 1) * 100n, BigInt(k % 26), k % 26, 2 * MIB]),
  )
  content.release()
  assert.equal(run.heldBytes, 0)
})

test('rows past the end of a page keep their transaction and their operation', async () => {
  const run = new BuilderRun()
  const rows = 70_000
  const [begin, ...described] = tx(1, ...describeBoth).slice(0, -1)
  await run.feed(begin!, ...described)
  for (let k = 0; k < rows; k++)
    await run.feed(
      k % 1000 === 7
        ? { tag: 'delete', oid: 1, old: { kind: 'K', fields: [text('1'), NULL] } }
        : insert(orders, k, `${k}`),
    )
  await run.feed(tx(1).at(-1)!, ...tx(2, insert(orders, -1)))
  run.builder.requestCut()
  const content = await run.closed[0]!.files[0]!.file.content()
  const [group] = factsOf(bytesOf(content))
  assert.ok(group!.chunks.some((chunk) => chunk.pages.length > 1))
  const read = await rowsOf(run.closed[0]!.files[0]!, content)
  assert.equal(read.length, rows + 1)
  read.forEach((row, k) => {
    const operation = k % 1000 === 7 && k < rows ? 'D' : 'I'
    const expected = [operation, k < rows ? 100n : 200n, BigInt(k % rows)]
    if (row._op !== expected[0] || row._lsn !== expected[1] || row._seq !== expected[2])
      assert.deepEqual([row._op, row._lsn, row._seq], expected, `row ${k}`)
  })
})

test('the place of a change has 64 bits', async () => {
  let held = 0
  const meter = (delta: number): void => void (held += delta)
  const context = { pool: new BufferPool(meter, 0), compress: zstdAt(1), meter, leaving: () => undefined }
  const layout = layoutOf(orders, builtinTypes([23, 25]), 'string')
  const stamp = stampOf(1n, 0n, 1, undefined)
  const writer = new TableWriter(layout, stamp.date, { context, createdBy: 'x' })
  const places = [0, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 40 + 5]
  for (const seq of places) writer.truncate(stamp, seq)
  const rows = await readWithHyparquet(bytesOf(await writer.close().content()), layout.fileColumns)
  assert.deepEqual(
    rows.map((row) => row._seq),
    places.map(BigInt),
  )
})

test('keepalives are idle positions only while the batch is empty; an urgent one ends it', async () => {
  const run = new BuilderRun()
  run.keepalive(50n, false)
  await run.feed(...tx(1, ...describeBoth, insert(orders, 1)))
  run.keepalive(150n, false)
  assert.deepEqual([run.idles, run.closed.length], [[{ position: 50n, urgent: false }], 0])
  run.keepalive(160n, true)
  assert.equal(run.closed.length, 1)
  run.keepalive(170n, true)
  assert.deepEqual(run.idles.at(-1), { position: 170n, urgent: true })
})

test('an idle position is where the next batch begins', async () => {
  const run = new BuilderRun({ flushIntervalMs: 0 })
  run.builder.skipTo(150n)
  await run.feed(...tx(1, ...describeBoth, insert(orders, 1)), ...tx(2, insert(orders, 2)))
  assert.deepEqual(
    run.closed.map((batch) => batch.plan!.fromLsn),
    [150n],
    'what committed before is dropped',
  )
})

test('a stopping builder takes no further transaction', async () => {
  let halted = (): void => undefined
  const run = new BuilderRun({ halted: new Promise<void>((resolve) => (halted = resolve)) })
  await run.feed(...tx(1, ...describeBoth, insert(orders, 1)))
  run.builder.stop()
  assert.equal(run.closed.length, 1)
  let taken = false
  const begun = run.feed(...tx(2)).then(
    () => (taken = true),
    () => undefined,
  )
  await new Promise(setImmediate)
  assert.equal(taken, false)
  halted()
  await begun
})

test('G9: a change of a relation that was never described stops the stream', async () => {
  const run = new BuilderRun()
  await assert.rejects(
    run.feed(...tx(1, insert(orders, 1))),
    (error) => error instanceof Failure && error.kind === 'protocol',
  )
})

test('types that have to be looked up are waited for, and rows come after them', async () => {
  const run = new BuilderRun({
    flushIntervalMs: 0,
    typesOf: async (oids) => {
      await new Promise((resolve) => setTimeout(resolve, 5))
      return oids.map((oid) => ({
        oid,
        schema: 'pg_catalog',
        name: oid === 23 ? 'int4' : 'text',
        kind: 'base' as const,
      }))
    },
    register: async (_table, _position, describe) => {
      await new Promise((resolve) => setTimeout(resolve, 5))
      describe([])
      return { version: 42, replaces: false, recorded: Promise.resolve() }
    },
  })
  await run.feed(...tx(1, ...describeBoth, insert(orders, 1)))
  assert.equal(run.closed[0]!.files[0]!.version, 42)
})

test('G4: the filters of a plan end with it, although its tables are described only once', async () => {
  const planned = { ...wideCut, tables: 'public.orders' }
  const now = { ...wideCut, tables: 'public.items' }
  const first = new BuilderRun({ flushIntervalMs: 0, cut: planned, takes: (_, name) => name === 'orders' })
  await first.feed(...tx(1, ...describeBoth, insert(orders, 1), insert(items, 1)))
  const run = new BuilderRun({
    flushIntervalMs: 0,
    cut: now,
    openPlans: [planOf(first.closed[0]!, 0)],
    takes: (schema, name, cut) => cut.tables === `${schema}.${name}`,
  })
  await run.feed(
    ...tx(1, ...describeBoth, insert(orders, 1), insert(items, 1)),
    ...tx(2, insert(orders, 2), insert(items, 2)),
  )
  assert.deepEqual(names(run), [['public.orders/dt=2026-03-01/0'], ['public.items/dt=2026-03-01/0']])
  assert.deepEqual(
    run.closed.map((batch) => batch.plan!.cut.tables),
    ['public.orders', 'public.items'],
  )
  assert.deepEqual(
    (await allRows(run.closed)).map((row) => [row.id, row._seq]),
    [
      [1, 0n],
      [2, 1n],
    ],
  )
})
