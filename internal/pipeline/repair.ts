// `repair`: goes on after a gap, on the operator's word. The gap stays in the log for ever; what is durable stays as it is;
// transactions that were planned and can no longer be had whole keep the rows that they have. Tables are copied again by the next start, where the lake has copies.
import { randomUUID } from 'node:crypto'
import type { Commit, DataFile, GapReason, Plan } from '../model/batch-record.js'
import { Failure } from '../model/failure.js'
import { formatLsn, type Lsn } from '../model/lsn.js'
import type { Logger } from '../observability/logger.js'
import { dropSlot } from '../replication/slot.js'
import { DATA_PREFIX, parseDataKey } from '../storage/keys.js'
import type { ObjectStore } from '../storage/object-store.js'
import { SchemaRegistry } from '../storage/schema-registry.js'
import { rowCountOfTail, TAIL_BYTES } from '../transform/parquet/thrift.js'
import { finishCopy } from './copy-batch.js'
import { slotStays, type FoundGap } from './gap.js'
import { createHistory } from './history.js'
import { checkPlanWon, closingOf, fenceOf } from './plan-rules.js'
import { withConnections, type SessionSettings } from './session.js'
import { findGapOfLake } from './start-decision.js'
import { survey, type Connections, type Survey } from './survey.js'

export interface RepairRequest {
  readonly settings: SessionSettings
  readonly store: ObjectStore
  readonly logger: Logger
  /** The operator has said yes. */
  readonly confirmed: boolean
  /** Told what is being done, and how much of it is. */
  readonly progress: (step: string, done: number, of: number) => void
}

/** Closes the gap between lake and server, if there is one. Throws Failure; `unsafe` where it has yet to be confirmed. */
export async function repair(request: RepairRequest): Promise<void> {
  await withConnections(request.settings.target, async (connections) => {
    while (!(await repaired(request, connections)))
      request.logger.info('another writer has woken and gone on with the log; it is read again')
  })
}

/** False where a writer that slept was first with a record of the log: then things stand otherwise than they were found. */
async function repaired(request: RepairRequest, connections: Connections): Promise<boolean> {
  const { settings, store, logger, confirmed } = request
  const found = await survey(settings, store, connections, undefined)
  const gap = findGapOfLake(found.start)
  const begun = found.state.openPlans.some(({ kind }) => kind === 'gap')
  if (gap === undefined && !begun) {
    logger.info({ slot: settings.slot, lake: store.location }, 'nothing to repair: lake, slot and server fit')
    return true
  }
  if (!confirmed)
    throw unconfirmed(gap, found.state.openPlans, settings.snapshot !== 'never' && found.start.lake?.copies === true)
  const from = await newBeginning(request, connections, found, gap)
  try {
    await closeGap(request, found, gap, from)
    return true
  } catch (error) {
    if (error instanceof Failure && (error.kind === 'plan_taken' || error.kind === 'fenced')) return false
    throw error
  }
}

/** `copies`: the tables will be copied again. */
function unconfirmed(gap: FoundGap | undefined, openPlans: readonly Plan[], copies: boolean): Failure {
  const incomplete = openPlans.filter(({ kind }) => kind === 'changes').length
  const kept =
    incomplete === 0
      ? ''
      : ` ${incomplete} batches that were begun keep the files that they have, and are recorded as incomplete.`
  const place = gap?.reason === 'slot_ahead' ? 'goes on from where the slot stands' : 'creates a new slot'
  const missing = copies
    ? 'the missing transactions will never be in this lake, but at the next start every table is copied again: its rows as they are then will be there, what was done to them between will not'
    : 'the missing transactions will never be in this lake'
  return new Failure('unsafe', gap?.failure.message ?? 'a repair was begun and not finished', {
    hint: `\`repair --yes\` records the gap in the log for ever and ${place}; ${missing}.${kept}`,
  })
}

/** Where the stream will go on: the slot's position, or that of a new slot. */
async function newBeginning(
  { settings, logger }: RepairRequest,
  { control, replication }: Connections,
  { log, start }: Survey,
  gap: FoundGap | undefined,
): Promise<Lsn> {
  const { slot } = start
  if (slot !== undefined && slotStays(gap?.reason)) return slot.confirmedLsn
  if (slot !== undefined) {
    await dropSlot(control, settings.slot)
    logger.info({ slot: settings.slot }, 'slot dropped')
  }
  return createHistory({ control, replication, settings, log, identity: start.server, logger })
}

/** Commits what was planned, as far as it is there, and the gap up to `end`. */
async function closeGap(
  { settings, store, logger, progress }: RepairRequest,
  { log, state, start }: Survey,
  found: FoundGap | undefined,
  end: Lsn,
): Promise<void> {
  const { totals } = state
  const openPlans = [...state.openPlans]
  const reason: GapReason = found?.reason ?? 'slot_ahead'
  const writer = randomUUID()
  const fence = fenceOf(totals, openPlans, end)
  if (fence !== undefined) {
    const plan: Plan = { ...fence, cut: settings.cut, writer, writerVersion: settings.version }
    checkPlanWon(plan, await log.writePlan(plan))
    openPlans.push(plan)
  }
  const recordedMicros = BigInt(Date.now()) * 1000n
  const filesByBatch = await filesOf(openPlans, settings.slot, store, progress)
  for (const [index, plan] of openPlans.entries()) {
    progress(`batch ${plan.batch}`, index, openPlans.length)
    const closing = closingOf(plan, openPlans[index + 1], totals.batch < 0 ? undefined : totals.endLsn)
    const { files, rows, copied } = await contentOf(plan, filesByBatch, store)
    // Of another history what is missing begins where the two parted, before the end of the lake.
    const missingFrom = found?.reason === 'other_timeline' ? found.missingFrom : closing.fromLsn
    const { copy: _, ...planned } = plan
    const commit: Commit = {
      ...{ ...planned, ...closing, writer, timeline: start.place.timeline, transactions: 0, rows, files },
      ...(copied === undefined ? {} : { copied }),
      ...(plan.kind === 'idle' || plan.kind === 'copy' ? {} : { gap: { reason, missingFrom, recordedMicros } }),
    }
    await log.writeCommit(commit)
    totals.add(commit)
    await log.writeHead(commit)
    if (commit.gap === undefined) continue
    const missing = { from_lsn: formatLsn(missingFrom), to_lsn: formatLsn(commit.endLsn) }
    logger.warn({ batch: plan.batch, reason, ...missing, rows_kept: rows }, 'gap recorded')
  }
  logger.info({ slot: settings.slot, lsn: formatLsn(totals.endLsn) }, 'repaired: the next start goes on from here')
}

/** What the lake has of a planned batch. A copy's rows are there as they were staged: it is finished. */
async function contentOf(
  { kind, batch, copy }: Plan,
  filesByBatch: ReadonlyMap<number, DataFile[]>,
  store: ObjectStore,
): Promise<Pick<Commit, 'files' | 'rows' | 'copied'>> {
  if (kind === 'copy') return finishCopy(store, (work) => work(), copy!)
  const files = filesByBatch.get(batch) ?? []
  return { files, rows: files.reduce((sum, file) => sum + file.rows, 0) }
}

/** The files that the batches of `plans` have left, by batch: every row in them is real, but there may be more to each. */
async function filesOf(
  plans: readonly Plan[],
  slot: string,
  store: ObjectStore,
  progress: RepairRequest['progress'],
): Promise<ReadonlyMap<number, DataFile[]>> {
  const found = new Map(plans.filter(({ kind }) => kind === 'changes').map((plan) => [plan.batch, [] as DataFile[]]))
  if (found.size === 0) return found
  const registry = await SchemaRegistry.open(store, slot)
  let listed = 0
  for await (const { key } of store.list(DATA_PREFIX)) {
    progress(`looking for the files of batches that were begun: ${++listed} objects`, 0, 0)
    const name = parseDataKey(key)
    const files = name?.slot === slot ? found.get(name.batch) : undefined
    if (name === undefined || files === undefined) continue
    const tail = await store.get(key, { lastBytes: TAIL_BYTES })
    const rows = tail === undefined ? undefined : rowCountOfTail(tail)
    const digest = await store.digest(key)
    if (rows === undefined || digest === undefined)
      throw new Failure('unsafe', `${key} is no whole Parquet file`, {
        hint: 'Restore it from an older version of it.',
      })
    const { schema, table } = name
    const schemaVersion = await registry.newestAt({ schema, table }, name.toLsn)
    files.push({ key, schema, table, schemaVersion, rows, ...digest })
  }
  return found
}
