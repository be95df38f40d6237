// Builds the pieces that verbs share out of the configuration: the store, the connection target, the session's settings.
import type { ConnectionSettings } from '../../internal/config/connection-string.js'
import type { Config } from '../../internal/config/parse-config.js'
import type { StoreSettings } from '../../internal/config/store-settings.js'
import { tlsOptions } from '../../internal/config/tls-options.js'
import { columnSettings } from '../../internal/pipeline/hidden-columns.js'
import type { Logger } from '../../internal/observability/logger.js'
import type { SessionSettings } from '../../internal/pipeline/session.js'
import type { ConnectionTarget } from '../../internal/replication/connection.js'
import { FolderStore } from '../../internal/storage/folder-store.js'
import type { ObjectStore } from '../../internal/storage/object-store.js'
import { RetryingStore } from '../../internal/storage/retrying-store.js'
import type { S3StoreOptions } from '../../internal/storage/s3-store.js'
import { ValueHash } from '../../internal/transform/values/value-hash.js'

/** Exit code of a command that looked, and found what should not be. */
export const NOT_SAFE = 3

/** One that fails so often is worth a word. */
const TOLD_ATTEMPT = 4

/** Opens the configured store. Throws Failure `config`. */
export async function openStore(config: Config): Promise<ObjectStore> {
  const { store, namespace } = config
  if (store.kind === 'folder') return FolderStore.open({ folder: store.path, namespace })
  // The SDK takes a third of the time that the program needs to start, and a folder needs none of it.
  const { S3Store } = await import('../../internal/storage/s3-store.js')
  return new S3Store(s3Options(store, namespace, !config.soleWriter))
}

/** The store, for a command that has much to read: what may pass is tried again. `signal` ends every call. */
export function patient(store: ObjectStore, signal: AbortSignal, logger: Logger, maxAttempts?: number): ObjectStore {
  const nothing = (): void => undefined
  return new RetryingStore(store, {
    ...{ initialDelayMs: 200, maxDelayMs: 10_000, signal },
    ...(maxAttempts === undefined ? {} : { maxAttempts }),
    observer: {
      ...{ began: nothing, moved: nothing, succeeded: nothing, ended: nothing },
      failed: ({ operation, key }, { attempt, failure }) => {
        if (attempt === TOLD_ATTEMPT)
          logger.warn({ operation, key, err: failure }, 'the store does not answer, will try again')
      },
    },
  })
}

function s3Options(
  store: Extract<StoreSettings, { kind: 's3' }>,
  namespace: string,
  conditionalWrites: boolean,
): S3StoreOptions {
  const {
    bucket,
    region,
    credentials,
    endpoint,
    serverSideEncryption: sse,
    kmsKeyId: sseKmsKeyId,
    storageClass,
  } = store
  return {
    bucket,
    namespace,
    conditionalWrites,
    ...(region === undefined ? {} : { region }),
    ...(credentials ?? {}),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(sse === undefined ? {} : { sse }),
    ...(sseKmsKeyId === undefined ? {} : { sseKmsKeyId }),
    ...(storageClass === undefined ? {} : { storageClass }),
  }
}

/** Throws Failure `config` where a certificate cannot be read. */
export function connectionTarget(
  connection: ConnectionSettings,
  variable: 'PG_CONN_STRING' | 'SNAPSHOT_CONN_STRING',
): ConnectionTarget {
  const options = tlsOptions(connection, variable)
  const preferred = connection.sslmode === 'allow' || connection.sslmode === 'prefer'
  const use = options === undefined ? 'off' : preferred ? 'preferred' : 'required'
  return { ...connection, variable, describe: () => connection.describe(), tls: { use, options: options ?? {} } }
}

export function sessionSettings(config: Config, version: string): SessionSettings {
  const { tables, columns, hashSalt, snapshotConnection: standby } = config
  const hash = columns.hashColumns === '' || hashSalt === undefined ? undefined : new ValueHash(hashSalt)
  const hiding = { columns, ...(hash === undefined ? {} : { hash }) }
  const hidden = columnSettings(hiding)
  return {
    target: connectionTarget(config.connection, 'PG_CONN_STRING'),
    slot: config.slot,
    publication: config.publication,
    tables,
    ...hiding,
    flushIntervalMs: config.flushIntervalMs,
    cut: {
      // A transaction that fills the memory limit must be able to leave it in parts.
      rollBytes: Math.min(config.flushBytes, config.memoryLimitBytes),
      targetFileBytes: config.targetFileBytes,
      tables: tables.tables,
      excludeTables: tables.excludeTables,
      ...(hidden === undefined ? {} : { columns: hidden }),
    },
    memoryLimitBytes: config.memoryLimitBytes,
    uploadConcurrency: config.uploadConcurrency,
    zstdLevel: config.zstdLevel,
    snapshot: config.snapshot,
    copyWorkers: config.snapshotWorkers,
    ...(config.snapshotRate === undefined ? {} : { copyBytesPerSecond: config.snapshotRate }),
    ...(standby === undefined ? {} : { standby: connectionTarget(standby, 'SNAPSHOT_CONN_STRING') }),
    version,
  }
}
