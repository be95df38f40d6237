// Killed while rows are copied that were there before, under a load, and started again: the current state in the lake is the table,
// with a key and without, whatever moved meanwhile.
import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { reached, startBreaking, type Break } from '../support/breaking.js'
import { writeCopiedTables, type CopiedTables } from '../support/copied-tables.js'
import { auditLog } from '../support/log-audit.js'
import { makeRig, type Rig } from '../support/rig.js'
import type { Service } from '../support/service.js'
import { unlessSoaking } from '../support/soak.js'

/** Pieces of a few pages, so that there are many. */
const env = { SNAPSHOT: 'initial', SNAPSHOT_WORKERS: '2', TARGET_FILE_BYTES: '128KiB', FLUSH_INTERVAL: '500ms' }
const TABLES = 4
const KILLS = unlessSoaking(6, 10)

const points: readonly Break[] = [
  { at: 'after slot' },
  { at: 'before stage' },
  { at: 'after stage' },
  { at: 'before copy plan' },
  { at: 'after copy plan' },
  { at: 'after complete' },
  { at: 'before copy commit' },
  { at: 'after copy commit' },
  { at: 'after stage', pass: 10 },
  { at: 'after complete', pass: 5 },
]

async function comesToTheTables(rig: Rig, tables: CopiedTables, service: Service): Promise<void> {
  await service.waitFor(
    'everything to be copied',
    async () => {
      await rig.lake.keys()
      const commits = await rig.lake.commits(rig.slot)
      const finished = commits.flatMap(
        (commit) => (commit.copied as { finished: { table: string }[] } | undefined)?.finished ?? [],
      )
      return new Set(finished.map(({ table }) => table)).size === TABLES ? true : undefined
    },
    { timeoutMs: 120_000 },
  )
  await tables.stopWriting()
  await rig.caughtUp(service)
  assert.equal(await service.stop(), 0)
  await auditLog(rig.lake, rig.slot)
  await rig.lake.noDoubles()
  const rows = await tables.assertInLake(rig.lake)
  console.log(`${rows} rows compared, ${tables.written} statements meanwhile`)
}

/** A folder is another store: of the points those count that lie in it. But in a soak it is killed there at random only. */
const inFolder = points.slice(1, 7)

for (const [lake, each] of [['bucket', points] as const, ...unlessSoaking([], [['folder', inFolder] as const])])
  test(`G4 G7: killed at every point of a copy, into a ${lake}`, async (t) => {
    const rig = await makeRig(t, { lake })
    const tables = await writeCopiedTables(rig.source, { rows: 4000, everyMs: 10, seed: 1 })
    for (const point of each) {
      const service = startBreaking(t, rig, point, env)
      await reached(service, point)
      assert.deepEqual(await service.waitForExit(), { code: null, signal: 'SIGKILL' })
    }
    await comesToTheTables(rig, tables, await rig.stream(env))
    await rig.dropSlot()
  })

test('G4 G7: killed again and again at random while it copies', async (t) => {
  const rig = await makeRig(t, { lake: unlessSoaking('folder', 'bucket') })
  const tables = await writeCopiedTables(rig.source, { rows: 6000, everyMs: 5, seed: 2 })
  for (let kill = 0; kill < KILLS; kill++) {
    const service = await rig.stream(env)
    await delay(randomInt(1500))
    await service.kill()
  }
  await comesToTheTables(rig, tables, await rig.stream(env))
  await rig.dropSlot()
})
