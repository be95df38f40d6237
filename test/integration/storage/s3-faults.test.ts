// Faults of a connection to S3: what each makes of a call, and that the retrying store gets over those that pass,
// without writing twice and without taking a lost answer for a lost race.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { test } from 'node:test'
import { S3Store } from '../../../internal/storage/s3-store.js'
import { Bucket, faultyStore, keysOf } from '../../support/faulty-store.js'

const MIB = 1024 * 1024
/** A test that waits where it should not fails here. */
const limit = { timeout: 30_000 }
const slowDown = { do: 'answer', status: 503, code: 'SlowDown' } as const
const one = [Buffer.from('one')]

test('one call is one request: the SDK does not retry by itself', limit, async (t) => {
  const { server, store, answers } = await faultyStore(t)
  server.faults.add({ action: slowDown, count: Infinity })
  await assert.rejects(store.put('k', one, { role: 'log' }), { kind: 'store_away' })
  await assert.rejects(store.get('k'), { kind: 'store_away' })
  assert.deepEqual(answers(), ['PutObject 503', 'GetObject 503'])
})

test('503 twice is outlasted', limit, async (t) => {
  const { server, retrying, answers } = await faultyStore(t)
  server.faults.add({ action: slowDown, count: 2 })
  assert.equal(await retrying().put('k', one, { role: 'log', ifAbsent: true }), 'created')
  assert.deepEqual(answers(), ['PutObject 503', 'PutObject 503', 'PutObject 200'])
})

for (const action of [
  { do: 'reset' },
  { do: 'answer', status: 500, code: 'InternalError' },
  { do: 'answer', status: 409, code: 'ConditionalRequestConflict' },
  { do: 'answer', status: 400, code: 'RequestTimeout' },
  { do: 'answer', status: 403, code: 'RequestTimeTooSkewed' },
  { do: 'answer', status: 502, code: '', body: '<html><body>Bad Gateway</body></html>' },
  { do: 'answer', status: 503, code: '', body: '' },
] as const) {
  test(`every call outlasts: ${Object.values(action).join(' ')}`, limit, async (t) => {
    const { server, retrying } = await faultyStore(t)
    const store = retrying({ maxAttempts: 2 })
    server.faults.add({ action })
    assert.equal(await store.put('k', one, { role: 'log', ifAbsent: true }), 'created')
    server.faults.add({ action })
    assert.equal((await store.get('k'))?.toString(), 'one')
    server.faults.add({ action })
    assert.deepEqual(await keysOf(store.list('')), ['k'])
    server.faults.add({ action })
    await store.delete('k')
    assert.equal(await store.get('k'), undefined)
  })
}

for (const action of [{ do: 'hang' }, { do: 'hangBody' }] as const) {
  test(`a store that falls silent (${action.do}) is given up and asked again`, limit, async (t) => {
    const { server, store, retrying } = await faultyStore(t, { idleTimeoutMs: 500 })
    await store.put('k', one, { role: 'log' })
    const fault = server.faults.add({ action })
    assert.equal((await retrying({ maxAttempts: 2 }).get('k'))?.toString(), 'one')
    assert.equal(fault.hits, 1)
    server.faults.add({ action })
    assert.equal(await retrying({ maxAttempts: 2 }).put('k', one, { role: 'log' }), 'created')
  })
}

test('a store that takes connections and never answers is away, in bounded time', limit, async (t) => {
  const sockets: Socket[] = []
  const silent = createServer((socket) => void sockets.push(socket)).listen(0, '127.0.0.1')
  await once(silent, 'listening')
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    silent.close()
  })
  const endpoint = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`
  const { store } = await faultyStore(t, { endpoint, idleTimeoutMs: 500 })
  await assert.rejects(store.put('k', one, { role: 'log' }), { kind: 'store_away' })
  await assert.rejects(store.put('k', [Buffer.alloc(9 * MIB)], { role: 'data' }), { kind: 'store_away' })
  await assert.rejects(store.get('k'), { kind: 'store_away' })
  await assert.rejects(keysOf(store.list('')), { kind: 'store_away' })
})

test('a store that is not there is away, with its address', limit, async (t) => {
  const { server, store } = await faultyStore(t)
  await server.stop()
  const named = { kind: 'store_away', message: /lake-bucket at http:\/\/127\.0\.0\.1:\d+: .*ECONNREFUSED/ }
  await assert.rejects(store.get('k'), named)
  await assert.rejects(store.put('k', one, { role: 'log' }), named)
})

test('a conditional write that was won but not answered comes back as exists, with our content', limit, async (t) => {
  const { server, retrying, answers } = await faultyStore(t)
  server.faults.add({ action: { do: 'loseAnswer' } })
  const store = retrying()
  assert.equal(await store.put('k', one, { role: 'log', ifAbsent: true }), 'exists')
  assert.deepEqual(answers(), ['PutObject 0', 'PutObject 412'])
  assert.equal((await store.get('k'))?.toString(), 'one')
})

test('a conditional write whose answer comes too late comes back as exists', limit, async (t) => {
  const { server, retrying } = await faultyStore(t, { idleTimeoutMs: 500 })
  server.faults.add({ action: { do: 'answerLate', ms: 20_000 } })
  assert.equal(await retrying().put('k', one, { role: 'log', ifAbsent: true }), 'exists')
})

test('a listing whose second page fails is whole and gives nothing twice', limit, async (t) => {
  const { server, retrying, answers } = await faultyStore(t)
  const keys = Array.from({ length: 2100 }, (_, index) => `log/${String(index).padStart(5, '0')}`)
  const put = { operation: 'PutObject', method: 'PUT', bucket: Bucket, query: new URLSearchParams() } as const
  for (const key of keys)
    server.objects.perform({ ...put, key: `n/${key}`, header: () => undefined, body: Buffer.alloc(0) })
  server.faults.add({ operation: 'ListObjectsV2', skip: 1, count: 2, action: slowDown })
  assert.deepEqual(await keysOf(retrying().list('log/')), keys)
  const pages = [
    'ListObjectsV2 200',
    'ListObjectsV2 503',
    'ListObjectsV2 503',
    'ListObjectsV2 200',
    'ListObjectsV2 200',
  ]
  assert.deepEqual(answers(), pages)
})

test('an abort ends a request that hangs, at once', limit, async (t) => {
  const { server, retrying } = await faultyStore(t)
  const controller = new AbortController()
  server.faults.add({ action: { do: 'hang' }, count: Infinity })
  server.onBeforeRequest = () => controller.abort()
  const store = retrying({ signal: controller.signal })
  await assert.rejects(store.put('k', one, { role: 'log' }), { kind: 'gave_up' })
})

test('an abort ends an upload in parts and a body that hangs, at once', limit, async (t) => {
  const { server, store } = await faultyStore(t)
  await store.put('k', one, { role: 'log' })
  server.faults.add({ operation: 'GetObject', action: { do: 'hangBody' } })
  const reading = new AbortController()
  server.onBeforeRequest = () => void setImmediate(() => reading.abort())
  await assert.rejects(store.get('k', { signal: reading.signal }), { kind: 'gave_up' })
  server.faults.add({ operation: 'UploadPart', action: { do: 'hang' } })
  const writing = new AbortController()
  server.onBeforeRequest = ({ operation }) => (operation === 'UploadPart' ? writing.abort() : undefined)
  const content = [Buffer.alloc(20 * MIB)]
  await assert.rejects(store.put('big', content, { role: 'data', signal: writing.signal }), { kind: 'gave_up' })
})

test("a proxy's 404 is not an absent object", limit, async (t) => {
  const { server, store } = await faultyStore(t)
  const notFound = { do: 'answer', status: 404, code: '', body: '<html>no such page</html>' } as const
  server.faults.add({ action: notFound })
  await assert.rejects(store.get('k'), { kind: 'config' })
  assert.equal(await store.get('k'), undefined)
  await store.put('k', one, { role: 'log' })
  // The store has answered before: whatever stands in front of it is being changed.
  server.faults.add({ action: notFound })
  await assert.rejects(store.get('k'), { kind: 'store_away' })
  server.faults.add({ action: { do: 'answer', status: 404, code: 'NoSuchBucket' } })
  await assert.rejects(store.get('k'), { kind: 'config' })
})

for (const [what, body] of [
  ['an empty one', ''],
  ['a page', '<html>welcome to our network</html>'],
] as const) {
  test(`a 200 that is not one of S3 (${what}) is neither a listing, nor a write, nor an object`, limit, async (t) => {
    const { server, store, retrying } = await faultyStore(t)
    await store.put('k', one, { role: 'log' })
    const parts = ['CreateMultipartUpload', 'UploadPart', 'CompleteMultipartUpload'] as const
    for (const operation of ['ListObjectsV2', 'PutObject', 'GetObject', ...parts] as const)
      server.faults.add({
        operation,
        // A part is sent four times.
        count: operation === 'UploadPart' ? 4 : 1,
        action: { do: 'answer', status: 200, code: '', body },
      })
    await assert.rejects(keysOf(store.list('')), { kind: 'store_away', hint: /AWS_ENDPOINT/ })
    await assert.rejects(store.put('other', one, { role: 'log', ifAbsent: true }), { kind: 'store_away' })
    await assert.rejects(store.get('k'), { kind: 'store_away' })
    const content = [Buffer.alloc(9 * MIB)]
    for (const _ of parts) await assert.rejects(store.put('big', content, { role: 'data' }), { kind: 'store_away' })
    assert.deepEqual(await keysOf(store.list('')), ['k'])
    assert.equal(await retrying().put('big', content, { role: 'data' }), 'created')
  })
}

test('encryption goes with every object, the storage class with data alone, also in parts', limit, async (t) => {
  const { server, store } = await faultyStore(t, { sse: 'aws:kms', sseKmsKeyId: 'key-1', storageClass: 'STANDARD_IA' })
  await store.put('log', one, { role: 'log' })
  await store.put('data', one, { role: 'data' })
  await store.put('big', [Buffer.alloc(9 * MIB)], { role: 'data' })
  const encrypted = {
    'x-amz-server-side-encryption': 'aws:kms',
    'x-amz-server-side-encryption-aws-kms-key-id': 'key-1',
  }
  assert.deepEqual(server.objects.attributes(Bucket, 'n/log'), encrypted)
  const asData = { ...encrypted, 'x-amz-storage-class': 'STANDARD_IA' }
  assert.deepEqual(server.objects.attributes(Bucket, 'n/data'), asData)
  assert.deepEqual(server.objects.attributes(Bucket, 'n/big'), asData)
})

test('without conditional writes no condition is sent', limit, async (t) => {
  const { server, store } = await faultyStore(t, { conditionalWrites: false })
  const conditions: (string | undefined)[] = []
  server.onBeforeRequest = ({ header }) => void conditions.push(header('if-none-match'))
  await store.put('k', one, { role: 'log', ifAbsent: true })
  await store.put('big', [Buffer.alloc(9 * MIB)], { role: 'data', ifAbsent: true })
  assert.ok(conditions.length >= 6)
  assert.deepEqual(new Set(conditions), new Set([undefined]))
})

test('connections are kept: many calls, few sockets, and no 100-continue', limit, async (t) => {
  const { server, store } = await faultyStore(t)
  const expectations = new Set<string | undefined>()
  server.onBeforeRequest = ({ header }) => void expectations.add(header('expect'))
  for (let call = 0; call < 20; call++) await store.put(`k${call}`, [Buffer.alloc(3 * MIB)], { role: 'data' })
  assert.equal(server.connections, 2, 'one of the test client, one of the store')
  assert.deepEqual(expectations, new Set([undefined]))
})

test('content is hashed for the signature, and not once more for a CRC', limit, async (t) => {
  const { server, store } = await faultyStore(t)
  const hashes: (string | undefined)[] = []
  server.onBeforeRequest = ({ body, header }) => {
    if (body.length > 0) hashes.push(header('x-amz-checksum-crc32'), header('x-amz-trailer'))
  }
  await store.put('k', one, { role: 'log' })
  await store.put('big', [Buffer.alloc(9 * MIB)], { role: 'data' })
  assert.ok(hashes.length >= 6)
  assert.deepEqual(new Set(hashes), new Set([undefined]))
})

test('the SDK writes nothing to the console', limit, async (t) => {
  const warn = t.mock.method(console, 'warn', () => undefined)
  const { store } = await faultyStore(t)
  await store.put('empty', [], { role: 'log', ifAbsent: true })
  await store.put('big', [Buffer.alloc(9 * MIB)], { role: 'data' })
  await store.get('empty', { lastBytes: 1 })
  assert.equal(warn.mock.callCount(), 0)
})

test('an endpoint that is no URL is a wrong setting, and what it may hide is not told', () => {
  const options = { bucket: Bucket, namespace: 'n', conditionalWrites: true }
  for (const endpoint of ['minio:9000', 'ftp://minio', '', 'http://']) {
    assert.throws(() => new S3Store({ ...options, endpoint }), { kind: 'config', hint: /AWS_ENDPOINT/ }, endpoint)
  }
})

test('user and password in an endpoint are in no message', limit, async (t) => {
  const { store } = await faultyStore(t, { endpoint: 'http://user:hunter2@127.0.0.1:1/path?x=hunter2' })
  await assert.rejects(store.get('k'), (error: Error) => !`${error.message} ${String(error.stack)}`.includes('hunter2'))
})
