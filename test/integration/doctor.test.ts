// `doctor`: a setting that is fit for a start, then one thing after the other that is not, each with what mends it; and what mends
// it is done, and found mended.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test, type TestContext } from 'node:test'
import type { Check } from '../../internal/pipeline/doctor/check.js'
import { footprint } from '../support/refusal.js'
import { makeRig, type Env, type Rig } from '../support/rig.js'
import { S3Server } from '../support/s3-server.js'
import { runVerb } from '../support/service.js'

interface Found {
  readonly code: number | null
  readonly checks: readonly (Check & { readonly section: string })[]
}

async function examine(t: TestContext, rig: Rig, env: Env = {}): Promise<Found> {
  const { code, service } = await runVerb(t, ['doctor', '--json'], { ...rig.env, ...env })
  const [line, ...others] = service.lines
  assert.deepEqual(others, [], 'one line of JSON and nothing else')
  return { code, checks: line!.checks as Found['checks'] }
}

const troubles = ({ checks }: Found): string[] =>
  checks.filter(({ state }) => state !== 'ok').map(({ state, subject }) => `${state}: ${subject}`)

function trouble({ checks }: Found, subject: string): Check {
  const found = checks.find((check) => check.subject === subject && check.state !== 'ok')
  assert.ok(found, `nothing is wrong with ${subject}: ${JSON.stringify(checks)}`)
  return found
}

test('before the first start, and beside a running service: all is well, and nothing is left behind', async (t) => {
  const rig = await makeRig(t, { lake: 'bucket' })
  await rig.source.query('CREATE TABLE t (id int PRIMARY KEY)')
  const before = await footprint(rig)
  const first = await examine(t, rig)
  assert.deepEqual(troubles(first), ['warning: WAL limit'])
  assert.equal(first.code, 0)
  assert.deepEqual(await footprint(rig), before)
  const service = await rig.stream()
  const second = await examine(t, rig)
  assert.deepEqual(troubles(second), ['warning: WAL limit'])
  assert.match(second.checks.find(({ subject }) => subject === 'slot')!.found, /process \d+ streams from it/)
  // Whether the store is the suite's own or another one decides which.
  const said = (subject: string): string => second.checks.find((check) => check.subject === subject)!.found
  assert.match(
    said('versioning'),
    /^(off: an object that somebody deletes is gone|Enabled; expire|not told: .*GetBucketVersioning)/,
  )
  assert.match(said('encryption'), /^(AES256|aws:kms|not by the bucket|not told: .*GetEncryptionConfiguration)/)
  assert.deepEqual([second.checks.some(({ section }) => section === 'Tables'), second.code], [true, 0])
  assert.equal(await service.stop(), 0)
})

test('as text, with a line for each check and what mends it', async (t) => {
  const rig = await makeRig(t, { lake: 'folder' })
  const { code, output } = await runVerb(t, ['doctor'], rig.env)
  assert.equal(code, 0)
  assert.match(output, /^ {2}ok {7}server {2,}PostgreSQL \d+/m)
  assert.match(output, /^ {2}warning {2}WAL limit .*\n +ALTER SYSTEM SET max_slot_wal_keep_size/m)
  assert.match(output, /^0 failed, 1 warning$/m)
})

test('tables: each trouble is named with the statement that mends it, and is gone after it', async (t) => {
  const rig = await makeRig(t, { lake: 'folder' })
  await rig.source.query(`
    CREATE TABLE keyless (n int);
    CREATE UNLOGGED TABLE fleeting (id int PRIMARY KEY);
    CREATE TABLE searched (id int PRIMARY KEY, words tsvector);
    CREATE TABLE parts (id int PRIMARY KEY) PARTITION BY RANGE (id);
    CREATE TABLE part PARTITION OF parts DEFAULT;
    CREATE PUBLICATION wal_cake_pub FOR TABLE keyless, searched, parts WITH (publish = 'insert, update')`)
  const found = await examine(t, rig, { SNAPSHOT: 'initial' })
  assert.equal(found.code, 0)
  const expected = ['publication', 'replica identity', 'partitions', 'not published', 'stream', 'WAL limit']
  assert.deepEqual(troubles(found).sort(), expected.map((subject) => `warning: ${subject}`).sort())
  for (const subject of ['publication', 'replica identity', 'partitions', 'not published'])
    await rig.source.query(trouble(found, subject).mend!)
  await rig.source.query('ALTER TABLE searched DROP COLUMN words')
  assert.deepEqual(troubles(await examine(t, rig, { SNAPSHOT: 'initial' })), ['warning: WAL limit'])
})

test('a role that may do nothing: every right is asked for by itself', async (t) => {
  const rig = await makeRig(t, { lake: 'folder' })
  const role = `doctor_${randomBytes(4).toString('hex')}`
  await rig.source.query(`
    CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE hidden (id int PRIMARY KEY);
    ALTER TABLE hidden ENABLE ROW LEVEL SECURITY; CREATE PUBLICATION wal_cake_pub FOR ALL TABLES;
    CREATE ROLE "${role}" LOGIN PASSWORD 'planted-password'; GRANT SELECT ON hidden TO "${role}"`)
  const url = new URL(rig.source.url)
  ;[url.username, url.password] = [role, 'planted-password']
  const env = { PG_CONN_STRING: url.href, SNAPSHOT: 'initial' }
  const found = await examine(t, rig, env)
  assert.equal(found.code, 3)
  const failed = ['role', 'replication', 'reading', 'reading']
  assert.deepEqual(
    troubles(found).filter((text) => text.startsWith('failed')),
    failed.map((subject) => `failed: ${subject}`),
  )
  assert.ok(!JSON.stringify(found).includes('planted-password'))
  for (const { state, mend } of found.checks)
    if (state === 'failed') await rig.source.query(mend!.replace(/^Run as a superuser: /, ''))
  await rig.source.query(`GRANT SELECT ON ALL TABLES IN SCHEMA public TO "${role}"`)
  const mended = await examine(t, rig, env)
  assert.deepEqual([troubles(mended), mended.code], [['warning: WAL limit'], 0])
  await rig.source.query(`DROP OWNED BY "${role}"; DROP ROLE "${role}"`)
})

test('a server that is not there, or wants another password', async (t) => {
  const rig = await makeRig(t, { lake: 'folder' })
  const url = new URL(rig.source.url)
  url.password = 'planted-password'
  for (const PG_CONN_STRING of [url.href, 'postgres://someone:planted-password@127.0.0.1:1/nothing']) {
    const found = await examine(t, rig, { PG_CONN_STRING })
    assert.deepEqual([troubles(found), found.code], [['failed: connection'], 3])
    assert.notEqual(trouble(found, 'connection').mend, undefined)
    assert.ok(found.checks.some(({ section, state }) => section === 'Store' && state === 'ok'))
    assert.ok(!JSON.stringify(found).includes('planted-password'))
  }
})

const denied = { do: 'answer', status: 403, code: 'AccessDenied' } as const

for (const [operation, subjects] of [
  ['PutObject', ['write']],
  ['GetObject', ['read', 'multipart']],
  ['ListObjectsV2', ['list']],
  ['CreateMultipartUpload', ['multipart']],
  ['DeleteObject', ['delete']],
] as const) {
  test(`a bucket whose policy forbids ${operation}`, async (t) => {
    const server = await S3Server.start()
    t.after(() => server.stop())
    const rig = await makeRig(t, { lake: server })
    server.faults.add({ operation, count: Infinity, action: denied })
    const found = await examine(t, rig)
    const failed = found.checks.filter(({ state }) => state === 'failed').map(({ subject }) => subject)
    assert.deepEqual([failed, found.code], [subjects, 3])
    assert.notEqual(trouble(found, subjects[0]).mend, undefined)
  })
}

test('a store that ignores conditions', async (t) => {
  const server = await S3Server.start()
  t.after(() => server.stop())
  const rig = await makeRig(t, { lake: server })
  server.onBeforeRequest = (request) => {
    // Without the object that was there, every condition holds.
    if (request.operation === 'PutObject') server.objects.perform({ ...request, operation: 'DeleteObject' })
  }
  const found = await examine(t, rig)
  assert.equal(found.code, 3)
  assert.match(trouble(found, 'conditional write').mend!, /SOLE_WRITER/)
})
