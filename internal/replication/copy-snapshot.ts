// One moment of the database for a copy of its rows: a snapshot that several connections can read under, and the position in the
// log that divides what it sees from what the stream brings. Of the primary a temporary slot gives both, and goes as soon as they
// are had; standby-snapshot.ts has them of a standby.
import { randomBytes } from 'node:crypto'
import type pg from 'pg'
import { Failure } from '../model/failure.js'
import { parseLsn, type Lsn } from '../model/lsn.js'
import { connect, errorCode, linkFailure, queryFailure, type ConnectionTarget } from './connection.js'

/** transaction_timeout is known from here on. */
const TRANSACTION_TIMEOUT_VERSION = 170_000
const LONGEST_NAME = 63

/** What a transaction tells of itself that keeps a snapshot for others, and of its server. */
export const exportStatement = `
  SELECT pg_export_snapshot() AS name, pg_snapshot_xmin(pg_current_snapshot())::text AS xmin,
         (extract(epoch FROM now())::numeric * 1000000)::int8::text AS micros, pg_postmaster_start_time()::text AS started`

export interface Exported {
  readonly name: string
  readonly xmin: string
  readonly micros: string
  readonly started: string
}

export interface SnapshotServer {
  readonly target: ConnectionTarget
  readonly version: number
}

export class CopySnapshot {
  /** A transaction whose commit record begins before this is seen, and no other one. */
  readonly consistentPoint: Lsn
  /** Every transaction before this one had ended: pg_snapshot_xmin, 64 bits. */
  readonly xmin: bigint
  /** The server's clock, microseconds since 1970, UTC. */
  readonly micros: bigint
  /** The server that it is read from, for people. */
  readonly from: string
  readonly #server: SnapshotServer
  readonly #holder: pg.Client
  readonly #exported: Exported
  /** The first that was heard of its end: what comes afterwards tells no more why. */
  #lost: unknown
  /** One question at a time. */
  #asked: Promise<unknown> = Promise.resolve()

  /** `holder`: its transaction is open and has exported the snapshot. */
  constructor(server: SnapshotServer, holder: pg.Client, exported: Exported, consistentPoint: Lsn) {
    this.#server = server
    this.#holder = holder
    this.#exported = exported
    this.consistentPoint = consistentPoint
    this.xmin = BigInt(exported.xmin)
    this.micros = BigInt(exported.micros)
    this.from = server.target.describe()
    holder.on('error', (error) => (this.#lost ??= error))
  }

  /** A connection to its server. Throws Failure. */
  async connect(): Promise<pg.Client> {
    const client = await connectReader(this.#server)
    const { rows } = await client.query<Pick<Exported, 'started'>>('SELECT pg_postmaster_start_time()::text AS started')
    if (rows[0]!.started === this.#exported.started) return client
    void client.end().catch(() => undefined)
    // What the tables are now would be asked of a server that may not have come as far.
    throw linkFailure(
      `at ${this.from} is another server than the one with the snapshot of the copy: it was started again, or there are several`,
      undefined,
      `Name one server in ${this.#server.target.variable}.`,
    )
  }

  /** Carries it out in a transaction under the snapshot, which changes nothing. Throws Failure where the snapshot is lost. */
  async read<T>(client: pg.Client, use: () => Promise<T>): Promise<T> {
    try {
      await beginUnder(client, this.#exported.name)
      return await use()
    } finally {
      // Where the link is gone the transaction is too.
      await client.query('ROLLBACK').catch(() => undefined)
      await this.#assertHeld()
    }
  }

  /** `_lsn` of the rows: the records of the log are aligned, so no transaction has this position. */
  get lsn(): Lsn {
    return this.consistentPoint - 1n
  }

  /** Lets it go. */
  release(): void {
    void this.#holder.end().catch(() => undefined)
  }

  /**
   * A standby that is to remove rows first ends the transactions that may see them, but only those that it found when it came to
   * that: one that takes the same snapshot over meanwhile would miss them in silence. The holder is always found.
   */
  async #assertHeld(): Promise<void> {
    const asked = this.#asked.then(() => this.#holder.query('SELECT'))
    this.#asked = asked.catch((error: unknown) => (this.#lost ??= error))
    await this.#asked
    if (this.#lost !== undefined) throw queryFailure(this.#lost)
  }
}

/** A snapshot of the primary. Waits, like every new slot, for the transactions that run. Throws Failure, `link` where it may work later. */
export async function takeSnapshot(server: SnapshotServer, slot: string): Promise<CopySnapshot> {
  const replication = await connect(server.target, 'replication')
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
    return await hold(server, name, parseLsn(point))
  } finally {
    // With the connection the slot goes, which would hold the server's log back.
    void replication.end().catch(() => undefined)
  }
}

/** A transaction that keeps the exported snapshot for as long as it is open, and touches no table. */
async function hold(server: SnapshotServer, name: string, consistentPoint: Lsn): Promise<CopySnapshot> {
  const holder = await connectReader(server)
  try {
    await beginUnder(holder, name)
    const { rows } = await holder.query<Exported>(exportStatement)
    return new CopySnapshot(server, holder, rows[0]!, consistentPoint)
  } catch (error) {
    void holder.end().catch(() => undefined)
    throw error
  }
}

/** A connection whose transactions may take as long as they need, but wait for no lock for ever. Throws Failure. */
export async function connectReader({ target, version }: SnapshotServer): Promise<pg.Client> {
  const client = await connect(target, 'copy')
  const settings = ["SET lock_timeout = '60s'"]
  if (version >= TRANSACTION_TIMEOUT_VERSION) settings.push('SET transaction_timeout = 0')
  try {
    await client.query(settings.join('; '))
    return client
  } catch (error) {
    void client.end().catch(() => undefined)
    throw error
  }
}

async function beginUnder(client: pg.Client, snapshot: string): Promise<void> {
  const statement = `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET TRANSACTION SNAPSHOT '${snapshot}'`
  await client.query(statement).catch((error: unknown) => {
    throw linkFailure(`the snapshot of a copy is gone: ${String(error)}`, error)
  })
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
