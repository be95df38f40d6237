// What earlier runs have left half uploaded or staged is thrown away.
import { asFailure } from '../model/failure.js'
import type { Logger } from '../observability/logger.js'
import { DATA_PREFIX } from '../storage/keys.js'
import type { ObjectStore } from '../storage/object-store.js'

/** `what`: for the log. A role that may not look for it costs storage, not correctness. Throws what else goes wrong. */
export async function abandon(
  store: ObjectStore,
  isLeft: (key: string) => boolean,
  what: string,
  logger: Logger,
): Promise<void> {
  try {
    const uploads = await store.abandonUnfinished(DATA_PREFIX, isLeft)
    if (uploads > 0) logger.info({ uploads }, `${what} aborted`)
  } catch (error) {
    if (asFailure(error).kind !== 'config') throw error
    logger.warn({ err: error }, `${what} cannot be looked for`)
  }
}
