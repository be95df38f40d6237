// Passwords and keys are planted, everything is logged, several things go wrong, and then every line and every object is
// searched for them, in all the spellings that they may take on the way.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { startPostgres } from '../support/postgres.js'
import { makeRig, type Env } from '../support/rig.js'
import { S3Server } from '../support/s3-server.js'
import { serverSource } from '../support/server-source.js'
import { runVerb, type LogLine } from '../support/service.js'

const PASSWORD = 'pl4nted p@ss/word?&"\'\\%=é'

test('no password and no key is in a log line, an error, or an object of the lake', async (t) => {
  const server = await startPostgres({ password: PASSWORD })
  t.after(() => server.stop('immediate'))
  const s3 = await S3Server.start()
  t.after(() => s3.stop())
  const rig = await makeRig(t, { lake: s3, source: await serverSource(server) })
  const everything: Env = {
    LOG_LEVEL: 'trace',
    AWS_SESSION_TOKEN: 'pl4nted-session-token',
    HASH_COLUMNS: 'public.marks.id',
    HASH_SALT: 'pl4nted salt of "hashes"',
  }
  const lines: LogLine[] = []
  const keyValue = `host=127.0.0.1 port=${server.port} user=postgres dbname=postgres password='${PASSWORD.replaceAll(/['\\]/g, '\\$&')}'`

  for (const [verb, env] of [
    ['init', {}],
    ['init', { PG_CONN_STRING: keyValue }],
    ['init', { PG_CONN_STRING: keyValue, LOG_FORMAT: 'pretty' }],
    ['init', { PG_CONN_STRING: rig.source.url.replace('/postgres', '/nowhere') }],
    ['init', { PG_CONN_STRING: `${rig.source.url}?sslmode=require` }],
    ['init', { PG_CONN_STRING: `${rig.source.url}?nonsense=1` }],
    ['init', { PG_CONN_STRING: rig.source.url.replace('127.0.0.1:', '127.0.0.1:9') }],
    ['init', { PG_CONN_STRING: `postgres://postgres:${PASSWORD}@127.0.0.1:${server.port}/postgres` }],
    ['init', { S3_BUCKET_NAME: 'not-there' }],
    ['init', { HASH_SALT: 'pl4nted' }],
    ['init', { HASH_COLUMNS: 'pl4nted salt of "hashes"' }],
    ['init', { HASH_SALTT: 'pl4nted salt of "hashes"' }],
    ['doctor', {}],
    ['init', { AWS_SECRET_ACCESS_KEY: 'pl4nted-wrong-secret' }],
    ['init', { PGPASSWORD: 'pl4nted-elsewhere', FLUSH_INTERVALL: '1s' }],
    ['drop', {}],
  ] as const) {
    const { service } = await runVerb(t, [verb], { ...rig.env, ...everything, ...env })
    lines.push(...service.lines)
  }
  const service = await rig.stream(everything)
  for (const action of [{ do: 'reset' }, { do: 'answer', status: 503, code: 'SlowDown' }] as const)
    s3.faults.add({ operation: 'PutObject', action })
  await rig.caughtUp(service)
  await server.restart()
  await rig.caughtUp(service)
  assert.equal(await service.stop(), 0)
  lines.push(...service.lines)

  const secrets = [PASSWORD, s3.keys.secretAccessKey, everything.AWS_SESSION_TOKEN!, everything.HASH_SALT!, 'pl4nted']
  const spellings = secrets.flatMap((secret) => [
    secret,
    encodeURIComponent(secret),
    JSON.stringify(secret).slice(1, -1),
    Buffer.from(secret).toString('base64').replace(/=+$/, ''),
  ])
  assert.ok(lines.length > 25, `${lines.length} lines`)
  for (const line of lines) {
    const text = `${JSON.stringify(line)}\n${Object.values(line).map(String).join('\n')}`
    for (const spelling of spellings) assert.ok(!text.includes(spelling), `${spelling} is in ${text}`)
  }
  const keys = await rig.lake.keys()
  assert.ok(keys.length > 4)
  for (const key of keys) {
    const content = await readFile(rig.lake.path(key), 'latin1')
    for (const spelling of spellings) {
      assert.ok(!`${key}\n${content}`.includes(Buffer.from(spelling).toString('latin1')), `${spelling} is in ${key}`)
    }
  }
  await rig.dropSlot()
})
