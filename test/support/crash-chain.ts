// One lake that the program dies on again and again: each start breaks at the next point, and the one after it has to go on
// from what is there. Watched all the time from outside; at the end everything must be in the lake exactly once.
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { AckWatch } from './ack-watch.js'
import { reached, startBreaking, type Break } from './breaking.js'
import { eventually } from './eventually.js'
import { GlobPoller } from './glob-poller.js'
import { assertHeadIsNewest, auditLog, type AuditedLog } from './log-audit.js'
import { lsn } from './lsn-text.js'
import { makeRig, type Env, type Rig, type RigOptions } from './rig.js'
import type { Service } from './service.js'

export interface Death {
  readonly point: Break
  /** That it died on; absent where the point belongs to none. */
  readonly batch?: number
  /** What lay there then. */
  readonly keys: readonly string[]
  readonly service: Service
}

export class CrashChain {
  readonly rig: Rig
  readonly tables: readonly string[]
  readonly deaths: Death[] = []
  /** Deaths by a signal from outside. */
  outside = 0
  readonly #t: TestContext
  readonly #env: Env
  readonly #ack: AckWatch
  readonly #glob: GlobPoller
  #rows = 0

  /** Use startChain(). */
  constructor(t: TestContext, rig: Rig, tables: readonly string[], env: Env) {
    this.#t = t
    this.rig = rig
    this.tables = tables
    this.#env = env
    this.#ack = new AckWatch(t, rig)
    this.#glob = new GlobPoller(t, rig)
  }

  /** One transaction: into a single table rows for three files of a kilobyte, into each of many rows for one. */
  async write(): Promise<void> {
    const rows = this.tables.length === 1 ? 24 : 6
    const from = this.#rows + 1
    const to = (this.#rows += rows)
    const inserts = this.tables.map(
      (table) => `INSERT INTO ${table} SELECT g, repeat(md5(g::text), 3) FROM generate_series(${from}, ${to}) g;`,
    )
    await this.rig.source.query(`DO $$ BEGIN ${inserts.join(' ')} END $$`)
  }

  /** Starts the program, does `meanwhile` once it streams, and sees it die where it should. */
  async die(
    point: Break,
    { env = {}, meanwhile }: { env?: Env; meanwhile?: () => Promise<void> } = {},
  ): Promise<Death> {
    const service = startBreaking(this.#t, this.rig, point, { ...this.#env, ...env })
    if (meanwhile !== undefined) {
      await service.waitForLog('streaming')
      await meanwhile()
    }
    const { batch } = await reached(service, point)
    assert.deepEqual(await service.waitForExit(), { code: null, signal: 'SIGKILL' })
    const death = { point, ...(batch === undefined ? {} : { batch }), keys: await this.rig.lake.keys(), service }
    assertIsAtPoint(death, this.rig.slot)
    if (batch !== undefined && point.at.endsWith('ack')) await this.#assertAcked(batch, point.at.startsWith('after'))
    this.deaths.push(death)
    return death
  }

  /** The same for the program as it is, killed from outside when `reached` resolves. */
  async dieOutside(reached: () => Promise<unknown>): Promise<void> {
    const service = this.rig.start(this.#env)
    await reached()
    await service.kill()
    this.outside++
  }

  /** That the last thing the dead program did is with the server, or is not. */
  async #assertAcked(batch: number, acked: boolean): Promise<void> {
    const end = lsn((await this.rig.lake.commits(this.rig.slot))[batch]!.end_lsn as string)
    // The walsender reads to the end of what was sent before it lets go of the slot.
    await eventually(async () => {
      const [slot] = await this.rig.source.query<{ active: boolean }>(
        'SELECT active FROM pg_replication_slots WHERE slot_name = $1',
        [this.rig.slot],
      )
      return slot?.active === false
    })
    const confirmed = (await this.rig.confirmed())!
    assert.equal(confirmed >= end, acked, `the slot is at ${confirmed}, batch ${batch} ends at ${end}`)
  }

  /** Plans in the log, and so the number of the next batch that will be planned. */
  async plans(): Promise<number> {
    return countOf(await this.rig.lake.keys(), '.plan.json')
  }

  /** The program as it is starts, catches up and stops; then everything that it promises must hold. */
  async survive(): Promise<AuditedLog> {
    const service = await this.rig.stream(this.#env)
    await this.rig.caughtUp(service)
    return this.endsWhole(service)
  }

  async endsWhole(service: Service): Promise<AuditedLog> {
    assert.equal(await service.stop(), 0)
    await this.#ack.stop()
    await this.#glob.stop()
    assert.deepEqual(this.#ack.faults, [])
    assert.deepEqual(this.#glob.faults, [])
    const log = await auditLog(this.rig.lake, this.rig.slot)
    await assertHeadIsNewest(this.rig.lake, this.rig.slot, log)
    assert.equal(this.#glob.files, log.files.length, 'the poller has seen every file')
    await this.rig.lake.noDoubles()
    for (const table of this.tables) await assertSameRows(this.rig, table)
    return log
  }
}

/** `first`: nothing but the tables is there, no slot and no publication. Else the program has run and put a batch there. */
export async function startChain(
  t: TestContext,
  options: RigOptions & { readonly tables: number; readonly first?: boolean },
  env: Env,
): Promise<CrashChain> {
  const rig = await makeRig(t, options)
  const tables = Array.from({ length: options.tables }, (_, index) => `t${index}`)
  for (const table of tables) await rig.source.query(`CREATE TABLE ${table} (id int PRIMARY KEY, note text)`)
  const chain = new CrashChain(t, rig, tables, env)
  if (options.first === true) return chain
  const service = await rig.stream(env)
  await chain.write()
  await rig.caughtUp(service)
  assert.equal(await service.stop(), 0)
  return chain
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

/** The data files of a batch among the keys. */
export function filesOf(keys: readonly string[], batch: number): string[] {
  const name = new RegExp(
    `^data/public/t\\d.*-${String(batch).padStart(12, '0')}-[0-9A-F]{16}-[0-9A-F]{16}-\\d+\\.parquet$`,
  )
  return keys.filter((key) => name.test(key))
}

export function openPlansOf(keys: readonly string[]): number {
  return countOf(keys, '.plan.json') - countOf(keys, '.commit.json')
}

function countOf(keys: readonly string[], ending: string): number {
  return keys.filter((key) => key.endsWith(ending)).length
}

async function assertSameRows(rig: Rig, table: string): Promise<void> {
  const digest = "count(*)::int AS rows, md5(string_agg(id || note, ',' ORDER BY id)) AS digest"
  const [inTable] = await rig.source.query(`SELECT ${digest} FROM ${table}`)
  const [inLake] = await rig.lake.query(`SELECT ${digest} FROM ${rig.lake.from(`public.${table}`)}`)
  assert.deepEqual(inLake, inTable, `${table}: rows of the lake and of the table`)
}
