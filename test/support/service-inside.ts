// The service inside the test's own process, over a store in memory and with a clock that the test can put forward, for what
// takes hours outside. Its HTTP answers are those of the program.
import type { TestContext } from 'node:test'
import { serve } from '../../cmd/wal-cake/start.js'
import { sessionSettings } from '../../cmd/wal-cake/pieces.js'
import { parseConfig } from '../../internal/config/parse-config.js'
import { createLogger } from '../../internal/observability/logger.js'
import { Metrics } from '../../internal/observability/metrics.js'
import { ProgressWatch } from '../../internal/pipeline/progress-watch.js'
import { Service } from '../../internal/pipeline/service.js'
import { eventually } from './eventually.js'
import { MemoryStore } from './memory-store.js'
import type { Env } from './rig.js'

export interface ServiceInside {
  readonly store: MemoryStore
  readonly service: Service
  readonly metrics: Metrics
  /** Puts the clock of the watch forward. */
  pass(minutes: number): void
  ask(path: string): Promise<{ readonly status: number; readonly text: string }>
  streams(): Promise<void>
}

export async function serviceInside(t: TestContext, env: Env): Promise<ServiceInside> {
  const config = parseConfig({ ...env, LAKE_DIR: '/not/used', S3_BUCKET_NAME: '' })
  const settings = sessionSettings(config, '0.0.0')
  const logger = createLogger({ level: 'fatal', format: 'json', stream: { write: () => undefined } })
  const store = new MemoryStore()
  const metrics = new Metrics(config.slot)
  const stop = new AbortController()
  let aheadMs = 0
  const watch = new ProgressWatch(() => performance.now() + aheadMs)
  const service = new Service(settings, store, logger, metrics, stop.signal, watch)
  const run = { version: '0.0.0', slot: config.slot, source: 'here', lake: store.location, startedMs: Date.now() }
  const server = await serve(
    { host: '127.0.0.1', port: 0 },
    { run: { ...run, memoryLimitBytes: 1 }, service, metrics, mask: (text) => text },
  )
  const ended = service.run()
  ended.catch(() => undefined) // told by whoever asks
  t.after(async () => {
    stop.abort()
    await ended.catch(() => undefined)
    await server.close()
  })
  return {
    ...{ store, service, metrics },
    pass: (minutes) => (aheadMs += minutes * 60_000),
    ask: async (path) => {
      const answer = await fetch(`http://127.0.0.1:${server.port}${path}`)
      return { status: answer.status, text: (await answer.text()).trim() }
    },
    streams: async () => {
      await Promise.race([eventually(() => service.status.state === 'streaming'), ended])
    },
  }
}
