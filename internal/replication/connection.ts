// Connections to PostgreSQL: TLS as sslmode asks, session settings pinned, and the server's refusals turned into failures
// that name the way out. Never repeats a password in a message.
import type { ConnectionOptions } from 'node:tls'
import pg from 'pg'
import { asFailure, Failure } from '../model/failure.js'

export interface ConnectionTarget {
  /** The variable that it comes from, for messages. */
  readonly variable: string
  readonly host: string
  readonly port: number
  readonly user: string
  readonly database: string
  readonly password?: string
  readonly applicationName?: string
  readonly options?: string
  /** How long a connection attempt may take. */
  readonly connectTimeoutMs?: number
  /** `off`: never TLS; `preferred`: where the server has it; `required`: only TLS. */
  readonly tls: { readonly use: 'off' | 'preferred' | 'required'; readonly options: ConnectionOptions }
  describe(): string
}

const DEFAULT_CONNECT_TIMEOUT_MS = 10_000
/**
 * Longest wait for the answer to a statement. The control connection asks only what is answered at once; creating a slot
 * on a replication connection may have to wait for every transaction that runs, the lock of a copied table for one of them.
 */
const ANSWER_MS = { control: 60_000, replication: 600_000, copy: 600_000 } as const
/** A connection that is not used this long is tried by TCP itself, which also keeps its place in routers on the way. */
const KEEPALIVE_AFTER_MS = 30_000
/** SQLSTATEs of a connection that is lost, and of what else will pass: rollback, resources, operator, system, internal. */
const LOST_STATES = /^(08|57P)/
const PASSING_STATES = /^(40|53|57|58|XX)/
/** Of a transaction that only reads: what the primary has removed or locked comes to be so on its standby. */
const RECOVERY_CONFLICT_STATE = '40001'
/** The system's codes of a connection that broke. */
const BROKEN_CODES = /^(ECONNRESET|EPIPE|ETIMEDOUT|ECONNABORTED|EHOSTUNREACH|ENETUNREACH)$/
/** What the driver says, without a code, of a connection that is no more. */
const BROKEN_TEXTS = /connection (terminated|.*closed|.*not queryable)|client was closed/i

/**
 * Settings that change the text form of values or end a quiet session; pinned so that a replay gets the same bytes
 * whatever the role's or the database's defaults are.
 */
const pinnedSettings = {
  datestyle: 'ISO',
  intervalstyle: 'postgres',
  extra_float_digits: '3',
  bytea_output: 'hex',
  xmlbinary: 'base64',
  timezone: 'UTC',
  lc_monetary: 'C',
  quote_all_identifiers: 'off',
  statement_timeout: '0',
  idle_in_transaction_session_timeout: '0',
}

type Purpose = keyof typeof ANSWER_MS

/** An ordinary connection, or one that speaks the replication protocol. Throws Failure `link` or `config`. */
export async function connect(target: ConnectionTarget, purpose: Purpose): Promise<pg.Client> {
  try {
    return await open(target, purpose, target.tls.use !== 'off')
  } catch (error) {
    if (target.tls.use === 'preferred' && refusesTls(error)) {
      try {
        return await open(target, purpose, false)
      } catch (plainError) {
        throw connectFailure(target, plainError)
      }
    }
    throw connectFailure(target, error)
  }
}

async function open(target: ConnectionTarget, purpose: Purpose, tls: boolean): Promise<pg.Client> {
  // Names of objects, as in regclass, are printed by it. The control connection prints them for people.
  const searchPath = purpose === 'control' ? {} : { search_path: 'pg_catalog' }
  // A row that this role may not see would be missing in silence.
  const rowSecurity = purpose === 'copy' ? { row_security: 'off' } : {}
  const settings = Object.entries({ ...pinnedSettings, ...searchPath, ...rowSecurity }).map(
    ([name, value]) => `-c ${name}=${value}`,
  )
  const config = {
    host: target.host,
    port: target.port,
    user: target.user,
    database: target.database,
    ...(target.password === undefined ? {} : { password: target.password }),
    ssl: tls ? target.tls.options : false,
    application_name: target.applicationName ?? 'wal-cake',
    options: [target.options ?? '', ...settings].join(' ').trim(),
    connectionTimeoutMillis: target.connectTimeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS,
    query_timeout: ANSWER_MS[purpose],
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEPALIVE_AFTER_MS,
    ...(purpose === 'replication' ? { replication: 'database' } : {}),
  }
  const client = new pg.Client(config)
  // A connection that dies between two calls reports it on its next use; without a listener it would end the process.
  client.on('error', () => undefined)
  try {
    await client.connect()
    return client
  } catch (error) {
    void client.end().catch(() => undefined)
    throw error
  }
}

/** Text of a database in SQL_ASCII, which the server would otherwise refuse to send where it is no UTF-8. */
export async function sendAsStored(client: pg.Client): Promise<void> {
  await client.query("SET client_encoding = 'SQL_ASCII'")
}

function refusesTls(error: unknown): boolean {
  return error instanceof Error && /does not support SSL/i.test(error.message)
}

/** SQLSTATE of an error that the server has reported; undefined for everything else that goes wrong on a connection. */
export function sqlState(error: unknown): string | undefined {
  return error instanceof pg.DatabaseError ? error.code : undefined
}

/** SQLSTATE or the system's error code, where there is one. */
export function errorCode(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' ? code : undefined
}

function connectFailure(target: ConnectionTarget, cause: unknown): Failure {
  const { variable } = target
  const where = target.describe()
  const detail = cause instanceof Error ? cause.message || (errorCode(cause) ?? cause.name) : String(cause)
  const config = (message: string, hint: string): Failure => new Failure('config', message, { hint, cause })
  switch (errorCode(cause)) {
    case '28P01':
      return config(`PostgreSQL at ${where} refused the password`, `Check the user and the password in ${variable}.`)
    case '28000':
      return config(
        `PostgreSQL at ${where} does not let this user in: ${detail}`,
        `Check ${variable} (user, database, sslmode) and that pg_hba.conf allows this host.`,
      )
    case '3D000':
      return config(`PostgreSQL at ${where} has no such database`, `Check the database name in ${variable}.`)
    case '42501':
      return config(
        `the user of ${variable} may not stream changes from ${where}: ${detail}`,
        `Run as a superuser: ALTER ROLE "${target.user}" REPLICATION;`,
      )
    case '53300':
      return linkFailure(
        `PostgreSQL at ${where} has no connection left for us: ${detail}`,
        cause,
        'Raise max_connections or max_wal_senders, or the CONNECTION LIMIT of the role.',
      )
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return linkFailure(`the host name of ${where} is not known here`, cause, `Check the host in ${variable}.`)
  }
  if (/unsupported startup parameter/i.test(detail))
    return config(
      `at ${where} is a pooler (PgBouncer or one like it), not PostgreSQL itself: ${detail}`,
      `Name the server in ${variable}: replication does not go through a pooler.`,
    )
  if (/does not support SSL/i.test(detail))
    return config(
      `PostgreSQL at ${where} has TLS switched off`,
      `Set sslmode=disable in ${variable}, or switch TLS on in the server.`,
    )
  if (/no password|password must be a string|SASL.*password/i.test(detail))
    return config(`PostgreSQL at ${where} asks for a password`, `Put it into ${variable} or PGPASSWORD.`)
  if (/certificate|self.signed|altnames/i.test(detail))
    return config(
      `the TLS certificate of ${where} was not accepted: ${detail}`,
      `Check sslmode and sslrootcert in ${variable}.`,
    )
  return linkFailure(
    `PostgreSQL at ${where} cannot be reached: ${detail}`,
    cause,
    `Check that the server runs and that host and port in ${variable} are right.`,
  )
}

/** What the driver throws on a connection in use, as a Failure: `link` where the connection or the server is at fault. */
export function queryFailure(error: unknown): Failure {
  if (error instanceof Failure) return error
  const message = error instanceof Error ? error.message : String(error)
  const code = errorCode(error) ?? ''
  if (/query read timeout/i.test(message)) return linkFailure('PostgreSQL did not answer a query', error)
  if (code === RECOVERY_CONFLICT_STATE)
    return linkFailure(
      `a standby has ended a query: ${message} (SQLSTATE ${code})`,
      error,
      'What is copied so far stays. Set hot_standby_feedback = on on the standby, or raise its max_standby_streaming_delay.',
    )
  if (LOST_STATES.test(code) || BROKEN_CODES.test(code) || BROKEN_TEXTS.test(message))
    return linkFailure(`the connection to PostgreSQL broke: ${message}`, error)
  if (PASSING_STATES.test(code)) return linkFailure(`PostgreSQL could not answer: ${message} (SQLSTATE ${code})`, error)
  return asFailure(error)
}

export function linkFailure(message: string, cause?: unknown, hint?: string): Failure {
  return new Failure('link', message, {
    ...(cause === undefined ? {} : { cause }),
    ...(hint === undefined ? {} : { hint }),
  })
}
