// A database of a server that the test has started itself, to be asked and written to: a new connection for each
// statement, so that the server can be stopped in between.
import type { TestContext } from 'node:test'
import pg from 'pg'
import type { PostgresServer } from './postgres.js'
import type { Source } from './rig.js'

/** Makes the database where it is not there; `postgres` when none is named. */
export async function serverSource(server: PostgresServer, database = 'postgres'): Promise<Source> {
  if (database !== 'postgres') await query(server.url, `CREATE DATABASE ${pg.escapeIdentifier(database)}`)
  const url = new URL(server.url)
  url.pathname = `/${encodeURIComponent(database)}`
  return {
    url: url.href,
    query: <Row extends pg.QueryResultRow>(sql: string, values: unknown[] = []) => query<Row>(url.href, sql, values),
  }
}

/** The same over one connection, for a server that stays up; it ends with the test. */
export async function lastingSource(t: TestContext, server: PostgresServer, database: string): Promise<Source> {
  const { url } = await serverSource(server, database)
  const client = new pg.Client({ connectionString: url, application_name: 'wal-cake test' })
  client.on('error', () => undefined)
  await client.connect()
  t.after(() => client.end())
  return {
    url,
    query: async <Row extends pg.QueryResultRow>(sql: string, values: unknown[] = []) =>
      (await client.query<Row>(sql, values)).rows,
  }
}

async function query<Row extends pg.QueryResultRow>(url: string, sql: string, values: unknown[] = []): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url, application_name: 'wal-cake test' })
  client.on('error', () => undefined)
  await client.connect()
  try {
    return (await client.query<Row>(sql, values)).rows
  } finally {
    await client.end()
  }
}
