// One run of the service from connecting to the first failure or the stop: starts where the bucket says, joins stream,
// builder and committer, and acknowledges what is durable. Whatever goes wrong ends the session; nothing is mended inside.
import type pg from 'pg'
import type { TableFilter } from '../config/table-filter.js'
import type { CutParameters } from '../model/batch-record.js'
import { asFailure, Failure } from '../model/failure.js'
import { connect, errorCode, type ConnectionTarget } from '../replication/connection.js'
import { inspectServer, type ServerFacts } from '../replication/server.js'
import { readSlot } from '../replication/slot.js'
import { CommitLog } from '../storage/commit-log.js'
import { DATA_PREFIX, parseDataKey } from '../storage/keys.js'
import type { ObjectStore } from '../storage/object-store.js'
import type { Logger } from '../observability/logger.js'
import { createHistory, joinHistory } from './history.js'
import { LiveStream, type StartPoint } from './live-stream.js'
import { decideStart, nextBatchOf } from './start-decision.js'

export interface SessionSettings {
  readonly target: ConnectionTarget
  readonly slot: string
  readonly publication: string
  readonly tables: TableFilter
  readonly flushIntervalMs: number
  readonly cut: CutParameters
  readonly memoryLimitBytes: number
  readonly uploadConcurrency: number
  readonly zstdLevel: number
  readonly version: string
}

export interface SessionContext {
  readonly settings: SessionSettings
  /** Gives up after a few tries: for start-up. */
  readonly startStore: ObjectStore
  /** Tries until the session ends. */
  readonly storeUntil: (signal: AbortSignal) => ObjectStore
  readonly logger: Logger
  /** Fires when the service is to stop in order. */
  readonly stop: AbortSignal
  /** Types that only text can carry were met: do not ask for binary again. */
  readonly textOnly: boolean
  readonly onStreaming: () => void
  readonly onProgress: () => void
}

/** Resolves after an orderly stop. Throws Failure. */
export async function runSession(context: SessionContext): Promise<void> {
  const { settings, startStore, logger } = context
  await withConnections(settings.target, async (control, replication) => {
    const { facts, start } = await begin(settings, startStore, logger, control, replication)
    await new LiveStream(context, control, facts, start).run(replication)
  })
}

/** Creates what the first start would, and checks what every start does, without streaming. Throws Failure. */
export async function prepare(settings: SessionSettings, store: ObjectStore, logger: Logger): Promise<void> {
  await withConnections(settings.target, async (control, replication) => {
    await begin(settings, store, logger, control, replication)
  })
}

async function begin(
  settings: SessionSettings,
  store: ObjectStore,
  logger: Logger,
  control: pg.Client,
  replication: pg.Client,
): Promise<{ facts: ServerFacts; start: StartPoint }> {
  const facts = await inspectServer(control, replication)
  const log = new CommitLog(store, settings.slot)
  const { slot: slotName, publication } = settings
  const identity = { systemIdentifier: facts.systemIdentifier, database: facts.database, slot: slotName, publication }
  // The slot first, then the log: whoever held the slot until now has committed before it acknowledged, so a log that is
  // read after the slot was found free cannot be behind it. The other way round a hand-over would look like a gap.
  const slot = await readSlot(control, slotName, facts.database)
  if (slot?.activePid !== undefined)
    throw new Failure('slot_busy', `the slot ${slotName} is held by process ${slot.activePid} of the server`, {
      hint: 'This goes on by itself as soon as the other connection ends.',
    })
  const logState = await log.recover()
  // Last, because it is written first: a log that has begun has an identity.
  const lake = await log.readIdentity()
  const decision = decideStart({ lake, log: logState, server: identity, slot, location: store.location })
  const history = { control, replication, settings, log, identity, logger }
  const nextBatch = nextBatchOf(logState)
  if (decision.act === 'create')
    return { facts, start: { durableLsn: await createHistory(history), openPlans: [], nextBatch } }
  await joinHistory(history, decision.adopted)
  await abandonUnfinished(store, slotName, logger)
  return { facts, start: { durableLsn: decision.durableLsn, openPlans: decision.openPlans, nextBatch } }
}

/** What a run that was killed has left half uploaded. A role that may not look for it costs storage, not correctness. */
async function abandonUnfinished(store: ObjectStore, slot: string, logger: Logger): Promise<void> {
  try {
    const uploads = await store.abandonUnfinished(DATA_PREFIX, (key) => parseDataKey(key)?.slot === slot)
    if (uploads > 0) logger.info({ uploads }, 'unfinished uploads of an earlier run aborted')
  } catch (error) {
    if (asFailure(error).kind !== 'config') throw error
    logger.warn({ err: error }, 'unfinished uploads of earlier runs cannot be looked for')
  }
}

async function withConnections(
  target: ConnectionTarget,
  use: (control: pg.Client, replication: pg.Client) => Promise<void>,
): Promise<void> {
  const clients: pg.Client[] = []
  try {
    for (const purpose of ['control', 'replication'] as const) clients.push(await connect(target, purpose))
    await use(clients[0]!, clients[1]!)
  } catch (error) {
    throw asSessionFailure(error)
  } finally {
    for (const client of clients) void client.end().catch(() => undefined)
  }
}

/** What the driver throws on a connection that has died has no kind of its own. */
function asSessionFailure(error: unknown): Failure {
  if (error instanceof Failure) return error
  const message = error instanceof Error ? error.message : String(error)
  const code = errorCode(error) ?? ''
  if (
    /^(57P0[123]|08|53300|ECONNRESET|EPIPE|ETIMEDOUT)/.test(code) ||
    /connection (terminated|.*closed|.*not queryable)/i.test(message)
  )
    return new Failure('link', `the connection to PostgreSQL broke: ${message}`, { cause: error })
  return asFailure(error)
}
