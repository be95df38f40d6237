// What the settings of hidden columns mean for a relation, and for batches that were planned under others.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ColumnFilter } from '../../../internal/config/column-filter.js'
import type { BatchKind, ColumnSettings, Plan } from '../../../internal/model/batch-record.js'
import { Failure } from '../../../internal/model/failure.js'
import type { Relation, ReplicaIdentity } from '../../../internal/model/relation.js'
import {
  checkFindings,
  columnSettings,
  hiddenColumnsOf,
  withoutExcluded,
} from '../../../internal/pipeline/hidden-columns.js'
import { checkColumnsAsPlanned } from '../../../internal/pipeline/plan-rules.js'
import { decodePlan, encodePlan } from '../../../internal/storage/log-records.js'
import { ValueHash } from '../../../internal/transform/values/value-hash.js'
import { columnOf } from '../../support/builtin-types.js'

const hash = new ValueHash('a salt of a test')

function table(replicaIdentity: ReplicaIdentity): Relation {
  const columns = [columnOf('id', 'int4', true), columnOf('a', 'text', replicaIdentity === 'f'), columnOf('b', 'text')]
  return { oid: 1, schema: 's', name: 't', replicaIdentity, columns }
}

test('hidden columns: of a relation, in its order', () => {
  const settings = { columns: new ColumnFilter('s.t.a', '*.*.id'), hash }
  assert.deepEqual(hiddenColumnsOf(settings, table('d'))?.rules, ['hashed', 'excluded', 'clear'])
  assert.deepEqual(
    withoutExcluded(settings, table('d')).columns.map(({ name }) => name),
    ['id', 'b'],
  )
  assert.equal(hiddenColumnsOf({ columns: new ColumnFilter() }, table('d')), undefined)
  assert.equal(hiddenColumnsOf({ columns: new ColumnFilter('x.*.*') }, table('d')), undefined, 'of another table')
  const other = table('d')
  assert.equal(withoutExcluded({ columns: new ColumnFilter('x.*.*') }, other), other)
})

test('hidden columns: a key that is left out is refused, but under FULL, where each column counts as one', () => {
  const settings = { columns: new ColumnFilter('s.t.id') }
  for (const identity of ['d', 'i'] as const)
    assert.throws(
      () => hiddenColumnsOf(settings, table(identity)),
      (error) => error instanceof Failure && error.kind === 'unsafe' && error.message.includes('leaves out s.t.id'),
    )
  assert.deepEqual(hiddenColumnsOf(settings, table('f'))?.rules, ['excluded', 'clear', 'clear'])
  const id = { schema: 's', table: 't', column: 'id' }
  const none = { excludedKeys: [], inBoth: [], withoutColumn: [] }
  const refused = (error: unknown): boolean => error instanceof Failure && error.kind === 'config'
  assert.throws(() => checkFindings({ ...none, excludedKeys: Array(12).fill(id) }), refused)
  assert.throws(() => checkFindings({ ...none, inBoth: [id] }), refused)
  checkFindings({ ...none, withoutColumn: [{ variable: 'HASH_COLUMNS', item: 'a.b.c' }] })
})

function planned(kind: BatchKind, columns: ColumnSettings | undefined): Plan {
  const cut = { rollBytes: 1, targetFileBytes: 1, tables: '', excludeTables: '', ...(columns && { columns }) }
  return { batch: 7, kind, fromLsn: 1n, toLsn: 2n, cut, writer: 'w', writerVersion: '1' }
}

test('G4: an open plan is replayed under the settings that it was made with, and no others', () => {
  const all = [
    undefined,
    columnSettings({ columns: new ColumnFilter('a.b.c') }),
    columnSettings({ columns: new ColumnFilter('', 'a.b.c'), hash }),
    columnSettings({ columns: new ColumnFilter('', 'a.b.c'), hash: new ValueHash('another salt of it') }),
    columnSettings({ columns: new ColumnFilter('a.b.d', 'a.b.c'), hash }),
  ]
  for (const [k, then] of all.entries())
    for (const [l, now] of all.entries()) {
      const plans = [planned('idle', undefined), planned('changes', then)]
      if (k === l) checkColumnsAsPlanned(plans, now)
      else
        assert.throws(
          () => checkColumnsAsPlanned(plans, now),
          (error) =>
            error instanceof Failure &&
            error.kind === 'unsafe' &&
            error.message.startsWith('batch 7 was planned with '),
        )
    }
  assert.throws(() => checkColumnsAsPlanned([planned('copy', all[1])], undefined), /EXCLUDE_COLUMNS="a\.b\.c"/)
  checkColumnsAsPlanned([planned('idle', all[1]), planned('gap', all[1])], undefined)
})

test('hidden columns: what a plan holds of them comes back, and the salt is not in it', () => {
  for (const columns of [undefined, columnSettings({ columns: new ColumnFilter('a.b.c', 'd.e.f'), hash })]) {
    const plan = planned('changes', columns)
    const bytes = encodePlan(plan)
    assert.deepEqual(decodePlan('k', bytes), plan)
    assert.ok(!bytes.includes('a salt'))
  }
})
