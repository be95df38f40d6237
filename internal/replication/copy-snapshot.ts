// One moment of the database for a copy of its rows: a snapshot that several connections can read under, and the position in the
// log that divides what it sees from what the stream brings. A temporary slot gives both, and goes as soon as they are had.
import { randomBytes } from 'node:crypto'
import type pg from 'pg'
import { Failure } from '../model/failure.js'
import { parseLsn, type Lsn } from '../model/lsn.js'
import { connect, errorCode, type ConnectionTarget } from './connection.js'

/** transaction_timeout is known from here on. */
const TRANSACTION_TIMEOUT_VERSION = 170_000
const LONGEST_NAME = 63

export interface CopySnapshot {
  /** A transaction whose commit record begins before this is seen, and no other one. */
  readonly consistentPoint: Lsn
  /** For SET TRANSACTION SNAPSHOT, while the snapshot is held. */
  readonly name: string
  /** Every transaction before this one had ended: pg_snapshot_xmin, 64 bits. */
  readonly xmin: bigint
  /** The server's clock, microseconds since 1970, UTC. */
  readonly micros: bigint
  /** Lets it go. */
  release(): void
}

/** Waits, like every new slot, for the transactions that run. Throws Failure, `link` where it may work later. */
export async function takeSnapshot(
  target: ConnectionTarget,
  slot: string,
  serverVersion: number,
): Promise<CopySnapshot> {
  const replication = await connect(target, 'replication')
  try {
    const temporary = `${slot.slice(0, LONGEST_NAME - 13)}_copy_${randomBytes(3).toString('hex')}`
    await replication.query("SET lock_timeout = '60s'")
    const { rows } = await replication
      .query<{ consistent_point: string; snapshot_name: string }>(
        `CREATE_REPLICATION_SLOT "${temporary}" TEMPORARY LOGICAL pgoutput EXPORT_SNAPSHOT`,
      )
      .catch((error: unknown) => {
        throw refusal(error)
      })
    const { consistent_point: point, snapshot_name: name } = rows[0]!
    return { consistentPoint: parseLsn(point), ...(await hold(target, name, serverVersion)) }
  } finally {
    // With the connection the slot goes, which would hold the server's log back.
    void replication.end().catch(() => undefined)
  }
}

/** A transaction that keeps the exported snapshot for as long as it is open, and touches no table. */
async function hold(
  target: ConnectionTarget,
  exported: string,
  serverVersion: number,
): Promise<Omit<CopySnapshot, 'consistentPoint'>> {
  const holder = await connectReader(target, serverVersion)
  const release = (): void => void holder.end().catch(() => undefined)
  try {
    await beginUnder(holder, exported)
    const { rows } = await holder.query<{ name: string; xmin: string; micros: string }>(
      `SELECT pg_export_snapshot() AS name, pg_snapshot_xmin(pg_current_snapshot())::text AS xmin,
              (extract(epoch FROM now())::numeric * 1000000)::int8::text AS micros`,
    )
    const { name, xmin, micros } = rows[0]!
    return { name, xmin: BigInt(xmin), micros: BigInt(micros), release }
  } catch (error) {
    release()
    throw error
  }
}

/** A connection whose transactions may take as long as they need, but wait for no lock for ever. Throws Failure. */
export async function connectReader(target: ConnectionTarget, serverVersion: number): Promise<pg.Client> {
  const client = await connect(target, 'copy')
  const settings = ["SET lock_timeout = '60s'"]
  if (serverVersion >= TRANSACTION_TIMEOUT_VERSION) settings.push('SET transaction_timeout = 0')
  try {
    await client.query(settings.join('; '))
    return client
  } catch (error) {
    void client.end().catch(() => undefined)
    throw error
  }
}

/** Begins a transaction that reads under the snapshot and changes nothing. */
export async function beginUnder(client: pg.Client, snapshot: string): Promise<void> {
  await client.query(`BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET TRANSACTION SNAPSHOT '${snapshot}'`)
}

function refusal(cause: unknown): unknown {
  const detail = cause instanceof Error ? cause.message : String(cause)
  const later = (hint: string): Failure =>
    new Failure('link', `no snapshot could be taken to copy existing rows: ${detail}`, { hint, cause })
  switch (errorCode(cause)) {
    case '53400':
      return later(
        'A copy needs one replication slot more for a moment: raise max_replication_slots, or drop a slot that nobody uses.',
      )
    case '55P03':
    case '57014':
      return later(
        'A snapshot needs a moment when every transaction that was running has ended. Look for old ones in pg_stat_activity.',
      )
    default:
      return cause
  }
}
