// Changes of the table `orders` at a steady rate: inserts, updates, deletes and changed keys, all over the table, in many small
// transactions. What a slow moment leaves undone is made up for, so that the rate holds over the whole time.
import { randomInt } from 'node:crypto'
import type { TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import type { Source } from './rig.js'

const EVERY_MS = 50
/** Of the changes of one transaction. */
const INSERTED = 0.4
const DELETED = 0.2

export interface SteadyLoad {
  readonly perSecond: number
  /** The rows that were there before have the keys from 1 to this one. */
  readonly rows: number
}

export class SteadyChanges {
  /** Rows that were inserted, updated or deleted. */
  changes = 0
  readonly #load: SteadyLoad
  readonly #began = performance.now()
  readonly #running: Promise<void>
  #lastId: number
  #stopped = false

  constructor(t: TestContext, source: Source, load: SteadyLoad) {
    this.#load = load
    this.#lastId = load.rows
    this.#running = this.#run(source)
    // stop() tells what went wrong; a test that failed before must not leave the load running.
    this.#running.catch(() => undefined)
    t.after(() => (this.#stopped = true))
  }

  /** Makes no further change. Gives how many a second there were. */
  async stop(): Promise<number> {
    const seconds = (performance.now() - this.#began) / 1000
    this.#stopped = true
    await this.#running
    return this.changes / seconds
  }

  async #run(source: Source): Promise<void> {
    // On a connection of its own: the test goes on asking meanwhile.
    const client = new pg.Client({ connectionString: source.url, application_name: 'wal-cake test load' })
    await client.connect()
    try {
      while (!this.#stopped) {
        const due = ((performance.now() - this.#began) / 1000) * this.#load.perSecond - this.changes
        if (due >= 1) await this.#change(client, Math.ceil(Math.min(due, this.#load.perSecond)))
        await delay(EVERY_MS)
      }
    } finally {
      await client.end()
    }
  }

  async #change(client: pg.Client, count: number): Promise<void> {
    const inserted = Math.ceil(count * INSERTED)
    const deleted = Math.floor(count * DELETED)
    const first = this.#lastId + 1
    this.#lastId += inserted
    const results = (await client.query(`
      BEGIN;
      INSERT INTO orders
      SELECT g, g * 0.01, now(), 'new ' || g, jsonb_build_object('g', g), md5(g::text)::uuid, g % 2 = 0, g / 3.0, ARRAY['n' || g], ARRAY[g, NULL]
        FROM generate_series(${first}, ${this.#lastId}) g;
      UPDATE orders SET amount = amount + 0.01, note = note || '!', active = NOT active
       WHERE id IN (${this.#someIds(count - inserted - deleted)});
      DELETE FROM orders WHERE id IN (${this.#someIds(deleted)});
      UPDATE orders SET id = -id WHERE id = ${this.#someIds(1)};
      COMMIT`)) as unknown as pg.QueryResult[]
    this.changes += results.reduce((sum, { rowCount }) => sum + (rowCount ?? 0), 0)
  }

  /** Of all that there have ever been. */
  #someIds(count: number): string {
    return count < 1 ? 'NULL' : Array.from({ length: count }, () => 1 + randomInt(this.#lastId)).join(', ')
  }
}
