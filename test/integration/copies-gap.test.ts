// After a gap what was copied is nothing to build upon: every table is copied again, and takes the place of what was there.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertTables, copied, copying, endInOrder, finishedCopies } from '../support/copies.js'
import type { CommitRecord } from '../support/log-audit.js'
import { assertRefused } from '../support/refusal.js'
import { lsn } from '../support/lsn-text.js'
import { makeRig } from '../support/rig.js'

test('G6: after a repair every table is copied again as a whole, and what went in the gap is gone', async (t) => {
  const rig = await makeRig(t, { lake: 'folder' })
  await rig.source.query(`
    CREATE TABLE keyed (id int PRIMARY KEY, v text); INSERT INTO keyed SELECT k, 'v' || k FROM generate_series(1, 100) k;
    CREATE TABLE keyless (n int, v text); INSERT INTO keyless SELECT k, 'v' || k FROM generate_series(1, 100) k;
    CREATE TABLE emptied (id int PRIMARY KEY); INSERT INTO emptied VALUES (1);
    CREATE PUBLICATION wal_cake_pub FOR TABLE keyed, keyless, emptied, marks WITH (publish = 'insert, truncate')`)
  const first = await rig.stream(copying)
  await copied(rig, first, ['keyed', 'keyless', 'emptied'])
  await rig.source.query(`INSERT INTO keyed VALUES (101, 'streamed'); INSERT INTO keyless VALUES (101, 'streamed')`)
  await endInOrder(rig, first)
  await rig.dropSlot()
  await rig.source.query(`
    DELETE FROM keyed WHERE id % 2 = 0; UPDATE keyed SET v = 'in the gap' WHERE id % 3 = 0; DELETE FROM keyless WHERE n < 50; DELETE FROM emptied`)

  await assertRefused(rig.start(copying, ['repair']), {
    code: 3,
    says: [/copied again/, /will never be in this lake/],
  })
  assert.equal((await rig.start(copying, ['repair', '--yes']).waitForExit()).code, 0)
  const second = await rig.stream({ ...copying, TARGET_FILE_BYTES: '64KiB' })
  await second.waitFor('all to be copied again', async () => (await finishedCopies(rig)).length >= 8, {
    timeoutMs: 60_000,
  })
  await rig.source.query(`INSERT INTO keyed VALUES (102, 'later'); INSERT INTO keyless VALUES (102, 'later')`)
  await rig.source.query(`
    CREATE TABLE newer (id int PRIMARY KEY, v text); INSERT INTO newer SELECT k, repeat('n', 300) FROM generate_series(1, 1000) k;
    ALTER PUBLICATION wal_cake_pub ADD TABLE newer`)
  await copied(rig, second, ['newer'])
  await endInOrder(rig, second)
  assert.equal(await assertTables(rig, ['keyed', 'keyless', 'emptied', 'newer']), 52 + 53 + 1000)
  const commits = (await rig.lake.commits(rig.slot)) as unknown as CommitRecord[]
  const inPieces = new Set(commits.flatMap(({ copied: copy }) => copy?.pieces ?? []).map(({ table }) => table))
  assert.ok(inPieces.has('newer'), 'the gap is none of its')
  const copies = (await finishedCopies(rig)).slice(-5)
  for (const table of ['keyed', 'keyless', 'emptied']) {
    const superseded = (await rig.lake.rows(`public.${table}`)).filter(({ _op }) => _op === 'T')
    assert.deepEqual(
      superseded.map(({ _lsn, _seq }) => [_lsn, Number(_seq)]),
      [[lsn(copies.find((copy) => copy.table === table)!.lsn), -1]],
      `${table} is superseded once, where it was copied`,
    )
  }
  await rig.dropSlot()
})

test('G6: a lake without copies says as before that what is missing will never be there', async (t) => {
  const rig = await makeRig(t, { lake: 'folder' })
  const service = await rig.stream()
  await endInOrder(rig, service)
  await rig.dropSlot()
  await assertRefused(rig.start(copying, ['repair']), { code: 3, says: [/will never be in this lake/] })
  assert.equal((await rig.start(copying, ['repair', '--yes']).waitForExit()).code, 0)
  const again = await rig.stream(copying)
  await endInOrder(rig, again)
  assert.deepEqual(await finishedCopies(rig), [], 'a repair makes no lake with copies of it')
  await rig.dropSlot()
})
