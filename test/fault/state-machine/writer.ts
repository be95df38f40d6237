// A connection that writes one transaction after the other, while the server may be stopped under it. What becomes of a
// transaction that fails is for the server to say; an error that no fault explains is a mistake of the test.
import pg from 'pg'
import { copyRows } from '../../support/copy-in.js'
import { eventually } from '../../support/eventually.js'
import type { Step } from './steps.js'
import { actionOf, type Names } from './tables.js'
import type { Totals } from './totals.js'

type Transaction = Step & { readonly do: 'write' }

export interface WriterOptions {
  readonly url: string
  readonly names: Names
  readonly bulkRows: number
  readonly totals: Totals
}

/** Transactions that may wait for their turn. */
const MOST_WAITING = 3
/** How long a stopped server may be away. */
const SERVER_AWAY_MS = 60_000

/**
 * What other writers, a stopped server or a table that changed meanwhile do to a transaction: deadlock, lock not had in
 * time, key there already, cancelled, shut down, no such table or column any more.
 */
const EXPECTED = /^(40P01|40001|55P03|23505|57014|57P0[123]|08\d\d\d|42P01|42703|53300)$/

export class Writer {
  /** Of the first transaction that failed for no reason. */
  problem: Error | undefined
  readonly #options: WriterOptions
  #client: pg.Client | undefined
  #waiting = 0
  #queue: Promise<void> = Promise.resolve()

  constructor(options: WriterOptions) {
    this.#options = options
  }

  /** Puts it behind those that wait; resolves when few enough do. */
  async write(transaction: Transaction): Promise<void> {
    this.#waiting++
    const before = this.#queue
    this.#queue = before.then(async () => {
      if (this.problem === undefined) await this.#run(transaction)
      this.#waiting--
    })
    while (this.#waiting > MOST_WAITING) await before
  }

  /** Everything is written, or has failed. */
  async settle(): Promise<void> {
    await this.#queue
    if (this.problem !== undefined) throw this.problem
  }

  async close(): Promise<void> {
    await this.#queue
    await this.#drop()
  }

  async #run({ statements, end }: Transaction): Promise<void> {
    const { names, bulkRows, totals } = this.#options
    let now = 'connect'
    try {
      const client = await eventually(() => this.#connected(), { timeoutMs: SERVER_AWAY_MS, everyMs: 50 })
      const run = async (sql: string): Promise<void> => {
        now = sql
        await client.query(sql)
      }
      const query = async <Row extends pg.QueryResultRow>(sql: string, values?: unknown[]): Promise<Row[]> =>
        (await client.query<Row>(sql, values)).rows
      await run('BEGIN')
      for (const statement of statements) {
        if (statement.savepoint !== 'none') await run('SAVEPOINT s')
        const action = await actionOf(statement, { query, names, bulkRows })
        if (action?.rows !== undefined) await copyInto(client, action.sql, action.rows)
        else if (action !== undefined) await run(action.sql)
        if (statement.savepoint !== 'none')
          await run(`${statement.savepoint === 'undone' ? 'ROLLBACK TO' : 'RELEASE'} s`)
      }
      if (end === 'commit' || end === 'rollback') await run(end)
      else await this.#inTwoPhases(run, end === 'prepared')
      totals.add(end === 'commit' || end === 'prepared' ? 'transactions committed' : 'transactions rolled back')
    } catch (error) {
      await this.#drop()
      if (isExpected(error)) totals.add('transactions failed')
      else this.problem = new Error(`a writer could not run ${now}: ${String(error)}`, { cause: error })
    }
  }

  async #inTwoPhases(run: (sql: string) => Promise<void>, commit: boolean): Promise<void> {
    // Such names are shared by all databases of the server.
    const name = `'${this.#options.names.next(new URL(this.#options.url).pathname)}'`
    await run(`PREPARE TRANSACTION ${name}`)
    await run(`${commit ? 'COMMIT' : 'ROLLBACK'} PREPARED ${name}`)
  }

  async #connected(): Promise<pg.Client> {
    if (this.#client !== undefined) return this.#client
    const client = new pg.Client({
      connectionString: this.#options.url,
      application_name: 'wal-cake test writer',
      options: '-c lock_timeout=1s -c deadlock_timeout=100ms',
    })
    client.on('error', () => undefined)
    await client.connect()
    this.#client = client
    return client
  }

  /** The transaction that is open on it goes with it. */
  async #drop(): Promise<void> {
    const client = this.#client
    this.#client = undefined
    await client?.end().catch(() => undefined)
  }
}

async function copyInto(client: pg.Client, sql: string, rows: string): Promise<void> {
  const { rows: made } = await client.query<unknown[]>({ text: rows, rowMode: 'array', types: asText })
  await copyRows(client, sql, made as (string | null)[][])
}

/** The server's own text of every value. */
const asText: pg.CustomTypesConfig = { getTypeParser: () => (text: string) => text }

function isExpected(error: unknown): boolean {
  if (error instanceof pg.DatabaseError) return EXPECTED.test(error.code ?? '')
  const { code, message } = error as { code?: string; message?: string }
  return /^(ECONN|EPIPE)/.test(code ?? '') || /connection|not queryable/i.test(message ?? '')
}
