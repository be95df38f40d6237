// Objects that go up in parts, and bodies that break off on the way: what is half is never taken for the whole, and what is
// whole is never thrown away for the sake of a part.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ListMultipartUploadsCommand } from '@aws-sdk/client-s3'
import { Bucket, faultyStore, keysOf } from '../../support/faulty-store.js'

const MIB = 1024 * 1024
/** A test that waits where it should not fails here. */
const limit = { timeout: 30_000 }
const slowDown = { do: 'answer', status: 503, code: 'SlowDown' } as const
const one = [Buffer.from('one')]

for (const action of [{ do: 'cutBody' }, { do: 'halfBody' }] as const) {
  test(`an answer of which half is missing (${action.do}) is not taken for the whole`, limit, async (t) => {
    const { server, store, retrying } = await faultyStore(t)
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
  const { server, store, retrying } = await faultyStore(t)
  const content = Buffer.alloc(3 * MIB, 7)
  await store.put('k', [content], { role: 'data' })
  server.faults.add({ operation: 'GetObject', count: 2, action: { do: 'cutBody' } })
  assert.ok((await retrying().get('k'))?.equals(content))
  assert.ok((await retrying().get('k', { lastBytes: 2 * MIB }))?.equals(content.subarray(MIB)))
})

for (const [action, idleTimeoutMs] of [
  [{ do: 'resetInBody' }, undefined],
  [{ do: 'hangInBody' }, 1_000],
] as const) {
  test(`a request that breaks off in the middle of its body (${action.do}) is sent again`, limit, async (t) => {
    const { server, store, retrying } = await faultyStore(t, idleTimeoutMs === undefined ? {} : { idleTimeoutMs })
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

test('an object in parts whose end was not answered comes back as exists', limit, async (t) => {
  const { server, client, retrying } = await faultyStore(t)
  server.faults.add({ operation: 'CompleteMultipartUpload', action: { do: 'loseAnswer' } })
  const content = Buffer.alloc(9 * MIB, 7)
  assert.equal(await retrying().put('big', [content], { role: 'data', ifAbsent: true }), 'exists')
  assert.ok((await retrying().get('big'))?.equals(content))
  assert.deepEqual((await client.send(new ListMultipartUploadsCommand({ Bucket }))).Uploads ?? [], [])
})

test('an end of parts that is answered 200 with an error is no success', limit, async (t) => {
  const { server, retrying } = await faultyStore(t)
  const body = '<?xml version="1.0"?><Error><Code>InternalError</Code><Message>again</Message></Error>'
  server.faults.add({ operation: 'CompleteMultipartUpload', action: { do: 'answer', status: 200, code: '', body } })
  const content = Buffer.alloc(9 * MIB, 7)
  assert.equal(await retrying({ maxAttempts: 2 }).put('big', [content], { role: 'data', ifAbsent: true }), 'created')
  assert.ok((await retrying().get('big'))?.equals(content))
})

test('an upload that fails in the middle takes its parts away', limit, async (t) => {
  const { server, client, store } = await faultyStore(t)
  const fault = server.faults.add({ operation: 'UploadPart', skip: 1, count: Infinity, action: slowDown })
  await assert.rejects(store.put('big', [Buffer.alloc(20 * MIB)], { role: 'data' }), { kind: 'store_away' })
  assert.equal(fault.hits, 4)
  assert.deepEqual((await client.send(new ListMultipartUploadsCommand({ Bucket }))).Uploads ?? [], [])
  assert.equal(await store.get('big'), undefined)
})

test('a part that fails is sent again by itself, and the others are not', limit, async (t) => {
  const { server, store, answers } = await faultyStore(t)
  server.faults.add({ operation: 'UploadPart', skip: 1, action: slowDown })
  server.faults.add({ operation: 'UploadPart', skip: 2, action: { do: 'reset' } })
  const content = [Buffer.alloc(20 * MIB, 7)]
  assert.equal(await store.put('big', content, { role: 'data', ifAbsent: true }), 'created')
  const parts = [200, 503, 200, 0, 200].map((status) => `UploadPart ${status}`)
  assert.deepEqual(answers(), ['CreateMultipartUpload 200', ...parts, 'CompleteMultipartUpload 200'])
})

test('a part that is refused is not sent again', limit, async (t) => {
  const { server, store, answers } = await faultyStore(t)
  const denied = { do: 'answer', status: 403, code: 'AccessDenied' } as const
  server.faults.add({ operation: 'UploadPart', count: Infinity, action: denied })
  await assert.rejects(store.put('big', [Buffer.alloc(20 * MIB)], { role: 'data' }), { kind: 'config' })
  assert.deepEqual(answers(), ['CreateMultipartUpload 200', 'UploadPart 403', 'AbortMultipartUpload 204'])
})
