// One run of the service from connecting to the first failure or the stop: starts where the bucket says, joins stream,
// builder and committer, and acknowledges what is durable. Whatever goes wrong ends the session; nothing is mended inside.
import type pg from 'pg'
import type { ColumnFilter } from '../config/column-filter.js'
import type { TableFilter } from '../config/table-filter.js'
import type { CutParameters } from '../model/batch-record.js'
import type { Lsn } from '../model/lsn.js'
import { connect, queryFailure, sendAsStored, type ConnectionTarget } from '../replication/connection.js'
import type { LastWalsender } from '../replication/last-walsender.js'
import type { LinkPatience } from '../replication/liveness.js'
import type { ServerFacts } from '../replication/server.js'
import { parseDataKey } from '../storage/keys.js'
import type { ObjectStore } from '../storage/object-store.js'
import type { Logger } from '../observability/logger.js'
import type { Metrics } from '../observability/metrics.js'
import { textColumnsOf } from '../transform/values/value-codec.js'
import type { ValueHash } from '../transform/values/value-hash.js'
import { abandon } from './abandon.js'
import { lastSentAgain } from './gap.js'
import { checkFindings, findColumns } from './hidden-columns.js'
import { createHistory, joinHistory } from './history.js'
import { LiveStream } from './live-stream.js'
import { checkColumnsAsPlanned } from './plan-rules.js'
import type { ProgressWatch } from './progress-watch.js'
import { decideStart } from './start-decision.js'
import type { StartPoint } from './start-point.js'
import { survey, type Connections } from './survey.js'

/** `initial`: lakes whose slot this program creates; `adopted`: also those whose slot it finds. */
export type SnapshotMode = 'initial' | 'adopted' | 'never'

export interface SessionSettings {
  readonly target: ConnectionTarget
  readonly slot: string
  readonly publication: string
  readonly tables: TableFilter
  readonly columns: ColumnFilter
  /** Present where columns are hashed. */
  readonly hash?: ValueHash
  readonly flushIntervalMs: number
  readonly cut: CutParameters
  readonly memoryLimitBytes: number
  readonly uploadConcurrency: number
  readonly zstdLevel: number
  /** Which lakes existing rows are copied into. */
  readonly snapshot: SnapshotMode
  readonly copyWorkers: number
  /** Absent: as fast as it goes. */
  readonly copyBytesPerSecond?: number
  /** Existing rows are read from this one; absent: from `target`. */
  readonly standby?: ConnectionTarget
  readonly version: string
}

export interface SessionContext {
  readonly settings: SessionSettings
  /** Gives up after a few tries: for start-up. */
  readonly startStore: ObjectStore
  /** Tries until the session ends. */
  readonly storeUntil: (signal: AbortSignal) => ObjectStore
  readonly logger: Logger
  readonly metrics: Metrics
  /** Fires when the service is to stop in order. */
  readonly stop: AbortSignal
  /** Types that only text can carry were met: do not ask for binary again. */
  readonly textOnly: boolean
  readonly patience: LinkPatience
  readonly lastWalsender: LastWalsender
  /** Where this process saw the log end before; undefined in its first session. */
  readonly seenDurable: Lsn | undefined
  readonly watch: ProgressWatch
  /** Grows with everything that a call to the store does. */
  readonly storeMoves: () => number
  readonly onStreaming: () => void
  /** A batch is durable, up to there. */
  readonly onProgress: (durable: Lsn) => void
}

/** Resolves after an orderly stop. Throws Failure. */
export async function runSession(context: SessionContext): Promise<void> {
  const { settings, startStore, logger, seenDurable, lastWalsender } = context
  await withConnections(settings.target, async (connections) => {
    if (await lastWalsender.end(connections.control, settings.slot))
      logger.info({ slot: settings.slot }, 'the server still held our last connection, which was ended')
    const { facts, start } = await begin(settings, startStore, logger, connections, seenDurable)
    await lastWalsender.remember(connections.replication)
    if (textColumnsOf(facts.encoding) === 'bytes') await sendAsStored(connections.replication)
    await new LiveStream(context, connections.control, facts, start).run(connections.replication)
  })
}

/** Creates what the first start would, and checks what every start does, without streaming. Throws Failure. */
export async function prepare(settings: SessionSettings, store: ObjectStore, logger: Logger): Promise<void> {
  await withConnections(settings.target, async (connections) => {
    await begin(settings, store, logger, connections, undefined)
  })
}

async function begin(
  settings: SessionSettings,
  store: ObjectStore,
  logger: Logger,
  connections: Connections,
  seenDurable: Lsn | undefined,
): Promise<{ facts: ServerFacts; start: StartPoint }> {
  const { facts, log, state, start } = await survey(settings, store, connections, seenDurable)
  const decision = decideStart(start)
  if (decision.act === 'stream') checkColumnsAsPlanned(decision.openPlans, settings.cut.columns)
  const columns = await findColumns(connections.control, settings, facts.version)
  checkFindings(columns)
  for (const { variable, item } of columns.withoutColumn)
    logger.warn({ variable, item }, 'matches no column of a published table: is it written as in the catalogue?')
  const history = { ...connections, settings, log, identity: start.server, logger }
  const { place, slot } = start
  const { totals, checkpoint } = state
  const copies = settings.snapshot !== 'never' && (start.lake ?? start.server).copies
  const point = { place, totals, checkpoint, copies }
  if (decision.act === 'create') {
    const durableLsn = await createHistory(history)
    return { facts, start: { ...point, durableLsn, askFrom: durableLsn, sentAgain: undefined, openPlans: [] } }
  }
  await joinHistory(history, decision.adopted)
  await abandon(
    store,
    (key) => parseDataKey(key)?.slot === settings.slot,
    'unfinished uploads of an earlier run',
    logger,
  )
  const { durableLsn, openPlans } = decision
  const sentAgain = lastSentAgain(totals, slot?.confirmedLsn)
  const askFrom = sentAgain?.commitLsn ?? slot?.confirmedLsn ?? durableLsn
  return { facts, start: { ...point, durableLsn, askFrom, sentAgain, openPlans } }
}

/** Both connections, ended after use. Throws Failure. */
export async function withConnections(
  target: ConnectionTarget,
  use: (connections: Connections) => Promise<void>,
): Promise<void> {
  const clients: pg.Client[] = []
  try {
    for (const purpose of ['control', 'replication'] as const) clients.push(await connect(target, purpose))
    await use({ control: clients[0]!, replication: clients[1]! })
  } catch (error) {
    throw queryFailure(error)
  } finally {
    for (const client of clients) void client.end().catch(() => undefined)
  }
}
