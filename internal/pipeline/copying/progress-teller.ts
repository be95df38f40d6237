// Tells how far a copy is, as long as it runs: an object in the store for commands that look from elsewhere, the numbers for a metrics
// collector, and a line in the log.
import type { Logger } from '../../observability/logger.js'
import type { Metrics } from '../../observability/metrics.js'
import { copyNumbers, writeCopyReport, type CopyReport } from '../../storage/copy-report.js'
import type { ObjectStore } from '../../storage/object-store.js'

const EVERY_MS = 2_000
/** Of the reports, into the log. */
const LOG_EVERY = 5

export interface ProgressTellerOptions {
  readonly slot: string
  readonly store: ObjectStore
  readonly metrics: Metrics
  readonly logger: Logger
  readonly report: () => CopyReport
}

export class ProgressTeller {
  readonly #options: ProgressTellerOptions
  readonly #timer: NodeJS.Timeout
  #writing: Promise<void> = Promise.resolve()
  #isWriting = false
  #told = 0

  constructor(options: ProgressTellerOptions) {
    this.#options = options
    this.#tell()
    this.#timer = setInterval(() => this.#tell(), EVERY_MS)
  }

  /** The last report is written when this resolves, or never. */
  async end(): Promise<void> {
    clearInterval(this.#timer)
    const { report, metrics } = this.#options
    const last = report()
    metrics.copy(last)
    await this.#writing
    await this.#write(last)
  }

  #tell(): void {
    const { report, metrics, logger } = this.#options
    const now = report()
    metrics.copy(now)
    if (this.#told++ % LOG_EVERY === LOG_EVERY - 1) logger.info(fieldsOf(now), 'copying existing rows: under way')
    // A slow store gets fewer.
    if (!this.#isWriting) this.#writing = this.#write(now)
  }

  async #write(report: CopyReport): Promise<void> {
    const { store, slot, logger } = this.#options
    this.#isWriting = true
    try {
      await writeCopyReport(store, slot, report)
    } catch (error) {
      // Only a look from elsewhere is at stake.
      logger.debug({ err: error }, 'the progress of the copy cannot be written')
    } finally {
      this.#isWriting = false
    }
  }
}

function fieldsOf(report: CopyReport): object {
  return {
    ...copyNumbers(report),
    ...(report.secondsLeft === undefined ? {} : { seconds_left: report.secondsLeft }),
  }
}
