// `doctor`: what stands between the program and the server, what ends its sessions, and keys that are none.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import type { Check } from '../../internal/pipeline/doctor/check.js'
import { makeRig, type Env, type Rig } from '../support/rig.js'
import { runVerb } from '../support/service.js'
import { major } from '../support/table-kind.js'

async function troubles(t: TestContext, rig: Rig, env: Env = {}): Promise<readonly Check[]> {
  const { service } = await runVerb(t, ['doctor', '--json'], { ...rig.env, ...env })
  return (service.lines[0]!.checks as Check[]).filter(({ state, subject }) => state !== 'ok' && subject !== 'WAL limit')
}

const subjects = (checks: readonly Check[]): string[] => checks.map(({ state, subject }) => `${state}: ${subject}`)

test('a pooler, which gives every connection a number of its own, is told of with the way around it', async (t) => {
  const rig = await makeRig(t, { lake: 'folder' })
  const source = new URL(rig.source.url)
  const pooler = createServer((client) => {
    const server = connect(Number(source.port), source.hostname)
    client.pipe(server)
    server.on('data', (bytes) => {
      const key = bytes.indexOf(Buffer.from([0x4b, 0, 0, 0, 12]))
      if (key >= 0) bytes.writeUInt32BE(bytes.readUInt32BE(key + 5) ^ 0x55, key + 5)
      client.write(bytes)
    })
    server.on('end', () => client.end())
    for (const socket of [client, server]) socket.on('error', () => [client, server].map((each) => each.destroy()))
  }).listen(0, '127.0.0.1')
  await once(pooler, 'listening')
  t.after(() => pooler.close())
  const url = new URL(source)
  Object.assign(url, { hostname: '127.0.0.1', port: String((pooler.address() as AddressInfo).port) })
  const found = await troubles(t, rig, { PG_CONN_STRING: url.href })
  assert.deepEqual(subjects(found), ['warning: pooler'])
  assert.match(found[0]!.mend!, new RegExp(`:${source.port}\\.$`))
  assert.deepEqual(await troubles(t, rig), [])
})

test('timeouts that end a quiet session, and what mends them', async (t) => {
  const rig = await makeRig(t, { lake: 'folder' })
  if ((await major(rig)) < 14) {
    t.skip('no such settings before PostgreSQL 14')
    return
  }
  const role = `quiet_${rig.slot}`
  await rig.source.query(
    `CREATE ROLE ${role} SUPERUSER LOGIN PASSWORD 'p'; ALTER ROLE ${role} SET idle_session_timeout = '5min'`,
  )
  const url = new URL(rig.source.url)
  Object.assign(url, { username: role, password: 'p' })
  const env = { PG_CONN_STRING: url.href }
  const [found, ...others] = await troubles(t, rig, env)
  assert.deepEqual([found?.subject, others], ['idle timeouts', []])
  await rig.source.query(found!.mend!)
  assert.deepEqual(await troubles(t, rig, env), [])
  await rig.source.query(`DROP ROLE ${role}`)
})

test('a deferrable key and an identity without its index name no row', async (t) => {
  const rig = await makeRig(t, { lake: 'folder' })
  await rig.source.query(`
    CREATE TABLE late (id int PRIMARY KEY DEFERRABLE);
    CREATE TABLE dropped (id int NOT NULL); CREATE UNIQUE INDEX by_id ON dropped (id);
    ALTER TABLE dropped REPLICA IDENTITY USING INDEX by_id; DROP INDEX by_id;
    INSERT INTO late VALUES (1); INSERT INTO dropped VALUES (1);
    CREATE PUBLICATION wal_cake_pub FOR TABLE late, dropped, marks`)
  for (const table of ['late', 'dropped'])
    await assert.rejects(rig.source.query(`DELETE FROM ${table}`), /does not have a replica identity/)
  const [found, ...others] = await troubles(t, rig)
  assert.deepEqual([found?.subject, others], ['replica identity', []])
  assert.match(found!.found, /dropped, late/)
})
