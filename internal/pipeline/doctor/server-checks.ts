// The server: version, settings, rights, slot, and what stands between it and us. Reads only.
import pg from 'pg'
import { formatLsn } from '../../model/lsn.js'
import { connect, type ConnectionTarget } from '../../replication/connection.js'
import { inspectServer, type ServerFacts } from '../../replication/server.js'
import { readSlot, readSlotHealth } from '../../replication/slot.js'
import { attempt, failed, ok, warning, type Check } from './check.js'
import { linkChecks } from './link-checks.js'

const ROUND_TRIPS = 5
/** A clock that is further off makes lags and ages wrong. */
const CLOCK_SKEW_MS = 2_000
const SHORT_SENDER_TIMEOUT_MS = 10_000
/** A transaction that is older keeps a slot from being created, and WAL from being removed. */
const OLD_TRANSACTION_SECONDS = 3_600
/** A limit below this may be reached within an outage of an hour. */
const LOW_WAL_LIMIT_MB = 4_096
const ANSWER_WITHIN_MS = 10_000

interface Settings {
  readonly max_replication_slots: number
  readonly slots: number
  readonly max_wal_senders: number
  readonly senders: number
  readonly keep_size_mb: number
  readonly sender_timeout_ms: number
  readonly in_recovery: boolean
  readonly may_replicate: boolean
  readonly oldest_seconds: number | null
}

/** The ordinary connection stays open for what else is to be asked; the caller ends it. */
export async function connectChecked(
  target: ConnectionTarget,
): Promise<{ readonly control?: pg.Client; readonly checks: readonly Check[] }> {
  const subject = 'connection'
  let control: pg.Client | undefined
  const checks = await attempt(subject, async () => {
    control = await connect(target, 'control')
    return ok(subject, `${target.describe()}, ${await roundTripMs(control)} ms for a round trip`)
  })
  return control === undefined ? { checks } : { control, checks }
}

export async function serverChecks(
  target: ConnectionTarget,
  control: pg.Client,
  slot: string,
): Promise<{ readonly facts?: ServerFacts; readonly checks: readonly Check[] }> {
  let facts: ServerFacts | undefined
  const version = await attempt('server', async () => {
    facts = await inspectServer(control)
    const { version, encoding } = facts
    const found = ok('server', `PostgreSQL ${Math.floor(version / 10_000)}.${version % 10_000}, wal_level = logical`)
    if (encoding !== 'SQL_ASCII') return found
    return [found, warning('encoding', 'SQL_ASCII promises nothing about text', 'Text columns are bytes in the lake.')]
  })
  const settings = await settingsOf(control)
  const checks = [
    ...version,
    ...rolesAndLimits(settings, target),
    ...(await attempt('pooler', () => linkChecks(control, target))),
    ...(await attempt('replication', () => replicationCheck(target))),
    ...(facts === undefined ? [] : await attempt('slot', () => slotChecks(control, slot, facts!.database, settings))),
    ...(await attempt('clock', () => clockCheck(control))),
  ]
  return facts === undefined ? { checks } : { facts, checks }
}

async function settingsOf(control: pg.Client): Promise<Settings> {
  const { rows } = await control.query<Settings>(
    `SELECT current_setting('max_replication_slots')::int AS max_replication_slots,
            (SELECT count(*)::int FROM pg_catalog.pg_replication_slots) AS slots,
            current_setting('max_wal_senders')::int AS max_wal_senders,
            (SELECT count(*)::int FROM pg_catalog.pg_stat_replication) AS senders,
            (SELECT setting::int FROM pg_catalog.pg_settings WHERE name = 'max_slot_wal_keep_size') AS keep_size_mb,
            (SELECT setting::int FROM pg_catalog.pg_settings WHERE name = 'wal_sender_timeout') AS sender_timeout_ms,
            pg_is_in_recovery() AS in_recovery,
            EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE pg_has_role(current_user, r.oid, 'MEMBER')
              AND (r.rolname = 'rds_replication' OR r.rolname = current_user AND (r.rolsuper OR r.rolreplication))) AS may_replicate,
            (SELECT extract(epoch FROM now() - min(xact_start))::float8 FROM pg_catalog.pg_stat_activity
              WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()) AS oldest_seconds`,
  )
  return rows[0]!
}

function rolesAndLimits(settings: Settings, { user }: ConnectionTarget): readonly Check[] {
  const { in_recovery, may_replicate, max_wal_senders, senders, sender_timeout_ms, oldest_seconds } = settings
  const role = `the role ${user}`
  return [
    in_recovery
      ? failed(
          'primary',
          'this server is a standby',
          'Connect to the primary; SNAPSHOT_CONN_STRING may name the standby.',
        )
      : ok('primary', 'this server takes writes'),
    may_replicate
      ? ok('role', `${role} may replicate`)
      : failed('role', `${role} may not replicate`, `ALTER ROLE ${pg.escapeIdentifier(user)} REPLICATION;`),
    senders < max_wal_senders
      ? ok('senders', `${senders} of ${max_wal_senders} in use`)
      : failed('senders', `all ${max_wal_senders} are in use`, 'Raise max_wal_senders and restart PostgreSQL.'),
    sender_timeout_ms >= SHORT_SENDER_TIMEOUT_MS
      ? ok('timeout', `wal_sender_timeout is ${sender_timeout_ms / 1000} s`)
      : warning(
          'timeout',
          sender_timeout_ms === 0
            ? 'wal_sender_timeout = 0: the server holds a connection that has died for as long as TCP does'
            : `wal_sender_timeout is only ${sender_timeout_ms} ms`,
          "ALTER SYSTEM SET wal_sender_timeout = '60s'; SELECT pg_reload_conf();",
        ),
    (oldest_seconds ?? 0) < OLD_TRANSACTION_SECONDS
      ? ok('transactions', 'none is older than an hour')
      : warning(
          'transactions',
          `one has been open for ${Math.round(oldest_seconds! / 60)} minutes: a slot waits for its end, and WAL is kept`,
          'SELECT pid, xact_start, query FROM pg_stat_activity ORDER BY xact_start LIMIT 5;',
        ),
  ]
}

/** A pooler in between takes ordinary connections and no other. */
async function replicationCheck(target: ConnectionTarget): Promise<Check> {
  const client = await connect(target, 'replication')
  try {
    await client.query('IDENTIFY_SYSTEM')
    return ok('replication', 'a replication connection is let in')
  } finally {
    await client.end()
  }
}

async function slotChecks(
  control: pg.Client,
  name: string,
  database: string,
  { max_replication_slots, slots, keep_size_mb }: Settings,
): Promise<readonly Check[]> {
  const slot = await readSlot(control, name, database)
  if (slot === undefined)
    return [
      slots < max_replication_slots
        ? ok('slot', `${name} is not there yet; ${slots} of ${max_replication_slots} slots are in use`)
        : failed(
            'slot',
            `${name} is not there, and all ${max_replication_slots} slots are in use`,
            'Raise max_replication_slots and restart PostgreSQL, or drop a slot that nobody uses.',
          ),
      retention(keep_size_mb),
    ]
  if (slot.lost)
    return [failed('slot', `${name} is lost: the server has removed WAL that it needed`, './run.sh repair')]
  const health = await readSlotHealth(control, name, ANSWER_WITHIN_MS)
  const held = slot.activePid === undefined ? 'nobody streams from it' : `process ${slot.activePid} streams from it`
  const behind = `${megabytes(health?.behindBytes ?? 0)} behind, ${megabytes(health?.retainedBytes ?? 0)} of WAL kept`
  return [ok('slot', `${name} stands at ${formatLsn(slot.confirmedLsn)}, ${behind}; ${held}`), retention(keep_size_mb)]
}

function retention(keepSizeMb: number): Check {
  const subject = 'WAL limit'
  if (keepSizeMb < 0)
    return warning(
      subject,
      'max_slot_wal_keep_size = -1: while the service is down, WAL grows until the disk is full',
      "ALTER SYSTEM SET max_slot_wal_keep_size = '50GB'; SELECT pg_reload_conf(); -- as much as the disk can spare",
    )
  if (keepSizeMb < LOW_WAL_LIMIT_MB)
    return warning(
      subject,
      `max_slot_wal_keep_size = ${keepSizeMb} MB: when so much was written during an outage, the slot is lost`,
      "ALTER SYSTEM SET max_slot_wal_keep_size = '50GB'; SELECT pg_reload_conf();",
    )
  return ok(subject, `max_slot_wal_keep_size = ${keepSizeMb} MB`)
}

async function clockCheck(control: pg.Client): Promise<Check> {
  const before = Date.now()
  const { rows } = await control.query<{ ms: number }>(
    'SELECT extract(epoch FROM clock_timestamp())::float8 * 1000 AS ms',
  )
  const skewMs = Math.round(rows[0]!.ms - (before + Date.now()) / 2)
  if (Math.abs(skewMs) <= CLOCK_SKEW_MS) return ok('clock', `${Math.abs(skewMs)} ms from the server's`)
  return warning(
    'clock',
    `${Math.abs(skewMs) / 1000} s ${skewMs > 0 ? 'behind' : 'before'} the server's: lags and ages are wrong by that`,
    'Synchronise both clocks (NTP).',
  )
}

async function roundTripMs(control: pg.Client): Promise<string> {
  const took: number[] = []
  for (let k = 0; k < ROUND_TRIPS; k++) {
    const started = performance.now()
    await control.query('SELECT 1')
    took.push(performance.now() - started)
  }
  return took.sort((a, b) => a - b)[ROUND_TRIPS >> 1]!.toFixed(1)
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`
}
