// Killed with SIGKILL where the usual batch does not pass: at an idle position, between the parts of a large file, around a
// checkpoint, and while the answer to a request is on its way (G1-G4).
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { CHECKPOINT_EVERY } from '../../internal/storage/commit-log.js'
import { startChain, type CrashChain } from '../support/crash-chain.js'
import { RequestHold, type Held } from '../support/request-hold.js'
import { S3Server } from '../support/s3-server.js'
import { unlessSoaking } from '../support/soak.js'

/** So many batches are written before they are planned. */
const AHEAD = 20

let kills = 0
after(() => console.log(`survived ${kills} kills at other points`))

describe('killed at an idle position, and started again', { concurrency: 2 }, () => {
  for (const lake of unlessSoaking(['folder'] as const, ['folder', 'bucket'] as const))
    test(`G1 G3 G4: in a ${lake}`, async (t) => {
      const chain = await startChain(t, { lake, tables: 1 }, {})
      for (const thing of ['idle plan', 'idle commit', 'idle ack'] as const)
        for (const moment of ['before', 'after'] as const) {
          // Moves the end of the server's log, and is no change of a table.
          await chain.lake.rig.source.query(`SELECT pg_logical_emit_message(false, 'test', 'nothing')`)
          await chain.die({ at: `${moment} ${thing}` })
        }
      await chain.lake.write()
      await ends(chain)
    })
})

test('G4: killed between the parts of a large file, and started again', async (t) => {
  const chain = await startChain(t, { lake: 'bucket', tables: 1 }, {})
  await chain.lake.writeLarge()
  for (const pass of [0, 1]) await chain.die({ at: 'inside data', pass })
  const { service } = await chain.die({ at: 'after data' })
  assert.equal(service.logged('unfinished uploads of an earlier run aborted')[0]?.uploads, 1)
  await ends(chain)
})

test('G1 G2 G4: killed around a checkpoint, and started again', async (t) => {
  const chain = await startChain(t, { lake: 'folder', tables: 1 }, { FLUSH_BYTES: '1KiB' })
  // A checkpoint that was not written is due again with the next commit.
  const untilDue = async (): Promise<void> => {
    const before = await chain.lake.plans()
    let [written, plans] = [0, before]
    while (written === 0 || plans < CHECKPOINT_EVERY) {
      // A slow program must not be left with more than it can catch up with.
      if (written - (plans - before) > AHEAD) await delay(20)
      else {
        await chain.lake.write()
        written++
      }
      plans = await chain.lake.plans()
    }
  }
  for (const at of ['before checkpoint', 'inside checkpoint', 'after checkpoint'] as const) {
    const { keys } = await chain.die({ at }, { meanwhile: untilDue })
    const there = keys.filter((key) => key.includes('/checkpoint/'))
    assert.equal(there.length, at === 'after checkpoint' ? 1 : 0, at)
  }
  await ends(chain)
})

describe('killed while the answer is on its way, and started again', () => {
  let server: S3Server
  before(async () => void (server = await S3Server.start()))
  after(() => server.stop())

  test('G1 G2 G4: to every kind of write', async (t) => {
    const chain = await startChain(t, { lake: server, tables: 3, first: true }, { UPLOAD_CONCURRENCY: '2' })
    const answerHeld = (held: Held) => async (): Promise<void> => {
      const hold = new RequestHold(t, server, { ...held, done: true })
      await hold.reached()
      hold.forget()
    }
    await chain.dieOutside(answerHeld({ key: /identity\.json$/ }))
    // From here on the slot is there.
    await (await chain.lake.rig.stream()).kill()
    const ofRows = /"kind":"changes"/
    for (const held of [
      { key: /schemas/ },
      { key: /plan\.json$/, body: ofRows },
      { key: /data\/public\/t\d/ },
      { key: /data\/public\/t\d/, pass: 2 },
      { key: /commit\.json$/, body: ofRows },
      { key: /head\.json$/, body: ofRows },
    ]) {
      await chain.lake.write()
      await chain.dieOutside(answerHeld(held))
    }
    await ends(chain)
  })
})

async function ends(chain: CrashChain): Promise<void> {
  kills += chain.deaths.length + chain.outside
  await chain.survive()
}
