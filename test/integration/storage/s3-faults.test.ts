// Faults of a connection to S3: what each makes of a call, and that the retrying store gets over those that pass,
// without writing twice and without taking a lost answer for a lost race.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { CreateBucketCommand, ListMultipartUploadsCommand, S3Client } from '@aws-sdk/client-s3'
import type { StoredObject } from '../../../internal/storage/object-store.js'
import { RetryingStore, type RetryingStoreOptions } from '../../../internal/storage/retrying-store.js'
import { S3Store, type S3StoreOptions } from '../../../internal/storage/s3-store.js'
import { S3Server } from '../../support/s3-server.js'

const MIB = 1024 * 1024
const Bucket = 'lake-bucket'
/** A test that waits where it should not fails here. */
const limit = { timeout: 30_000 }
const slowDown = { do: 'answer', status: 503, code: 'SlowDown' } as const
const one = [Buffer.from('one')]

async function setUp(t: TestContext, changed: Partial<S3StoreOptions> = {}) {
  const server = await S3Server.start()
  const { endpoint, keys } = server
  const client = new S3Client({ endpoint, region: 'r', credentials: keys, forcePathStyle: true })
  await client.send(new CreateBucketCommand({ Bucket }))
  server.log.length = 0
  const store = new S3Store({ ...keys, endpoint, bucket: Bucket, namespace: 'n', conditionalWrites: true, ...changed })
  t.after(async () => {
    store.close()
    client.destroy()
    await server.stop()
  })
  const retrying = (options: Partial<RetryingStoreOptions> = {}) =>
    new RetryingStore(store, { initialDelayMs: 1, maxDelayMs: 2, signal: new AbortController().signal, ...options })
  const answers = () => server.log.map(({ operation, status }) => `${operation} ${status}`)
  return { server, store, client, retrying, answers }
}

async function keysOf(objects: AsyncIterable<StoredObject>): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of objects) keys.push(key)
  return keys
}

test('one call is one request: the SDK does not retry by itself', limit, async (t) => {
  const { server, store, answers } = await setUp(t)
  server.faults.add({ action: slowDown, count: Infinity })
  await assert.rejects(store.put('k', one, { role: 'log' }), { kind: 'store_away' })
  await assert.rejects(store.get('k'), { kind: 'store_away' })
  assert.deepEqual(answers(), ['PutObject 503', 'GetObject 503'])
})

test('503 twice is outlasted', limit, async (t) => {
  const { server, retrying, answers } = await setUp(t)
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
    const { server, retrying } = await setUp(t)
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
    const { server, store, retrying } = await setUp(t, { idleTimeoutMs: 150 })
    await store.put('k', one, { role: 'log' })
    const fault = server.faults.add({ action })
    assert.equal((await retrying({ maxAttempts: 2 }).get('k'))?.toString(), 'one')
    assert.equal(fault.hits, 1)
    server.faults.add({ action })
    assert.equal(await retrying({ maxAttempts: 2 }).put('k', one, { role: 'log' }), 'created')
  })
}

for (const action of [{ do: 'cutBody' }, { do: 'halfBody' }] as const) {
  test(`an answer of which half is missing (${action.do}) is not taken for the whole`, limit, async (t) => {
    const { server, store, retrying } = await setUp(t)
    for (const key of ['a', 'b', 'c']) await store.put(key, one, { role: 'log' })
    const listing = server.faults.add({ operation: 'ListObjectsV2', action })
    assert.deepEqual(await keysOf(retrying().list('')), ['a', 'b', 'c'])
    const ends = ['CreateMultipartUpload', 'CompleteMultipartUpload'] as const
    const parts = ends.map((operation) => server.faults.add({ operation, action }))
    const content = Buffer.alloc(9 * MIB, 7)
    assert.equal(await retrying().put('big', [content], { role: 'data' }), 'created')
    assert.ok((await store.get('big'))?.equals(content))
    assert.deepEqual([listing.hits, ...parts.map(({ hits }) => hits)], [1, 1, 1])
  })
}

test('an object of which half comes is read again', limit, async (t) => {
  const { server, store, retrying } = await setUp(t)
  const content = Buffer.alloc(3 * MIB, 7)
  await store.put('k', [content], { role: 'data' })
  server.faults.add({ operation: 'GetObject', count: 2, action: { do: 'cutBody' } })
  assert.ok((await retrying().get('k'))?.equals(content))
  assert.ok((await retrying().get('k', { lastBytes: 2 * MIB }))?.equals(content.subarray(MIB)))
})

for (const action of [{ do: 'resetInBody' }, { do: 'hangInBody' }] as const) {
  test(`a request that breaks off in the middle of its body (${action.do}) is sent again`, limit, async (t) => {
    const { server, store, retrying } = await setUp(t, { idleTimeoutMs: 150 })
    const content = Buffer.alloc(7 * MIB, 7)
    const fault = server.faults.add({ operation: 'PutObject', action: { ...action, afterBytes: MIB } })
    assert.equal(await retrying().put('k', [content], { role: 'data', ifAbsent: true }), 'created')
    const part = server.faults.add({ operation: 'UploadPart', action: { ...action, afterBytes: MIB } })
    const big = [content, content]
    assert.equal(await retrying().put('big', big, { role: 'data', ifAbsent: true }), 'created')
    assert.deepEqual([fault.hits, part.hits], [1, 1])
    assert.ok((await store.get('big'))?.equals(Buffer.concat(big)))
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
  const { store } = await setUp(t, { endpoint, idleTimeoutMs: 150 })
  await assert.rejects(store.put('k', one, { role: 'log' }), { kind: 'store_away' })
  await assert.rejects(store.put('k', [Buffer.alloc(9 * MIB)], { role: 'data' }), { kind: 'store_away' })
  await assert.rejects(store.get('k'), { kind: 'store_away' })
  await assert.rejects(keysOf(store.list('')), { kind: 'store_away' })
})

test('a store that is not there is away, with its address', limit, async (t) => {
  const { server, store } = await setUp(t)
  await server.stop()
  const named = { kind: 'store_away', message: /lake-bucket at http:\/\/127\.0\.0\.1:\d+: .*ECONNREFUSED/ }
  await assert.rejects(store.get('k'), named)
  await assert.rejects(store.put('k', one, { role: 'log' }), named)
})

test('a conditional write that was won but not answered comes back as exists, with our content', limit, async (t) => {
  const { server, retrying, answers } = await setUp(t)
  server.faults.add({ action: { do: 'loseAnswer' } })
  const store = retrying()
  assert.equal(await store.put('k', one, { role: 'log', ifAbsent: true }), 'exists')
  assert.deepEqual(answers(), ['PutObject 0', 'PutObject 412'])
  assert.equal((await store.get('k'))?.toString(), 'one')
})

test('a conditional write whose answer comes too late comes back as exists', limit, async (t) => {
  const { server, retrying } = await setUp(t, { idleTimeoutMs: 150 })
  server.faults.add({ action: { do: 'answerLate', ms: 20_000 } })
  assert.equal(await retrying().put('k', one, { role: 'log', ifAbsent: true }), 'exists')
})

test('an object in parts whose end was not answered comes back as exists', limit, async (t) => {
  const { server, client, retrying } = await setUp(t)
  server.faults.add({ operation: 'CompleteMultipartUpload', action: { do: 'loseAnswer' } })
  const content = Buffer.alloc(9 * MIB, 7)
  assert.equal(await retrying().put('big', [content], { role: 'data', ifAbsent: true }), 'exists')
  assert.ok((await retrying().get('big'))?.equals(content))
  assert.deepEqual((await client.send(new ListMultipartUploadsCommand({ Bucket }))).Uploads ?? [], [])
})

test('an end of parts that is answered 200 with an error is no success', limit, async (t) => {
  const { server, retrying } = await setUp(t)
  const body = '<?xml version="1.0"?><Error><Code>InternalError</Code><Message>again</Message></Error>'
  server.faults.add({ operation: 'CompleteMultipartUpload', action: { do: 'answer', status: 200, code: '', body } })
  const content = Buffer.alloc(9 * MIB, 7)
  assert.equal(await retrying({ maxAttempts: 2 }).put('big', [content], { role: 'data', ifAbsent: true }), 'created')
  assert.ok((await retrying().get('big'))?.equals(content))
})

test('an upload that fails in the middle takes its parts away', limit, async (t) => {
  const { server, client, store } = await setUp(t)
  server.faults.add({ operation: 'UploadPart', skip: 1, action: slowDown })
  await assert.rejects(store.put('big', [Buffer.alloc(20 * MIB)], { role: 'data' }), { kind: 'store_away' })
  assert.deepEqual((await client.send(new ListMultipartUploadsCommand({ Bucket }))).Uploads ?? [], [])
  assert.equal(await store.get('big'), undefined)
})

test('a listing whose second page fails is whole and gives nothing twice', limit, async (t) => {
  const { server, retrying, answers } = await setUp(t)
  const store = retrying()
  const keys = Array.from({ length: 2100 }, (_, index) => `log/${String(index).padStart(5, '0')}`)
  for (const key of keys) await store.put(key, [], { role: 'log' })
  server.log.length = 0
  server.faults.add({ operation: 'ListObjectsV2', skip: 1, count: 2, action: slowDown })
  assert.deepEqual(await keysOf(store.list('log/')), keys)
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
  const { server, retrying } = await setUp(t)
  const controller = new AbortController()
  server.faults.add({ action: { do: 'hang' }, count: Infinity })
  server.onBeforeRequest = () => controller.abort()
  const store = retrying({ signal: controller.signal })
  await assert.rejects(store.put('k', one, { role: 'log' }), { kind: 'gave_up' })
})

test('an abort ends an upload in parts and a body that hangs, at once', limit, async (t) => {
  const { server, store } = await setUp(t)
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
  const { server, store } = await setUp(t)
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
    const { server, store, retrying } = await setUp(t)
    await store.put('k', one, { role: 'log' })
    const parts = ['CreateMultipartUpload', 'UploadPart', 'CompleteMultipartUpload'] as const
    for (const operation of ['ListObjectsV2', 'PutObject', 'GetObject', ...parts] as const)
      server.faults.add({ operation, action: { do: 'answer', status: 200, code: '', body } })
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
  const { server, store } = await setUp(t, { sse: 'aws:kms', sseKmsKeyId: 'key-1', storageClass: 'STANDARD_IA' })
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
  const { server, store } = await setUp(t, { conditionalWrites: false })
  const conditions: (string | undefined)[] = []
  server.onBeforeRequest = ({ header }) => void conditions.push(header('if-none-match'))
  await store.put('k', one, { role: 'log', ifAbsent: true })
  await store.put('big', [Buffer.alloc(9 * MIB)], { role: 'data', ifAbsent: true })
  assert.ok(conditions.length >= 6)
  assert.deepEqual(new Set(conditions), new Set([undefined]))
})

test('connections are kept: many calls, few sockets, and no 100-continue', limit, async (t) => {
  const { server, store } = await setUp(t)
  const expectations = new Set<string | undefined>()
  server.onBeforeRequest = ({ header }) => void expectations.add(header('expect'))
  for (let call = 0; call < 20; call++) await store.put(`k${call}`, [Buffer.alloc(3 * MIB)], { role: 'data' })
  assert.equal(server.connections, 2, 'one of the test client, one of the store')
  assert.deepEqual(expectations, new Set([undefined]))
})

test('content is hashed for the signature, and not once more for a CRC', limit, async (t) => {
  const { server, store } = await setUp(t)
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
  const { store } = await setUp(t)
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
  const { store } = await setUp(t, { endpoint: 'http://user:hunter2@127.0.0.1:1/path?x=hunter2' })
  await assert.rejects(store.get('k'), (error: Error) => !`${error.message} ${String(error.stack)}`.includes('hunter2'))
})
