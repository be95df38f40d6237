// Lets the program die on one lake again and again: each start breaks at the next point, and the one after it has to go on
// from what is there.
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { reached, startBreaking, type Break } from './breaking.js'
import { eventually } from './eventually.js'
import { lsn } from './lsn-text.js'
import type { Env } from './rig.js'
import type { Service } from './service.js'
import { watchLake, type WatchedLake, type WatchedOptions } from './watched-lake.js'

export interface Death {
  readonly point: Break
  /** That it died on; absent where the point belongs to none. */
  readonly batch?: number
  /** What lay there then. */
  readonly keys: readonly string[]
  readonly service: Service
}

export class CrashChain {
  readonly lake: WatchedLake
  readonly deaths: Death[] = []
  /** Deaths by a signal from outside. */
  outside = 0
  readonly #t: TestContext
  readonly #env: Env

  /** Use startChain(). */
  constructor(t: TestContext, lake: WatchedLake, env: Env) {
    this.#t = t
    this.lake = lake
    this.#env = env
  }

  /** Starts the program, does `meanwhile` once it streams, and sees it die where it should. */
  async die(
    point: Break,
    { env = {}, meanwhile }: { env?: Env; meanwhile?: () => Promise<void> } = {},
  ): Promise<Death> {
    const service = startBreaking(this.#t, this.lake.rig, point, { ...this.#env, ...env })
    if (meanwhile !== undefined) {
      await service.waitForLog('streaming')
      await meanwhile()
    }
    const { batch } = await reached(service, point)
    assert.deepEqual(await service.waitForExit(), { code: null, signal: 'SIGKILL' })
    const death = { point, ...(batch === undefined ? {} : { batch }), keys: await this.lake.rig.lake.keys(), service }
    assertIsAtPoint(death, this.lake.rig.slot)
    if (batch !== undefined && point.at.endsWith('ack')) await this.#assertAcked(batch, point.at.startsWith('after'))
    this.deaths.push(death)
    return death
  }

  /** The same for the program as it is, killed from outside when `reached` resolves. */
  async dieOutside(reached: () => Promise<unknown>): Promise<void> {
    const service = this.lake.rig.start(this.#env)
    await reached()
    await service.kill()
    this.outside++
  }

  /** That the last thing the dead program did is with the server, or is not. */
  async #assertAcked(batch: number, acked: boolean): Promise<void> {
    const end = lsn((await this.lake.rig.lake.commits(this.lake.rig.slot))[batch]!.end_lsn as string)
    // The walsender reads to the end of what was sent before it lets go of the slot.
    await eventually(async () => {
      const [slot] = await this.lake.rig.source.query<{ active: boolean }>(
        'SELECT active FROM pg_replication_slots WHERE slot_name = $1',
        [this.lake.rig.slot],
      )
      return slot?.active === false
    })
    const confirmed = (await this.lake.rig.confirmed())!
    assert.equal(confirmed >= end, acked, `the slot is at ${confirmed}, batch ${batch} ends at ${end}`)
  }

  /** The program as it is starts and goes on; then everything that it promises must hold. */
  async survive(): Promise<void> {
    await this.lake.endsWhole(await this.lake.rig.stream(this.#env))
  }
}

/** `first`: nothing but the tables is there, no slot and no publication. Else the program has run and put a batch there. */
export async function startChain(
  t: TestContext,
  options: WatchedOptions & { readonly first?: boolean },
  env: Env,
): Promise<CrashChain> {
  const lake = await watchLake(t, options)
  if (options.first !== true) {
    const service = await lake.rig.stream(env)
    await lake.write()
    await lake.rig.caughtUp(service)
    assert.equal(await service.stop(), 0)
  }
  return new CrashChain(t, lake, env)
}

/** What must be in the log, and what must not, when the program dies there. */
function assertIsAtPoint({ point, batch, keys }: Death, slot: string): void {
  if (batch === undefined) return
  const has = (record: 'plan' | 'commit'): boolean =>
    keys.includes(`_wal_cake/${slot}/log/${String(batch).padStart(12, '0')}.${record}.json`)
  const [moment, thing] = /^(before|inside|after) (?:idle )?(.*)$/.exec(point.at)!.slice(1) as [string, string]
  const there = moment === 'after'
  const expected =
    thing === 'plan' ? [there, false] : thing === 'data' ? [true, false] : [true, there || thing !== 'commit']
  assert.deepEqual([has('plan'), has('commit')], expected, `plan and commit ${batch} ${point.at}`)
}
