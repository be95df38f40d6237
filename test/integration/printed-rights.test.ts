// `init --print`: what it prints is enough for a role and a key that may do nothing else, and each part of it is needed.
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { Policy } from '../../internal/storage/bucket-policy.js'
import { dataKey } from '../../internal/storage/keys.js'
import { copying, endInOrder } from '../support/copies.js'
import { startPolicyGuard } from '../support/policy-guard.js'
import { makeRig, type Env, type Rig } from '../support/rig.js'
import { S3Server } from '../support/s3-server.js'
import { runVerb } from '../support/service.js'

const PASSWORD = 'of-the-cake'

/** What the program prints, run by a superuser in a database in which nobody may do anything by default. */
async function grantedRig(t: TestContext, env: Env): Promise<{ rig: Rig; role: string; env: Env }> {
  const rig = await makeRig(t, { lake: 'folder' })
  const role = `cake's $do$ "${rig.slot}"`
  const url = new URL(rig.source.url)
  await rig.source.query(
    `REVOKE ALL ON SCHEMA public FROM PUBLIC; REVOKE ALL ON DATABASE ${url.pathname.slice(1)} FROM PUBLIC`,
  )
  const [username, password] = [encodeURIComponent(role), PASSWORD]
  Object.assign(url, { username, password })
  const all = { ...rig.env, ...copying, ...env, PG_CONN_STRING: url.href }
  return { rig, role, env: all }
}

async function printed(t: TestContext, part: 'sql' | 'policy', env: Env): Promise<string> {
  const { code, output } = await runVerb(t, ['init', '--print', part], env)
  assert.equal(code, 0, output)
  return output
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

test('the role: with what is printed it starts, copies and streams, and without any part of it something fails', async (t) => {
  const { rig, role, env } = await grantedRig(t, { TABLES: 'public.marks,"Shop %".*', EXCLUDE_TABLES: '*.secret' })
  await rig.source.query(`
    CREATE SCHEMA "Shop %"; CREATE TABLE "Shop %"."a.b" (id int PRIMARY KEY); INSERT INTO "Shop %"."a.b" VALUES (1);
    CREATE TABLE "Shop %".parts (id int PRIMARY KEY) PARTITION BY RANGE (id);
    CREATE SCHEMA elsewhere; CREATE TABLE elsewhere.part PARTITION OF "Shop %".parts DEFAULT; INSERT INTO "Shop %".parts VALUES (1);
    CREATE TABLE "Shop %".secret (id int PRIMARY KEY); CREATE TABLE elsewhere.other (id int PRIMARY KEY)`)
  const sql = await printed(t, 'sql', env)
  assert.ok(!sql.includes(PASSWORD))
  for (let twice = 0; twice < 2; twice++) await rig.source.query(sql)
  await rig.source.query(`ALTER ROLE ${quoted(role)} PASSWORD '${PASSWORD}'`)

  const [may] = await rig.source.query<{ tables: string[] }>(
    `SELECT array_agg(c.oid::regclass::text ORDER BY 1) AS tables FROM pg_class c
      WHERE c.relkind IN ('r', 'p') AND c.oid >= 16384 AND has_table_privilege($1, c.oid, 'SELECT')`,
    [role],
  )
  assert.deepEqual(may?.tables.sort(), ['"Shop %"."a.b"', '"Shop %".parts', 'elsewhere.part', 'marks'])

  const name = quoted(role)
  const database = new URL(rig.source.url).pathname.slice(1)
  for (const [take, giveBack] of [
    [`ALTER ROLE ${name} NOREPLICATION`, `ALTER ROLE ${name} REPLICATION`],
    [`ALTER ROLE ${name} NOLOGIN`, `ALTER ROLE ${name} LOGIN`],
    [`REVOKE CONNECT ON DATABASE ${database} FROM ${name}`, `GRANT CONNECT ON DATABASE ${database} TO ${name}`],
    ['DROP PUBLICATION wal_cake_pub', sql],
  ] as const) {
    await rig.source.query(take)
    const { code, output } = await runVerb(t, ['init'], env)
    assert.notEqual(code, 0, `${take}: ${output}`)
    await rig.source.query(giveBack)
  }

  const service = rig.start(env)
  await service.waitForLog('streaming')
  await service.waitForLog('table copied', { count: 3, timeoutMs: 60_000 })
  assert.deepEqual(service.logged('the server refuses to copy a table'), [])
  await endInOrder(rig, service)
  await rig.dropSlot()

  for (const take of [`SELECT ON "Shop %"."a.b"`, `USAGE ON SCHEMA "Shop %"`]) {
    await rig.source.query(`REVOKE ${take} FROM ${name}`)
    const again = rig.start({ ...env, NAMESPACE: take.split(' ')[0]! })
    await again.waitForLog('the server refuses to copy a table')
    assert.equal(await again.stop(), 0)
    await rig.dropSlot()
    await rig.source.query(sql)
  }
  await rig.source.query(`DROP OWNED BY ${name}; DROP ROLE ${name}`)
})

test('the role: nothing is published where that would make a statement of the application fail', async (t) => {
  const { rig, role, env } = await grantedRig(t, { TABLES: 'public.marks,public.log', SNAPSHOT: 'never' })
  await rig.source.query('CREATE TABLE log (n int)')
  const sql = await printed(t, 'sql', env)
  await assert.rejects(rig.source.query(sql), /without a key.*: log/)
  await rig.source.query('ROLLBACK')
  const [left] = await rig.source.query('SELECT FROM pg_roles WHERE rolname = $1', [role])
  assert.equal(left, undefined, 'all or nothing')
  await rig.source.query(`ALTER TABLE log REPLICA IDENTITY FULL; ${sql}`)
  const [may] = await rig.source.query<{ may: boolean }>(`SELECT has_table_privilege($1, 'log', 'SELECT') AS may`, [
    role,
  ])
  assert.equal(may!.may, false, 'where nothing is copied nothing is read')
  await rig.source.query(`DROP OWNED BY ${quoted(role)}; DROP ROLE ${quoted(role)}`)
})

test('the bucket: every action of the policy is needed by a run, and no request asks for another one', async (t) => {
  const behind = await S3Server.start()
  t.after(() => behind.stop())
  const rig = await makeRig(t, { lake: behind })
  const own = { ...rig.env, ...copying, NAMESPACE: 'team/orders' }
  const policy = JSON.parse(await printed(t, 'policy', own)) as Policy
  const { server, used, denied } = await startPolicyGuard(behind, policy)
  t.after(() => server.stop())
  const env = { ...own, AWS_ENDPOINT: server.endpoint }
  await rig.source.query('CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)')

  const first = rig.start(env)
  await first.waitForLog('table copied', { count: 2, timeoutMs: 60_000 })
  const asked = rig.start(env, ['snapshot', 'public.t'])
  assert.equal((await asked.waitForExit()).code, 0)
  await rig.caughtUp(first)
  assert.equal(await first.stop(), 0)

  // What a process that crashed would have left on its way.
  const place = { schema: 'public', table: 't', dateColumn: 'dt', date: '2026-01-01', slot: rig.slot } as const
  const key = `team/orders/${dataKey({ ...place, batch: 999, fromLsn: 1n, toLsn: 2n, part: 0 })}`
  const request = { operation: 'CreateMultipartUpload', method: 'POST', bucket: rig.bucket!.bucket, key } as const
  behind.objects.perform({ ...request, query: new URLSearchParams(), header: () => undefined, body: Buffer.alloc(0) })
  const second = rig.start(env)
  await second.waitForLog(/unfinished uploads of an earlier run/)
  assert.equal(await second.stop(), 0)

  assert.deepEqual([...denied], [])
  assert.deepEqual([...used].sort(), policy.Statement.flatMap(({ Action }) => Action).sort())
  await assertOthersDenied(t, rig, env)
})

/** The same keys in another namespace: not let in. */
async function assertOthersDenied(t: TestContext, rig: Rig, env: Env): Promise<void> {
  const { code } = await runVerb(t, ['init'], { ...env, NAMESPACE: 'team/others', PG_SLOT: `${rig.slot}_2` })
  assert.equal(code, 2)
}

test('what is printed without a database, a bucket or a copy', async (t) => {
  const env = { PG_CONN_STRING: 'postgres://cake@nowhere.invalid/shop', LAKE_DIR: '/nowhere' }
  const { code, output } = await runVerb(t, ['init', '--print'], env)
  assert.deepEqual(
    [code, output.includes('CREATE PUBLICATION'), output.includes('there is no bucket')],
    [0, true, true],
  )
  for (const args of [
    ['init', 'sql'],
    ['init', '--print', 'everything'],
  ])
    assert.equal((await runVerb(t, args, env)).code, 2, args.join(' '))
})
