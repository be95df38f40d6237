// A snapshot of a hot standby, with the position in the primary's log that divides what it sees from what the stream brings: taken
// at a moment when the standby had replayed everything it had (docs/decisions/0011-copies.md says why that is exact).
import { setTimeout as delay } from 'node:timers/promises'
import type pg from 'pg'
import { Failure } from '../model/failure.js'
import { formatLsn, parseLsn, type Lsn } from '../model/lsn.js'
import { connectReader, CopySnapshot, exportStatement, type Exported, type SnapshotServer } from './copy-snapshot.js'
import { linkFailure } from './connection.js'

/** So long a standby may take to come to such a moment; then the copies are tried again later. */
const CATCH_UP_MS = 15_000
const PAUSE_MS = 20

export interface Primary {
  readonly control: pg.Client
  readonly systemIdentifier: string
  readonly timeline: number
  readonly database: string
}

/** Throws Failure, `link` where it may work later. Rejects when it is stopped. */
export async function takeStandbySnapshot(
  standby: SnapshotServer,
  primary: Primary,
  stopped: AbortSignal,
): Promise<CopySnapshot> {
  const holder = await connectReader(standby)
  try {
    await checkIdentity(holder, standby, primary)
    const mark = await markLog(primary.control)
    const deadline = performance.now() + CATCH_UP_MS
    for (;;) {
      const moment = await look(holder)
      const { replayed } = moment
      if (moment.streamed && replayed === moment.received && replayed > mark) {
        await checkPosition(replayed, standby, primary)
        return new CopySnapshot(standby, holder, moment.exported, replayed)
      }
      await holder.query('ROLLBACK')
      if (performance.now() > deadline) throw behind(standby, mark, moment)
      await delay(PAUSE_MS, undefined, { signal: stopped })
    }
  } catch (error) {
    void holder.end().catch(() => undefined)
    throw error
  }
}

/**
 * Where the primary's log ends, after which a record follows at once: a snapshot that has it lies behind all earlier ones, and behind
 * every position that a lake may have. No table is written to, and nobody is waited for.
 */
async function markLog(control: pg.Client): Promise<Lsn> {
  const { rows } = await control.query<{ lsn: string }>(
    'SELECT pg_current_wal_insert_lsn()::text AS lsn, pg_current_xact_id()',
  )
  return parseLsn(rows[0]!.lsn)
}

interface Moment {
  readonly exported: Exported
  /** Before the snapshot was taken: everything up to here was seen. */
  readonly replayed: Lsn
  /** Afterwards: what lies behind was not there to be replayed. */
  readonly received: Lsn | undefined
  /** The standby streamed all the while, and took nothing from an archive. */
  readonly streamed: boolean
}

/** In one message, so that it is short: a snapshot, and what the standby had replayed before it and received after it. */
async function look(holder: pg.Client): Promise<Moment> {
  const receiver = 'SELECT pid AS receiver FROM pg_stat_wal_receiver'
  const results = (await holder.query(`
    BEGIN; ${receiver}; SELECT pg_last_wal_replay_lsn()::text AS replayed; COMMIT;
    BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; ${exportStatement};
    SELECT pg_last_wal_receive_lsn()::text AS received; ${receiver}`)) as unknown as pg.QueryResult[]
  const [before, replayed, exported, received, after] = results.flatMap(({ command, rows }) =>
    command === 'SELECT' ? [rows[0] as Record<string, string | null> | undefined] : [],
  )
  return {
    exported: exported as unknown as Exported,
    replayed: parseLsn(replayed!.replayed!),
    received: typeof received?.received === 'string' ? parseLsn(received.received) : undefined,
    streamed: before !== undefined && before.receiver === after?.receiver,
  }
}

/** Throws where copies of it would not be of the database that is streamed. */
async function checkIdentity(holder: pg.Client, { target }: SnapshotServer, primary: Primary): Promise<void> {
  const { rows } = await holder.query<{ system: string; recovers: boolean; database: string; timeline: number }>(
    `SELECT (SELECT system_identifier::text FROM pg_control_system()) AS system, pg_is_in_recovery() AS recovers,
            current_database() AS database, (SELECT timeline_id FROM pg_control_checkpoint()) AS timeline`,
  )
  const { system, recovers, database, timeline } = rows[0]!
  const where = `${target.describe()} (${target.variable})`
  if (system !== primary.systemIdentifier) throw misfit(`${where} belongs to another cluster than the primary`)
  if (!recovers) throw misfit(`${where} is no standby: it is not in recovery`)
  if (database !== primary.database)
    throw misfit(`${where} is the database ${database}, and what is streamed is ${primary.database}`)
  if (timeline !== primary.timeline)
    throw linkFailure(
      `${where} was on timeline ${timeline} at its last checkpoint, and the primary is on ${primary.timeline}`,
      undefined,
      'After a failover that passes with the next checkpoint. A standby that follows another server stays behind.',
    )
}

/** A copy of the cluster that went its own way may have a log of the same length. */
async function checkPosition(replayed: Lsn, { target }: SnapshotServer, { control }: Primary): Promise<void> {
  const { rows } = await control.query<{ lsn: string }>('SELECT pg_current_wal_insert_lsn()::text AS lsn')
  if (replayed <= parseLsn(rows[0]!.lsn)) return
  throw misfit(
    `${target.describe()} (${target.variable}) has replayed more than the primary has written: ${formatLsn(replayed)}, and ${rows[0]!.lsn}`,
  )
}

function misfit(message: string): Failure {
  return new Failure('config', `existing rows cannot be copied from a standby: ${message}`, {
    hint: 'Name a hot standby of the server and database of PG_CONN_STRING in SNAPSHOT_CONN_STRING, or leave it out to copy from the primary.',
  })
}

function behind({ target }: SnapshotServer, mark: Lsn, { replayed, received, streamed }: Moment): Failure {
  const has = received === undefined || !streamed ? 'it does not stream' : `of ${formatLsn(received)} that it has`
  return linkFailure(
    `the standby ${target.describe()} (${target.variable}) is behind: it has replayed up to ${formatLsn(replayed)}, ${has}, and the primary was at ${formatLsn(mark)}`,
    undefined,
    'Copies need a standby that streams and keeps up, without recovery_min_apply_delay and pg_wal_replay_pause(). Leave SNAPSHOT_CONN_STRING out to copy from the primary.',
  )
}
