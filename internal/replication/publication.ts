// The publication: which tables are streamed. Created only where that cannot make a statement of the application fail: a published table without a replica identity refuses UPDATE and DELETE.
import pg from 'pg'
import { Failure } from '../model/failure.js'
import { errorCode } from './connection.js'

/** What to publish when the publication has to be created. */
export type Wanted =
  | { readonly all: true }
  | { readonly all: false; readonly tables: readonly { readonly schema: string; readonly table: string }[] }

export interface Publication {
  readonly name: string
  /** Published tables as the stream names them; what is empty now may not stay so. */
  readonly tables: readonly { readonly schema: string; readonly table: string }[]
  /** Kinds of change that are not published. */
  readonly missing: readonly string[]
}

/** From 15 on a publication can choose columns and rows. */
export const FIRST_FILTER_VERSION = 150_000
/** From 18 on a publication can have generated columns. Before, they are never sent, though pg_publication_tables of 15 names them. */
const FIRST_GENERATED_VERSION = 180_000

/** SQL: is the column `a` of pg_attribute sent, by `p` of pg_publication_tables? */
export function columnIsSent(serverVersion: number): string {
  const conditions = [
    ...(serverVersion >= FIRST_FILTER_VERSION ? ['a.attname = ANY (p.attnames)'] : []),
    ...(serverVersion < FIRST_GENERATED_VERSION ? [`a.attgenerated = ''`] : []),
  ]
  return `(${conditions.join(' AND ')})`
}

/** SQL: `c` of pg_class with the OID $2, where the publication $1 has it, and `p` of pg_publication_tables. */
export const anyTable = `pg_catalog.pg_publication_tables p
  JOIN pg_catalog.pg_namespace n ON n.nspname = p.schemaname
  JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = p.tablename
 WHERE p.pubname = $1 AND c.oid = $2`

/**
 * SQL: an UPDATE or DELETE of `c` of pg_class names no row, so PostgreSQL refuses it once `c` is published. A deferrable key is
 * none, and an identity whose index was dropped is NOTHING.
 */
export const namesNoRow = `(c.relreplident = 'n' OR c.relreplident = 'd'
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid AND i.indisprimary AND i.indimmediate)
  OR c.relreplident = 'i' AND NOT EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid AND i.indisreplident))`

/** No table that a user has made has a smaller OID. */
const FIRST_USER_OID = 16_384

/**
 * The same for a table that is no partition and has none. The server makes the view from all tables of the publication each time
 * it is asked for one of them, and there may be thousands.
 */
export function plainTable(serverVersion: number): string {
  const filters = serverVersion >= FIRST_FILTER_VERSION
  const generated = serverVersion >= FIRST_GENERATED_VERSION ? `OR a.attgenerated = 's' AND u.pubgencols = 's'` : ''
  const inSchema = filters
    ? 'EXISTS (SELECT FROM pg_catalog.pg_publication_namespace s WHERE s.pnpubid = u.oid AND s.pnnspid = n.oid)'
    : 'false'
  const columns = `(SELECT array_agg(a.attname) FROM pg_catalog.pg_attribute a
    WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
      AND CASE WHEN l.columns IS NULL THEN a.attgenerated = '' ${generated} ELSE a.attnum = ANY (l.columns) END)`
  return `pg_catalog.pg_publication u
  JOIN pg_catalog.pg_class c ON c.oid = $2
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  CROSS JOIN LATERAL (SELECT u.puballtables OR ${inSchema} AS whole) w
  LEFT JOIN LATERAL (
    SELECT r.oid, ${filters ? 'r.prattrs::int2[] AS columns, pg_get_expr(r.prqual, r.prrelid) AS rowfilter' : 'NULL::int2[] AS columns'}
      FROM pg_catalog.pg_publication_rel r WHERE r.prpubid = u.oid AND r.prrelid = c.oid AND NOT w.whole) l ON true
  CROSS JOIN LATERAL (SELECT n.nspname AS schemaname, c.relname AS tablename, ${columns} AS attnames${filters ? ', l.rowfilter' : ''}) p
 WHERE u.pubname = $1 AND (w.whole OR l.oid IS NOT NULL) AND c.relkind = 'r' AND NOT c.relispartition
   AND c.relpersistence = 'p' AND c.oid >= ${FIRST_USER_OID}`
}

/** The publication, or undefined where there is none. */
export async function readPublication(control: pg.Client, name: string): Promise<Publication | undefined> {
  const { rows } = await control.query<Record<'pubinsert' | 'pubupdate' | 'pubdelete' | 'pubtruncate', boolean>>(
    'SELECT pubinsert, pubupdate, pubdelete, pubtruncate FROM pg_catalog.pg_publication WHERE pubname = $1',
    [name],
  )
  const row = rows[0]
  if (row === undefined) return undefined
  const tables = await control.query<{ schema: string; table: string }>(
    'SELECT schemaname AS schema, tablename AS table FROM pg_catalog.pg_publication_tables WHERE pubname = $1 ORDER BY 1, 2',
    [name],
  )
  const kinds = { insert: row.pubinsert, update: row.pubupdate, delete: row.pubdelete, truncate: row.pubtruncate }
  const missing = Object.entries(kinds).flatMap(([kind, published]) => (published ? [] : [kind]))
  return { name, tables: tables.rows, missing }
}

/** Creates the publication. Partitioned tables are published as themselves, not as their partitions. */
export async function createPublication(control: pg.Client, name: string, wanted: Wanted): Promise<void> {
  const statement = publicationStatement(name, wanted)
  try {
    await control.query(statement)
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : String(cause)
    const code = errorCode(cause)
    if (code === '42501')
      throw new Failure('config', `the user of PG_CONN_STRING may not create the publication ${name}: ${detail}`, {
        hint: `Have a superuser run: ${statement};`,
        cause,
      })
    if (code === '42P01' || code === '3F000')
      throw new Failure('config', `the publication ${name} cannot be created: ${detail}`, {
        hint: 'Check TABLES.',
        cause,
      })
    if (code === '42710') return // another process made it in this moment
    throw cause
  }
}

/** SQL that creates it, without a semicolon. */
export function publicationStatement(name: string, wanted: Wanted): string {
  const identifier = pg.escapeIdentifier(name)
  const what = wanted.all
    ? 'ALL TABLES'
    : `TABLE ${wanted.tables.map((t) => `${pg.escapeIdentifier(t.schema)}.${pg.escapeIdentifier(t.table)}`).join(', ')}`
  return `CREATE PUBLICATION ${identifier} FOR ${what} WITH (publish_via_partition_root = true)`
}

/**
 * Throws Failure `unsafe` where publishing these tables would make statements of the application fail, or `config` where a
 * named table does not exist or may not be published by this user.
 */
export async function checkPublishable(control: pg.Client, name: string, wanted: Wanted): Promise<void> {
  const chosen = wanted.all ? null : wanted.tables.map((t) => `${t.schema}.${t.table}`)
  const { rows } = await control.query<{ table: string }>(
    `SELECT c.oid::regclass::text AS table
       FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind IN ('r', 'p') AND c.relpersistence = 'p'
        AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
        AND ($1::text[] IS NULL OR n.nspname || '.' || c.relname = ANY ($1))
        AND ${namesNoRow}
      ORDER BY 1`,
    [chosen],
  )
  if (rows.length === 0) {
    await tryToCreate(control, name, wanted)
    return
  }
  const names = rows.map((row) => row.table)
  const some = names.slice(0, 10).join(', ') + (names.length > 10 ? ` and ${names.length - 10} more` : '')
  throw new Failure(
    'unsafe',
    `publishing ${some} would make UPDATE and DELETE there fail: ${names.length === 1 ? 'it has' : 'they have'} no primary key and no replica identity`,
    {
      hint:
        `Run for each: ALTER TABLE ${names[0]!} REPLICA IDENTITY FULL; or choose other tables with TABLES; ` +
        `or, where rows are only inserted, create the publication yourself: ${publicationStatement(name, wanted)};`,
    },
  )
}

/** Fails where createPublication() would, and leaves nothing. */
async function tryToCreate(control: pg.Client, name: string, wanted: Wanted): Promise<void> {
  await control.query('BEGIN')
  try {
    await createPublication(control, name, wanted)
  } finally {
    await control.query('ROLLBACK')
  }
}

export async function dropPublication(control: pg.Client, name: string): Promise<void> {
  await control.query(`DROP PUBLICATION IF EXISTS ${pg.escapeIdentifier(name)}`)
}
