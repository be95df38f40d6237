// `status` with a service that runs, with none, and with something else at its address.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { healthProbe } from '../support/health.js'
import { startPostgres, type PostgresServer } from '../support/postgres.js'
import { makeRig, type Env, type Rig } from '../support/rig.js'
import { serverSource } from '../support/server-source.js'
import { eventually } from '../support/eventually.js'

let server: PostgresServer
before(async () => {
  server = await startPostgres({ settings: { max_slot_wal_keep_size: '1GB' } })
})
after(() => server.stop('immediate'))

async function ask(rig: Rig, env: Env, args: readonly string[] = []): Promise<string> {
  const command = rig.start(env, ['status', ...args])
  assert.equal((await command.waitForExit()).code, 0)
  return command.lines.map((line) => line.msg ?? JSON.stringify(line)).join('\n')
}

type Answer = Record<string, unknown> & { service: Record<string, unknown> }
const json = async (rig: Rig, env: Env): Promise<Answer> => JSON.parse(await ask(rig, env, ['--json'])) as Answer

test('status tells the live numbers of the service, and those of the bucket when it is away', async (t) => {
  const rig = await makeRig(t, { source: await serverSource(server, 'status'), lake: 'folder' })
  await rig.source.query('CREATE TABLE orders (id int PRIMARY KEY)')
  const { env } = await healthProbe()
  const service = await rig.stream(env)
  for (let id = 0; id < 5; id++) await rig.source.query(`INSERT INTO orders SELECT generate_series(${id}00, ${id}99)`)
  await rig.caughtUp(service)
  // The rate of WAL needs two looks at the slot.
  const found = await eventually(async () => {
    await rig.source.query('INSERT INTO marks DEFAULT VALUES')
    const answer = await json(rig, env)
    return typeof answer.service.hours_left === 'number' && answer
  })
  const live = found.service
  assert.deepEqual([live.reachable, live.state, live.live], [true, 'streaming', true])
  for (const name of ['lag_seconds', 'lag_bytes', 'rows_per_second', 'last_commit_age_seconds'])
    assert.equal(typeof live[name], 'number', name)
  for (const name of ['retained_wal_bytes', 'safe_wal_bytes', 'wal_bytes_per_second'])
    assert.ok((live[name] as number) > 0, name)
  const hours = (live.safe_wal_bytes as number) / (live.wal_bytes_per_second as number) / 3600
  assert.ok(
    Math.abs((live.hours_left as number) - hours) <= 0.1 + hours / 100,
    `${String(live.hours_left)} of ${hours}`,
  )
  assert.ok((found.rows_per_second as number) > 0)
  const text = await ask(rig, env)
  assert.match(text, /^service {3}streaming; lag [\d.]+ s, [\d.]+ k?B behind; \d+ rows\/s; last commit [\d.]+ s ago$/m)
  assert.match(text, /^wal {7}[\d.]+ [kMG]?B kept for the slot \(reserved\), [\d.]+ [MG]B left, [\d.]+ h at this rate/m)
  assert.match(text, /^durable {3}batch .*; last transaction \d+ s ago; [\d,]+ rows\/s in the newest batches$/m)

  await service.stop()
  const alone = await json(rig, env)
  assert.deepEqual(alone.service, { reachable: false, why: `nothing answers at ${env.HTTP_ADDR}` })
  assert.ok((alone.rows_per_second as number) > 0)
  assert.equal(typeof alone.last_transaction_age_seconds, 'number')
  assert.match(await ask(rig, env), /^service {3}nothing answers at .*: what follows is from the bucket alone$/m)
  assert.match(await ask(rig, {}), /^service {3}HTTP_ADDR is empty: /m)
})

test('status does not take another answer for that of its service', async (t) => {
  const rig = await makeRig(t, { source: await serverSource(server, 'others'), lake: 'folder' })
  const { env } = await healthProbe()
  const service = await rig.stream(env)
  const other = await json(rig, { ...env, PG_SLOT: 'another_slot' })
  assert.match(String(other.service.why), new RegExp(`is that of the slot ${rig.slot}$`))
  await service.stop()
  for (const answer of ['hello', '{}', 'null']) {
    const stranger = createServer((_, response) => response.end(answer))
    await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve))
    const { port } = stranger.address() as AddressInfo
    const found = await json(rig, { HTTP_ADDR: `127.0.0.1:${port}` })
    stranger.closeAllConnections()
    stranger.close()
    assert.match(String(found.service.why), /is no wal-cake$/, answer)
  }
})
