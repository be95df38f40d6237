// The test suite's own S3 server against clients that are not ours: what it must refuse, and the payloads that the SDK
// sends with its own defaults.
import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { Readable } from 'node:stream'
import { test, type TestContext } from 'node:test'
import {
  AbortMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { S3Server } from '../../support/s3-server.js'

const limit = { timeout: 30_000 }
const Bucket = 'some-bucket'

async function setUp(t: TestContext) {
  const server = await S3Server.start()
  const { endpoint, keys } = server
  const client = new S3Client({ endpoint, region: 'r', credentials: keys, forcePathStyle: true, maxAttempts: 1 })
  await client.send(new CreateBucketCommand({ Bucket }))
  t.after(async () => {
    client.destroy()
    await server.stop()
  })
  return { server, client }
}

test("a stream in aws-chunked with its checksum behind it, as by the SDK's defaults", limit, async (t) => {
  const { server, client } = await setUp(t)
  const seen: (string | undefined)[] = []
  server.onBeforeRequest = ({ header }) => void seen.push(header('x-amz-content-sha256'))
  const chunks = [Buffer.alloc(100_000, 1), Buffer.alloc(1, 2)]
  const Body = Readable.from(chunks)
  await client.send(new PutObjectCommand({ Bucket, Key: 'k', Body, ContentLength: 100_001 }))
  assert.deepEqual(seen, ['STREAMING-UNSIGNED-PAYLOAD-TRAILER'])
  const output = await client.send(new GetObjectCommand({ Bucket, Key: 'k' }))
  assert.ok(Buffer.concat(chunks).equals(await output.Body!.transformToByteArray()))
})

test('a checksum that does not hold is refused', limit, async (t) => {
  const { client } = await setUp(t)
  const put = { Bucket, Key: 'k', Body: 'content' }
  await assert.rejects(client.send(new PutObjectCommand({ ...put, ChecksumCRC32: 'AAAAAA==' })), { name: 'BadDigest' })
})

test('a request that is not signed, or changed after it was signed, is refused', limit, async (t) => {
  const { server, client } = await setUp(t)
  const unsigned = await fetch(`${server.endpoint}/${Bucket}/k`, { method: 'PUT', body: 'x' })
  assert.equal(unsigned.status, 403)
  assert.match(await unsigned.text(), /<Code>AccessDenied<\/Code>/)
  client.middlewareStack.add(
    (next) => (args) => {
      const request = args.request as { body: unknown }
      request.body = 'changed'
      return next(args)
    },
    { step: 'finalizeRequest', priority: 'low' },
  )
  const put = new PutObjectCommand({ Bucket, Key: 'k', Body: 'content', ContentLength: 7 })
  await assert.rejects(client.send(put), { name: 'XAmzContentSHA256Mismatch' })
})

test('ranges, heads and absent things are answered as S3 does', limit, async (t) => {
  const { client } = await setUp(t)
  await client.send(new PutObjectCommand({ Bucket, Key: 'k', Body: '0123456789' }))
  const ranges = {
    'bytes=0-3': '0123',
    'bytes=8-': '89',
    'bytes=-3': '789',
    'bytes=8-99': '89',
    'bytes=-99': '0123456789',
  }
  for (const [Range, content] of Object.entries(ranges)) {
    const output = await client.send(new GetObjectCommand({ Bucket, Key: 'k', Range }))
    assert.equal(await output.Body!.transformToString(), content, Range)
  }
  await assert.rejects(client.send(new GetObjectCommand({ Bucket, Key: 'k', Range: 'bytes=10-' })), {
    name: 'InvalidRange',
  })
  assert.equal((await client.send(new HeadObjectCommand({ Bucket, Key: 'k' }))).ContentLength, 10)
  await assert.rejects(client.send(new HeadObjectCommand({ Bucket, Key: 'missing' })), { name: 'NotFound' })
  await assert.rejects(client.send(new HeadBucketCommand({ Bucket: 'missing-bucket' })), { name: 'NotFound' })
  await assert.rejects(client.send(new CreateBucketCommand({ Bucket })), { name: 'BucketAlreadyOwnedByYou' })
})

test('a listing is cut at max-keys and goes on with its token', limit, async (t) => {
  const { client } = await setUp(t)
  for (const Key of ['a&b', 'a<b', 'c', 'd']) await client.send(new PutObjectCommand({ Bucket, Key, Body: 'x' }))
  const first = await client.send(new ListObjectsV2Command({ Bucket, MaxKeys: 3 }))
  assert.deepEqual(
    first.Contents?.map(({ Key }) => Key),
    ['a&b', 'a<b', 'c'],
  )
  assert.equal(first.IsTruncated, true)
  const rest = { Bucket, ContinuationToken: first.NextContinuationToken }
  const second = await client.send(new ListObjectsV2Command(rest))
  assert.deepEqual([second.Contents?.map(({ Key }) => Key), second.IsTruncated], [['d'], false])
})

test('an upload in parts is listed until it is aborted, and then has no place for parts', limit, async (t) => {
  const { client } = await setUp(t)
  const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket, Key: 'k' }))
  const part = { Bucket, Key: 'k', UploadId, PartNumber: 1, Body: 'x' }
  await client.send(new UploadPartCommand(part))
  const listed = async () => (await client.send(new ListMultipartUploadsCommand({ Bucket, Prefix: 'k' }))).Uploads ?? []
  assert.deepEqual(
    (await listed()).map((upload) => upload.UploadId),
    [UploadId],
  )
  await client.send(new AbortMultipartUploadCommand({ Bucket, Key: 'k', UploadId }))
  assert.deepEqual(await listed(), [])
  await assert.rejects(client.send(new UploadPartCommand(part)), { name: 'NoSuchUpload' })
})

test('the world stands still while onBeforeRequest does', limit, async (t) => {
  const { server, client } = await setUp(t)
  const world = new EventEmitter()
  server.onBeforeRequest = async () => {
    const resumed = once(world, 'resume')
    world.emit('stopped')
    await resumed
  }
  const stopped = once(world, 'stopped')
  const writing = client.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'x' }))
  await stopped
  assert.equal(server.objects.attributes(Bucket, 'k'), undefined)
  world.emit('resume')
  await writing
  assert.deepEqual(server.objects.attributes(Bucket, 'k'), {})
})
