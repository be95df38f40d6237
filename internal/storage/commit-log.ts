// The log of plans and commits in the bucket: the only record of what is durable. Every record is created once, by whoever
// is first, and never rewritten or deleted: a plan that could be won twice would let a sleeping writer double rows (G4, G5).
import type { Commit, Plan } from '../model/batch-record.js'
import { Failure } from '../model/failure.js'
import {
  checkpointKey,
  checkpointPrefix,
  checkpointStart,
  commitKey,
  headKey,
  identityKey,
  logPrefix,
  logStart,
  parseCheckpointKey,
  parseLogKey,
  planKey,
} from './keys.js'
import {
  decodeCommit,
  decodeIdentity,
  decodePlan,
  encodeCommit,
  encodeIdentity,
  encodePlan,
  type LakeIdentity,
} from './log-records.js'
import {
  checkChain,
  checkStandingCommit,
  gapInLog,
  outcomeOfPlan,
  sameGap,
  type LogGap,
  type LogRecord,
} from './log-rules.js'
import { LogTotals } from './log-totals.js'
import type { ObjectStore } from './object-store.js'

export interface LogEnd {
  /** The newest commit, undefined in an empty lake. */
  readonly lastCommit: Commit | undefined
  /** Plans after it, in order: batches that have to be replayed as planned. */
  readonly openPlans: readonly Plan[]
}

export interface LogState extends LogEnd {
  /** All commits folded. */
  readonly totals: LogTotals
  /** Batch of the newest checkpoint, -1 where there is none. */
  readonly checkpoint: number
}

/** A checkpoint is due after this many commits; a start reads at most about as many, and so many more when one was lost. */
export const CHECKPOINT_EVERY = 256
/** Commits that a start reads at a time. */
const READ_AT_ONCE = 32

export class CommitLog {
  readonly #store: ObjectStore
  readonly #slot: string

  constructor(store: ObjectStore, slot: string) {
    this.#store = store
    this.#slot = slot
  }

  /** Whose lake this is, undefined where it is nobody's yet. */
  async readIdentity(): Promise<LakeIdentity | undefined> {
    const key = identityKey(this.#slot)
    const bytes = await this.#store.get(key)
    return bytes === undefined ? undefined : decodeIdentity(key, bytes)
  }

  /**
   * Makes this lake ours, or finds that it already is somebody's. Then tries the one thing that everything rests on: a
   * second conditional write must lose. Throws Failure `unsafe` where it wins.
   */
  async claim(identity: LakeIdentity): Promise<void> {
    const content = encodeIdentity(identity)
    const create = (): Promise<'created' | 'exists'> =>
      this.#store.put(identityKey(this.#slot), [content], { ifAbsent: true, role: 'log' })
    await create()
    if ((await create()) === 'created')
      throw new Failure(
        'unsafe',
        `the store at ${this.#store.location} ignores conditional writes, so two writers could not be told apart`,
        {
          hint: 'Use a store that honours If-None-Match, or set SOLE_WRITER=true if no second process can ever write this lake.',
        },
      )
  }

  /**
   * The end of the log, and all of it folded. Reads the commits after the newest checkpoint, and to find them a number of
   * objects that grows with the logarithm of the log's length.
   */
  async recover(): Promise<LogState> {
    for (let gap: LogGap | undefined; ;) {
      const next = (await this.#lastCommittedBatch()) + 1
      const checkpoint = await this.#newestCheckpoint(next)
      const listed = await this.#listFrom(next)
      const newGap = gapInLog(next, checkpoint, listed)
      if (newGap === undefined) {
        const { lastCommit, totals } = await this.#fold(checkpoint, next)
        const openPlans = await Promise.all(listed.map((record) => this.readPlan(record.batch)))
        checkChain(lastCommit, openPlans)
        return { lastCommit, openPlans, totals, checkpoint }
      }
      if (sameGap(gap, newGap)) throw holeInLog(this.#keyOf(newGap.found))
      gap = newGap
    }
  }

  /** `won`: the plan stands and is ours, be it by a try whose answer was lost. `taken`: another writer's stands there. */
  async writePlan(plan: Plan): Promise<'won' | 'taken'> {
    const result = await this.#store.put(planKey(this.#slot, plan.batch), [encodePlan(plan)], {
      ifAbsent: true,
      role: 'log',
    })
    if (result === 'created') return 'won'
    return outcomeOfPlan(plan, await this.readPlan(plan.batch))
  }

  /** Makes the batch durable. Throws Failure `fenced` where a commit with other contents stands. */
  async writeCommit(commit: Commit): Promise<void> {
    const key = commitKey(this.#slot, commit.batch)
    if ((await this.#store.put(key, [encodeCommit(commit)], { ifAbsent: true, role: 'log' })) === 'created') return
    checkStandingCommit(commit, await this.readCommit(commit.batch), key)
  }

  /** The small object that readers may look at for the newest commit; never used to recover. */
  async writeHead(commit: Commit): Promise<void> {
    await this.#store.put(headKey(this.#slot), [encodeCommit(commit)], { role: 'log' })
  }

  /** `content`: all commits up to `batch`, folded. */
  async writeCheckpoint(batch: number, content: Buffer): Promise<void> {
    await this.#store.put(checkpointKey(this.#slot, batch), [content], { role: 'log' })
  }

  /** Throws Failure `unsafe` where the record is missing or damaged. */
  async readCommit(batch: number): Promise<Commit> {
    const key = commitKey(this.#slot, batch)
    return decodeCommit(key, await this.#mustRead(key))
  }

  /** Undefined where the batch is not committed yet. */
  async findCommit(batch: number): Promise<Commit | undefined> {
    const key = commitKey(this.#slot, batch)
    const bytes = await this.#store.get(key)
    return bytes === undefined ? undefined : decodeCommit(key, bytes)
  }

  /** Throws Failure `unsafe` where the record is missing or damaged. */
  async readPlan(batch: number): Promise<Plan> {
    const key = planKey(this.#slot, batch)
    return decodePlan(key, await this.#mustRead(key))
  }

  /** Records of batch `next` and later, in byte order of keys. */
  async #listFrom(next: number): Promise<LogRecord[]> {
    const records: LogRecord[] = []
    for await (const { key } of this.#store.list(logPrefix(this.#slot), { startAfter: logStart(this.#slot, next) })) {
      const record = parseLogKey(this.#slot, key)
      if (record !== undefined) records.push(record)
    }
    return records
  }

  /** The checkpoint of `checkpoint` and the commits from there to `next`. */
  async #fold(checkpoint: number, next: number): Promise<{ lastCommit: Commit | undefined; totals: LogTotals }> {
    const totals = checkpoint < 0 ? new LogTotals() : await this.#readCheckpoint(checkpoint)
    let lastCommit = checkpoint < 0 ? undefined : await this.readCommit(checkpoint)
    for (let from = totals.batch + 1; from < next; from += READ_AT_ONCE) {
      const batches = Array.from({ length: Math.min(READ_AT_ONCE, next - from) }, (_, index) => from + index)
      for (const commit of await Promise.all(batches.map((batch) => this.readCommit(batch)))) {
        totals.add(commit)
        lastCommit = commit
      }
    }
    return { lastCommit, totals }
  }

  async #readCheckpoint(batch: number): Promise<LogTotals> {
    const key = checkpointKey(this.#slot, batch)
    return LogTotals.decode(key, await this.#mustRead(key))
  }

  /** Looked for a little before the log's end, and further back where there is none; -1 where there is none at all. */
  async #newestCheckpoint(next: number): Promise<number> {
    for (let span = 4 * CHECKPOINT_EVERY; ; span *= 16) {
      const from = Math.max(0, next - span)
      let newest = -1
      const startAfter = checkpointStart(this.#slot, from)
      for await (const { key } of this.#store.list(checkpointPrefix(this.#slot), { startAfter }))
        newest = parseCheckpointKey(this.#slot, key) ?? newest
      if (newest >= 0 || from === 0) return newest
    }
  }

  #keyOf({ batch, record }: LogRecord): string {
    const key = { plan: planKey, commit: commitKey, checkpoint: checkpointKey }[record]
    return key(this.#slot, batch)
  }

  async #mustRead(key: string): Promise<Buffer> {
    const bytes = await this.#store.get(key)
    if (bytes === undefined) throw new Failure('unsafe', `${key} was there and is gone: something deletes from the log`)
    return bytes
  }

  /** Commits are contiguous from batch 0, so the last one is found by doubling and halving; -1 where there is none. */
  async #lastCommittedBatch(): Promise<number> {
    const there = async (batch: number): Promise<boolean> =>
      (await this.#store.get(commitKey(this.#slot, batch), { lastBytes: 1 })) !== undefined
    if (!(await there(0))) return -1
    let low = 0
    let high = 1
    while (await there(high)) {
      low = high
      high *= 2
    }
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2)
      if (await there(middle)) low = middle
      else high = middle
    }
    return low
  }
}

/** `hint`: what the operator can do. */
export function noLake({ location }: ObjectStore, slot: string, hint = CHECK_PLACE): Failure {
  return new Failure('config', `there is no lake of the slot ${slot} at ${location}`, { hint })
}

const CHECK_PLACE = 'Check PG_SLOT, NAMESPACE and the bucket: the service has to have begun it.'

function holeInLog(key: string): Failure {
  return new Failure('unsafe', `the log has a hole: ${key} stands there, but not what comes before it`, {
    hint: 'The log is never deleted from. Restore the missing objects from a backup or their older versions.',
  })
}
