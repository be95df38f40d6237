// Staging over faults of the connection to S3: what fails leaves nothing to pay for, what was staged is completed whatever
// becomes of an answer, and nothing is called gone that is not.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ListMultipartUploadsCommand } from '@aws-sdk/client-s3'
import { Bucket, faultyStore, keysOf } from '../../support/faulty-store.js'
import type { FaultAction } from '../../support/s3-faults.js'

const MIB = 1024 * 1024
/** A test that waits where it should not fails here. */
const limit = { timeout: 30_000 }
const slowDown = { do: 'answer', status: 503, code: 'SlowDown' } as const
const content = Buffer.alloc(9 * MIB, 7)
const data = { role: 'data' } as const
const inBody = (code: string) => `<?xml version="1.0"?><Error><Code>${code}</Code><Message>no</Message></Error>`

type Setting = Awaited<ReturnType<typeof faultyStore>>

async function unfinished({ client }: Setting): Promise<number> {
  return (await client.send(new ListMultipartUploadsCommand({ Bucket }))).Uploads?.length ?? 0
}

const requests = ['CreateMultipartUpload', 'UploadPart', 'CompleteMultipartUpload'] as const
const faults: FaultAction[] = [
  slowDown,
  { do: 'answer', status: 500, code: 'InternalError' },
  { do: 'answer', status: 200, code: '', body: inBody('InternalError') },
  { do: 'answer', status: 502, code: '', body: '<html><body>Bad Gateway</body></html>' },
  { do: 'answer', status: 400, code: 'InvalidPart' },
  { do: 'reset' },
  { do: 'loseAnswer' },
  { do: 'halfBody' },
  { do: 'hang' },
  { do: 'answerLate', ms: 20_000 },
]
for (const action of faults) {
  for (const operation of requests) {
    test(`${operation}: ${Object.values(action).join(' ')}: staged and completed all the same`, limit, async (t) => {
      const setting = await faultyStore(t, { idleTimeoutMs: 750 })
      const store = setting.retrying({ maxAttempts: 3 })
      // The store has worked before, as it has when a copy is under way.
      await store.put('before', [Buffer.from('x')], { role: 'log' })
      const fault = setting.server.faults.add({ operation, action })
      const receipt = await store.stage('big', [content], data)
      assert.equal(await store.get('big'), undefined)
      assert.equal(await store.complete('big', receipt), 'completed')
      assert.equal(fault.hits, 1)
      assert.ok((await store.get('big'))?.equals(content))
    })
  }
}

test('a completion that was answered too late is looked for, not called gone', limit, async (t) => {
  const setting = await faultyStore(t)
  const receipt = await setting.store.stage('big', [content], data)
  setting.server.log.length = 0
  setting.server.faults.add({ operation: 'CompleteMultipartUpload', action: { do: 'loseAnswer' } })
  assert.equal(await setting.retrying().complete('big', receipt), 'completed')
  const asked = ['CompleteMultipartUpload 0', 'CompleteMultipartUpload 404', 'GetObject 206']
  assert.deepEqual(setting.answers(), asked)
})

for (const action of [
  slowDown,
  { do: 'answer', status: 404, code: '', body: '<html>no such page</html>' },
  { do: 'answer', status: 200, code: '', body: inBody('InternalError') },
] as const) {
  test(`nothing is gone while the store only fails (${Object.values(action).join(' ')})`, limit, async (t) => {
    const setting = await faultyStore(t)
    const { server, store } = setting
    const receipt = await store.stage('big', [content], data)
    server.faults.add({ operation: 'CompleteMultipartUpload', action })
    await assert.rejects(store.complete('big', receipt), { kind: 'store_away' })
    // Nor when the upload is not there, and the object cannot be looked for.
    assert.equal(await store.abandonUnfinished('big', () => true), 1)
    server.faults.add({ operation: 'GetObject', action })
    await assert.rejects(store.complete('big', receipt), { kind: 'store_away' })
    assert.equal(await store.complete('big', receipt), 'gone')
  })
}

test('a right that is missing is a wrong setting, also where the answer came as 200', limit, async (t) => {
  const { server, store } = await faultyStore(t)
  const receipt = await store.stage('big', [content], data)
  const operation = 'CompleteMultipartUpload'
  server.faults.add({ operation, action: { do: 'answer', status: 403, code: 'AccessDenied' } })
  await assert.rejects(store.complete('big', receipt), { kind: 'config' })
  server.faults.add({ operation, action: { do: 'answer', status: 200, code: '', body: inBody('NoSuchBucket') } })
  await assert.rejects(store.complete('big', receipt), { kind: 'config' })
})

test('a receipt of another kind of store is refused', limit, async (t) => {
  const { store } = await faultyStore(t)
  await assert.rejects(store.complete('big', '.wal-cake-staged/n.lake/big.staged'), { kind: 'unexpected' })
})

test(
  'a stage that fails in the middle takes its parts away, and one that cannot is abandoned later',
  limit,
  async (t) => {
    const setting = await faultyStore(t)
    const { server, store } = setting
    const parts = server.faults.add({ operation: 'UploadPart', skip: 1, count: Infinity, action: slowDown })
    await assert.rejects(store.stage('big', [Buffer.alloc(20 * MIB)], data), {
      kind: 'store_away',
      message: /stage big/,
    })
    assert.deepEqual([parts.hits, await unfinished(setting)], [4, 0])
    server.faults.add({ operation: 'AbortMultipartUpload', action: slowDown })
    parts.remove()
    server.faults.add({ operation: 'UploadPart', skip: 1, count: 4, action: { do: 'reset' } })
    await assert.rejects(store.stage('big', [Buffer.alloc(20 * MIB)], data), { kind: 'store_away' })
    assert.equal(await unfinished(setting), 1)
    assert.equal(await store.abandonUnfinished('big', (key) => key === 'big'), 1)
    assert.equal(await unfinished(setting), 0)
  },
)

for (const action of [{ do: 'hang' }, undefined] as const) {
  test(
    `an abort ends a stage at once, its end ${action === undefined ? 'taken' : 'left hanging'}`,
    limit,
    async (t) => {
      const { server, store } = await faultyStore(t)
      const stop = new AbortController()
      server.faults.add({ operation: 'UploadPart', skip: 1, action: { do: 'hang' } })
      if (action !== undefined) server.faults.add({ operation: 'AbortMultipartUpload', action })
      let parts = 0
      server.onBeforeRequest = ({ operation }) =>
        operation === 'UploadPart' && ++parts === 2 ? stop.abort() : undefined
      const staging = store.stage('big', [Buffer.alloc(20 * MIB)], { ...data, signal: stop.signal })
      await assert.rejects(staging, { kind: 'gave_up' })
      assert.deepEqual(await keysOf(store.list('')), [])
      assert.equal(await store.get('big'), undefined)
    },
  )
}

test('one part after the other goes up, each once, and none twice after one that failed', limit, async (t) => {
  const { server, store, answers } = await faultyStore(t)
  server.faults.add({ operation: 'UploadPart', skip: 1, action: slowDown })
  const receipt = await store.stage('big', [Buffer.alloc(12 * MIB, 1), Buffer.alloc(8 * MIB, 2)], data)
  assert.equal(await store.complete('big', receipt), 'completed')
  const parts = [200, 503, 200, 200].map((status) => `UploadPart ${status}`)
  assert.deepEqual(answers(), ['CreateMultipartUpload 200', ...parts, 'CompleteMultipartUpload 200'])
  assert.deepEqual(
    server.log
      .filter(({ operation, status }) => operation === 'UploadPart' && status === 200)
      .map((part) => part.receivedBytes),
    [8 * MIB, 8 * MIB, 4 * MIB],
  )
})

test('what is staged has the attributes of what is written', limit, async (t) => {
  const { server, store } = await faultyStore(t, { sse: 'aws:kms', sseKmsKeyId: 'key-1', storageClass: 'STANDARD_IA' })
  await store.complete('data', await store.stage('data', [Buffer.from('x')], data))
  await store.complete('log', await store.stage('log', [Buffer.from('x')], { role: 'log' }))
  const encrypted = {
    'x-amz-server-side-encryption': 'aws:kms',
    'x-amz-server-side-encryption-aws-kms-key-id': 'key-1',
  }
  assert.deepEqual(server.objects.attributes(Bucket, 'n/log'), encrypted)
  assert.deepEqual(server.objects.attributes(Bucket, 'n/data'), { ...encrypted, 'x-amz-storage-class': 'STANDARD_IA' })
})
