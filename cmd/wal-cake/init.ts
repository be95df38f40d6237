// `init`: everything that the first start would create, and nothing more: publication, slot, the lake's identity. `--print`: what
// others have to run so that it may, without a connection to anything.
import { wantedTables } from '../../internal/pipeline/history.js'
import { prepare } from '../../internal/pipeline/session.js'
import { Failure } from '../../internal/model/failure.js'
import { roleScript } from '../../internal/replication/role-script.js'
import { bucketPolicy } from '../../internal/storage/bucket-policy.js'
import type { Config } from '../../internal/config/parse-config.js'
import type { Invocation } from './main.js'
import { openStore, sessionSettings } from './pieces.js'

export async function init({ config, logger, version, args, flags }: Invocation): Promise<void> {
  if (flags.print === true) {
    process.stdout.write(printed(config, args[0]))
    return
  }
  if (args[0] !== undefined) throw usage(`init takes no ${JSON.stringify(args[0])}`)
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

function usage(message: string): Failure {
  return new Failure('config', message, { hint: 'init, init --print, init --print sql, or init --print policy.' })
}

/** `part`: one of the two by itself, for a program to read; undefined: both. */
function printed(config: Config, part: string | undefined): string {
  switch (part) {
    case undefined:
      return `${sqlOf(config)}\n${titleOf(config)}\n${policyOf(config)}`
    case 'sql':
      return sqlOf(config)
    case 'policy':
      return policyOf(config)
    default:
      throw usage(`there is no ${JSON.stringify(part)} to print`)
  }
}

function sqlOf({ connection, snapshotConnection, publication, tables, snapshot }: Config): string {
  const { user, database } = connection
  const reader = snapshotConnection?.user
  return roleScript({
    database,
    user,
    publication,
    wanted: wantedTables({ tables }),
    ...(snapshot === 'never' ? {} : { readers: [...new Set([user, reader ?? user])], taken: tables.likePatterns }),
  })
}

function titleOf({ store }: Config): string {
  return store.kind === 'folder'
    ? `-- The lake is the folder ${store.path}: there is no bucket, and the process has to be able to write there.`
    : '-- The policy of the role or user whose keys the service has; as a policy of the bucket it needs a Principal too.'
}

function policyOf({ store, namespace }: Config): string {
  return store.kind === 'folder' ? '' : `${JSON.stringify(bucketPolicy({ ...store, namespace }), null, 2)}\n`
}
