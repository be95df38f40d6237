// The one table of environment variables: help, .env.example, the documentation and the validation all come from it.
// It only describes; what a value means to the program is decided in parse-config.ts.
import { formatDuration, formatSize } from './quantity.js'

/** What a variable's text may be; the bounds are inclusive. */
export type ValueKind =
  | { readonly type: 'text'; readonly accepted: string }
  | { readonly type: 'choice'; readonly of: readonly string[] }
  | { readonly type: 'boolean' }
  | { readonly type: 'integer'; readonly min: number; readonly max: number }
  | { readonly type: 'duration'; readonly minMs: number; readonly maxMs: number }
  | { readonly type: 'size'; readonly minBytes: number; readonly maxBytes: number }

export const variableGroups = ['PostgreSQL', 'Lake', 'Batches and files', 'Existing rows', 'Running'] as const

export interface Variable {
  readonly name: string
  readonly group: (typeof variableGroups)[number]
  readonly kind: ValueKind
  /** The text that is taken when the variable is not set. */
  readonly default?: string
  /** In words, what holds when the variable is not set and has no default. */
  readonly absent?: string
  /** The value never appears in a message or a log line. */
  readonly secret?: true
  /** At most 33 characters, for the help screen. */
  readonly summary: string
  /** One line for the documentation. */
  readonly meaning: string
  readonly example: string
}

const kib = 1024
const mib = 1024 * kib
const gib = 1024 * mib
const connectionString: ValueKind = {
  type: 'text',
  accepted: 'a libpq URL (postgres://user@host:5432/database) or key/value string (host=… dbname=…)',
}
const columnList: ValueKind = {
  type: 'text',
  accepted: 'schema.table.column, comma-separated, * allowed, special characters in "double quotes"',
}
const keyPair: ValueKind = { type: 'text', accepted: 'both halves of a key, or neither' }

export const variables = [
  {
    name: 'PG_CONN_STRING',
    group: 'PostgreSQL',
    kind: connectionString,
    absent: 'required',
    secret: true,
    summary: 'the database, URL or key/value',
    meaning:
      'Connection string of the source database as libpq takes it: URL or key/value, with `sslmode`, `sslrootcert`, `sslcert`, `sslkey`. The libpq variables (`PGPASSWORD`, `PGSSLMODE`, …) fill in what it leaves out. In the URL form, special characters of the password are percent-encoded.',
    example: 'postgres://postgres:postgres@localhost:5432/postgres',
  },
  {
    name: 'PG_SLOT',
    group: 'PostgreSQL',
    kind: { type: 'text', accepted: '1 to 63 of a-z, 0-9 and _' },
    default: 'wal_cake_slot',
    summary: 'slot, created when absent',
    meaning: 'Replication slot; created when absent. One slot writes one lake.',
    example: 'wal_cake_slot',
  },
  {
    name: 'PG_PUBLICATION',
    group: 'PostgreSQL',
    kind: { type: 'text', accepted: 'the name of one publication, at most 63 bytes, without commas' },
    default: 'wal_cake_pub',
    summary: 'publication, created when absent',
    meaning: 'Publication; created when absent.',
    example: 'wal_cake_pub',
  },
  {
    name: 'TABLES',
    group: 'PostgreSQL',
    kind: {
      type: 'text',
      accepted: 'schema.table, comma-separated, * allowed, special characters in "double quotes"',
    },
    absent: 'all of the publication',
    summary: 'schema.table,… with *',
    meaning:
      'Only these tables: comma-separated `schema.table`, `*` allowed. Upper and lower case differ, as in the catalogue; names with special characters go in double quotes: `"Odd Schema"."My Table"`.',
    example: 'public.orders,sales.*',
  },
  {
    name: 'EXCLUDE_TABLES',
    group: 'PostgreSQL',
    kind: {
      type: 'text',
      accepted: 'schema.table, comma-separated, * allowed, special characters in "double quotes"',
    },
    absent: 'none',
    summary: 'not these; wins over TABLES',
    meaning: 'Not these tables, written like `TABLES`; wins over it.',
    example: 'public.*_tmp',
  },
  {
    name: 'EXCLUDE_COLUMNS',
    group: 'PostgreSQL',
    kind: columnList,
    absent: 'none',
    summary: 'schema.table.column,… left out',
    meaning:
      'Columns that are left out of the lake altogether: comma-separated `schema.table.column`, written like `TABLES`, `*` allowed in each part. No column of a key.',
    example: 'public.users.password,*.*.secret_*',
  },
  {
    name: 'HASH_COLUMNS',
    group: 'PostgreSQL',
    kind: columnList,
    absent: 'none',
    summary: 'these only as a keyed hash',
    meaning:
      'Columns of whose values the lake gets only HMAC-SHA-256 under `HASH_SALT`, of the text form, as lower-case hexadecimal digits; NULL stays NULL. Written like `EXCLUDE_COLUMNS`; no column may be in both.',
    example: 'public.users.email,*.*.phone',
  },
  {
    name: 'HASH_SALT',
    group: 'PostgreSQL',
    kind: { type: 'text', accepted: 'at least 16 characters, the same for as long as hashes are to be compared' },
    absent: 'none',
    secret: true,
    summary: 'key of the hashes, with those',
    meaning:
      'Key of the hashes, required with `HASH_COLUMNS`. Whoever knows it can find out values by trying them: take it by chance (`openssl rand -hex 32`) and keep it like a password.',
    example: 'replace-by-openssl-rand-hex-32',
  },
  {
    name: 'S3_BUCKET_NAME',
    group: 'Lake',
    kind: { type: 'text', accepted: 'the name of a bucket, without s3:// and without a path' },
    absent: 'required, or `LAKE_DIR`',
    summary: 'bucket',
    meaning: 'Bucket that holds the lake.',
    example: 'lake',
  },
  {
    name: 'LAKE_DIR',
    group: 'Lake',
    kind: { type: 'text', accepted: 'the path of a local folder' },
    absent: 'the bucket',
    summary: 'local folder instead of a bucket',
    meaning: 'A local folder instead of a bucket: same layout, same guarantees.',
    example: './lake',
  },
  {
    name: 'NAMESPACE',
    group: 'Lake',
    kind: {
      type: 'text',
      accepted:
        'names of A-Z a-z 0-9 _ . = - joined by /, no / at either end, no . or .. as a name, at most 256 characters',
    },
    default: 'default',
    summary: 'prefix inside the bucket',
    meaning: 'Prefix inside the bucket or folder; may be nested: `team/orders`.',
    example: 'default',
  },
  {
    name: 'AWS_REGION',
    group: 'Lake',
    kind: { type: 'text', accepted: 'the name of a region, such as eu-central-1' },
    absent: "the SDK's own chain",
    summary: 'region of the bucket',
    meaning: 'Region of the bucket.',
    example: 'eu-central-1',
  },
  {
    name: 'AWS_ACCESS_KEY_ID',
    group: 'Lake',
    kind: keyPair,
    absent: "the SDK's own chain",
    summary: 'access key',
    meaning: 'Access key. With no keys set the default chain of the SDK works: roles, IRSA, profiles.',
    example: 'minioadmin',
  },
  {
    name: 'AWS_SECRET_ACCESS_KEY',
    group: 'Lake',
    kind: keyPair,
    absent: "the SDK's own chain",
    secret: true,
    summary: 'its secret',
    meaning: 'Secret of the access key; the two are set together.',
    example: 'minioadmin',
  },
  {
    name: 'AWS_SESSION_TOKEN',
    group: 'Lake',
    kind: keyPair,
    absent: 'none',
    secret: true,
    summary: 'of temporary keys',
    meaning: 'Session token, where the keys are temporary ones.',
    example: 'token',
  },
  {
    name: 'AWS_ENDPOINT',
    group: 'Lake',
    kind: { type: 'text', accepted: 'an http:// or https:// URL without user, password and query' },
    absent: 'AWS S3',
    summary: 'URL of MinIO or another store',
    meaning: 'URL of MinIO or another S3-compatible store.',
    example: 'http://localhost:9000',
  },
  {
    name: 'AWS_ENDPOINT_URL',
    group: 'Lake',
    kind: { type: 'text', accepted: 'an http:// or https:// URL without user, password and query' },
    absent: '`AWS_ENDPOINT`',
    summary: 'the same',
    meaning: 'Another name for `AWS_ENDPOINT`; when both are set they must be equal.',
    example: 'http://localhost:9000',
  },
  {
    name: 'S3_SSE',
    group: 'Lake',
    kind: { type: 'choice', of: ['AES256', 'aws:kms', 'aws:kms:dsse'] },
    absent: "the bucket's own",
    summary: 'server-side encryption',
    meaning: 'Server-side encryption of everything that is written.',
    example: 'aws:kms',
  },
  {
    name: 'S3_SSE_KMS_KEY_ID',
    group: 'Lake',
    kind: { type: 'text', accepted: 'the id, alias or ARN of a KMS key, together with S3_SSE=aws:kms or aws:kms:dsse' },
    absent: "the bucket's own",
    summary: 'KMS key for it',
    meaning: 'KMS key (id, alias or ARN) for `S3_SSE=aws:kms` or `aws:kms:dsse`.',
    example: 'alias/lake',
  },
  {
    name: 'S3_STORAGE_CLASS',
    group: 'Lake',
    kind: {
      type: 'text',
      accepted: 'a storage class such as STANDARD_IA or INTELLIGENT_TIERING, none whose objects must be restored first',
    },
    absent: "the bucket's own",
    summary: 'storage class of data files',
    meaning:
      'Storage class of the data files, such as `STANDARD_IA` or `INTELLIGENT_TIERING`; not `GLACIER` or `DEEP_ARCHIVE`, whose objects cannot be read in place.',
    example: 'INTELLIGENT_TIERING',
  },
  {
    name: 'SOLE_WRITER',
    group: 'Lake',
    kind: { type: 'boolean' },
    default: 'false',
    summary: 'nothing else writes this lake',
    meaning:
      'For a store without conditional writes, which is refused otherwise: `true` says that the store has no conditional writes and no other process writes this lake.',
    example: 'false',
  },
  {
    name: 'FLUSH_INTERVAL',
    group: 'Batches and files',
    kind: { type: 'duration', minMs: 50, maxMs: 24 * 3_600_000 },
    default: '30s',
    summary: 'oldest change waits at most this',
    meaning: 'The oldest buffered change is visible in the lake at most this long (plus the upload) after its commit.',
    example: '30s',
  },
  {
    name: 'FLUSH_BYTES',
    group: 'Batches and files',
    kind: { type: 'size', minBytes: kib, maxBytes: 64 * gib },
    default: '128MiB',
    summary: 'a batch closes at this much data',
    meaning: 'A batch closes when it holds this much change data, buffered or on its way.',
    example: '128MiB',
  },
  {
    name: 'TARGET_FILE_BYTES',
    group: 'Batches and files',
    kind: { type: 'size', minBytes: kib, maxBytes: 64 * gib },
    default: '128MiB',
    summary: "a table's file rolls near this",
    meaning: 'A file of one table rolls at about this size.',
    example: '128MiB',
  },
  {
    name: 'MEMORY_LIMIT',
    group: 'Batches and files',
    kind: { type: 'size', minBytes: 16 * mib, maxBytes: 1024 * gib },
    default: '128MiB',
    summary: 'change data held at once',
    meaning: 'Bytes of change data, raw or encoded, that the process may hold at once; reading pauses above it.',
    example: '128MiB',
  },
  {
    name: 'UPLOAD_CONCURRENCY',
    group: 'Batches and files',
    kind: { type: 'integer', min: 1, max: 64 },
    default: '8',
    summary: 'uploads at once',
    meaning: 'Uploads that run at the same time.',
    example: '8',
  },
  {
    name: 'ZSTD_LEVEL',
    group: 'Batches and files',
    kind: { type: 'integer', min: 1, max: 22 },
    default: '3',
    summary: 'compression',
    meaning:
      'Compression level of the Parquet pages. Texts that level 1 makes no larger, such as random digits, are compressed at that.',
    example: '3',
  },
  {
    name: 'SNAPSHOT',
    group: 'Existing rows',
    kind: { type: 'choice', of: ['initial', 'adopted', 'never'] },
    default: 'initial',
    summary: 'copy existing rows',
    meaning:
      'Whether rows are copied that were there before the slot, or before their table was published. `initial`: into a lake whose slot this program creates; `adopted`: also into an empty lake whose slot it finds; `never`. What a lake was begun with is kept in its `identity.json`: a lake that was begun without copies stays one, and `never` stops the copies of one that has them.',
    example: 'initial',
  },
  {
    name: 'SNAPSHOT_WORKERS',
    group: 'Existing rows',
    kind: { type: 'integer', min: 1, max: 64 },
    default: '4',
    summary: 'parallel copies',
    meaning: 'Connections that copy at the same time, beside two that hold the snapshot and watch the tables.',
    example: '4',
  },
  {
    name: 'SNAPSHOT_RATE',
    group: 'Existing rows',
    kind: { type: 'size', minBytes: 64 * kib, maxBytes: 1024 * gib },
    absent: 'no limit',
    summary: 'read at most so much a second',
    meaning: 'Bytes a second that all copies together read from the server.',
    example: '20MiB',
  },
  {
    name: 'SNAPSHOT_CONN_STRING',
    group: 'Existing rows',
    kind: connectionString,
    absent: 'the primary',
    secret: true,
    summary: 'a standby to copy from',
    meaning:
      'Connection string, written like `PG_CONN_STRING`, of a hot standby of the same server, from which existing rows are read. It streams and keeps up with the primary; its role needs only `SELECT`.',
    example: 'postgres://postgres:postgres@standby:5432/postgres',
  },
  {
    name: 'HTTP_ADDR',
    group: 'Running',
    kind: { type: 'text', accepted: 'host:port such as 127.0.0.1:8080 or [::1]:8080, or empty for off' },
    default: '127.0.0.1:8080',
    summary: '/livez, /readyz, /metrics',
    meaning: 'Address that serves `/livez`, `/readyz`, `/metrics` and the status page; empty: off.',
    example: '127.0.0.1:8080',
  },
  {
    name: 'LOG_LEVEL',
    group: 'Running',
    kind: { type: 'choice', of: ['fatal', 'error', 'warn', 'info', 'debug', 'trace'] },
    default: 'info',
    summary: 'least level that is logged',
    meaning: 'Least level that is logged.',
    example: 'info',
  },
  {
    name: 'LOG_FORMAT',
    group: 'Running',
    kind: { type: 'choice', of: ['json', 'pretty'] },
    absent: '`json`; terminal: `pretty`',
    summary: 'form of a log line',
    meaning: 'One JSON object a line, or one line for people.',
    example: 'json',
  },
] as const satisfies readonly Variable[]

export type VariableName = (typeof variables)[number]['name']

const byName = new Map<string, Variable>(variables.map((variable) => [variable.name, variable]))

export function isVariable(name: string): name is VariableName {
  return byName.has(name)
}

export function variable(name: VariableName): Variable {
  return byName.get(name)!
}

/** What a variable of this kind accepts, in words that follow "accepted:". */
export function acceptedText(kind: ValueKind): string {
  switch (kind.type) {
    case 'text':
      return kind.accepted
    case 'choice':
      return kind.of.join(', ')
    case 'boolean':
      return 'true, false'
    case 'integer':
      return `a whole number from ${kind.min} to ${kind.max}`
    case 'duration':
      return `a whole number with ms, s, m or h, from ${formatDuration(kind.minMs)} to ${formatDuration(kind.maxMs)}`
    case 'size':
      return `a whole number with KiB, MiB, GiB, KB, MB or GB, from ${formatSize(kind.minBytes)} to ${formatSize(kind.maxBytes)}`
  }
}
