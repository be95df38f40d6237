// The replication slot: our place in the server's log. Created once, read at every start, never recreated silently.
import type pg from 'pg'
import { Failure } from '../model/failure.js'
import { parseLsn, type Lsn } from '../model/lsn.js'
import { errorCode, queryFailure } from './connection.js'

export interface Slot {
  readonly name: string
  readonly confirmedLsn: Lsn
  /** The server no longer has the log that this slot needs. */
  readonly lost: boolean
  /** Process that holds it now. */
  readonly activePid: number | undefined
  readonly restartLsn: Lsn | undefined
}

/**
 * The slot, or undefined where there is none. Throws Failure `unsafe` for one that is not a pgoutput slot of this
 * database.
 */
export async function readSlot(control: pg.Client, name: string, database: string): Promise<Slot | undefined> {
  const { rows } = await control.query<{
    slot_type: string
    plugin: string | null
    database: string | null
    temporary: boolean
    active_pid: number | null
    restart_lsn: string | null
    confirmed_flush_lsn: string | null
    wal_status: string | null
  }>(
    `SELECT slot_type, plugin, database, temporary, active_pid, restart_lsn, confirmed_flush_lsn, wal_status
       FROM pg_catalog.pg_replication_slots WHERE slot_name = $1`,
    [name],
  )
  const row = rows[0]
  if (row === undefined) return undefined
  const other = `Choose another name with PG_SLOT, or drop it if nobody uses it: SELECT pg_drop_replication_slot('${name}');`
  if (row.slot_type !== 'logical')
    throw new Failure('unsafe', `the slot ${name} is a physical replication slot`, { hint: other })
  if (row.plugin !== 'pgoutput')
    throw new Failure('unsafe', `the slot ${name} belongs to the output plugin ${row.plugin ?? '?'}, not pgoutput`, {
      hint: other,
    })
  if (row.database !== database)
    throw new Failure('unsafe', `the slot ${name} belongs to the database ${row.database ?? '?'}, not ${database}`, {
      hint: 'Choose another name with PG_SLOT: slot names are shared by all databases of a server.',
    })
  if (row.temporary) throw new Failure('unsafe', `the slot ${name} is temporary and would vanish`, { hint: other })
  const lost = row.wal_status === 'lost' || row.restart_lsn === null || row.confirmed_flush_lsn === null
  return {
    name,
    confirmedLsn: row.confirmed_flush_lsn === null ? 0n : parseLsn(row.confirmed_flush_lsn),
    lost,
    activePid: row.active_pid ?? undefined,
    restartLsn: row.restart_lsn === null ? undefined : parseLsn(row.restart_lsn),
  }
}

/**
 * Looks at the slot once we hold it, so that nobody else can move it any more: the server sends nothing from before its
 * position, whatever it was asked for. Throws Failure `plan_taken` where it stands past `asked`, which it did not before.
 */
export async function checkSlotHeld(control: pg.Client, name: string, asked: Lsn): Promise<void> {
  const query = 'SELECT confirmed_flush_lsn AS confirmed FROM pg_catalog.pg_replication_slots WHERE slot_name = $1'
  try {
    const { rows } = await control.query<{ confirmed: string | null }>(query, [name])
    checkSlotStands(asked, parseLsn(rows[0]?.confirmed ?? '0/0'))
  } catch (error) {
    throw queryFailure(error)
  }
}

export function checkSlotStands(asked: Lsn, confirmed: Lsn): void {
  if (confirmed > asked)
    throw new Failure('plan_taken', 'the slot was moved since it was looked at: slot and log are read again')
}

/** How much WAL the slot holds back, and how long that can go on. */
export interface SlotHealth {
  readonly walStatus: string
  /** WAL that the server keeps for the slot. */
  readonly retainedBytes: number
  /** From the slot's position to the end of the server's WAL. */
  readonly behindBytes: number
  /** What may still be written before the slot is lost; undefined where nothing limits it. */
  readonly safeBytes: number | undefined
  /** Since the server's last checkpoint: WAL is removed at checkpoints only. */
  readonly checkpointAgeSeconds: number
  /** Position of the server's WAL. */
  readonly walBytes: number
}

/** Undefined where there is no such slot. */
export async function readSlotHealth(
  control: pg.Client,
  name: string,
  answerWithinMs: number,
): Promise<SlotHealth | undefined> {
  const text = `SELECT wal_status AS status, (wal_end - restart_lsn)::float8 AS retained,
                       (wal_end - confirmed_flush_lsn)::float8 AS behind,
                       (wal_end - '0/0')::float8 AS wal, safe_wal_size::float8 AS safe,
                       extract(epoch FROM now() - (SELECT checkpoint_time FROM pg_catalog.pg_control_checkpoint()))::float8
                         AS checkpoint_age
                  FROM pg_catalog.pg_replication_slots,
                       (SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END)
                         AS w (wal_end)
                 WHERE slot_name = $1`
  const query = { text, values: [name], query_timeout: answerWithinMs }
  const { rows } = await control.query<{
    status: string | null
    retained: number | null
    behind: number | null
    safe: number | null
    checkpoint_age: number
    wal: number
  }>(query)
  const row = rows[0]
  if (row === undefined) return undefined
  return {
    walStatus: row.status ?? 'lost',
    retainedBytes: row.retained ?? 0,
    behindBytes: row.behind ?? 0,
    safeBytes: row.safe ?? undefined,
    checkpointAgeSeconds: row.checkpoint_age,
    walBytes: row.wal,
  }
}

/** Creates the slot and returns its consistent point: every transaction that commits after it will be streamed. */
export async function createSlot(replication: pg.Client, name: string): Promise<Lsn> {
  try {
    // An old transaction can make this wait for ever; statement_timeout does not apply to it, lock_timeout does.
    await replication.query("SET lock_timeout = '60s'")
    const { rows } = await replication.query<{ consistent_point: string }>(
      `CREATE_REPLICATION_SLOT "${name}" LOGICAL pgoutput NOEXPORT_SNAPSHOT`,
    )
    return parseLsn(rows[0]!.consistent_point)
  } catch (error) {
    throw slotCreationFailure(name, error)
  }
}

function slotCreationFailure(name: string, cause: unknown): unknown {
  const detail = cause instanceof Error ? cause.message : String(cause)
  switch (errorCode(cause)) {
    case '53400':
      return new Failure('unsafe', `the slot ${name} cannot be created: ${detail}`, {
        hint: 'Raise max_replication_slots and restart PostgreSQL, or drop a slot that nobody uses.',
        cause,
      })
    case '42501':
      return new Failure('config', `the user of PG_CONN_STRING may not create the slot ${name}: ${detail}`, {
        hint: 'Give the role the REPLICATION attribute: ALTER ROLE … REPLICATION;',
        cause,
      })
    case '42710':
      // Another process has created it in this moment: what it is is looked at again.
      return new Failure('slot_busy', `the slot ${name} was created by another process just now`, { cause })
    case '55P03':
    case '57014':
      return new Failure('gave_up', `the slot ${name} could not be created within 60 s: ${detail}`, {
        hint: 'A slot needs a moment when every transaction that was running has ended. Look for old ones in pg_stat_activity.',
        cause,
      })
    default:
      return cause
  }
}

/** Drops the slot over an ordinary connection. False where there was none. Throws Failure `slot_busy` while it is in use. */
export async function dropSlot(control: pg.Client, name: string): Promise<boolean> {
  try {
    await control.query('SELECT pg_drop_replication_slot($1)', [name])
    return true
  } catch (error) {
    if (errorCode(error) === '42704') return false
    if (errorCode(error) === '55006') throw new Failure('slot_busy', `the slot ${name} is in use`, { cause: error })
    throw error
  }
}
