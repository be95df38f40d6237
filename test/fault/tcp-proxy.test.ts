// The proxy that other tests put between the program and its servers does what it says: a fault that does not happen proves
// nothing.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { eventually } from '../support/eventually.js'
import { TcpProxy } from '../support/tcp-proxy.js'

/** One end of a link, with what has arrived there. */
class End {
  readonly socket: Socket
  readonly #chunks: Buffer[] = []
  receivedBytes = 0
  state: 'open' | 'ended' | 'reset' | 'closed' = 'open'

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (chunk) => {
      this.#chunks.push(chunk)
      this.receivedBytes += chunk.length
    })
    socket.on('end', () => (this.state = 'ended'))
    socket.on('error', () => (this.state = 'reset'))
    socket.on('close', () => {
      if (this.state === 'open') this.state = 'closed'
    })
  }

  get received(): Buffer {
    return Buffer.concat(this.#chunks)
  }

  async arrived(text: string): Promise<void> {
    await eventually(() => this.received.toString() === text)
  }
}

interface Pair {
  readonly client: End
  readonly server: End
}

async function setUp(t: TestContext): Promise<{ proxy: TcpProxy; open: () => Promise<Pair> }> {
  const server = createServer({ allowHalfOpen: true })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const proxy = await TcpProxy.start(t, { host: '127.0.0.1', port: (server.address() as AddressInfo).port })
  const sockets: Socket[] = []
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const open = async (): Promise<Pair> => {
    const accepted = once(server, 'connection')
    const client = connect({ port: proxy.port, host: proxy.host, allowHalfOpen: true })
    const [socket] = (await accepted) as [Socket]
    sockets.push(client, socket)
    return { client: new End(client), server: new End(socket) }
  }
  return { proxy, open }
}

test('bytes pass both ways and are counted, and one side can end before the other', async (t) => {
  const { proxy, open } = await setUp(t)
  const { client, server } = await open()
  const sent = randomBytes(3_000_000)
  client.socket.end(sent)
  await eventually(() => server.state === 'ended')
  assert.ok(server.received.equals(sent))
  server.socket.end('answer')
  await client.arrived('answer')
  assert.deepEqual(proxy.bytes, { toServer: sent.length, toClient: 6 })
  await eventually(() => proxy.links.length === 0)
  assert.deepEqual(proxy.bytes, { toServer: sent.length, toClient: 6 })
  assert.equal(proxy.connections, 1)
})

for (const how of ['reset', 'end'] as const) {
  test(`cut by ${how}: both ends see it, and what was sent before an orderly end arrives`, async (t) => {
    const { proxy, open } = await setUp(t)
    const [one, other] = [await open(), await open()]
    one.client.socket.write('first')
    other.client.socket.write('second')
    await one.server.arrived('first')
    await other.server.arrived('second')
    assert.deepEqual(
      proxy.links.map(({ opening }) => opening),
      ['first', 'second'],
    )
    assert.equal(
      proxy.cut(how, ({ opening }) => opening === 'first'),
      1,
    )
    await eventually(() => [one.client, one.server].every(({ state }) => state === (how === 'end' ? 'ended' : 'reset')))
    other.client.socket.write('!')
    await other.server.arrived('second!')
    assert.equal(proxy.links.length, 1)
  })
}

test('refused: the port is closed to new connections only, until it is opened again', async (t) => {
  const { proxy, open } = await setUp(t)
  const before = await open()
  proxy.refuse()
  const refused = connect(proxy.port, proxy.host)
  const [error] = (await once(refused, 'error')) as [NodeJS.ErrnoException]
  assert.equal(error.code, 'ECONNREFUSED')
  before.client.socket.write('still here')
  await before.server.arrived('still here')
  await proxy.accept()
  const after = await open()
  after.client.socket.write('again')
  await after.server.arrived('again')
})

test('dark one way: nothing passes, not even an end; the other way goes on; with the light all of it arrives', async (t) => {
  const { proxy, open } = await setUp(t)
  const { client, server } = await open()
  client.socket.write('a')
  await server.arrived('a')
  proxy.dark(['toServer'])
  client.socket.end('b')
  server.socket.write('c')
  await client.arrived('c')
  await delay(50)
  assert.deepEqual([server.received.toString(), server.state], ['a', 'open'])
  proxy.light()
  await server.arrived('ab')
  await eventually(() => server.state === 'ended')
})

test('dark both ways: a sender is stopped in the end, a new connection hears nothing, a reset is not seen', async (t) => {
  const { proxy, open } = await setUp(t)
  const { client, server } = await open()
  proxy.dark()
  client.socket.write(Buffer.alloc(32 << 20))
  const late = await open()
  late.client.socket.write('hello')
  server.socket.resetAndDestroy()
  await delay(50)
  assert.deepEqual([client.state, client.socket.writableNeedDrain], ['open', true])
  assert.deepEqual(proxy.bytes, { toServer: 0, toClient: 0 })
  proxy.light()
  await eventually(() => client.state === 'reset')
  await late.server.arrived('hello')
})

test('swallowed: a sender notices nothing, and the link that has lost bytes is reset with the light', async (t) => {
  const { proxy, open } = await setUp(t)
  const { client, server } = await open()
  const other = await open()
  proxy.dark(undefined, 'swallow')
  await new Promise<void>((resolve) => client.socket.write(Buffer.alloc(32 << 20), () => resolve()))
  assert.equal(client.state, 'open')
  proxy.light()
  await eventually(() => client.state === 'reset' && server.state === 'reset')
  assert.equal(server.receivedBytes, 0)
  other.client.socket.write('fine')
  await other.server.arrived('fine')
})

test('throttled: bytes come at that rate, and the sender is held back', async (t) => {
  const { proxy, open } = await setUp(t)
  const { client, server } = await open()
  proxy.throttle(1_000_000, ['toServer'])
  const began = performance.now()
  client.socket.write(Buffer.alloc(32 << 20))
  await eventually(() => server.receivedBytes >= 300_000)
  const rate = (server.receivedBytes / (performance.now() - began)) * 1000
  assert.ok(rate <= 1_100_000, `${Math.round(rate)} bytes a second`)
  assert.equal(client.socket.writableNeedDrain, true)
  proxy.throttle(undefined)
  await eventually(() => server.receivedBytes === 32 << 20, { timeoutMs: 30_000 })
})

test('delayed: bytes come later, in order, and not one after the other', async (t) => {
  const { proxy, open } = await setUp(t)
  const { client, server } = await open()
  proxy.delay(500)
  const began = performance.now()
  for (const text of ['a', 'b', 'c', 'd']) {
    client.socket.write(text)
    await delay(10)
  }
  await server.arrived('abcd')
  const tookMs = performance.now() - began
  assert.ok(tookMs >= 500, `${Math.round(tookMs)} ms`)
  assert.ok(tookMs < 1_900, `${Math.round(tookMs)} ms for four bytes, each late by 500 ms at the same time`)
})
