// PostgreSQL for tests: one server for all of them, one database for each. A test that breaks or configures a server
// starts its own with startPostgres().
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type { TestContext } from 'node:test'
import pg from 'pg'
import {
  startPostgres as startEmbedded,
  type PostgresOptions,
  type PostgresServer,
} from '../../cmd/wal-cake/demo/postgres-server.js'
import { eventually } from './eventually.js'
import { NEWEST_MAJOR, programsOf } from './postgres-versions.js'

export { PostgresServer, type PostgresOptions } from '../../cmd/wal-cake/demo/postgres-server.js'

export interface TestDatabase {
  readonly name: string
  readonly url: string
  /** A connected client, closed by drop(). */
  client(): Promise<pg.Client>
  /** One statement on a connection of its own, or a shared idle one. */
  query<Row extends pg.QueryResultRow>(sql: string, values?: unknown[]): Promise<Row[]>
  /** Fails the test when a replication slot of this database is there. */
  assertNoSlots(): Promise<void>
  /** Ends every connection to the database, drops its slots, held or not, and the database. Idempotent. */
  drop(): Promise<void>
}

/** Major version of the servers that tests start: TEST_PG_MAJOR, which the runner sets, or the newest. */
export const MAJOR = Number(process.env.TEST_PG_MAJOR ?? NEWEST_MAJOR)

export const testSettings = { max_prepared_transactions: 20 }

/** A server of a test's own, of the version that is tested. */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const settings = { ...testSettings, ...options.settings }
  return startEmbedded({ ...options, settings, native: options.native ?? (await programsOf(MAJOR)) })
}

/**
 * A new, empty database with a unique name on the server of TEST_PG_URL; without that variable on a server that this
 * process starts and that ends with it. Dropped after the test when its context is given.
 */
export async function testDatabase(t?: TestContext): Promise<TestDatabase> {
  const server = await serverUrl()
  const name = `t_${process.pid}_${randomBytes(5).toString('hex')}`
  await once(server, (admin) => admin.query(`CREATE DATABASE ${name}`))
  const url = new URL(server)
  url.pathname = `/${name}`
  const clients: pg.Client[] = []
  let shared: Promise<pg.Client> | undefined
  let dropped: Promise<void> | undefined

  const client = async () => {
    const opened = await connect(url.href)
    clients.push(opened)
    return opened
  }
  const database: TestDatabase = {
    name,
    url: url.href,
    client,
    query: async <Row extends pg.QueryResultRow>(sql: string, values: unknown[] = []) => {
      shared ??= client()
      return (await (await shared).query<Row>(sql, values)).rows
    },
    assertNoSlots: async () => {
      assert.deepEqual(await once(server, (admin) => slotsOf(admin, name)), [], 'replication slots left over')
    },
    drop: () => {
      dropped ??= dropDatabase(server, name, clients)
      return dropped
    },
  }
  t?.after(() => database.drop())
  return database
}

let ownServer: Promise<PostgresServer> | undefined

async function serverUrl(): Promise<string> {
  if (process.env.TEST_PG_URL !== undefined && process.env.TEST_PG_URL !== '') return process.env.TEST_PG_URL
  ownServer ??= startPostgres()
  return (await ownServer).url
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, application_name: 'wal-cake test' })
  // Tests stop servers and end sessions on purpose; a query on such a client still fails.
  client.on('error', () => undefined)
  await client.connect()
  return client
}

async function once<T>(url: string, use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = await connect(url)
  try {
    return await use(client)
  } finally {
    await client.end()
  }
}

async function slotsOf(admin: pg.Client, database: string): Promise<string[]> {
  const { rows } = await admin.query<{ slot_name: string }>(
    'SELECT slot_name FROM pg_replication_slots WHERE database = $1 ORDER BY slot_name',
    [database],
  )
  return rows.map((row) => row.slot_name)
}

async function dropDatabase(server: string, name: string, clients: readonly pg.Client[]): Promise<void> {
  await Promise.all(clients.map((client) => client.end().catch(() => undefined)))
  await once(server, async (admin) => {
    // A walsender that was told to end holds its slot for a moment longer.
    await eventually(async () => {
      await admin.query(
        `SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE database = $1 AND active`,
        [name],
      )
      await admin.query('SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = $1', [
        name,
      ])
      return (await slotsOf(admin, name)).length === 0
    })
    await admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
  })
}
