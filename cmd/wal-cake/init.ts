// `init`: everything that the first start would create, and nothing more: publication, slot, the lake's identity.
import { prepare } from '../../internal/pipeline/session.js'
import type { Invocation } from './main.js'
import { openStore, sessionSettings } from './pieces.js'

export async function init({ config, logger, version }: Invocation): Promise<void> {
  const store = await openStore(config)
  try {
    await prepare(sessionSettings(config, version), store, logger)
    logger.info(
      { slot: config.slot, publication: config.publication, lake: store.location },
      'ready: nothing is missing for the start',
    )
  } finally {
    store.close()
  }
}
