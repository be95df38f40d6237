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
  readonly database: string
}

/** Which server this is, and where in its history it stands. */
export interface ServerPlace {
  readonly systemIdentifier: string
  readonly timeline: number
  /** Where its log ends now: everything before is flushed, and nothing after was ever sent. */
  readonly walEnd: Lsn
  /** Its earlier timelines, and where each was left for the next one. */
  readonly switches: readonly TimelineSwitch[]
}

export interface TimelineSwitch {
  readonly timeline: number
  readonly switchedAt: Lsn
}

/** Throws Failure `unsafe` with the statement that mends it. */
export async function inspectServer(control: pg.Client): Promise<ServerFacts> {
  const { rows } = await control.query<{
    version: number
    wal_level: string
    timeout: number
    encoding: string
    database: string
  }>(
    `SELECT current_setting('server_version_num')::int AS version, current_setting('wal_level') AS wal_level,
            (SELECT setting::int FROM pg_catalog.pg_settings WHERE name = 'wal_sender_timeout') AS timeout,
            current_setting('server_encoding') AS encoding, current_database() AS database`,
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
  return {
    version: facts.version,
    walSenderTimeoutMs: facts.timeout,
    encoding: facts.encoding,
    database: facts.database,
  }
}

/** Where the server stands. `ofTimeline`: its history is asked for only where it is on another timeline than that. */
export async function placeOfServer(replication: pg.Client, ofTimeline: number | undefined): Promise<ServerPlace> {
  const { rows } = await replication.query<{ systemid: string; timeline: number | string; xlogpos: string }>(
    'IDENTIFY_SYSTEM',
  )
  const row = rows[0]!
  // int8 since PostgreSQL 16, which the driver gives as text.
  const timeline = Number(row.timeline)
  return {
    systemIdentifier: row.systemid,
    timeline,
    walEnd: parseLsn(row.xlogpos),
    switches: ofTimeline === undefined || ofTimeline === timeline ? [] : await switchesTo(replication, timeline),
  }
}

/** From the timeline's history file: one line for each timeline before it, its number and where it was left. */
async function switchesTo(replication: pg.Client, timeline: number): Promise<TimelineSwitch[]> {
  // The first timeline has no history file.
  if (timeline === 1) return []
  const { rows } = await replication.query<{ content: Buffer | string }>(`TIMELINE_HISTORY ${timeline}`)
  const lines = String(rows[0]!.content).matchAll(/^\s*(\d+)\s+([0-9A-F]+\/[0-9A-F]+)/gim)
  return [...lines].map(([, number, lsn]) => ({ timeline: Number(number), switchedAt: parseLsn(lsn!) }))
}
