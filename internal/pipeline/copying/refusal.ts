// Why the server does not let a table be copied, as a failure that tells what to run.
import type pg from 'pg'
import { Failure } from '../../model/failure.js'
import { sqlState } from '../../replication/connection.js'
import type { CopySource } from '../../replication/copy-source.js'

/** SQLSTATEs that are about one table: not supported, data, names and rights, locks, what is damaged. */
const REFUSALS = /^(0A|22|42|55P03|XX)/

/** Class of SQLSTATEs whose messages may quote a value. */
const QUOTES_VALUES = '22'

/** The server has answered, and other tables may well be copied. */
export function isRefusal(error: unknown): boolean {
  return REFUSALS.test(sqlState(error) ?? '')
}

interface Rights {
  readonly role: string
  readonly schema: string
  readonly table: string
  readonly may_use: boolean
  readonly may_select: boolean
  readonly filtered: boolean
}

/** `error`: a refusal, of one of `sources`, `hides` where it has hidden columns. Asks `client` what is missing. */
export async function refusalOf(
  client: pg.Client,
  sources: readonly CopySource[],
  error: unknown,
  hides: boolean,
): Promise<Failure> {
  const state = sqlState(error)
  if (hides && state?.startsWith(QUOTES_VALUES) === true)
    return new Failure('config', `the server finds an error in the rows (SQLSTATE ${state})`, {
      hint: 'What it says of it may quote a value of a column that is hidden, so it is only in the log of the server.',
    })
  const hint = await hintFor(client, sources, state)
  const message = error instanceof Error ? error.message : String(error)
  return new Failure('config', message, { cause: error, ...(hint === undefined ? {} : { hint }) })
}

async function hintFor(
  client: pg.Client,
  sources: readonly CopySource[],
  state: string | undefined,
): Promise<string | undefined> {
  if (state === '55P03')
    return 'Another session holds a lock that nobody may read beside. Look for it in pg_locks and pg_stat_activity.'
  if (state !== '42501') return undefined
  const { rows } = await client.query<Rights>(
    `SELECT quote_ident(current_user) AS role, n.oid::regnamespace::text AS schema, c.oid::regclass::text AS table,
            has_schema_privilege(n.oid, 'USAGE') AS may_use, has_table_privilege(c.oid, 'SELECT') AS may_select,
            row_security_active(c.oid) AS filtered
       FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid::int8 = ANY ($1::int8[])
      ORDER BY c.oid`,
    [sources.map(({ oid }) => oid)],
  )
  const schemas = [...new Set(rows.filter(({ may_use: may }) => !may).map(({ schema }) => schema))]
  const tables = rows.filter(({ may_select: may }) => !may).map(({ table }) => table)
  const role = rows[0]?.role
  const grants = [
    ...schemas.map((schema) => `GRANT USAGE ON SCHEMA ${schema} TO ${role};`),
    ...(tables.length === 0 ? [] : [`GRANT SELECT ON ${tables.join(', ')} TO ${role};`]),
  ]
  if (grants.length > 0) return grants.join(' ')
  const filtered = rows.find((row) => row.filtered)
  return filtered === undefined
    ? undefined
    : `Row level security would hide rows of ${filtered.table} from this role: ALTER ROLE ${role} BYPASSRLS; or let the owner of the table copy it.`
}
