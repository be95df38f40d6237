// The environment as a whole: defaults, every wrong variable told at once, and no secret told at all.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Environment } from '../../../internal/config/connection-string.js'
import { parseConfig } from '../../../internal/config/parse-config.js'
import { variables } from '../../../internal/config/variables.js'
import { Failure, verdictOf } from '../../../internal/model/failure.js'

const minimal = { PG_CONN_STRING: 'postgres://u:p@h/d', LAKE_DIR: './lake' }
const bucket = { PG_CONN_STRING: 'postgres://u:p@h/d', S3_BUCKET_NAME: 'lake' }

function failureOf(env: Environment): Failure {
  try {
    parseConfig(env)
  } catch (error) {
    assert.ok(error instanceof Failure)
    assert.equal(error.kind, 'config')
    return error
  }
  assert.fail('accepted')
}

test('config: defaults', () => {
  const { connection, tables, columns, ...rest } = parseConfig(minimal)
  assert.equal(columns.isEmpty, true)
  assert.equal(connection.describe(), 'u@h:5432/d')
  assert.equal(tables.matches('any', 'table'), true)
  assert.deepEqual(rest, {
    slot: 'wal_cake_slot',
    publication: 'wal_cake_pub',
    store: { kind: 'folder', path: './lake' },
    namespace: 'default',
    soleWriter: false,
    flushIntervalMs: 30_000,
    flushBytes: 128 * 1024 ** 2,
    targetFileBytes: 128 * 1024 ** 2,
    memoryLimitBytes: 128 * 1024 ** 2,
    uploadConcurrency: 8,
    zstdLevel: 3,
    snapshot: 'initial',
    snapshotWorkers: 4,
    http: { host: '127.0.0.1', port: 8080 },
    logLevel: 'info',
    secrets: ['p'],
  })
})

test('config: everything set', () => {
  const config = parseConfig({
    ...bucket,
    PG_SLOT: 's1',
    PG_PUBLICATION: 'My Pub',
    TABLES: 'public.*',
    EXCLUDE_TABLES: 'public.secret',
    EXCLUDE_COLUMNS: '*.*.password',
    HASH_COLUMNS: 'public.users.*',
    HASH_SALT: ' sixteen of these ',
    NAMESPACE: 'team/orders',
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: 'id',
    AWS_SECRET_ACCESS_KEY: 'key\n',
    AWS_SESSION_TOKEN: 'token',
    AWS_ENDPOINT_URL: 'http://minio:9000/',
    S3_SSE: 'aws:kms',
    S3_SSE_KMS_KEY_ID: 'alias/lake',
    S3_STORAGE_CLASS: 'STANDARD_IA',
    SOLE_WRITER: 'true',
    HTTP_ADDR: '',
    LOG_FORMAT: 'pretty',
    SNAPSHOT: 'never',
    SNAPSHOT_CONN_STRING: 'host=standby user=reader dbname=d password=of-standby',
  })
  assert.equal(config.snapshotConnection?.describe(), 'reader@standby:5432/d')
  assert.deepEqual(config.store, {
    kind: 's3',
    bucket: 'lake',
    region: 'eu-central-1',
    credentials: { accessKeyId: 'id', secretAccessKey: 'key', sessionToken: 'token' },
    endpoint: 'http://minio:9000',
    serverSideEncryption: 'aws:kms',
    kmsKeyId: 'alias/lake',
    storageClass: 'STANDARD_IA',
  })
  assert.equal(config.http, undefined)
  assert.equal(config.logFormat, 'pretty')
  assert.equal(config.tables.matches('public', 'secret'), false)
  assert.deepEqual(config.secrets, ['p', 'of-standby', 'key', 'token', 'sixteen of these'])
  assert.equal(config.hashSalt, 'sixteen of these')
  assert.equal(config.columns.ruleOf({ schema: 'public', table: 'users', column: 'email' }), 'hashed')
  assert.equal(config.columns.ruleOf({ schema: 'public', table: 'users', column: 'password' }), 'excluded')
})

test('config: a value that is not accepted is told with the variable and what is', () => {
  const cases: [Environment, RegExp][] = [
    [{ LAKE_DIR: 'x' }, /PG_CONN_STRING \(not set\): accepted: a libpq URL/],
    [{ ...minimal, SNAPSHOT_CONN_STRING: 'host=a,b' }, /SNAPSHOT_CONN_STRING: several hosts .*; accepted: a libpq URL/],
    [{ PG_CONN_STRING: 'host=h' }, /S3_BUCKET_NAME \(not set\): one of it and LAKE_DIR is required/],
    [{ ...bucket, LAKE_DIR: 'x' }, /LAKE_DIR="x": S3_BUCKET_NAME is set too/],
    [{ ...minimal, LAKE_DIR: 's3://lake' }, /LAKE_DIR="s3:\/\/lake"/],
    [{ ...minimal, S3_SSE: 'AES256' }, /S3_SSE="AES256": it has no effect on LAKE_DIR/],
    [{ ...bucket, S3_BUCKET_NAME: 's3://lake' }, /S3_BUCKET_NAME="s3:\/\/lake"/],
    [{ ...bucket, S3_BUCKET_NAME: 'lake/prefix' }, /S3_BUCKET_NAME/],
    [{ ...bucket, AWS_ACCESS_KEY_ID: 'x' }, /AWS_SECRET_ACCESS_KEY \(not set\): AWS_ACCESS_KEY_ID is set/],
    [{ ...bucket, AWS_SECRET_ACCESS_KEY: 'x' }, /AWS_ACCESS_KEY_ID \(not set\): AWS_SECRET_ACCESS_KEY is set/],
    [{ ...bucket, AWS_SESSION_TOKEN: 'x' }, /AWS_ACCESS_KEY_ID .*\n.*AWS_SECRET_ACCESS_KEY/],
    [{ ...bucket, AWS_ENDPOINT: 'minio:9000' }, /AWS_ENDPOINT="minio:9000"/],
    [{ ...bucket, AWS_ENDPOINT: 'http://a:9000', AWS_ENDPOINT_URL: 'http://b:9000' }, /AWS_ENDPOINT_URL/],
    [{ ...bucket, S3_SSE: 'kms' }, /S3_SSE="kms": accepted: AES256, aws:kms, aws:kms:dsse/],
    [{ ...bucket, S3_SSE: 'AES256', S3_SSE_KMS_KEY_ID: 'k' }, /S3_SSE_KMS_KEY_ID="k": S3_SSE does not ask for KMS/],
    [{ ...bucket, S3_STORAGE_CLASS: 'GLACIER' }, /S3_STORAGE_CLASS="GLACIER"/],
    [{ ...minimal, PG_SLOT: 'My-Slot' }, /PG_SLOT="My-Slot": accepted: 1 to 63/],
    [{ ...minimal, PG_SLOT: 'a'.repeat(64) }, /PG_SLOT/],
    [{ ...minimal, PG_PUBLICATION: 'a,b' }, /PG_PUBLICATION="a,b"/],
    [{ ...minimal, PG_PUBLICATION: 'é'.repeat(32) }, /PG_PUBLICATION/],
    [{ ...minimal, TABLES: 'orders' }, /TABLES="orders": cannot be read as schema\.table from "orders" on/],
    [{ ...minimal, EXCLUDE_TABLES: 'a.b;c.d' }, /^(?!.*TABLES=.*TABLES=)/s],
    [
      { ...minimal, EXCLUDE_COLUMNS: 'a.b' },
      /EXCLUDE_COLUMNS="a\.b": cannot be read as schema\.table\.column from "a\.b" on/,
    ],
    [{ ...minimal, HASH_COLUMNS: 'a.b.c' }, /HASH_SALT \(not set\): HASH_COLUMNS is set; accepted: at least 16/],
    [{ ...minimal, HASH_COLUMNS: 'a.b', HASH_SALT: 'x'.repeat(16) }, /^[^]*HASH_COLUMNS="a\.b"/],
    [{ ...minimal, HASH_COLUMNS: 'a.b.c', HASH_SALT: 'x'.repeat(15) }, /HASH_SALT: accepted: at least 16 characters/],
    [
      { ...minimal, HASH_COLUMNS: 'a.b.c', EXCLUDE_COLUMNS: 'a.*.*', HASH_SALT: 'x'.repeat(16) },
      /HASH_COLUMNS="a\.b\.c": a\.b\.c is in EXCLUDE_COLUMNS too/,
    ],
    ...['/a', 'a/', 'a//b', 'a/../b', '.', 'ä', 'a b', 'x'.repeat(257)].map((namespace): [Environment, RegExp] => [
      { ...minimal, NAMESPACE: namespace },
      /NAMESPACE=/,
    ]),
    [{ ...minimal, SOLE_WRITER: 'yes' }, /SOLE_WRITER="yes": accepted: true, false/],
    [{ ...minimal, FLUSH_INTERVAL: '30' }, /FLUSH_INTERVAL="30": accepted: a whole number with ms, s, m or h/],
    [{ ...minimal, FLUSH_INTERVAL: '49ms' }, /from 50ms to 24h/],
    [{ ...minimal, FLUSH_INTERVAL: '25h' }, /from 50ms to 24h/],
    [
      { ...minimal, FLUSH_BYTES: '128' },
      /FLUSH_BYTES="128": accepted: a whole number with KiB, MiB, GiB, KB, MB or GB/,
    ],
    [{ ...minimal, FLUSH_BYTES: '65GiB' }, /FLUSH_BYTES/],
    [{ ...minimal, TARGET_FILE_BYTES: '0KB' }, /TARGET_FILE_BYTES/],
    [{ ...minimal, MEMORY_LIMIT: '15MiB' }, /MEMORY_LIMIT="15MiB": .*from 16MiB/],
    [{ ...minimal, ZSTD_LEVEL: '0' }, /ZSTD_LEVEL="0": accepted: a whole number from 1 to 22/],
    [{ ...minimal, ZSTD_LEVEL: '3.5' }, /ZSTD_LEVEL/],
    [{ ...minimal, UPLOAD_CONCURRENCY: '65' }, /UPLOAD_CONCURRENCY="65": accepted: a whole number from 1 to 64/],
    [{ ...minimal, SNAPSHOT: 'always' }, /SNAPSHOT="always": accepted: initial, adopted, never/],
    [{ ...minimal, SNAPSHOT_WORKERS: '0' }, /SNAPSHOT_WORKERS/],
    ...['8080', ':8080', 'localhost', 'h:65536', 'http://h:80', '::1:80', 'h:'].map(
      (address): [Environment, RegExp] => [{ ...minimal, HTTP_ADDR: address }, /HTTP_ADDR=/],
    ),
    [{ ...minimal, LOG_LEVEL: 'INFO' }, /LOG_LEVEL="INFO": accepted: fatal, error, warn, info, debug, trace/],
    [{ ...minimal, LOG_FORMAT: 'text' }, /LOG_FORMAT="text": accepted: json, pretty/],
    [{ ...minimal, PG_SLOTT: 'x' }, /PG_SLOTT: there is no such variable; did you mean PG_SLOT\?/],
  ]
  for (const [env, message] of cases) assert.match(failureOf(env).message, message, JSON.stringify(env))
})

test('config: addresses that are accepted', () => {
  const cases: [string, { host: string; port: number }][] = [
    ['0.0.0.0:80', { host: '0.0.0.0', port: 80 }],
    ['[::1]:8080', { host: '::1', port: 8080 }],
    ['localhost:0', { host: 'localhost', port: 0 }],
  ]
  for (const [text, address] of cases) assert.deepEqual(parseConfig({ ...minimal, HTTP_ADDR: text }).http, address)
})

test('config: all wrong variables are named at once, and it is exit code 2', () => {
  const failure = failureOf({
    PG_CONN_STRING: 'host=a,b',
    PG_SLOT: 'X',
    ZSTD_LEVEL: '99',
    FLUSH_BYTES: '1',
    S3_BUCKET: 'x',
    TABLES: 'a',
    EXCLUDE_TABLES: 'b',
  })
  for (const name of [
    'PG_CONN_STRING',
    'PG_SLOT',
    'ZSTD_LEVEL',
    'FLUSH_BYTES',
    'S3_BUCKET',
    'S3_BUCKET_NAME',
    'TABLES',
  ]) {
    assert.match(failure.message, new RegExp(`^  ${name}[ =:]`, 'm'))
  }
  assert.match(failure.message, /^8 settings are wrong:/)
  assert.deepEqual(verdictOf(failure), { act: 'stop', exitCode: 2 })
})

test('config: the AWS variables of a shell do not matter to a folder', () => {
  const store = parseConfig({ ...minimal, AWS_ACCESS_KEY_ID: 'x', AWS_ENDPOINT: 'nonsense', AWS_PROFILE: 'p' }).store
  assert.equal(store.kind, 'folder')
})

test('config: a key/value password may end in an escaped blank', () => {
  assert.equal(parseConfig({ ...minimal, PG_CONN_STRING: 'host=h password=a\\ ' }).connection.password, 'a ')
})

test('config: a planted secret is in no message, whichever variables are wrong', () => {
  const secret = 'pL4nt3dS3cr3t'
  const wrong = variables.map(({ name }) => name).filter((name) => name !== 'PG_CONN_STRING')
  const connection = fc.constantFrom(
    `postgres://u:${secret}@h/d`,
    `postgres://u:${secret}/@h/d`,
    `host=h password=${secret} sslmode=x`,
    `host=h password=a ${secret}`,
    secret,
  )
  const value = fc.constantFrom('!!', `postgres://u:${secret}@h/d`, `password=${secret}`)
  fc.assert(
    fc.property(connection, fc.subarray(wrong, { minLength: 1 }), value, (text, names, bad) => {
      const env = {
        ...Object.fromEntries(names.map((name) => [name, bad])),
        PG_CONN_STRING: text,
        PG_CONN_STRINGS: text,
        AWS_SECRET_ACCESS_KEY: secret,
        AWS_SESSION_TOKEN: secret,
        HASH_SALT: secret,
        PGPASSWORD: secret,
      }
      const failure = failureOf(env)
      assert.ok(!failure.message.includes(secret), failure.message)
    }),
  )
})
