// What the slot costs the server is told as numbers, in the log and at /metrics, and louder before the server would give it up.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { freePort } from '../../cmd/wal-cake/demo/postgres-server.js'
import { eventually } from '../support/eventually.js'
import { startPostgres, type PostgresServer } from '../support/postgres.js'
import { assertRefused } from '../support/refusal.js'
import { RequestHold } from '../support/request-hold.js'
import { makeRig } from '../support/rig.js'
import { S3Server } from '../support/s3-server.js'
import { serverSource } from '../support/server-source.js'

const KEEP_MIB = 64

let server: PostgresServer
let store: S3Server
before(async () => {
  store = await S3Server.start()
  server = await startPostgres({
    settings: { max_slot_wal_keep_size: `${KEEP_MIB}MB`, min_wal_size: '32MB', max_wal_size: '32MB' },
  })
})
after(async () => {
  await server.stop('immediate')
  await store.stop()
})

test('G11: retained WAL, room left and lag are told, in time before the slot is lost', async (t) => {
  const rig = await makeRig(t, { source: await serverSource(server, 'guarded'), lake: store })
  await rig.source.query('CREATE TABLE t (id int PRIMARY KEY)')
  const address = `127.0.0.1:${await freePort()}`
  const service = await rig.stream({ HTTP_ADDR: address })
  const numbers = async (): Promise<ReadonlyMap<string, number>> => {
    const text = await (await fetch(`http://${address}/metrics`)).text()
    const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
    return new Map(
      lines.map((line) => {
        const [name, value] = [line.slice(0, line.lastIndexOf(' ')), line.slice(line.lastIndexOf(' ') + 1)]
        return [name.replace(`slot="${rig.slot}"`, '').replace('{}', '').replace('{,', '{'), Number(value)]
      }),
    )
  }
  await rig.source.query('INSERT INTO t VALUES (1)')
  await rig.caughtUp(service)
  const fine = await service.waitFor('the first report', async () => {
    const found = await numbers()
    return found.has('wal_cake_slot_retained_wal_bytes') && found.has('wal_cake_last_commit_timestamp_seconds') && found
  })
  assert.equal(fine.get('wal_cake_streaming'), 1)
  assert.equal(fine.get('wal_cake_slot_wal_status{status="reserved"}'), 1)
  assert.ok(fine.get('wal_cake_slot_safe_wal_bytes')! > 0)
  assert.ok(fine.get('wal_cake_server_checkpoint_age_seconds')! >= 0)
  const [line] = service.logged('slot')
  assert.equal(line?.wal_status, 'reserved')
  for (const field of ['retained_wal_bytes', 'behind_bytes', 'safe_wal_bytes', 'checkpoint_age_seconds', 'lag_seconds'])
    assert.equal(typeof line[field], 'number', field)

  const hold = new RequestHold(t, store, { key: /plan\.json$/ })
  await rig.source.query('INSERT INTO t VALUES (2)')
  await hold.reached()
  const write = async (mebibytes: number) => {
    for (let written = 0; written < mebibytes; written++)
      await rig.source.query(`SELECT pg_logical_emit_message(false, 'x', repeat('x', 1048576))`)
  }
  await write(KEEP_MIB - 8)
  await service.waitForLog((found) => found.level === 'warn' && found.msg?.startsWith('slot: the WAL kept') === true)
  const short = await numbers()
  assert.ok(short.get('wal_cake_slot_retained_wal_bytes')! > (KEEP_MIB - 9) * 2 ** 20)
  assert.ok(short.get('wal_cake_slot_behind_bytes')! > (KEEP_MIB - 9) * 2 ** 20)
  assert.ok(short.get('wal_cake_lag_seconds')! > 0, 'a change waits for its plan')
  assert.ok(short.get('wal_cake_slot_safe_wal_bytes')! < 16 * 2 ** 20)

  await write(40)
  // The server takes it at a checkpoint, and ends the connection; then nothing may go on over the gap (G6).
  await eventually(async () => {
    await rig.source.query('CHECKPOINT')
    return !service.running
  })
  await assertRefused(service, { code: 3, says: [/removed its WAL/, /missing: /, /repair/] })
  hold.forget()
  await rig.dropSlot()
})
