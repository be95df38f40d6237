// A store that takes 1 MB/s while much more is written than memory may hold: the peak, as the kernel counts it, stays under
// what docs/memory.md promises, and every value is in the lake whole (G10). In a soak it stays slow to the end.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { assertLargeValues, createLargeValues, insertLargeValues } from '../support/large-values.js'
import { auditLog } from '../support/log-audit.js'
import { assertMemoryBound } from '../support/memory-bound.js'
import { memoryUncounted } from '../support/memory-watch.js'
import { makeRig } from '../support/rig.js'
import { S3Server } from '../support/s3-server.js'
import { unlessSoaking } from '../support/soak.js'
import { TcpProxy } from '../support/tcp-proxy.js'

const MIB = 1 << 20
const soak = unlessSoaking(false, true)
/** Of 1 MiB each, which do not compress. */
const SLOW_VALUES = soak ? 500 : 80
const SLOW_BYTES_PER_SECOND = 1e6
const SLOW_UPLOADS = 4
/** After so much the store is quick again, but in a soak. Meanwhile much more could be read than memory may hold. */
const SLOW_BYTES = 20 * MIB
/** Only for a program that has stopped moving. */
const PATIENCE = { timeoutMs: soak ? 1_200_000 : 200_000, everyMs: 100 }
const limitBytes = 16 * MIB

let store: S3Server
before(async () => void (store = await S3Server.start()))
after(() => store.stop())

test('G10: an upload of 1 MB/s, and much more than memory may hold', { skip: memoryUncounted }, async (t) => {
  const rig = await makeRig(t, { lake: store })
  await createLargeValues(rig.source)
  const proxy = await TcpProxy.start(t, store.endpoint)
  const service = await rig.stream({
    AWS_ENDPOINT: proxy.through(store.endpoint),
    MEMORY_LIMIT: '16MiB',
    UPLOAD_CONCURRENCY: String(SLOW_UPLOADS),
  })
  proxy.throttle(SLOW_BYTES_PER_SECOND / SLOW_UPLOADS, ['toServer'])
  await insertLargeValues(rig.source, SLOW_VALUES)
  if (!soak) {
    await service.waitFor('enough to go up', () => proxy.bytes.toServer > SLOW_BYTES, PATIENCE)
    await assertMemoryBound(t, service, { limitBytes })
    proxy.throttle(undefined)
  }
  await rig.caughtUp(service, PATIENCE)
  await assertMemoryBound(t, service, { limitBytes })
  assert.equal(await service.stop(), 0)
  await auditLog(rig.lake, rig.slot)
  assert.equal(await assertLargeValues(rig.source, rig.lake), SLOW_VALUES)
})
