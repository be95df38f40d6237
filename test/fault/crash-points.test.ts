// Killed with SIGKILL at every step from the first start to the acknowledged batch, and started again each time: nothing is
// lost, nothing is twice, whoever looks meanwhile sees neither, and the slot is never ahead of the log (G1-G4).
import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import type { Break, BreakPoint } from '../support/breaking.js'
import { startChain, type CrashChain, type Death } from '../support/crash-chain.js'
import type { Env } from '../support/rig.js'
import { unlessSoaking } from '../support/soak.js'
import { filesOf, openPlansOf } from '../support/watched-lake.js'

let kills = 0
after(() => console.log(`survived ${kills} kills at named points`))

/** Of a batch with one transaction. */
const FILES = { 1: 3, 6: 6 } as const

interface Variant {
  readonly lake: 'bucket' | 'folder'
  readonly tables: keyof typeof FILES
}

/** All of them in a soak; else each chain in a folder and in a bucket, over one table and over many. */
function variants(usual: readonly Variant[]): readonly Variant[] {
  const all = (['folder', 'bucket'] as const).flatMap((lake) => ([1, 6] as const).map((tables) => ({ lake, tables })))
  return unlessSoaking(usual, all)
}

const named = ({ lake, tables }: Variant): string => `${tables} table${tables === 1 ? '' : 's'} in a ${lake}`

/** Small files, one after the other: how many are there at a point is known. */
const ONE_BY_ONE: Env = { TARGET_FILE_BYTES: '1KiB', UPLOAD_CONCURRENCY: '1' }
/** A file takes longer than several batches need to be planned, and a plan long enough for what must wait for it. */
const OVERLAPPING: Env = { TARGET_FILE_BYTES: '1KiB', SLOW_PLAN_MS: '20', SLOW_DATA_MS: '80' }
/** One transaction is a batch, or some are: what was not planned is cut in another way at the next start. */
const CUTS: readonly Env[] = [{ FLUSH_BYTES: '1KiB' }, { FLUSH_BYTES: '8KiB' }]

const firstStart: readonly BreakPoint[] = [
  'before identity',
  'after identity',
  'before publication',
  'after publication',
  'before slot',
  'after slot',
]

/** In the order in which a batch meets them: the schema of its tables, its plan … */
const beforeThePlan: readonly BreakPoint[] = ['before schema', 'after schema', 'closed', 'before plan', 'inside plan']

/** … and from then on it is one and the same batch that dies at each point in turn … */
function fromThePlan(files: number): Break[] {
  const ofData: Break[] = []
  let stored = 0
  for (const place of new Set([0, Math.floor(files / 2), files - 1])) {
    // What an earlier run has stored is not stored again.
    if (place > stored) ofData.push({ at: 'after data', pass: place - stored - 1 })
    ofData.push({ at: 'before data' }, { at: 'inside data' }, { at: 'after data' })
    stored = place + 1
  }
  return [{ at: 'after plan' }, ...ofData, { at: 'before commit' }, { at: 'inside commit' }, { at: 'after commit' }]
}

/** … until it is durable. */
const afterTheCommit: readonly BreakPoint[] = ['before ack', 'after ack', 'before head', 'after head']

/**
 * A small object goes into a bucket in one request: there is no middle of it. And who dies before a step leaves the store
 * as who dies after the one before: but in a soak that is tried in a folder only.
 */
function chosen({ lake }: Variant): (point: Break) => boolean {
  const leftOut = unlessSoaking(/^(inside|before)/, /^inside/)
  return ({ at }) => lake === 'folder' || !leftOut.test(at)
}

describe('killed at every point, and started again', { concurrency: 2 }, () => {
  for (const variant of variants([
    { lake: 'folder', tables: 1 },
    { lake: 'bucket', tables: 6 },
  ])) {
    test(`G1 G2 G4: the first start and the first batch, ${named(variant)}`, async (t) => {
      const chain = await startChain(t, { ...variant, first: true }, ONE_BY_ONE)
      // The tables make no difference before the slot is there.
      for (const at of variant.tables === 1 ? firstStart : firstStart.slice(-1)) await chain.die({ at })
      await chain.lake.write()
      for (const point of beforeThePlan.map((at) => ({ at })).filter(chosen(variant)))
        // A schema is recorded while the batch fills, which must not end before the point is reached.
        await chain.die(point, { env: point.at.endsWith('schema') ? { FLUSH_INTERVAL: '1h' } : {} })
      const files = FILES[variant.tables]
      const deaths = []
      for (const point of fromThePlan(files).filter(chosen(variant))) deaths.push(await chain.die(point))
      for (const point of afterTheCommit.map((at) => ({ at })).filter(chosen(variant))) {
        await chain.lake.write()
        await chain.die(point)
      }
      await ends(chain)
      assertFilesThere(deaths, files)
    })
  }

  for (const variant of variants([
    { lake: 'folder', tables: 6 },
    { lake: 'bucket', tables: 1 },
  ])) {
    test(`G1 G2 G4: later batches that overlap, ${named(variant)}`, async (t) => {
      const chain = await startChain(t, variant, OVERLAPPING)
      const points = [...beforeThePlan.slice(2), ...fromThePlan(1).map(({ at }) => at)]
      for (const at of [...points, ...afterTheCommit]) {
        const point = { at, pass: 1, fromBatch: await chain.lake.plans() }
        if (!chosen(variant)(point)) continue
        await chain.die(point, { env: CUTS[chain.deaths.length % 2]!, meanwhile: () => writeMany(chain) })
      }
      const overlaps = chain.deaths.filter(({ keys }) => openPlansOf(keys) > 1)
      assert.ok(
        overlaps.length > chain.deaths.length / 2,
        `${overlaps.length} deaths with several batches on their way`,
      )
      await ends(chain)
    })
  }
})

async function writeMany(chain: CrashChain): Promise<void> {
  for (let transaction = 0; transaction < 4; transaction++) await chain.lake.write()
}

/** As many files of the batch as the deaths let through so far. */
function assertFilesThere(deaths: readonly Death[], all: number): void {
  let stored = 0
  for (const { point, batch, keys } of deaths) {
    if (point.at === 'after data') stored += 1 + (point.pass ?? 0)
    assert.equal(filesOf(keys, batch!).length, stored, `files of batch ${batch!} ${point.at}, of ${all}`)
  }
  assert.equal(stored, all)
}

async function ends(chain: CrashChain): Promise<void> {
  kills += chain.deaths.length
  await chain.survive()
}
