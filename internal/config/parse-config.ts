// The environment as one typed value, or one Failure that names everything wrong with it. It opens no connection,
// reads no file and never puts a secret into a message.
import { Failure } from '../model/failure.js'
import { secretMask } from '../observability/redact.js'
import { parseConnectionString, type ConnectionSettings, type Environment } from './connection-string.js'
import { ColumnFilter } from './column-filter.js'
import { misspeltVariables } from './misspelt-variables.js'
import { readStore, type StoreSettings } from './store-settings.js'
import { TableFilter } from './table-filter.js'
import { VariableReader } from './variable-reader.js'

export const snapshotModes = ['initial', 'adopted', 'never'] as const
export const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const
export const logFormats = ['json', 'pretty'] as const

export interface HttpAddress {
  readonly host: string
  /** 0: any free port. */
  readonly port: number
}

export interface Config {
  readonly connection: ConnectionSettings
  readonly slot: string
  readonly publication: string
  readonly tables: TableFilter
  readonly columns: ColumnFilter
  /** Key of the hashes; present where columns are hashed. */
  readonly hashSalt?: string
  readonly store: StoreSettings
  /** Prefix inside the bucket or folder, `/`-separated, without a slash at either end. */
  readonly namespace: string
  /** The operator's word that no other process writes this lake, for stores without conditional writes. */
  readonly soleWriter: boolean
  readonly flushIntervalMs: number
  readonly flushBytes: number
  readonly targetFileBytes: number
  readonly memoryLimitBytes: number
  readonly uploadConcurrency: number
  readonly zstdLevel: number
  readonly snapshot: (typeof snapshotModes)[number]
  readonly snapshotWorkers: number
  /** Bytes a second; absent: no limit. */
  readonly snapshotRate?: number
  /** Of a standby; absent: copies are read from the primary. */
  readonly snapshotConnection?: ConnectionSettings
  /** Absent: no HTTP server. */
  readonly http?: HttpAddress
  readonly logLevel: (typeof logLevels)[number]
  /** Absent: JSON, or pretty on a terminal. */
  readonly logFormat?: (typeof logFormats)[number]
  /** Every value that must not appear in a log. */
  readonly secrets: readonly string[]
}

/** Throws one Failure `config` that lists every variable that is wrong, its value (never a secret) and what is accepted. */
export function parseConfig(env: Environment): Config {
  const read = new VariableReader(env)
  // With the blanks around it: one that is escaped belongs to the password before it.
  const connectionOf = (name: 'PG_CONN_STRING' | 'SNAPSHOT_CONN_STRING'): ConnectionSettings | undefined =>
    read.value(name, (text) => parseConnectionString(env[name] ?? text, env))
  const connection = connectionOf('PG_CONN_STRING')
  const snapshotConnection = connectionOf('SNAPSHOT_CONN_STRING')
  if (read.text('PG_CONN_STRING') === undefined) read.reject('PG_CONN_STRING')
  const http = env.HTTP_ADDR?.trim() === '' ? undefined : read.value('HTTP_ADDR', httpAddress)
  const columns = columnFilter(read)
  const hashSalt = saltOf(read, columns)
  const snapshotRate = read.number('SNAPSHOT_RATE')
  const logFormat = read.choice('LOG_FORMAT', logFormats)
  const required = {
    connection,
    slot: read.value('PG_SLOT', (text) => (/^[a-z0-9_]{1,63}$/.test(text) ? text : undefined)),
    publication: read.value('PG_PUBLICATION', publicationName),
    tables: tableFilter(read),
    columns,
    store: readStore(read),
    namespace: read.value('NAMESPACE', namespacePrefix),
    soleWriter: read.flag('SOLE_WRITER'),
    flushIntervalMs: read.number('FLUSH_INTERVAL'),
    flushBytes: read.number('FLUSH_BYTES'),
    targetFileBytes: read.number('TARGET_FILE_BYTES'),
    memoryLimitBytes: read.number('MEMORY_LIMIT'),
    uploadConcurrency: read.number('UPLOAD_CONCURRENCY'),
    zstdLevel: read.number('ZSTD_LEVEL'),
    snapshot: read.choice('SNAPSHOT', snapshotModes),
    snapshotWorkers: read.number('SNAPSHOT_WORKERS'),
    logLevel: read.choice('LOG_LEVEL', logLevels),
  }
  const problems = [...read.problems, ...misspeltVariables(env)]
  const secrets = secretValues(env, [connection, snapshotConnection])
  if (problems.length > 0 || !isComplete(required)) throw configFailure(problems, secrets)
  return {
    ...required,
    ...(hashSalt === undefined ? {} : { hashSalt }),
    ...(snapshotRate === undefined ? {} : { snapshotRate }),
    ...(snapshotConnection === undefined ? {} : { snapshotConnection }),
    ...(http === undefined ? {} : { http }),
    ...(logFormat === undefined ? {} : { logFormat }),
    secrets,
  }
}

/** True when no member is undefined, which is so when no problem was found. */
function isComplete<T extends object>(parts: T): parts is { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.values(parts).every((part) => part !== undefined)
}

function configFailure(problems: readonly string[], secrets: readonly string[]): Failure {
  const heading = problems.length === 1 ? 'the configuration is wrong' : `${problems.length} settings are wrong`
  // Long ones only: masking a password of one letter would leave nothing to read, and no problem quotes a secret.
  const masked = secretMask(secrets.filter((secret) => secret.length >= 4))
  const lines = problems.map((problem) => `\n  ${masked(problem)}`)
  return new Failure('config', `${heading}:${lines.join('')}`, { hint: './run.sh --help lists every variable' })
}

function secretValues(env: Environment, connections: readonly (ConnectionSettings | undefined)[]): string[] {
  return [
    ...connections.flatMap((connection) => [connection?.password, connection?.sslpassword]),
    env.PGPASSWORD,
    env.AWS_SECRET_ACCESS_KEY?.trim(),
    env.AWS_SESSION_TOKEN?.trim(),
    env.HASH_SALT?.trim(),
  ].filter((secret, index, all) => secret !== undefined && secret !== '' && all.indexOf(secret) === index) as string[]
}

/** Each list is read by itself, so that a mistake in either is told under its own name. */
function tableFilter(read: VariableReader): TableFilter | undefined {
  const include = read.value('TABLES', (text) => new TableFilter(text)) ?? new TableFilter()
  const exclude = read.value('EXCLUDE_TABLES', (text) => new TableFilter(text)) ?? new TableFilter()
  return new TableFilter(include.tables, exclude.tables)
}

/** As above; a column that is named in both has no meaning. */
function columnFilter(read: VariableReader): ColumnFilter {
  const exclude = read.value('EXCLUDE_COLUMNS', (text) => new ColumnFilter(text)) ?? new ColumnFilter()
  const hash = read.value('HASH_COLUMNS', (text) => new ColumnFilter('', text)) ?? new ColumnFilter()
  const columns = new ColumnFilter(exclude.excludeColumns, hash.hashColumns)
  const [both] = columns.exactInBoth
  if (both !== undefined) read.reject('HASH_COLUMNS', `${both} is in EXCLUDE_COLUMNS too`)
  return columns
}

function saltOf(read: VariableReader, { hashColumns }: ColumnFilter): string | undefined {
  const salt = read.value('HASH_SALT', (text) => (text.length >= LEAST_SALT ? text : undefined))
  if (hashColumns !== '' && read.text('HASH_SALT') === undefined) read.reject('HASH_SALT', 'HASH_COLUMNS is set')
  return salt
}

/** Characters. */
const LEAST_SALT = 16

function publicationName(text: string): string | undefined {
  // eslint-disable-next-line no-control-regex
  return Buffer.byteLength(text) <= 63 && !/[,\u0000-\u001f]/.test(text) ? text : undefined
}

function namespacePrefix(text: string): string | undefined {
  const segments = text.split('/')
  const allowed = segments.every((segment) => /^[A-Za-z0-9_.=-]+$/.test(segment) && !/^\.{1,2}$/.test(segment))
  return allowed && text.length <= 256 ? text : undefined
}

function httpAddress(text: string): HttpAddress | undefined {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([^\s:[\]/]+)):(\d{1,5})$/.exec(text)
  const port = Number(match?.[3])
  const host = match?.[1] ?? match?.[2]
  return host !== undefined && port <= 65535 ? { host, port } : undefined
}
