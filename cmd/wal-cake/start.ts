// `start`: the service until a signal stops it. The first signal stops in order, the second at once.
import { serveHealth } from '../../internal/observability/health.js'
import { Metrics } from '../../internal/observability/metrics.js'
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
  const metrics = new Metrics(config.slot)
  const service = new Service(settings, store, logger, metrics, stop.signal)
  const health = config.http && (await serveHealth(config.http, () => healthOf(service), metrics))
  try {
    await service.run()
    logger.info('stopped')
  } finally {
    process.off('SIGTERM', onSignal).off('SIGINT', onSignal)
    await health?.close()
    store.close()
  }
}

function healthOf(service: Service): { live: boolean; ready: boolean; reason: string } {
  const { state, reason } = service.status
  return { live: true, ready: state === 'streaming', reason: state === 'streaming' ? state : `${state}: ${reason}` }
}
