// A PgType out of a server's catalogue, with the type modifier of a declaration, for tests that name types in SQL.
import type pg from 'pg'
import type { PgType, PgTypeKind } from '../../../internal/model/pg-type.js'

interface Row {
  oid: number
  schema: string
  name: string
  typtype: string
  isArray: boolean
  elementOid: number
  delimiter: string
  baseOid: number
  baseTypmod: number
  subtypeOid: number
}

const KINDS: Record<string, PgTypeKind> = {
  b: 'base',
  c: 'composite',
  d: 'domain',
  e: 'enum',
  m: 'multirange',
  p: 'pseudo',
  r: 'range',
}

const QUERY = `
  SELECT t.oid AS oid, n.nspname AS schema, t.typname AS name, t.typtype,
         t.typcategory = 'A' AND t.typlen = -1 AND t.typelem <> 0 AND t.typsubscript = 'array_subscript_handler'::regproc
           AS "isArray",
         t.typelem AS "elementOid", coalesce(e.typdelim, ',') AS delimiter,
         t.typbasetype AS "baseOid", t.typtypmod AS "baseTypmod",
         coalesce(r.rngsubtype, m.rngtypid, 0::oid) AS "subtypeOid"
    FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
    LEFT JOIN pg_type e ON e.oid = t.typelem
    LEFT JOIN pg_range r ON r.rngtypid = t.oid
    LEFT JOIN pg_range m ON m.rngmultitypid = t.oid
   WHERE t.oid = $1`

export async function catalogueType(client: pg.Client, oid: number): Promise<PgType> {
  const { rows } = await client.query<Row>(QUERY, [oid])
  const row = rows[0]
  if (row === undefined) throw new Error(`no type ${oid}`)
  const kind = row.isArray ? 'array' : KINDS[row.typtype]
  if (kind === undefined) throw new Error(`unknown kind of type ${row.name}`)
  return {
    oid: row.oid,
    schema: row.schema,
    name: row.name,
    kind,
    ...(kind === 'domain' && { base: { type: await catalogueType(client, row.baseOid), typmod: row.baseTypmod } }),
    ...(kind === 'array' && {
      element: { type: await catalogueType(client, row.elementOid), delimiter: row.delimiter },
    }),
    ...(row.subtypeOid !== 0 && { subtype: await catalogueType(client, row.subtypeOid) }),
  }
}
