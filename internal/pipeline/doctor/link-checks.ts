// What stands between here and the server, and what ends a session that is quiet or long. Reads only.
import pg from 'pg'
import type { ConnectionTarget } from '../../replication/connection.js'
import { ok, warning, type Check } from './check.js'

/** Settings of the role or the database that would end sessions of ours; 0 in all of them is never. */
const TIMEOUTS = ['idle_session_timeout', 'transaction_timeout']

export async function linkChecks(control: pg.Client, target: ConnectionTarget): Promise<readonly Check[]> {
  return [await poolerCheck(control, target), await timeoutCheck(control, target)]
}

/** PostgreSQL tells each connection the process that serves it; a pooler tells it a number of its own. */
async function poolerCheck(control: pg.Client, { host, port }: ConnectionTarget): Promise<Check> {
  const subject = 'pooler'
  const { rows } = await control.query<{ pid: number; address: string | null; port: number | null }>(
    'SELECT pg_backend_pid() AS pid, host(inet_server_addr()) AS address, inet_server_port() AS port',
  )
  const { pid, address, port: serverPort } = rows[0]!
  // Known to the driver, though not to its types.
  const told = (control as unknown as { readonly processID: number }).processID
  if (told === pid) return ok(subject, `${host}:${port} is the server itself`)
  const server =
    address === null ? 'the server itself' : `the server itself, which calls itself ${address}:${serverPort}`
  return warning(
    subject,
    `${host}:${port} is a pooler (PgBouncer or another): it may mix sessions, lose settings and refuse replication`,
    `Connect to ${server}.`,
  )
}

async function timeoutCheck(control: pg.Client, { user }: ConnectionTarget): Promise<Check> {
  const subject = 'idle timeouts'
  // The service may have switched one off for this session already.
  const { rows } = await control.query<{ name: string; setting: string }>(
    `SELECT name, reset_val || coalesce(unit, '') AS setting FROM pg_catalog.pg_settings WHERE name = ANY ($1) AND reset_val <> '0' ORDER BY 1`,
    [TIMEOUTS],
  )
  if (rows.length === 0) return ok(subject, 'none ends a session of this role')
  const role = pg.escapeIdentifier(user)
  return warning(
    subject,
    `${rows.map(({ name, setting }) => `${name} = ${setting}`).join(', ')} ends sessions that wait`,
    rows.map(({ name }) => `ALTER ROLE ${role} SET ${name} = 0;`).join(' '),
  )
}
