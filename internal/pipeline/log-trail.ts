// What readers and the next start go by, written behind the commits: head and checkpoints. One write at a time; of those that
// wait only the newest matters.
import type { Commit } from '../model/batch-record.js'
import { CHECKPOINT_EVERY, type CommitLog } from '../storage/commit-log.js'
import type { LogTotals } from '../storage/log-totals.js'

export interface LogTrailOptions {
  readonly log: CommitLog
  /** The log so far. Each commit is folded in. */
  readonly totals: LogTotals
  /** Batch of the newest checkpoint, -1 for none. */
  readonly checkpoint: number
  readonly onFailure: (error: unknown) => void
}

export class LogTrail {
  readonly #options: LogTrailOptions
  #checkpoint: number
  #writing: Promise<void> | undefined
  #headDue: Commit | undefined
  #checkpointDue: { batch: number; content: Buffer } | undefined

  constructor(options: LogTrailOptions) {
    this.#options = options
    this.#checkpoint = options.checkpoint
  }

  /** The commit is durable. */
  note(commit: Commit): void {
    const { totals, onFailure } = this.#options
    totals.add(commit)
    this.#headDue = commit
    if (totals.batch - this.#checkpoint >= CHECKPOINT_EVERY) {
      this.#checkpoint = totals.batch
      this.#checkpointDue = { batch: totals.batch, content: totals.encode() }
    }
    this.#writing ??= this.#write().catch(onFailure)
  }

  /** Resolves when nothing is left to write. */
  async settle(): Promise<void> {
    await this.#writing
  }

  async #write(): Promise<void> {
    const { log } = this.#options
    while (this.#headDue !== undefined || this.#checkpointDue !== undefined) {
      const [head, checkpoint] = [this.#headDue, this.#checkpointDue]
      this.#headDue = this.#checkpointDue = undefined
      if (head !== undefined) await log.writeHead(head)
      if (checkpoint !== undefined) await log.writeCheckpoint(checkpoint.batch, checkpoint.content)
    }
    this.#writing = undefined
  }
}
