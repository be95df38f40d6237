// Where a stream and the copies beside it meet: what the copies are given to work with, what they wait for, and which staged files
// are theirs.
import { randomBytes } from 'node:crypto'
import pLimit from 'p-limit'
import type pg from 'pg'
import { asFailure, type Failure } from '../../model/failure.js'
import type { Lsn } from '../../model/lsn.js'
import type { Logger } from '../../observability/logger.js'
import type { Metrics } from '../../observability/metrics.js'
import { takeSnapshot, type CopySnapshot } from '../../replication/copy-snapshot.js'
import type { ServerFacts } from '../../replication/server.js'
import { takeStandbySnapshot } from '../../replication/standby-snapshot.js'
import type { TypeCatalog } from '../../replication/type-catalog.js'
import { parseCopyKey, type CopyFileName } from '../../storage/keys.js'
import type { ObjectStore } from '../../storage/object-store.js'
import type { SchemaRegistry } from '../../storage/schema-registry.js'
import type { FileTarget } from '../../transform/table-writer.js'
import { textColumnsOf } from '../../transform/values/value-codec.js'
import type { Compress } from '../../transform/zstd.js'
import { abandon } from '../abandon.js'
import type { BatchCommitter } from '../batch-committer.js'
import type { MemoryGate } from '../memory-gate.js'
import type { ProgressLedger } from '../progress-ledger.js'
import type { ProgressWatch } from '../progress-watch.js'
import type { SessionSettings } from '../session.js'
import type { StartPoint } from '../start-point.js'
import { Copier } from './copier.js'
import { PositionWait } from './position-wait.js'
import { RateLimit } from './rate-limit.js'

/**
 * Pages of copies that are compressed at the same time. The thread pool takes its work in order: what the stream has compressed and
 * stored must not stand behind all that copies have ready.
 */
const COMPRESSED_AT_ONCE = 2

export interface CopiesBesideOptions {
  readonly settings: SessionSettings
  readonly facts: ServerFacts
  readonly start: StartPoint
  readonly control: pg.Client
  readonly gate: MemoryGate
  readonly ledger: ProgressLedger
  readonly files: FileTarget
  readonly logger: Logger
  readonly metrics: Metrics
  readonly watch: ProgressWatch
  /** Asks the server where the stream is. */
  readonly ask: () => void
  readonly fail: (failure: Failure) => void
}

/** So often, while a copy waits for the stream. */
const ASK_MS = 500

export class CopiesBeside {
  /** What a copy waits for. */
  readonly wait = new PositionWait()
  readonly #options: CopiesBesideOptions
  /** Of the names of copied files. */
  readonly #run = randomBytes(6).toString('hex')
  #copier: Copier | undefined
  #copying: Promise<void> | undefined
  #asking: NodeJS.Timeout | undefined
  #looked = false

  constructor(options: CopiesBesideOptions) {
    this.#options = options
  }

  /** Copies the existing rows of the tables that the lake does not have whole, or that are asked for, until it is stopped. */
  begin(committer: BatchCommitter, registry: SchemaRegistry, catalog: TypeCatalog, store: ObjectStore): void {
    const { settings, facts, start, control, gate, files, logger, metrics, watch, fail } = this.#options
    const { copyBytesPerSecond: rate } = settings
    const { totals } = start
    this.#copier = new Copier({
      ...{ control, metrics, byItself: start.copies },
      takes: (schema, table) => settings.tables.matches(schema, table),
      takeSnapshot: (stopped) => this.#takeSnapshot(stopped),
      passed: (position) => this.#passed(position),
      context: {
        ...{ target: settings.target, serverVersion: facts.version, publication: settings.publication },
        ...{ slot: settings.slot, workers: settings.copyWorkers, memoryLimitBytes: settings.memoryLimitBytes },
        targetFileBytes: settings.cut.targetFileBytes,
        ...(rate === undefined ? {} : { rateLimit: new RateLimit(rate) }),
        textColumns: textColumnsOf(facts.encoding),
        hiding: settings,
        ...{ catalog, registry, store, gate, run: this.#run, copies: totals.copies },
        files: { ...files, context: { ...files.context, compress: fewAtOnce(files.context.compress) } },
        gapEnd: () => totals.gaps.at(-1)?.missingTo,
        commit: (copy) => committer.copy(copy, settings.cut),
        ...{ logger, watch },
      },
    })
    this.#copying = this.#copier.run().catch((error: unknown) => fail(asFailure(error)))
  }

  /** Resolves when nothing is held any more. */
  async stop(): Promise<void> {
    clearInterval(this.#asking)
    this.#copier?.stop()
    await this.#copying
  }

  async #passed(position: Lsn): Promise<void> {
    const { ask, ledger } = this.#options
    const passed = this.wait.until(position, ledger.durable)
    ask()
    this.#asking = setInterval(ask, ASK_MS)
    await passed
    clearInterval(this.#asking)
  }

  #takeSnapshot(stopped: AbortSignal): Promise<CopySnapshot> {
    const { settings, facts, start, control } = this.#options
    const { version, database } = facts
    if (settings.standby === undefined) return takeSnapshot({ target: settings.target, version }, settings.slot)
    const { systemIdentifier, timeline } = start.place
    return takeStandbySnapshot(
      { target: settings.standby, version },
      { control, systemIdentifier, timeline, database },
      stopped,
    )
  }

  /** What earlier runs have staged and no plan names is given up: once a plan of ours stands, no older one can come (G5). */
  planWon(store: ObjectStore): void {
    if (this.#looked) return
    this.#looked = true
    const { start, settings, logger } = this.#options
    const named = new Set(start.openPlans.flatMap(({ copy }) => copy?.files.map(({ key }) => key) ?? []))
    const isLeft = (key: string): boolean => {
      const name = parseCopyKey(key)
      return (
        name?.slot === settings.slot &&
        isLeftOver(name, { run: this.#run, durable: start.durableLsn }) &&
        !named.has(key)
      )
    }
    // Only storage is at stake.
    abandon(store, isLeft, 'staged files of an earlier copy', logger).catch((error: unknown) =>
      logger.warn({ err: error }, 'staged files of an earlier copy cannot be looked for'),
    )
  }
}

function fewAtOnce(compress: Compress): Compress {
  const limit = pLimit(COMPRESSED_AT_ONCE)
  return (page, fastest) => limit(compress, page, fastest)
}

/**
 * Whether a staged file is of an earlier run than the one that started where the log ended at `durable`: all its rows lie before
 * that, since a copy waits for the stream. A later run took its snapshot afterwards: should we have slept meanwhile, its files may
 * be planned.
 */
export function isLeftOver(file: Pick<CopyFileName, 'run' | 'lsn'>, ours: { run: string; durable: Lsn }): boolean {
  return file.run !== ours.run && file.lsn < ours.durable
}
