// Two processes on one slot and lake, one of them asleep for longer than the server waits, at every point where that could do
// harm: the other takes over and goes on; the one that wakes adds nothing and waits for its turn (G4, G5).
import { after, before, describe, test } from 'node:test'
import type { Break } from '../support/breaking.js'
import { startPostgres, type PostgresServer } from '../support/postgres.js'
import { lastingSource } from '../support/server-source.js'
import { unlessSoaking } from '../support/soak.js'
import {
  asleep,
  assertFenced,
  cutOff,
  FIRST,
  handsBack,
  SECOND,
  startWaiting,
  streamToSleep,
  takesOver,
} from '../support/two-writers.js'
import { watchLake } from '../support/watched-lake.js'

const points: readonly Break[] = [
  { at: 'closed' },
  { at: 'before plan' },
  { at: 'after plan' },
  { at: 'before data' },
  { at: 'inside data' },
  { at: 'after data', pass: 1 },
  { at: 'before commit' },
  { at: 'after commit' },
  { at: 'before ack' },
  { at: 'before head' },
]

/** Where the store has a part in it: a file in parts is another thing in a bucket, the rest is the same there in a soak. */
const ofStore = unlessSoaking(/^(inside data|before commit)$/, /^(before|inside) (plan|data|commit|head)$/)
const inBucket: readonly Break[] = points.filter(({ at }) => ofStore.test(at))

describe('a process that slept through a take-over adds nothing when it wakes', { concurrency: 2 }, () => {
  for (const lake of ['folder', 'bucket'] as const)
    for (const [index, point] of (lake === 'folder' ? points : inBucket).entries()) {
      const waiting = index % 2 === 0
      test(`G4 G5: asleep ${point.at}, in a ${lake}, the other started ${waiting ? 'before' : 'afterwards'}`, async (t) => {
        const watched = await watchLake(t, { lake, tables: 2 })
        const { rig } = watched
        const first = await streamToSleep(t, rig, point, FIRST)
        const waits = waiting ? await startWaiting(rig) : undefined
        // A small file goes into a bucket in one request: there is no middle of it.
        await (point.at === 'inside data' && lake === 'bucket' ? watched.writeLarge() : watched.write())
        await asleep(first, point)
        // What is not planned yet is cut in another way by the other.
        await watched.write()
        const second = waits ?? rig.start(SECOND)
        await cutOff(rig)
        await takesOver(watched, second)
        await assertFenced(rig, first)
        await handsBack(watched, second, first)
      })
    }
})

describe('a server that hears nothing for wal_sender_timeout lets the slot go', { concurrency: 2 }, () => {
  let server: PostgresServer
  before(async () => void (server = await startPostgres({ settings: { wal_sender_timeout: '3s' } })))
  after(() => server.stop('immediate'))

  for (const at of unlessSoaking(['before data'] as const, ['before plan', 'before data', 'before commit'] as const))
    test(`G4 G5: asleep ${at}`, async (t) => {
      const source = await lastingSource(t, server, `asleep_${at.replace(' ', '_')}`)
      const watched = await watchLake(t, { lake: 'folder', tables: 2, source })
      const { rig } = watched
      const first = await streamToSleep(t, rig, { at }, FIRST)
      const second = await startWaiting(rig)
      await watched.write()
      await asleep(first, { at })
      await watched.write()
      await takesOver(watched, second)
      await assertFenced(rig, first)
      await handsBack(watched, second, first)
    })
})
