// The table that the load tests write: one column of each common type, filled by the server itself so that it is quick.
// Each transaction inserts rows and changes the ones before: updates, deletes, a changed key, a key that comes again.
import type { TestContext } from 'node:test'
import pg from 'pg'
import type { ComparedTable } from './table-comparison.js'
import type { Source } from './rig.js'

export const orders: ComparedTable = {
  table: 'public.orders',
  key: ['id'],
  columns: {
    id: 'BIGINT',
    amount: 'DECIMAL(12,2)',
    at: 'TIMESTAMPTZ',
    note: 'VARCHAR',
    doc: 'VARCHAR',
    ref: 'VARCHAR',
    active: 'BOOLEAN',
    ratio: 'DOUBLE',
    tags: 'VARCHAR[]',
    counts: 'INTEGER[]',
  },
}

export async function createOrders(source: Source): Promise<void> {
  await source.query(`
    CREATE TABLE orders (
      id bigint PRIMARY KEY, amount numeric(12,2), at timestamptz, note text, doc jsonb, ref uuid, active boolean,
      ratio float8, tags text[], counts int[])`)
}

export interface Load {
  readonly transactions: number
  readonly rowsPerTransaction: number
  /** Transactions that were run before with the same number of rows. */
  readonly after?: number
  /** Pause after each transaction. */
  readonly pauseMs?: number
}

/** Number of rows in the log for each transaction but the very first one, which finds nothing before it. */
export function changesPerTransaction(rowsPerTransaction: number): number {
  return rowsPerTransaction + 40 + 20 + 2 + 1
}

export async function loadOrders(
  source: Source,
  { transactions, rowsPerTransaction, after = 0, pauseMs = 0 }: Load,
): Promise<void> {
  // On a connection of its own: the test goes on asking meanwhile.
  const client = new pg.Client({ connectionString: source.url, application_name: 'wal-cake test load' })
  // A server that goes is told by the statement that fails.
  client.on('error', () => undefined)
  await client.connect()
  try {
    await client.query(`
    DO $load$
    DECLARE base bigint; before bigint;
    BEGIN
      FOR n IN ${after}..${after + transactions - 1} LOOP
        base := n * ${rowsPerTransaction};
        before := base - ${rowsPerTransaction};
        INSERT INTO orders
        SELECT g, (g % 999983) * 1.37 - 500000, timestamptz '2024-02-28 23:59:59.999999+00' + g * interval '61.000001 seconds',
               CASE WHEN g % 11 = 0 THEN NULL WHEN g % 13 = 0 THEN '' ELSE 'note "' || md5(g::text) || E'",\\n\\\\ Ünïcødé 🧁 ' || g END,
               CASE WHEN g % 7 = 0 THEN NULL ELSE jsonb_build_object('g', g, 'list', jsonb_build_array(g % 3, NULL, 1.50)) END,
               md5(g::text)::uuid, CASE g % 3 WHEN 0 THEN true WHEN 1 THEN false END,
               CASE WHEN g % 1009 = 0 THEN 'NaN'::float8 WHEN g % 1013 = 0 THEN '-Infinity'::float8 ELSE sqrt(g) / 3 END,
               CASE WHEN g % 5 = 0 THEN NULL WHEN g % 9 = 0 THEN '{}' ELSE ARRAY['a' || g, NULL, 'b,"c"\\'] END,
               CASE WHEN g % 6 = 0 THEN NULL ELSE ARRAY[g, -g, NULL]::int[] END
          FROM generate_series(base + 1, base + ${rowsPerTransaction}) g;
        UPDATE orders SET amount = amount + 0.01, note = note || '!', at = at + interval '1 microsecond', active = NOT active
         WHERE id BETWEEN before + 1 AND before + 40;
        DELETE FROM orders WHERE id BETWEEN before + 41 AND before + 60;
        UPDATE orders SET id = -id WHERE id = before + 61;
        INSERT INTO orders (id, note) SELECT before + 41, 'again' WHERE before >= 0;
        COMMIT;
        ${pauseMs > 0 ? `PERFORM pg_sleep(${pauseMs / 1000});` : ''}
      END LOOP;
    END $load$`)
  } finally {
    await client.end()
  }
}

/** Writes the table until it is stopped. */
export class RunningLoad {
  /** That are committed. */
  transactions = 0
  readonly #running: Promise<void>
  #stopped = false

  /** `pauseMs`: after each transaction. A transaction of fewer than 62 rows would meet its own. */
  constructor(t: TestContext, source: Source, rowsPerTransaction: number, pauseMs = 20) {
    this.#running = this.#run(source, { transactions: 20, rowsPerTransaction, pauseMs })
    // stop() tells what went wrong; a test that failed before must not leave the load running.
    this.#running.catch(() => undefined)
    t.after(() => (this.#stopped = true))
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.#running
  }

  async #run(source: Source, load: Load): Promise<void> {
    while (!this.#stopped) {
      await loadOrders(source, { ...load, after: this.transactions })
      this.transactions += load.transactions
    }
  }
}
