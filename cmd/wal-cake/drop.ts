// `drop`: gives the slot back to the server, so that it stops keeping WAL for us. The lake stays as it is.
import { connect } from '../../internal/replication/connection.js'
import { dropPublication } from '../../internal/replication/publication.js'
import { dropSlot } from '../../internal/replication/slot.js'
import type { Invocation } from './main.js'
import { connectionTarget } from './pieces.js'

export async function drop({ config, logger, flags }: Invocation): Promise<void> {
  const client = await connect(connectionTarget(config.connection, 'PG_CONN_STRING'), 'control')
  try {
    const dropped = await dropSlot(client, config.slot)
    logger.info(
      { slot: config.slot },
      dropped ? 'slot dropped: changes from now on are not kept for this lake' : 'there is no such slot',
    )
    if (flags.publication === true) {
      await dropPublication(client, config.publication)
      logger.info({ publication: config.publication }, 'publication dropped')
    }
  } finally {
    await client.end()
  }
}
