// A stop that comes while the program is still starting is a stop like any other: nothing has begun, so there is nothing to
// finish, and it ends at once with code 0.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { eventually } from '../support/eventually.js'
import { makeRig } from '../support/rig.js'
import { S3Server } from '../support/s3-server.js'

let server: S3Server
before(async () => void (server = await S3Server.start()))
after(() => server.stop())

for (const [what, key] of [
  ['the log', /\/log\//],
  ['whose lake it is', /identity\.json$/],
] as const)
  test(`SIGTERM while the program reads ${what} ends it with code 0`, async (t) => {
    const rig = await makeRig(t, { lake: server })
    let held = 0
    server.onBeforeRequest = async (request) => {
      if (!key.test(request.key)) return
      held++
      await new Promise(() => undefined)
    }
    t.after(() => (server.onBeforeRequest = undefined))
    const service = rig.start()
    await service.waitFor('the read', () => held > 0)
    assert.equal(await service.stop(), 0)
    assert.deepEqual(
      service.logged((line) => line.level === 'error' || line.level === 'fatal'),
      [],
    )
    await eventually(() => rig.dropSlot().then(() => true))
  })
