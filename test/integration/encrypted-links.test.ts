// TLS to PostgreSQL as sslmode asks, against a server with a certificate of our own making, and the Unix-domain socket.
import assert from 'node:assert/strict'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { hasOpenssl, makeCertificate, switchTlsOn, type Certificate } from '../support/certificate.js'
import { auditLog } from '../support/log-audit.js'
import { createOrders, loadOrders, orders } from '../support/orders.js'
import { startPostgres, type PostgresServer } from '../support/postgres.js'
import { assertRefused } from '../support/refusal.js'
import { makeRig } from '../support/rig.js'
import { serverSource } from '../support/server-source.js'
import { unlessSoaking } from '../support/soak.js'
import { assertLakeIsTable } from '../support/table-comparison.js'

const openssl = await hasOpenssl()

describe('TLS', { skip: openssl ? false : 'this machine has no openssl to make a certificate with' }, () => {
  let server: PostgresServer
  let folder: string
  let certificate: Certificate
  let other: Certificate

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'wal-cake-tls-'))
    certificate = await makeCertificate(folder, 'localhost')
    server = await startPostgres()
    await switchTlsOn(server, certificate)
    const second = await mkdtemp(join(folder, 'other-'))
    other = await makeCertificate(second, 'localhost')
  })
  after(async () => {
    await server.stop('immediate')
    await rm(folder, { recursive: true })
  })

  const accepted: readonly (readonly [mode: string, host: string, root: boolean, encrypted: boolean])[] = [
    ['disable', '127.0.0.1', false, false],
    ['prefer', '127.0.0.1', false, true],
    ['require', '127.0.0.1', false, true],
    ['verify-ca', '127.0.0.1', true, true],
    ['verify-full', 'localhost', true, true],
  ]
  for (const [index, [sslmode, host, root, encrypted]] of accepted.entries()) {
    test(`sslmode=${sslmode} to ${host}: ${encrypted ? 'encrypted' : 'in the clear'}, and rows arrive`, async (t) => {
      const rig = await makeRig(t, { lake: 'folder', source: await serverSource(server, `tls_${index}`) })
      await createOrders(rig.source)
      const url = new URL(rig.source.url)
      url.hostname = host
      url.searchParams.set('sslmode', sslmode)
      if (root) url.searchParams.set('sslrootcert', certificate.authority)
      const service = await rig.stream({ PG_CONN_STRING: url.href })
      const links = await rig.source.query<{ type: string; ssl: boolean }>(
        `SELECT backend_type AS type, ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
          WHERE application_name = 'wal-cake' ORDER BY 1`,
      )
      assert.deepEqual(links, [
        { type: 'client backend', ssl: encrypted },
        { type: 'walsender', ssl: encrypted },
      ])
      // Encrypted, every change comes in a record of its own: waiting after each would take a minute. Whoever is asked for
      // the certificate, the records are the same.
      const transactions = sslmode === 'verify-full' ? 40 : unlessSoaking(2, 40)
      await loadOrders(rig.source, { transactions, rowsPerTransaction: 1_000 })
      await rig.caughtUp(service, { timeoutMs: 40_000 })
      assert.equal(await service.stop(), 0)
      await auditLog(rig.lake, rig.slot)
      await assertLakeIsTable(rig.source.url, rig.lake, orders)
      await rig.dropSlot()
    })
  }

  const refused: readonly (readonly [what: string, mode: string, host: string, authority: () => string | undefined])[] =
    [
      ['a certificate of another host', 'verify-full', '127.0.0.1', () => certificate.authority],
      ['a certificate of another authority', 'verify-ca', 'localhost', () => other.authority],
      ['a certificate of an authority that the system does not know', 'verify-full', 'localhost', () => undefined],
    ]
  for (const [index, [what, sslmode, host, authority]] of refused.entries()) {
    test(`sslmode=${sslmode} refuses ${what}`, async (t) => {
      const rig = await makeRig(t, { lake: 'folder', source: await serverSource(server, `tls_refused_${index}`) })
      const url = new URL(rig.source.url)
      url.hostname = host
      url.searchParams.set('sslmode', sslmode)
      const root = authority()
      if (root !== undefined) url.searchParams.set('sslrootcert', root)
      await assertRefused(rig.start({ PG_CONN_STRING: url.href }), {
        code: 2,
        says: [/TLS certificate of \S+ was not accepted/, /sslmode and sslrootcert/],
      })
      assert.equal(await rig.confirmed(), undefined)
    })
  }
})

test('sslmode=prefer goes on in the clear where the server has no TLS', async (t) => {
  const rig = await makeRig(t, { lake: 'folder' })
  const url = new URL(rig.source.url)
  url.searchParams.set('sslmode', 'prefer')
  const service = await rig.stream({ PG_CONN_STRING: url.href })
  await rig.caughtUp(service)
  assert.equal(await service.stop(), 0)
  assert.equal((await auditLog(rig.lake, rig.slot)).rows, 1)
  await rig.dropSlot()
})

test('a Unix-domain socket, under load and over a lost connection', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'wal-cake-socket-'))
  // The server may run as another user.
  await chmod(folder, 0o777)
  const server = await startPostgres({ settings: { unix_socket_directories: folder } })
  t.after(async () => {
    await server.stop('immediate')
    await rm(folder, { recursive: true })
  })
  const rig = await makeRig(t, { lake: 'folder', source: await serverSource(server) })
  await createOrders(rig.source)
  const password = decodeURIComponent(new URL(server.url).password)
  const socket = `host=${folder} port=${server.port} user=postgres dbname=postgres password='${password}'`
  const service = await rig.stream({ PG_CONN_STRING: socket })
  const transactions = unlessSoaking(10, 50)
  await loadOrders(rig.source, { transactions, rowsPerTransaction: 1_000 })
  await rig.source.query('SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE active')
  await service.waitForLog('streaming', { count: 2 })
  await loadOrders(rig.source, { transactions, rowsPerTransaction: 1_000, after: transactions })
  await rig.caughtUp(service)
  assert.equal(await service.stop(), 0)
  await auditLog(rig.lake, rig.slot)
  await assertLakeIsTable(rig.source.url, rig.lake, orders)
})
