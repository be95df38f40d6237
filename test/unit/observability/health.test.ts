// The health endpoints: status, reason, and an end that does not wait for anybody.
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { once } from 'node:events'
import { test } from 'node:test'
import { Failure } from '../../../internal/model/failure.js'
import { serveHealth, type Health, type Page } from '../../../internal/observability/health.js'

const anyPort = { host: '127.0.0.1', port: 0 }
const numbers = { contentType: 'text/plain; version=0.0.4', render: () => Promise.resolve('a 1\n') }
const pages = new Map<string, Page>([
  ['/metrics', numbers],
  ['/broken', { ...numbers, render: () => Promise.reject(new Error('no numbers')) }],
])

test('health: answers what it is told', async () => {
  let health: Health = { live: true, ready: false, reason: 'connecting\nto the server' }
  const server = await serveHealth(anyPort, () => health, pages)
  const ask = async (path: string, method = 'GET'): Promise<[number, string]> => {
    const response = await fetch(`http://127.0.0.1:${server.port}${path}`, { method })
    return [response.status, await response.text()]
  }
  try {
    assert.deepEqual(await ask('/livez'), [200, 'connecting to the server\n'])
    assert.deepEqual(await ask('/readyz?verbose'), [503, 'connecting to the server\n'])
    health = { live: false, ready: true, reason: 'streaming' }
    assert.deepEqual(await ask('/livez'), [503, 'streaming\n'])
    assert.deepEqual(await ask('/readyz'), [200, 'streaming\n'])
    assert.deepEqual(await ask('/readyz', 'HEAD'), [200, ''])
    for (const path of ['/', '/livez/', '/livezz', '/metrics/']) assert.deepEqual(await ask(path), [404, 'not found\n'])
    assert.deepEqual(await ask('/metrics'), [200, 'a 1\n'])
    assert.deepEqual(await ask('/broken'), [500, 'Error: no numbers\n'])
    for (const path of ['/livez', '/metrics', '/elsewhere'])
      assert.deepEqual(await ask(path, 'POST'), [405, 'only GET and HEAD\n'])
    const { headers } = await fetch(`http://127.0.0.1:${server.port}/metrics`)
    assert.equal(headers.get('content-type'), 'text/plain; version=0.0.4')
    assert.equal(headers.get('cache-control'), 'no-store')
    assert.equal(headers.get('x-content-type-options'), 'nosniff')
    assert.equal(headers.get('referrer-policy'), 'no-referrer')
  } finally {
    await server.close()
  }
})

test('health: close() ends open connections', async () => {
  const server = await serveHealth(anyPort, () => ({ live: true, ready: true, reason: 'ok' }), pages)
  const socket = connect(server.port, '127.0.0.1')
  await once(socket, 'connect')
  socket.write('GET /livez HTTP/1.1\r\nHost: x\r\n')
  const ended = new Promise((resolve) => socket.once('close', resolve))
  socket.on('error', () => undefined)
  await server.close()
  await ended
})

test('health: a port in use is a failure of the configuration that names the way out', async () => {
  const server = await serveHealth(anyPort, () => ({ live: true, ready: true, reason: 'ok' }), pages)
  try {
    await assert.rejects(
      serveHealth({ host: '127.0.0.1', port: server.port }, () => ({ live: true, ready: true, reason: 'ok' }), pages),
      (error) =>
        error instanceof Failure &&
        error.kind === 'config' &&
        /^HTTP_ADDR: .*in use/.test(error.message) &&
        (error.hint ?? '').includes('empty HTTP_ADDR'),
    )
  } finally {
    await server.close()
  }
})
