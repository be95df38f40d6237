// `start`: the service until a signal stops it. The first signal stops in order, the second at once.
import { serveHealth, type Health, type HealthServer, type Page } from '../../internal/observability/health.js'
import { Metrics } from '../../internal/observability/metrics.js'
import { secretMask } from '../../internal/observability/redact.js'
import { RunHistory } from '../../internal/observability/run-history.js'
import { statusPage } from '../../internal/observability/status-page.js'
import { statusReport, type RunFacts } from '../../internal/observability/status-report.js'
import { Service } from '../../internal/pipeline/service.js'
import type { Invocation } from './main.js'
import { openStore, sessionSettings } from './pieces.js'

/** Exit code of a stop that was not waited for. */
const GAVE_UP = 5

export async function start({ config, logger, version }: Invocation): Promise<void> {
  const settings = sessionSettings(config, version)
  const stop = new AbortController()
  const onSignal = (signal: NodeJS.Signals): void => {
    if (stop.signal.aborted) {
      logger.warn({ signal }, 'second signal: stopping at once; what was not committed is sent again at the next start')
      process.exit(GAVE_UP)
    }
    logger.info({ signal }, 'signal received')
    stop.abort()
  }
  process.on('SIGTERM', onSignal).on('SIGINT', onSignal)
  const store = await openStore(config)
  logger.info(
    { version, source: settings.target.describe(), lake: store.location, slot: config.slot },
    'wal-cake starts',
  )
  const mask = secretMask(config.secrets)
  const metrics = new Metrics(config.slot, new RunHistory(mask))
  metrics.set('memory_limit_bytes', settings.memoryLimitBytes)
  const service = new Service(settings, store, logger, metrics, stop.signal)
  const run = {
    ...{ version, slot: config.slot, source: settings.target.describe(), lake: store.location },
    ...{ startedMs: Date.now(), memoryLimitBytes: settings.memoryLimitBytes },
  }
  const health = config.http && (await serve(config.http, { run, service, metrics, mask }))
  try {
    await service.run()
    logger.info('stopped')
  } finally {
    process.off('SIGTERM', onSignal).off('SIGINT', onSignal)
    await health?.close()
    store.close()
  }
}

interface Served {
  readonly run: RunFacts
  readonly service: Service
  readonly metrics: Metrics
  /** Takes secrets out of what is told. */
  readonly mask: (text: string) => string
}

/** Answers for the service at `address`. Throws Failure `config` when it cannot be listened on. */
export async function serve(address: { host: string; port: number }, served: Served): Promise<HealthServer> {
  const { run, service, metrics } = served
  const told = () => ({ ...healthOf(served), durable: service.durable })
  const pages = new Map<string, Page>([
    ['/', await statusPage()],
    ['/metrics', metrics],
    [
      '/status.json',
      {
        contentType: 'application/json; charset=utf-8',
        render: () => JSON.stringify(statusReport(run, told(), metrics, Date.now())),
      },
    ],
  ])
  return serveHealth(
    address,
    () => {
      const { state, ...health } = healthOf(served)
      return health.live && health.ready ? health : { ...health, reason: `${state}: ${health.reason}` }
    },
    pages,
  )
}

function healthOf({ service, mask }: Served): Health & { readonly state: string } {
  const { state, reason } = service.status
  const { stuck } = service
  if (stuck !== undefined)
    return {
      ...{ state: 'stuck', live: false, ready: state === 'streaming' },
      reason: mask(`${stuck.what} has not moved for ${stuck.seconds} s`),
    }
  return { state, live: true, ready: state === 'streaming', reason: mask(reason) }
}
