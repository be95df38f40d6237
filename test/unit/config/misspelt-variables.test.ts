// Which environment variables are taken for mistakes, and which belong to somebody else.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { editDistance, misspeltVariables } from '../../../internal/config/misspelt-variables.js'
import { variables } from '../../../internal/config/variables.js'

test('misspelt variables: each names the nearest of ours', () => {
  const cases: [string, string][] = [
    ['PG_CONNSTRING', 'PG_CONN_STRING'],
    ['PG_CONN_STR', 'PG_CONN_STRING'],
    ['PG_CONNECTION_STRING', 'PG_CONN_STRING'],
    ['PG_SLOTS', 'PG_SLOT'],
    ['PGSLOT', 'PG_SLOT'],
    ['PG_SLOT_NAME', 'PG_SLOT'],
    ['pg_slot', 'PG_SLOT'],
    ['PG_PUBLICATION_NAME', 'PG_PUBLICATION'],
    ['TABLE', 'TABLES'],
    ['EXCLUDED_TABLES', 'EXCLUDE_TABLES'],
    ['EXCLUDE_COLUMN', 'EXCLUDE_COLUMNS'],
    ['EXCLUDED_COLUMNS', 'EXCLUDE_COLUMNS'],
    ['HASH_COLUMN', 'HASH_COLUMNS'],
    ['HASHED_COLUMNS', 'HASH_COLUMNS'],
    ['HASH_SALTS', 'HASH_SALT'],
    ['S3_BUCKET', 'S3_BUCKET_NAME'],
    ['S3_ENDPOINT', 'AWS_ENDPOINT'],
    ['AWS_ENDPIONT', 'AWS_ENDPOINT'],
    ['AWS_ACCESS_KEY_IDS', 'AWS_ACCESS_KEY_ID'],
    ['FLUSH_INTERVALL', 'FLUSH_INTERVAL'],
    ['FLUSH_SIZE', 'FLUSH_BYTES'],
    ['MEMORY_LIMITS', 'MEMORY_LIMIT'],
    ['UPLOAD_CONCURENCY', 'UPLOAD_CONCURRENCY'],
    ['SNAPSHOTS', 'SNAPSHOT'],
    ['SNAPSHOT_WORKER', 'SNAPSHOT_WORKERS'],
    ['LOG_LEVLE', 'LOG_LEVEL'],
    ['WAL_CAKE_LOG_LEVEL', 'LOG_LEVEL'],
    ['HTTP_ADR', 'HTTP_ADDR'],
    ['ZSTD_LVL', 'ZSTD_LEVEL'],
  ]
  for (const [name, nearest] of cases) {
    assert.deepEqual(misspeltVariables({ [name]: 'SECRET' }), [
      `${name}: there is no such variable; did you mean ${nearest}?`,
    ])
  }
})

test('misspelt variables: our own pass, and so does what is set to nothing', () => {
  assert.deepEqual(misspeltVariables(Object.fromEntries(variables.map(({ name }) => [name, 'x']))), [])
  assert.deepEqual(misspeltVariables({ PG_SLOTT: '', S3_BUCKET: undefined }), [])
})

test('misspelt variables: the environments of others pass', () => {
  const shell =
    'PATH HOME USER LOGNAME SHELL LANG LC_ALL TERM PWD OLDPWD SHLVL _ HOSTNAME TMPDIR HASH_SALT_ROUNDS EDITOR PAGER LS_COLORS DISPLAY ' +
    'SSH_AUTH_SOCK XDG_RUNTIME_DIR NODE_ENV NODE_OPTIONS NODE_EXTRA_CA_CERTS UV_THREADPOOL_SIZE TZ DEBUG NO_COLOR ' +
    'HTTP_PROXY HTTPS_PROXY NO_PROXY http_proxy npm_config_loglevel npm_package_name npm_lifecycle_event INIT_CWD LOGLEVEL'
  const libpq =
    'PGHOST PGHOSTADDR PGPORT PGUSER PGPASSWORD PGDATABASE PGSSLMODE PGSSLROOTCERT PGSERVICE PGPASSFILE PGOPTIONS ' +
    'PGAPPNAME PGDATA PGTZ PG_VERSION PG_MAJOR PG_COLOR PG_PASSWORD PG_HOST PG_PORT PG_ROOT POSTGRES_PASSWORD DATABASE_URL'
  const aws =
    'AWS_PROFILE AWS_DEFAULT_PROFILE AWS_DEFAULT_REGION AWS_ROLE_ARN AWS_ROLE_SESSION_NAME AWS_WEB_IDENTITY_TOKEN_FILE ' +
    'AWS_CONFIG_FILE AWS_SHARED_CREDENTIALS_FILE AWS_CA_BUNDLE AWS_SDK_LOAD_CONFIG AWS_EC2_METADATA_DISABLED ' +
    'AWS_ENDPOINT_URL_S3 AWS_ENDPOINT_URL_STS AWS_IGNORE_CONFIGURED_ENDPOINT_URLS AWS_STS_REGIONAL_ENDPOINTS ' +
    'AWS_EXECUTION_ENV AWS_MAX_ATTEMPTS AWS_RETRY_MODE AWS_USE_FIPS_ENDPOINT AWS_CONTAINER_CREDENTIALS_FULL_URI ' +
    'AWS_ACCESS_KEY AWS_SECRET_KEY AWS_SECURITY_TOKEN AWS_CREDENTIAL_EXPIRATION AWS_S3_BUCKET'
  const ci =
    'CI GITHUB_ACTIONS GITHUB_TOKEN GITHUB_WORKSPACE GITHUB_REF_NAME GITHUB_STEP_SUMMARY RUNNER_OS RUNNER_TEMP ' +
    'RUNNER_TOOL_CACHE ACTIONS_RUNTIME_URL ACTIONS_CACHE_URL ImageOS ImageVersion JAVA_HOME_17_X64 GOROOT_1_22_X64 ' +
    'CI_JOB_TOKEN CI_PROJECT_NAMESPACE KUBE_NAMESPACE POD_NAMESPACE BUILD_NUMBER'
  const kubernetes =
    'KUBERNETES_SERVICE_HOST KUBERNETES_SERVICE_PORT_HTTPS KUBERNETES_PORT_443_TCP_ADDR FOO_SERVICE_HOST S3_SERVICE_HOST ' +
    'S3_SERVICE_PORT S3_SERVICE_PORT_HTTP S3_PORT_9000_TCP S3_PORT_9000_TCP_PROTO S3_PORT_9000_TCP_PORT ' +
    'S3_PORT_9000_TCP_ADDR WAL_CAKE_SERVICE_HOST WAL_CAKE_PORT_8080_TCP SNAPSHOT_CONTROLLER_SERVICE_PORT'
  const others = 'ZSTD_CLEVEL ZSTD_NBTHREADS'
  for (const name of [shell, libpq, aws, ci, kubernetes, others].join(' ').split(' ')) {
    assert.deepEqual(misspeltVariables({ [name]: 'x' }), [])
  }
  assert.deepEqual(misspeltVariables({ S3_PORT: 'tcp://10.0.0.1:9000', WAL_CAKE_PORT: 'tcp://10.0.0.2:8080' }), [])
  assert.deepEqual(misspeltVariables(process.env), [])
})

test('edit distance', () => {
  const cases: [string, string, number][] = [
    ['', '', 0],
    ['abc', 'abc', 0],
    ['abc', '', 3],
    ['abc', 'abd', 1],
    ['abc', 'acb', 1],
    ['abc', 'bca', 2],
    ['kitten', 'sitting', 3],
  ]
  for (const [a, b, distance] of cases) assert.equal(editDistance(a, b), distance, `${a} ${b}`)
})
