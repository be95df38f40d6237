// A server that cannot be used: each is refused with one line that names it and says what to do, in seconds, and nothing
// is created on the way.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { startPostgres, type PostgresServer } from '../support/postgres.js'
import { assertRefused, footprint, type Refusal } from '../support/refusal.js'
import { makeRig } from '../support/rig.js'
import { serverSource } from '../support/server-source.js'

const PASSWORD = 'pa$$ w0rd/of-the=server'

let server: PostgresServer
let silent: Server
const sockets: Socket[] = []

before(async () => {
  server = await startPostgres({ password: PASSWORD, settings: { max_slot_wal_keep_size: '1MB' } })
  const admin = await serverSource(server)
  await admin.query(`CREATE ROLE plain LOGIN PASSWORD 'of-plain'`)
  await admin.query(`CREATE ROLE streamer LOGIN REPLICATION PASSWORD 'of-streamer'`)
  silent = createServer((socket) => void sockets.push(socket)).listen(0, '127.0.0.1')
  await once(silent, 'listening')
})

after(async () => {
  for (const socket of sockets) socket.destroy()
  silent.close()
  await server.stop('immediate')
})

interface BadConnection extends Refusal {
  readonly name: string
  /** Turns the right address into the wrong one. */
  readonly spoil: (url: URL) => void
  readonly env?: Readonly<Record<string, string>>
}

const cases: readonly BadConnection[] = [
  {
    name: 'a wrong password',
    spoil: (url) => (url.password = 'not-it'),
    code: 2,
    says: [/refused the password/, /PG_CONN_STRING/, /127\.0\.0\.1:\d+/],
  },
  {
    name: 'no password',
    spoil: (url) => (url.password = ''),
    code: 2,
    says: [/password/, /PG_CONN_STRING or PGPASSWORD/],
  },
  {
    name: 'a database that is not there',
    spoil: (url) => (url.pathname = '/nowhere'),
    code: 2,
    says: [/no such database/, /\/nowhere/, /PG_CONN_STRING/],
  },
  {
    name: 'a role without REPLICATION',
    spoil: (url) => ([url.username, url.password] = ['plain', 'of-plain']),
    code: 2,
    says: [/may not stream/, /ALTER ROLE "plain" REPLICATION/],
  },
  {
    name: 'a role that may not create the publication',
    spoil: (url) => ([url.username, url.password] = ['streamer', 'of-streamer']),
    code: 2,
    says: [/may not create the publication wal_cake_pub/, /CREATE PUBLICATION "wal_cake_pub" FOR ALL TABLES/],
  },
  {
    name: 'a role that may not create the publication of some tables',
    spoil: (url) => ([url.username, url.password] = ['streamer', 'of-streamer']),
    env: { TABLES: 'public.marks' },
    code: 2,
    says: [
      /may not create the publication wal_cake_pub/,
      /CREATE PUBLICATION "wal_cake_pub" FOR TABLE "public"."marks"/,
    ],
  },
  {
    name: 'a table that is not there',
    spoil: () => undefined,
    env: { TABLES: 'public.marks,public.nowhere' },
    code: 2,
    says: [/public\.nowhere/, /TABLES/],
  },
  {
    name: 'TLS asked for where there is none',
    spoil: (url) => url.searchParams.set('sslmode', 'require'),
    code: 2,
    says: [/TLS switched off/, /sslmode=disable/],
  },
  {
    name: 'a port where nothing listens',
    spoil: (url) => (url.port = '1'),
    code: 5,
    says: [/127\.0\.0\.1:1\/\S+ cannot be reached.*ECONNREFUSED/, /tried for \d+ s/, /host and port/],
  },
  {
    name: 'a host that does not answer',
    spoil: (url) => (url.port = String((silent.address() as AddressInfo).port)),
    code: 5,
    says: [/cannot be reached/, /tried for \d+ s/, /host and port/],
  },
  {
    name: 'a host name that is not known',
    spoil: (url) => (url.hostname = 'nowhere.invalid'),
    code: 5,
    says: [/nowhere\.invalid/, /host in PG_CONN_STRING/],
  },
]

// Most of them wait, so they may wait together.
describe('G6: refused, with nothing created', { concurrency: 3 }, () => {
  for (const [index, { name, spoil, env, ...refusal }] of cases.entries()) {
    test(name, async (t) => {
      const rig = await makeRig(t, { lake: 'folder', source: await serverSource(server, `refused_${index}`) })
      const before = await footprint(rig)
      const url = new URL(rig.source.url)
      spoil(url)
      await assertRefused(rig.start({ PG_CONN_STRING: url.href, ...env }), refusal)
      assert.deepEqual(await footprint(rig), before)
    })
  }

  test('a slot whose WAL the server has removed', async (t) => {
    const rig = await makeRig(t, { lake: 'folder', source: await serverSource(server, 'refused_lost') })
    const service = await rig.stream()
    await rig.caughtUp(service)
    assert.equal(await service.stop(), 0)
    for (let segment = 0; segment < 4; segment++) {
      await rig.source.query('INSERT INTO marks DEFAULT VALUES')
      await rig.source.query('SELECT pg_switch_wal()')
    }
    await rig.source.query('CHECKPOINT')
    const before = await footprint(rig)
    await assertRefused(rig.start(), {
      code: 3,
      says: [
        new RegExp(`slot ${rig.slot}`),
        /lake ends at [0-9A-F]+\/[0-9A-F]+, and every transaction that ended after that is missing/,
        /missing: [0-9A-F]+\/[0-9A-F]+ to [0-9A-F]+\/[0-9A-F]+/,
        /repair --yes/,
      ],
    })
    assert.deepEqual(await footprint(rig), before)
    await rig.dropSlot()
  })

  test('a server with wal_level=replica', async (t) => {
    const replica = await startPostgres({ settings: { wal_level: 'replica' } })
    t.after(() => replica.stop('immediate'))
    const rig = await makeRig(t, { lake: 'folder', source: await serverSource(replica) })
    const before = await footprint(rig)
    await assertRefused(rig.start(), { code: 3, says: [/wal_level=replica/, /ALTER SYSTEM SET wal_level = logical/] })
    assert.deepEqual(await footprint(rig), before)
  })
})
