// What must hold of the server before anything is created or streamed: version, wal_level, role, identity. Reads only.
import type pg from 'pg'
import { Failure } from '../model/failure.js'
import { parseLsn, type Lsn } from '../model/lsn.js'

const OLDEST_MAJOR = 13
const NEWEST_MAJOR = 18

export interface ServerFacts {
  /** As server_version_num: 150018 is 15.18. */
  readonly version: number
  readonly walSenderTimeoutMs: number
  /** `UTF8`, or another encoding's name; `SQL_ASCII` makes no promise about text. */
  readonly encoding: string
  readonly systemIdentifier: string
  readonly timeline: number
  readonly database: string
  /** Where the server's log ends now. */
  readonly walEnd: Lsn
}

/** Throws Failure `unsafe` with the statement that mends it. */
export async function inspectServer(control: pg.Client, replication: pg.Client): Promise<ServerFacts> {
  const { rows } = await control.query<{ version: number; wal_level: string; timeout: number; encoding: string }>(
    `SELECT current_setting('server_version_num')::int AS version, current_setting('wal_level') AS wal_level,
            (SELECT setting::int FROM pg_catalog.pg_settings WHERE name = 'wal_sender_timeout') AS timeout,
            current_setting('server_encoding') AS encoding`,
  )
  const facts = rows[0]!
  const major = Math.floor(facts.version / 10_000)
  if (major < OLDEST_MAJOR || major > NEWEST_MAJOR)
    throw new Failure('unsafe', `PostgreSQL ${major} is not supported`, {
      hint: `Versions ${OLDEST_MAJOR} to ${NEWEST_MAJOR} are.`,
    })
  if (facts.wal_level !== 'logical')
    throw new Failure('unsafe', `the server runs with wal_level=${facts.wal_level}, which holds no logical changes`, {
      hint: 'Run ALTER SYSTEM SET wal_level = logical; and restart PostgreSQL (on RDS and Aurora set rds.logical_replication=1).',
    })
  // The control connection is silent for long; a server that ends silent sessions has known this setting since 14.
  if (major >= 14) await control.query('SET idle_session_timeout = 0')
  const identity = await identify(replication)
  return { version: facts.version, walSenderTimeoutMs: facts.timeout, encoding: facts.encoding, ...identity }
}

async function identify(
  replication: pg.Client,
): Promise<Omit<ServerFacts, 'version' | 'walSenderTimeoutMs' | 'encoding'>> {
  const { rows } = await replication.query<{
    systemid: string
    timeline: number | string
    xlogpos: string
    dbname: string
  }>('IDENTIFY_SYSTEM')
  const row = rows[0]!
  return {
    systemIdentifier: row.systemid,
    // int8 since PostgreSQL 16, which the driver gives as text.
    timeline: Number(row.timeline),
    database: row.dbname,
    walEnd: parseLsn(row.xlogpos),
  }
}
