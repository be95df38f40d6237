// Binary or text? Binary is faster, but one type that is only known in text makes its rows unreadable, so every published
// column is looked at first. A type that turns up later ends the session, and the next one asks for text.
import type pg from 'pg'
import { columnIsSent } from '../replication/publication.js'
import type { ServerFacts } from '../replication/server.js'
import type { TypeCatalog } from '../replication/type-catalog.js'
import { codecOf, textColumnsOf } from '../transform/values/value-codec.js'
import type { SessionSettings } from './session.js'

/** Servers before 14 send text only. */
const FIRST_BINARY_VERSION = 140_000

export type StreamMode = { readonly binary: true } | { readonly binary: false; readonly why: string }

export async function streamMode(
  control: pg.Client,
  catalog: TypeCatalog,
  { publication, hash }: Pick<SessionSettings, 'publication' | 'hash'>,
  { version: serverVersion, encoding }: ServerFacts,
): Promise<StreamMode> {
  if (serverVersion < FIRST_BINARY_VERSION) return { binary: false, why: 'the server is older than PostgreSQL 14' }
  if (hash !== undefined && textColumnsOf(encoding) === 'bytes')
    return { binary: false, why: 'columns are hashed, and the database is in SQL_ASCII' }
  const { rows } = await control.query<{ oid: number; columns: string }>(
    `SELECT a.atttypid::int8::float8 AS oid, min(c.oid::regclass::text || '.' || a.attname) AS columns
       FROM pg_catalog.pg_publication_tables p
       JOIN pg_catalog.pg_namespace n ON n.nspname = p.schemaname
       JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = p.tablename
       JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND ${columnIsSent(serverVersion)}
      WHERE p.pubname = $1 GROUP BY 1`,
    [publication],
  )
  const types = await catalog.resolve(rows.map((row) => row.oid))
  const unknown = types.findIndex((type) => codecOf(type, -1, 'string').textOfBinary === undefined)
  if (unknown < 0) return { binary: true }
  return {
    binary: false,
    why: `${rows[unknown]!.columns} has the type ${types[unknown]!.name}, which is only known in text`,
  }
}
