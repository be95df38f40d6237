// An S3 store of the program over the test suite's own server, for tests of what a single fault makes of a single call.
import type { TestContext } from 'node:test'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import type { StoredObject } from '../../internal/storage/object-store.js'
import { RetryingStore, type RetryingStoreOptions } from '../../internal/storage/retrying-store.js'
import { S3Store, type S3StoreOptions } from '../../internal/storage/s3-store.js'
import { S3Server } from './s3-server.js'

export const Bucket = 'lake-bucket'

export async function faultyStore(t: TestContext, changed: Partial<S3StoreOptions> = {}) {
  const server = await S3Server.start()
  const { endpoint, keys } = server
  const client = new S3Client({ endpoint, region: 'r', credentials: keys, forcePathStyle: true })
  await client.send(new CreateBucketCommand({ Bucket }))
  server.log.length = 0
  const store = new S3Store({ ...keys, endpoint, bucket: Bucket, namespace: 'n', conditionalWrites: true, ...changed })
  const ended = new AbortController()
  t.after(async () => {
    // A test that ran out of time must not go on trying.
    ended.abort()
    store.close()
    client.destroy()
    await server.stop()
  })
  const retrying = (options: Partial<RetryingStoreOptions> = {}) =>
    new RetryingStore(store, { initialDelayMs: 1, maxDelayMs: 2, signal: ended.signal, ...options })
  const answers = () => server.log.map(({ operation, status }) => `${operation} ${status}`)
  return { server, store, client, retrying, answers }
}

export async function keysOf(objects: AsyncIterable<StoredObject>): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of objects) keys.push(key)
  return keys
}
