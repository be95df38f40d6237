// The order in which a start looks at slot, log and server: another process may begin the lake between two looks.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type pg from 'pg'
import type { Plan } from '../../../internal/model/batch-record.js'
import { Failure } from '../../../internal/model/failure.js'
import { decideStart } from '../../../internal/pipeline/start-decision.js'
import { survey } from '../../../internal/pipeline/survey.js'
import { identityKey, planKey } from '../../../internal/storage/keys.js'
import { encodeIdentity, encodePlan } from '../../../internal/storage/log-records.js'
import { MemoryStore } from '../../support/memory-store.js'

const settings = { slot: 's', publication: 'p', snapshot: 'initial' } as const
const slotRow = {
  ...{ slot_type: 'logical', plugin: 'pgoutput', database: 'd', temporary: false, active_pid: null },
  ...{ restart_lsn: '0/50', confirmed_flush_lsn: '0/64', wal_status: 'reserved' },
}

/** Connections to a server of our own making: `slots` are what the looks at the slot find, one after the other. */
function connections(slots: readonly (readonly object[])[]) {
  const left = [...slots]
  const answer = (sql: string): readonly object[] => {
    if (sql.includes('pg_replication_slots')) return left.shift() ?? assert.fail('one look too many')
    if (sql === 'IDENTIFY_SYSTEM') return [{ systemid: '1', timeline: '1', xlogpos: '0/900' }]
    return [{ version: 180_000, wal_level: 'logical', timeout: 60_000, encoding: 'UTF8', database: 'd' }]
  }
  const client = { query: (sql: string) => Promise.resolve({ rows: answer(sql) }) } as unknown as pg.Client
  return { control: client, replication: client }
}

function begunLake(): MemoryStore {
  const cut = { rollBytes: 1, targetFileBytes: 1, tables: '', excludeTables: '' }
  const plan: Plan = { batch: 0, kind: 'changes', fromLsn: 100n, toLsn: 200n, cut, writer: 'w', writerVersion: '1' }
  const store = new MemoryStore()
  store.objects.set(planKey('s', 0), encodePlan(plan))
  store.objects.set(
    identityKey('s'),
    encodeIdentity({ systemIdentifier: '1', database: 'd', copies: false, ...settings }),
  )
  return store
}

test('G6: a lake and a slot that another process begins after our look at the slot are no gap', async () => {
  await assert.rejects(
    survey(settings, begunLake(), connections([[], [slotRow]]), undefined),
    (error) => error instanceof Failure && error.kind === 'plan_taken',
  )
})

test('G6: a slot that is gone at the second look too is gone', async () => {
  const { start } = await survey(settings, begunLake(), connections([[], []]), undefined)
  assert.throws(() => decideStart(start), /slot s is gone/)
})

test('a slot that is held is waited for, before anything else is read', async () => {
  const held = connections([[{ ...slotRow, active_pid: 7 }]])
  await assert.rejects(
    survey(settings, new MemoryStore(), held, undefined),
    (error) => error instanceof Failure && error.kind === 'slot_busy' && error.message.includes('process 7'),
  )
})
