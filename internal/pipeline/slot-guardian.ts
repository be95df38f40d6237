// Watches what the slot costs the server while the stream runs: the WAL that is kept for us, and how much more may come before
// the slot is lost. Says so in the log now and then, and at once when it becomes worse; keeps the numbers for /metrics.
import type { Logger } from '../observability/logger.js'
import type { Metrics, SlotReport } from '../observability/metrics.js'
import { sqlState } from '../replication/connection.js'
import type { SlotHealth } from '../replication/slot.js'

const LOOK_EVERY_MS = 5_000
/** While nothing changes for the worse a line is logged this often. */
const SAY_EVERY_MS = 300_000
/** Less room than this part of what is kept already: somebody should look. */
const SHORT_PART = 0.25

export type SlotVerdict = 'fine' | 'short' | 'critical'

/** `short`: the slot will be lost soon if this goes on. `critical`: the next checkpoint may take it. */
export function judgeSlot({ walStatus, safeBytes, retainedBytes }: SlotHealth): SlotVerdict {
  if (walStatus === 'unreserved' || walStatus === 'lost' || (safeBytes !== undefined && safeBytes <= 0))
    return 'critical'
  if (safeBytes !== undefined && safeBytes < SHORT_PART * (safeBytes + retainedBytes)) return 'short'
  return 'fine'
}

export interface GuardianOptions {
  /** Undefined where the slot is gone. */
  readonly look: () => Promise<SlotHealth | undefined>
  /** The connection gave no answer. */
  readonly onBroken: (error: unknown) => void
  /** What only the stream knows. */
  readonly stream: () => Omit<SlotReport, keyof SlotHealth>
  readonly metrics: Metrics
  readonly logger: Logger
}

export class SlotGuardian {
  readonly #options: GuardianOptions
  #timer: NodeJS.Timeout | undefined
  #stopped = false
  #refused = false
  #said: { verdict: SlotVerdict; atMs: number } | undefined

  constructor(options: GuardianOptions) {
    this.#options = options
    void this.#watch()
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
    this.#options.metrics.slot(undefined)
  }

  async #watch(): Promise<void> {
    const health = await this.#options.look().catch((error: unknown) => this.#unknown(error))
    if (this.#stopped) return
    if (health !== undefined) this.#report(health)
    this.#timer = setTimeout(() => void this.#watch(), LOOK_EVERY_MS)
  }

  /** What the server refuses to tell is said once and missed; a connection without an answer is broken. */
  #unknown(error: unknown): undefined {
    if (this.#stopped) return
    if (sqlState(error) === undefined) this.#options.onBroken(error)
    else if (!this.#refused) this.#options.logger.warn({ err: error }, 'slot: the server does not tell how it stands')
    this.#refused = true
  }

  #report(health: SlotHealth): void {
    const { metrics, logger, stream } = this.#options
    const report = { ...health, ...stream() }
    metrics.slot(report)
    const verdict = judgeSlot(health)
    const now = performance.now()
    if (this.#said?.verdict === verdict && now - this.#said.atMs < SAY_EVERY_MS) return
    const news = this.#said !== undefined || verdict !== 'fine'
    this.#said = { verdict, atMs: now }
    const fields = {
      wal_status: health.walStatus,
      retained_wal_bytes: health.retainedBytes,
      behind_bytes: health.behindBytes,
      ...(health.safeBytes === undefined ? {} : { safe_wal_bytes: health.safeBytes }),
      checkpoint_age_seconds: Math.round(health.checkpointAgeSeconds),
      lag_seconds: report.lagSeconds,
      held_bytes: report.heldBytes,
    }
    if (verdict === 'fine') logger.info(fields, 'slot')
    else if (news) {
      logger[levels[verdict]](fields, messages[verdict])
      metrics.history.note(levels[verdict], messages[verdict])
    }
  }
}

const levels = { short: 'warn', critical: 'error' } as const
const messages = {
  short: 'slot: the WAL kept for it nears max_slot_wal_keep_size; what holds the lake up, or raise that setting',
  critical: 'slot: it is about to be lost; raise max_slot_wal_keep_size now, or mend what holds the lake up',
}
