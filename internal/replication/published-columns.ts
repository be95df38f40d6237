// The columns of the published tables, with what makes up their keys.
import type pg from 'pg'
import { columnIsSent } from './publication.js'

export interface PublishedColumn {
  readonly schema: string
  readonly table: string
  readonly column: string
  /** Of the replica identity index, or of the primary key where the table has no other identity. */
  readonly key: boolean
}

/** Of the publication's tables as the stream names them; where there is no publication yet, of all tables that one may have. */
export async function publishedColumns(
  control: pg.Client,
  publication: string,
  serverVersion: number,
): Promise<PublishedColumn[]> {
  const { rows: found } = await control.query('SELECT FROM pg_catalog.pg_publication WHERE pubname = $1', [publication])
  const columns = (from: string): string => `SELECT n.nspname AS schema, c.relname AS table, a.attname AS column,
       EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid AND a.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1])
                  AND CASE c.relreplident WHEN 'i' THEN i.indisreplident ELSE i.indisprimary END) AS key
  FROM ${from}
  JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped`
  const { rows } =
    found.length > 0
      ? await control.query<PublishedColumn>(
          `${columns(`pg_catalog.pg_publication_tables p
            JOIN pg_catalog.pg_namespace n ON n.nspname = p.schemaname
            JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = p.tablename`)}
            WHERE p.pubname = $1 AND ${columnIsSent(serverVersion)} ORDER BY 1, 2, a.attnum`,
          [publication],
        )
      : await control.query<PublishedColumn>(
          `${columns('pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace')}
            WHERE c.relkind IN ('r', 'p') AND c.relpersistence = 'p' AND NOT c.relispartition
              AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' ORDER BY 1, 2, a.attnum`,
        )
  return rows
}
