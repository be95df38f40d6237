// A gap is never silent (G6): every way in which lake, slot and server can have come apart, and the range that is missing.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Commit, Plan } from '../../../internal/model/batch-record.js'
import { Failure } from '../../../internal/model/failure.js'
import { durableEnd, findGap, type GapFacts } from '../../../internal/pipeline/gap.js'
import type { Slot } from '../../../internal/replication/slot.js'

const cut = { rollBytes: 1, targetFileBytes: 1, tables: '', excludeTables: '' }
const plan: Plan = {
  ...{ batch: 0, kind: 'changes', fromLsn: 0x100n, toLsn: 0x1f0n, cut, writer: 'w', writerVersion: '1' },
}
const lastCommit: Commit = { ...plan, endLsn: 0x200n, timeline: 2, transactions: 1, rows: 1, files: [] }
const slot: Slot = {
  ...{ name: 's', confirmedLsn: 0x200n, lost: false, activePid: undefined, restartLsn: 0x100n },
}
const whole: GapFacts = {
  log: { lastCommit, openPlans: [] },
  place: { systemIdentifier: '1', timeline: 2, walEnd: 0x900n, switches: [{ timeline: 1, switchedAt: 0x50n }] },
  slotName: 's',
  slot,
}

function found(changed: Partial<GapFacts>): { reason: string; missing: [bigint, bigint]; message: string } {
  const gap = findGap({ ...whole, ...changed })
  assert.ok(gap !== undefined, 'no gap was found')
  assert.equal(gap.failure.kind, 'unsafe')
  assert.match(gap.failure.hint ?? '', /`repair --yes`/)
  return { reason: gap.reason, missing: [gap.missingFrom, gap.missingTo], message: gap.failure.message }
}

function refused(changed: Partial<GapFacts>, message: RegExp): void {
  assert.throws(
    () => findGap({ ...whole, ...changed }),
    (error) => error instanceof Failure && error.kind === 'unsafe' && message.test(error.message),
  )
}

test('G6: nothing is missing where slot, lake and server fit', () => {
  assert.equal(findGap(whole), undefined)
  assert.equal(findGap({ ...whole, slot: { ...slot, confirmedLsn: 1n } }), undefined, 'the slot may stand behind')
  assert.equal(findGap({ ...whole, place: { ...whole.place, walEnd: 0x200n } }), undefined)
  assert.equal(findGap({ ...whole, log: { lastCommit: undefined, openPlans: [] }, slot: undefined }), undefined)
})

test('G6: a slot that is gone, lost or ahead: the range is exact', () => {
  const gone = found({ slot: undefined })
  assert.deepEqual([gone.reason, gone.missing], ['slot_missing', [0x200n, 0x900n]])
  assert.match(gone.message, /missing: 0\/200 to 0\/900, 1792 bytes of WAL/)
  assert.deepEqual(found({ slot: { ...slot, lost: true } }).reason, 'slot_lost')
  const ahead = found({ slot: { ...slot, confirmedLsn: 0x2ffn } })
  assert.deepEqual([ahead.reason, ahead.missing], ['slot_ahead', [0x200n, 0x2ffn]])
})

test('G6: a promoted server that has everything the lake has goes on; one that left before does not', () => {
  const promoted = (switchedAt: bigint) => ({
    place: { ...whole.place, timeline: 3, switches: [...whole.place.switches, { timeline: 2, switchedAt }] },
  })
  assert.equal(findGap({ ...whole, ...promoted(0x200n) }), undefined)
  const forked = found(promoted(0x1ffn))
  assert.deepEqual([forked.reason, forked.missing], ['other_timeline', [0x1ffn, 0x900n]])
})

test('G6: a server of another history, or set back behind the lake, cannot be repaired', () => {
  refused({ place: { ...whole.place, timeline: 3, switches: [] } }, /timeline 2, which is not in the history/)
  refused({ place: { ...whole.place, walEnd: 0x1ffn } }, /at 0\/1FF, behind the end of the lake at 0\/200/)
})

test('G6: a plan alone is an end of the lake too', () => {
  const log = { lastCommit: undefined, openPlans: [plan] }
  assert.equal(durableEnd(log), 0x100n)
  assert.deepEqual(found({ log, slot: undefined }).missing, [0x100n, 0x900n])
})
