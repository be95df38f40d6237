// Killed with SIGKILL at every step from the first start to the acknowledged batch, and started again each time: nothing is
// lost, nothing is twice, whoever looks meanwhile sees neither, and the slot is never ahead of the log (G1-G4).
import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import type { Break, BreakPoint } from '../support/breaking.js'
import { startChain, type CrashChain, type Death } from '../support/crash-chain.js'
import type { Env } from '../support/rig.js'
import { filesOf, openPlansOf } from '../support/watched-lake.js'

let kills = 0
after(() => console.log(`survived ${kills} kills at named points`))

/** Of a batch with one transaction. */
const FILES = { 1: 3, 6: 6 } as const

interface Variant {
  readonly lake: 'bucket' | 'folder'
  readonly tables: keyof typeof FILES
}

const variants: readonly Variant[] = (['folder', 'bucket'] as const).flatMap((lake) => [
  { lake, tables: 1 },
  { lake, tables: 6 },
])

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
  const ofData = [0, Math.floor(files / 2), files - 1].flatMap((pass) =>
    (['before data', 'inside data', 'after data'] as const).map((at) => ({ at, pass })),
  )
  const ofCommit = (['before commit', 'inside commit', 'after commit'] as const).map((at) => ({ at }))
  return [{ at: 'after plan' }, ...ofData, ...ofCommit]
}

/** … until it is durable. */
const afterTheCommit: readonly BreakPoint[] = ['before ack', 'after ack', 'before head', 'after head']

/** A small object goes into a bucket in one request: there is no middle of it. */
function possible({ lake }: Variant): (point: Break) => boolean {
  return ({ at }) => lake === 'folder' || !at.startsWith('inside')
}

describe('killed at every point, and started again', { concurrency: 2 }, () => {
  for (const variant of variants) {
    const files = FILES[variant.tables]

    test(`G1 G2 G4: the first start and the first batch, ${named(variant)}`, async (t) => {
      const chain = await startChain(t, { ...variant, first: true }, ONE_BY_ONE)
      // The tables make no difference before the slot is there.
      if (variant.tables === 1) for (const at of firstStart) await chain.die({ at })
      await chain.lake.write()
      for (const point of beforeThePlan.map((at) => ({ at })).filter(possible(variant)))
        // A schema is recorded while the batch fills, which must not end before the point is reached.
        await chain.die(point, { env: point.at.endsWith('schema') ? { FLUSH_INTERVAL: '1h' } : {} })
      const deaths = []
      for (const point of fromThePlan(files).filter(possible(variant))) deaths.push(await chain.die(point))
      for (const at of afterTheCommit) {
        await chain.lake.write()
        await chain.die({ at })
      }
      await ends(chain)
      for (const death of deaths) assertFilesThere(death, files)
    })

    test(`G1 G2 G4: later batches that overlap, ${named(variant)}`, async (t) => {
      const chain = await startChain(t, variant, OVERLAPPING)
      const points = [...beforeThePlan.slice(2), ...fromThePlan(1).map(({ at }) => at)]
      for (const at of [...points, ...afterTheCommit]) {
        const point = { at, pass: 1, fromBatch: await chain.lake.plans() }
        if (!possible(variant)(point)) continue
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

/** With one upload at a time it is known how many files this run has stored; earlier runs may have stored others. */
function assertFilesThere({ point, batch, keys }: Death, all: number): void {
  const { at, pass = 0 } = point
  const there = filesOf(keys, batch!).length
  const what = `${there} of ${all} files of batch ${batch!} are there ${at}, ${pass} before it`
  if (at.endsWith('plan')) assert.equal(there, 0, what)
  else if (at.endsWith('data')) assert.ok(there >= pass + (at === 'after data' ? 1 : 0) && there <= all, what)
  else assert.equal(there, all, what)
}

async function ends(chain: CrashChain): Promise<void> {
  kills += chain.deaths.length
  await chain.survive()
}
