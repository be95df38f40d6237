// One lake and its source while processes die, sleep and wake over it: watched all the time from outside, and compared with the
// source at the end, when every row must be in it exactly once.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type { TestContext } from 'node:test'
import { AckWatch } from './ack-watch.js'
import { GlobPoller } from './glob-poller.js'
import { assertHeadIsNewest, auditLog, type AuditedLog } from './log-audit.js'
import { makeRig, type Rig, type RigOptions } from './rig.js'
import type { Service } from './service.js'

/** A megabyte in base64. */
const LARGE_BYTES = 786_432

export interface WatchedOptions extends RigOptions {
  /** Their names are t0, t1 and so on. */
  readonly tables: number
}

export async function watchLake(t: TestContext, options: WatchedOptions): Promise<WatchedLake> {
  const rig = await makeRig(t, options)
  const tables = Array.from({ length: options.tables }, (_, index) => `t${index}`)
  for (const table of tables) await rig.source.query(`CREATE TABLE ${table} (id int PRIMARY KEY, note text)`)
  return new WatchedLake(t, rig, tables)
}

export class WatchedLake {
  readonly rig: Rig
  readonly #tables: readonly string[]
  readonly #ack: AckWatch
  readonly #glob: GlobPoller
  #rows = 0

  /** Use watchLake(). */
  constructor(t: TestContext, rig: Rig, tables: readonly string[]) {
    this.rig = rig
    this.#tables = tables
    this.#ack = new AckWatch(t, rig)
    this.#glob = new GlobPoller(t, rig)
  }

  /** One transaction: into a single table rows for three files of a kilobyte, into each of many rows for one. */
  async write(): Promise<void> {
    const rows = this.#tables.length === 1 ? 24 : 6
    const from = this.#rows + 1
    const to = (this.#rows += rows)
    const inserts = this.#tables.map(
      (table) => `INSERT INTO ${table} SELECT g, repeat(md5(g::text), 3) FROM generate_series(${from}, ${to}) g;`,
    )
    await this.rig.source.query(`DO $$ BEGIN ${inserts.join(' ')} END $$`)
  }

  /** Rows of a megabyte that cannot be compressed by much; so many are a file of two parts. */
  async writeLarge(rows = 12): Promise<void> {
    const from = this.#rows + 1
    this.#rows += rows
    await this.rig.source.query(
      `INSERT INTO t0
       SELECT ${from} + k, translate(encode(substring($1::bytea FROM k * ${LARGE_BYTES} + 1 FOR ${LARGE_BYTES}), 'base64'), E'\\n', '')
         FROM generate_series(0, ${rows} - 1) k`,
      [randomBytes(rows * LARGE_BYTES)],
    )
  }

  /** Plans in the log, and so the number of the next batch that will be planned. */
  async plans(): Promise<number> {
    return countOf(await this.rig.lake.keys(`_wal_cake/${this.rig.slot}/log/`), '.plan.json')
  }

  /** The program catches up and stops; then everything that it promises must hold. */
  async endsWhole(service: Service): Promise<AuditedLog> {
    await this.rig.caughtUp(service)
    assert.equal(await service.stop(), 0)
    await this.#ack.stop()
    await this.#glob.stop()
    assert.deepEqual(this.#ack.faults, [])
    assert.deepEqual(this.#glob.faults, [])
    assert.equal(this.#glob.rewritten, 0, 'no file was written twice')
    const log = await auditLog(this.rig.lake, this.rig.slot)
    await assertHeadIsNewest(this.rig.lake, this.rig.slot, log)
    assert.equal(this.#glob.files, log.files.length, 'the poller has seen every file')
    await this.rig.lake.noDoubles()
    for (const table of this.#tables) await assertSameRows(this.rig, table)
    return log
  }
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
