// What a copy has to know of a published table, as a transaction sees it: the columns and rows that the stream would send, and
// where the rows lie. The same question under a snapshot and outside of it shows whether the table was changed since.
import pg from 'pg'
import type { Relation, ReplicaIdentity } from '../model/relation.js'
import { anyTable, columnIsSent, FIRST_FILTER_VERSION, plainTable } from './publication.js'

export interface CopySource {
  readonly oid: number
  /** Quoted and qualified. */
  readonly name: string
  /** pg_class.relfilenode: storage that was rewritten has another one. */
  readonly fileNode: number
  /** pg_class.relnatts: columns that it has ever had. */
  readonly attributes: number
  /** Values may lie outside their row, and then be left out of an update. */
  readonly hasToast: boolean
  /** Its rows lie in pages of a heap, and can be read by ranges of them. */
  readonly isHeap: boolean
}

export interface SourceTable {
  /** As the stream describes it. */
  readonly relation: Relation
  /** A primary key, or an index that is the replica identity, with all its columns published: readers can tell its rows apart. */
  readonly hasKey: boolean
  /** Rows that are published, as SQL; undefined for all. */
  readonly filter: string | undefined
  /** The table, or the leaves of a partitioned one, in order of their OIDs. */
  readonly sources: readonly CopySource[]
  /** Of the columns, in order: a column that was dropped and made again is another one. */
  readonly columnNumbers: readonly number[]
}

export interface PublishedTable {
  readonly schema: string
  readonly table: string
  readonly oid: number
}

/** All tables of the publication, as the stream names them. */
export async function publishedTables(client: pg.Client, publication: string): Promise<PublishedTable[]> {
  const { rows } = await client.query<PublishedTable>(
    `SELECT p.schemaname AS schema, p.tablename AS table, c.oid::int8::float8 AS oid
       FROM pg_catalog.pg_publication_tables p
       JOIN pg_catalog.pg_namespace n ON n.nspname = p.schemaname
       JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = p.tablename
      WHERE p.pubname = $1 ORDER BY 1, 2`,
    [publication],
  )
  return rows
}

/** What the server expects of a table, from its last VACUUM or ANALYZE. */
export interface TableEstimate {
  readonly oid: number
  readonly rows: number
  /** 0 where it was never looked at. */
  readonly pages: number
}

/** From pg_class, of the leaves together where tables are partitioned. */
export async function estimatesOf(client: pg.Client, oids: readonly number[]): Promise<TableEstimate[]> {
  const { rows } = await client.query<TableEstimate>(
    `SELECT u.oid::float8 AS oid, sum(greatest(l.reltuples, 0))::float8 AS rows, sum(l.relpages)::float8 AS pages
       FROM unnest($1::int8[]) AS u(oid)
       LEFT JOIN LATERAL pg_catalog.pg_partition_tree(u.oid::oid) t ON t.isleaf
       JOIN pg_catalog.pg_class l ON l.oid = coalesce(t.relid, u.oid::oid) GROUP BY u.oid`,
    [oids],
  )
  return rows
}

interface Row {
  readonly schema: string
  readonly name: string
  readonly identity: ReplicaIdentity
  readonly has_key: boolean
  readonly filter: string | null
  readonly columns: readonly { name: string; number: number; type: number; typmod: number; key: boolean }[] | null
  readonly sources: readonly {
    oid: number
    schema: string
    name: string
    node: number
    attributes: number
    toast: boolean
    heap: boolean
  }[]
}

/** The published table with this OID, as the transaction of `client` sees it; undefined where it sees none. */
export async function sourceTable(
  client: pg.Client,
  publication: string,
  oid: number,
  serverVersion: number,
): Promise<SourceTable | undefined> {
  const row =
    (await askFor(plainTable(serverVersion), client, publication, oid, serverVersion)) ??
    (await askFor(anyTable, client, publication, oid, serverVersion))
  return row === undefined ? undefined : sourceOf(row, oid)
}

/** `from`: SQL for c of pg_class, and p as pg_publication_tables has it. */
async function askFor(
  from: string,
  client: pg.Client,
  publication: string,
  oid: number,
  serverVersion: number,
): Promise<Row | undefined> {
  const published = columnIsSent(serverVersion)
  const { rows } = await client.query<Row>(
    `SELECT p.schemaname AS schema, p.tablename AS name, c.relreplident::text AS identity,
            ${serverVersion < FIRST_FILTER_VERSION ? 'NULL' : 'p.rowfilter'} AS filter,
            EXISTS (SELECT FROM pg_catalog.pg_index i
                     WHERE i.indrelid = c.oid AND (i.indisprimary OR i.indisreplident)
                       AND NOT EXISTS (SELECT FROM pg_catalog.pg_attribute a
                             WHERE a.attrelid = c.oid AND a.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1])
                               AND NOT (${published}))) AS has_key,
            (SELECT json_agg(json_build_object('name', a.attname, 'number', a.attnum, 'type', a.atttypid::int8,
                      'typmod', a.atttypmod, 'key', c.relreplident = 'f' OR EXISTS (
                        SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid AND i.indimmediate AND a.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1])
                           AND CASE c.relreplident WHEN 'd' THEN i.indisprimary WHEN 'i' THEN i.indisreplident END))
                      ORDER BY a.attnum)
               FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                AND ${published}) AS columns,
            (WITH RECURSIVE parts AS (
               SELECT c.oid, c.relkind
               UNION ALL
               SELECT i.inhrelid, l.relkind FROM parts
                 JOIN pg_catalog.pg_inherits i ON i.inhparent = parts.oid
                 JOIN pg_catalog.pg_class l ON l.oid = i.inhrelid WHERE parts.relkind = 'p')
             SELECT coalesce(json_agg(json_build_object('oid', l.oid::int8, 'schema', s.nspname, 'name', l.relname,
                      'node', l.relfilenode::int8, 'attributes', l.relnatts, 'toast', l.reltoastrelid <> 0, 'heap', m.amname = 'heap') ORDER BY l.oid), '[]')
               FROM parts JOIN pg_catalog.pg_class l ON l.oid = parts.oid
               JOIN pg_catalog.pg_namespace s ON s.oid = l.relnamespace
               JOIN pg_catalog.pg_am m ON m.oid = l.relam WHERE l.relkind = 'r') AS sources
       FROM ${from}`,
    [publication, oid],
  )
  return rows[0]
}

function sourceOf(row: Row, oid: number): SourceTable {
  const columns = row.columns ?? []
  return {
    relation: {
      oid,
      schema: row.schema,
      name: row.name,
      replicaIdentity: row.identity,
      columns: columns.map(({ name, type, typmod, key }) => ({ name, typeOid: type, typmod, isKey: key })),
    },
    hasKey: row.has_key,
    filter: row.filter ?? undefined,
    columnNumbers: columns.map(({ number }) => number),
    sources: row.sources.map((source) => ({
      oid: source.oid,
      name: `${pg.escapeIdentifier(source.schema)}.${pg.escapeIdentifier(source.name)}`,
      fileNode: source.node,
      attributes: source.attributes,
      hasToast: source.toast,
      isHeap: source.heap,
    })),
  }
}

/** How many pages each source has now; none where it is gone. */
export async function pagesOf(client: pg.Client, sources: readonly CopySource[]): Promise<number[]> {
  const { rows } = await client.query<{ pages: string | null }>(
    `SELECT (pg_relation_size(oid::oid) / current_setting('block_size')::int8)::text AS pages
       FROM unnest($1::int8[]) WITH ORDINALITY AS u(oid, place) ORDER BY place`,
    [sources.map(({ oid }) => oid)],
  )
  return rows.map(({ pages }) => Number(pages ?? 0))
}

/** Rows of a copy: which part of a source, and which of its rows. */
export interface CopyRange {
  readonly source: CopySource
  readonly fromPage: number
  /** Excluded; undefined for all. */
  readonly toPage: number | undefined
  /** Only rows written by this transaction or a later one (64 bits). */
  readonly sinceXid?: bigint
}

/** SQL, text: PostgreSQL's own text form of column `name`. Not a cast, which of some types gives another text than their output function. */
export function textSql(name: string): string {
  const column = pg.escapeIdentifier(name)
  return `CASE num_nulls(${column}) WHEN 0 THEN format('%s', ${column}) END`
}

/** In COPY's binary format, all columns in order; those that `asText` names by their text form. `chosen`: only these rows, as SQL. */
export function copyStatement(
  { relation, filter }: SourceTable,
  range: CopyRange,
  asText: readonly boolean[],
  chosen?: string,
): string {
  const columns = relation.columns.map(({ name }, k) => {
    return asText[k] === true ? textSql(name) : pg.escapeIdentifier(name)
  })
  const { source, fromPage, toPage, sinceXid } = range
  const conditions = [
    ...(toPage === undefined ? [] : [`ctid >= '(${fromPage},0)'::tid`, `ctid < '(${toPage},0)'::tid`]),
    ...(sinceXid === undefined ? [] : [`age(xmin) <= age('${lowXid(sinceXid)}'::xid)`]),
    ...(filter === undefined ? [] : [`(${filter})`]),
    // It may end with a comment.
    ...(chosen === undefined ? [] : [`(${chosen}\n)`]),
  ]
  const where = conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`
  return `COPY (SELECT ${columns.join(', ')} FROM ONLY ${source.name}${where}) TO STDOUT (FORMAT binary)`
}

/** The 32 bits that rows carry; the first three are no transaction's. */
function lowXid(xid: bigint): bigint {
  const low = BigInt.asUintN(32, xid)
  return low < 3n ? 3n : low
}
