// The columns of a published table as they are compared, and which of them are its key.
import type pg from 'pg'
import type { SourceTable } from '../../replication/copy-source.js'
import type { ComparedColumn } from './compared-table.js'

/** In the table's order; a domain as what it is made of. */
export async function comparedColumns(client: pg.Client, { relation }: SourceTable): Promise<ComparedColumn[]> {
  const { rows } = await client.query<ComparedColumn>(
    `WITH RECURSIVE base AS (
       SELECT a.attnum, a.attname, a.atttypid AS type, a.atttypmod AS typmod
         FROM pg_catalog.pg_attribute a WHERE a.attrelid = $1 AND a.attname = ANY ($2) AND NOT a.attisdropped
       UNION ALL
       SELECT base.attnum, base.attname, t.typbasetype, greatest(base.typmod, t.typtypmod)
         FROM base JOIN pg_catalog.pg_type t ON t.oid = base.type WHERE t.typtype = 'd')
     SELECT base.attname::text AS name, t.typname::text AS type, base.typmod
       FROM base JOIN pg_catalog.pg_type t ON t.oid = base.type WHERE t.typtype <> 'd' ORDER BY base.attnum`,
    [relation.oid, relation.columns.map(({ name }) => name)],
  )
  return rows
}

/** What tells the rows apart in the lake: the columns of the replica identity's index, or else of the primary key. */
export async function keyColumns(client: pg.Client, { relation, hasKey }: SourceTable): Promise<ReadonlySet<string>> {
  if (!hasKey) return new Set()
  const { rows } = await client.query<{ name: string }>(
    `SELECT a.attname::text AS name FROM pg_catalog.pg_index i
       JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1])
      WHERE i.indrelid = $1 AND CASE $2 WHEN 'i' THEN i.indisreplident ELSE i.indisprimary END`,
    [relation.oid, relation.replicaIdentity],
  )
  return new Set(rows.map(({ name }) => name))
}
