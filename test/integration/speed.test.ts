// A guard against becoming slow: the time that a backlog takes into a folder, against the time that the server itself takes to
// decode it, in the same run, by turns.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { median } from '../../bench/measuring.js'
import { fillOrders, ordersTable } from '../../bench/orders.js'
import { makeRig, type Rig } from '../support/rig.js'

const TRANSACTIONS = 300
const ROWS_PER_TRANSACTION = 1_000
const ROUNDS = 3
/** Half of what was usual when this was written, so that a halving fails it and noise does not. */
const LEAST_RATIO = 0.25

test('a backlog is in the lake in a time that the server takes to decode it a few times', async (t) => {
  const rig = await makeRig(t, { lake: 'folder' })
  await rig.source.query(ordersTable)
  // Makes slot and publication.
  assert.equal(await (await rig.stream()).stop(), 0)
  const decoding: number[] = []
  const streaming: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    await rig.source.query(fillOrders(TRANSACTIONS, ROWS_PER_TRANSACTION))
    decoding.push(await decode(rig))
    streaming.push(await drain(rig))
  }
  const ratio = median(decoding) / median(streaming)
  const told = `${ratio.toFixed(2)} x the server's own decoding (at least ${LEAST_RATIO})`
  t.diagnostic(told)
  assert.ok(ratio >= LEAST_RATIO, told)
})

/** Milliseconds. */
async function decode(rig: Rig): Promise<number> {
  const started = performance.now()
  const [row] = await rig.source.query<{ changes: number }>(
    `SELECT count(*)::int AS changes FROM pg_logical_slot_peek_binary_changes($1, NULL, NULL,
       'proto_version', '1', 'publication_names', 'wal_cake_pub', 'binary', 'true')`,
    [rig.slot],
  )
  assert.ok(row!.changes >= TRANSACTIONS * ROWS_PER_TRANSACTION)
  return performance.now() - started
}

/** Milliseconds, from the start of the stream until the slot has moved. */
async function drain(rig: Rig): Promise<number> {
  const service = await rig.stream()
  const started = performance.now()
  await rig.caughtUp(service)
  const took = performance.now() - started
  assert.equal(await service.stop(), 0)
  return took
}
