// From closed files to a durable batch: plan, data, commit, ack, in that order (G1-G4). Uploads of several batches overlap;
// plans are written one after the other, commits too. The first thing that fails fails all that come after it.
import pLimit from 'p-limit'
import type {
  BatchSummary,
  Commit,
  CopyProgress,
  CutParameters,
  DataFile,
  Plan,
  PlannedCopy,
} from '../model/batch-record.js'
import { asFailure, Failure } from '../model/failure.js'
import type { Lsn } from '../model/lsn.js'
import type { CommitLog } from '../storage/commit-log.js'
import { dataKey } from '../storage/keys.js'
import type { LogTotals } from '../storage/log-totals.js'
import type { ObjectDigest, ObjectStore } from '../storage/object-store.js'
import type { RegisteredVersion, RowCounts } from '../transform/batch-sink.js'
import type { CutReason } from '../transform/batch-cutter.js'
import type { ClosedFile, FileContent } from '../transform/open-file.js'
import { rowCountOfTail, TAIL_BYTES } from '../transform/parquet/thrift.js'
import { CopyQueue, finishCopy, standingStill } from './copy-batch.js'
import { LogTrail } from './log-trail.js'
import type { MemoryGate } from './memory-gate.js'
import { checkMayPlan, checkPlanWon, checkReplay } from './plan-rules.js'

/** So many batches on their way keep a store busy, however quick it is. */
const ENOUGH_ON_THE_WAY = 32

export interface CommitterOptions {
  readonly log: CommitLog
  readonly store: ObjectStore
  readonly gate: MemoryGate
  readonly slot: string
  readonly writer: string
  readonly writerVersion: string
  readonly timeline: number
  readonly uploadConcurrency: number
  /** The log so far; batches are numbered on from there. Each commit is folded in. */
  readonly totals: LogTotals
  /** End of what is durable. */
  readonly durableLsn: Lsn
  /** Plans that stand after it. */
  readonly openPlans: readonly Plan[]
  /** Batch of the newest checkpoint, -1 for none. */
  readonly checkpoint: number
  /** False once the replication connection is gone: then nothing may be planned any more (G5). */
  readonly connected: () => boolean
  /** A plan of this run stands in the log: no plan of an earlier run can any more. Called each time. */
  readonly onPlanWon: () => void
  /** Called in order, once the commit is in the bucket. */
  readonly onDurable: (commit: Commit, batch: ClosedBatch | undefined) => void
  readonly onClosed: (batch: ClosedBatch) => void
  /** Called once, with the first failure. */
  readonly onFailure: (failure: Failure) => void
}

/** A batch as it was when it was closed, for logs. */
export interface ClosedBatch {
  readonly batch: number
  readonly summary: BatchSummary
  readonly counts: ReadonlyMap<string, RowCounts>
  readonly reason: CutReason | 'replay'
  readonly files: number
  /** Bytes of values before encoding. */
  readonly valueBytes: number
  readonly closedMs: number
}

interface OpenBatch {
  /** Fixed by the plan: until then a copy may go before it. */
  number: number
  plan: Plan | undefined
  /** The plan stood in the log when this run began. */
  replayed: boolean
  planned: Promise<void> | undefined
  readonly files: FileEntry[]
}

interface FileToStore {
  readonly file: ClosedFile
  readonly part: number
  readonly schema: RegisteredVersion
}

interface FileEntry {
  /** Until it is being stored: what is in the bucket must not stay in memory for the rest of a large transaction. */
  closed: FileToStore | undefined
  readonly valueBytes: number
  stored?: Promise<DataFile>
}

export class BatchCommitter {
  readonly #options: CommitterOptions
  readonly #upload: ReturnType<typeof pLimit>
  readonly #openPlans: Plan[]
  #open: OpenBatch
  /** End of the last batch that has ended. */
  #end: Lsn
  readonly #copies = new CopyQueue(() => this.#planCopies())
  #settling = false
  #plans: Promise<void> = Promise.resolve()
  #commits: Promise<void> = Promise.resolve()
  #unfinished = 0
  #failure: Failure | undefined
  readonly #trail: LogTrail

  constructor(options: CommitterOptions) {
    this.#options = options
    this.#upload = pLimit(options.uploadConcurrency)
    this.#openPlans = [...options.openPlans]
    this.#trail = new LogTrail({ ...options, onFailure: (error) => this.#fail(error) })
    this.#open = newBatch(options.totals.batch + 1)
    this.#end = options.durableLsn
  }

  /** Nothing is planned, uploading or waiting for its commit (G3). */
  get idle(): boolean {
    return this.#unfinished === 0 && this.#open.plan === undefined && this.#open.files.length === 0
  }

  /** Another small batch would only wait for those before it. */
  get behind(): boolean {
    return this.#unfinished >= ENOUGH_ON_THE_WAY
  }

  /** Fixes what the open batch will hold. Its files may be stored from now on. */
  plan(fromLsn: Lsn, toLsn: Lsn, cut: CutParameters): void {
    this.#writePlan(this.#open, { kind: 'changes', fromLsn, toLsn, cut })
    for (const entry of this.#open.files) this.#store(this.#open, entry)
  }

  file(file: ClosedFile, part: number, schema: RegisteredVersion): void {
    const entry = { closed: { file, part, schema }, valueBytes: file.valueBytes }
    this.#open.files.push(entry)
    if (this.#open.plan !== undefined) this.#store(this.#open, entry)
  }

  /** The open batch is whole: commits it once everything before it is durable. */
  end(summary: BatchSummary, counts: ReadonlyMap<string, RowCounts>, reason: CutReason | 'replay'): void {
    const batch = this.#take()
    const valueBytes = batch.files.reduce((sum, entry) => sum + entry.valueBytes, 0)
    const closed = {
      batch: batch.number,
      summary,
      counts,
      reason,
      files: batch.files.length,
      valueBytes,
      closedMs: performance.now(),
    }
    this.#options.onClosed(closed)
    this.#end = summary.endLsn
    const stored = async () => ({ files: await Promise.all(batch.files.map((entry) => entry.stored!)) })
    this.#commit(batch, summary, stored, closed)
    this.finishStanding()
    this.#planCopies()
  }

  /** Records a position at which nothing is open (G3). Only while idle. */
  recordIdle(fromLsn: Lsn, position: Lsn, cut: CutParameters): void {
    const batch = this.#take()
    this.#writePlan(batch, { kind: 'idle', fromLsn, toLsn: position, cut })
    this.#end = position
    this.#commit(batch, standingStill(position), () => Promise.resolve({ files: [] }))
  }

  /** Commits the open plans up to the next one of changes: those of idle positions and of copies need no stream. */
  finishStanding(): void {
    for (let plan = this.#openPlans[0]; plan !== undefined && plan.kind !== 'changes'; plan = this.#openPlans[0]) {
      if (plan.kind === 'idle') this.recordIdle(plan.fromLsn, plan.toLsn, plan.cut)
      else this.#commitCopy(this.#take(), plan.cut, plan.copy!)
    }
  }

  /**
   * Makes staged files visible, together with others that wait, by a batch of their own. It takes no place in the stream, so
   * it goes in as soon as no planned batch is open. Resolves when it is durable, with what counts as copied of all that was in
   * the batch; never, where the session fails first.
   */
  copy(copy: PlannedCopy, cut: CutParameters): Promise<CopyProgress> {
    return this.#copies.add(copy, cut)
  }

  /** Resolves when every batch that has ended is durable and readers can see so; rejects with the first failure. */
  async settle(): Promise<void> {
    this.#settling = true
    this.#planCopies()
    for (let seen; seen !== this.#commits;) await (seen = this.#commits)
    this.#settling = false
    await this.#trail.settle()
    if (this.#failure !== undefined) throw this.#failure
  }

  /** What waits to be copied goes in before the open batch. */
  #planCopies(): void {
    if (this.#openPlans.length > 0 || this.#open.plan !== undefined) return
    const next = this.#copies.take(this.#settling)
    if (next !== undefined) this.#commitCopy(newBatch(this.#open.number++), next.cut, next.copy, next.done)
  }

  #commitCopy(batch: OpenBatch, cut: CutParameters, copy: PlannedCopy, done?: (commit: Commit) => void): void {
    this.#writePlan(batch, { kind: 'copy', fromLsn: this.#end, toLsn: this.#end, cut, copy })
    const finished = batch.planned!.then(() => finishCopy(this.#options.store, this.#upload, copy))
    finished.catch((error: unknown) => this.#fail(error))
    this.#commit(batch, standingStill(this.#end), () => finished, undefined, done)
  }

  #take(): OpenBatch {
    const batch = this.#open
    this.#open = newBatch(batch.number + 1)
    return batch
  }

  #writePlan(batch: OpenBatch, fields: Pick<Plan, 'kind' | 'fromLsn' | 'toLsn' | 'cut' | 'copy'>): void {
    const { writer, writerVersion } = this.#options
    const standing = this.#openPlans.shift()
    batch.replayed = standing !== undefined
    batch.plan = standing ?? { batch: batch.number, ...fields, writer, writerVersion }
    this.#unfinished++
    this.#options.gate.leaving(1)
    const { plan } = batch
    this.#plans = this.#plans.then(async () => {
      this.#stopIfFailed()
      if (standing !== undefined) {
        checkReplay(plan, fields)
        return
      }
      checkMayPlan(this.#options.connected())
      checkPlanWon(plan, await this.#options.log.writePlan(plan))
      this.#options.onPlanWon()
    })
    batch.planned = this.#plans
    this.#plans.catch((error: unknown) => this.#fail(error))
  }

  #store(batch: OpenBatch, entry: FileEntry): void {
    entry.stored = this.#storeFile(batch, entry.closed!)
    entry.stored.catch((error: unknown) => this.#fail(error))
    entry.closed = undefined
  }

  async #storeFile(batch: OpenBatch, { file, part, schema }: FileToStore): Promise<DataFile> {
    const plan = batch.plan!
    const { relation, dateColumn } = file.layout
    const key = dataKey({
      schema: relation.schema,
      table: relation.name,
      dateColumn,
      date: file.date,
      slot: this.#options.slot,
      batch: batch.number,
      fromLsn: plan.fromLsn,
      toLsn: plan.toLsn,
      part,
    })
    // A file is encoded to its end when its turn has come: thousands may wait.
    const stored = await this.#upload(async () => {
      this.#stopIfFailed()
      const [content] = await Promise.all([file.content(), batch.planned, schema.recorded])
      const { rows } = content
      const { bytes, sha256 } =
        (batch.replayed ? await this.#standing(key, rows) : undefined) ?? (await this.#create(key, content))
      content.release()
      return { rows, bytes, sha256 }
    })
    return { key, schema: relation.schema, table: relation.name, schemaVersion: schema.version, ...stored }
  }

  /**
   * A data file is written once (G4, G5): another run of the same plan made the same rows, though perhaps not the same
   * bytes, and its file may be read at this moment, or be in a commit.
   */
  async #create(key: string, content: FileContent): Promise<ObjectDigest> {
    const { parts, sha256, rows } = content
    const answer = await this.#options.store.put(key, parts, { ifAbsent: true, sha256, role: 'data' })
    const standing = answer === 'created' ? content : await this.#standing(key, rows)
    if (standing === undefined) throw new Failure('store_away', `the store has ${key} and does not give it`)
    return standing
  }

  /** The file that is there under this key. It must hold as many rows (G9). */
  async #standing(key: string, rows: number): Promise<ObjectDigest | undefined> {
    const { store } = this.#options
    const tail = await store.get(key, { lastBytes: TAIL_BYTES })
    const standing = tail === undefined ? undefined : rowCountOfTail(tail)
    if (standing !== undefined && standing !== rows)
      throw new Failure('unsafe', `replaying a planned batch made ${rows} rows for ${key}, which holds ${standing}`, {
        hint: 'Nothing was overwritten. The server has another history than the one this lake was written from, or this version cuts differently from the one that planned the batch.',
      })
    return tail === undefined ? undefined : store.digest(key)
  }

  #commit(
    batch: OpenBatch,
    summary: BatchSummary,
    stored: () => Promise<Pick<Commit, 'files' | 'copied'> & Partial<Pick<Commit, 'rows'>>>,
    closed?: ClosedBatch,
    done?: (commit: Commit) => void,
  ): void {
    this.#commits = this.#commits.then(async () => {
      if (this.#failure !== undefined) return
      try {
        await batch.planned
        const { writer, timeline } = this.#options
        const { copy: _, ...plan } = batch.plan!
        const commit: Commit = { ...plan, ...summary, writer, timeline, ...(await stored()) }
        await this.#options.log.writeCommit(commit)
        this.#unfinished--
        this.#options.gate.leaving(-1)
        this.#options.onDurable(commit, closed)
        this.#trail.note(commit)
        done?.(commit)
      } catch (error) {
        this.#fail(error)
      }
    })
  }

  #stopIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure
  }

  #fail(error: unknown): void {
    if (this.#failure !== undefined) return
    this.#failure = asFailure(error)
    this.#options.onFailure(this.#failure)
  }
}

function newBatch(number: number): OpenBatch {
  return { number, plan: undefined, replayed: false, planned: undefined, files: [] }
}
