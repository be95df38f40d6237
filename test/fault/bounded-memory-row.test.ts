// A row that is many times as large as what the process may hold: PostgreSQL sends it as one message, so it has to be taken in
// whole. The peak, as the kernel counts it, stays under what docs/memory.md promises, and the row arrives byte for byte (G10).
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { auditLog } from '../support/log-audit.js'
import { assertMemoryBound } from '../support/memory-bound.js'
import { memoryUncounted } from '../support/memory-watch.js'
import { makeRig } from '../support/rig.js'
import { unlessSoaking } from '../support/soak.js'

const ROW_BYTES = unlessSoaking(100_000_000, 200_000_000)
/** Only for a program that has stopped moving. */
const PATIENCE = { timeoutMs: 200_000, everyMs: 100 }
const LIMIT = { MEMORY_LIMIT: '16MiB' }
const limitBytes = 16 << 20

test(
  'G10: a row of 100 MB in one column, in a soak of 200 MB, and an update that brings it twice',
  { skip: memoryUncounted },
  async (t) => {
    const rig = await makeRig(t)
    // Compressing them would only cost the server's time.
    await rig.source.query(
      'CREATE TABLE blobs (id int PRIMARY KEY, data bytea); ALTER TABLE blobs ALTER data SET STORAGE EXTERNAL, REPLICA IDENTITY FULL',
    )
    const service = await rig.stream(LIMIT)
    const data = randomBytes(ROW_BYTES)
    await rig.source.query('INSERT INTO blobs VALUES (1, $1)', [data])
    await rig.caughtUp(service, PATIENCE)
    await assertMemoryBound(t, service, { limitBytes, rowBytes: ROW_BYTES })
    await rig.source.query(`UPDATE blobs SET data = data || 'x'`)
    await rig.caughtUp(service, PATIENCE)
    await assertMemoryBound(t, service, { limitBytes, rowBytes: 2 * ROW_BYTES })
    assert.equal(await service.stop(), 0)
    await auditLog(rig.lake, rig.slot)
    const found = await rig.lake.query(
      `SELECT _op, id, md5(data) AS data, md5(_before) AS before FROM ${rig.lake.from('public.blobs')} ORDER BY _lsn, _seq`,
    )
    const old = createHash('md5')
      .update('{"id":"1","data":"\\\\x')
      .update(data.toString('hex'))
      .update('"}')
      .digest('hex')
    const longer = createHash('md5').update(data).update('x').digest('hex')
    const digest = createHash('md5').update(data).digest('hex')
    assert.deepEqual(found, [
      { _op: 'I', id: 1, data: digest, before: null },
      { _op: 'U', id: 1, data: longer, before: old },
    ])
  },
)
