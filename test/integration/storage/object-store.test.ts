// One conformance suite for every object store: the local folder, the test suite's own S3 server, and each store of
// another maker that is here. What holds for all of them is what the rest of the program builds on.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { CreateMultipartUploadCommand, ListMultipartUploadsCommand, S3Client } from '@aws-sdk/client-s3'
import { FolderStore } from '../../../internal/storage/folder-store.js'
import type { ObjectStore, StoredObject } from '../../../internal/storage/object-store.js'
import { S3Store, type S3StoreOptions } from '../../../internal/storage/s3-store.js'
import { cut, sha256 } from '../../support/content.js'
import { keysOf } from '../../support/faulty-store.js'
import { availableRealStores, startOwnServer, type TestStore } from '../../support/s3-stores.js'
import { stagingConformance } from '../../support/staging-conformance.js'

const MIB = 1024 * 1024
const LIMIT_MS = 120_000

/** What every store does. `open` gives a new, empty place each time, `again` another store on the place of the last one. */
function conformance(open: () => Promise<ObjectStore>, again: () => Promise<ObjectStore>): void {
  test('an object is there when it is written, and before that it is not', { timeout: LIMIT_MS }, async () => {
    const store = await open()
    assert.equal(await store.get('a/b'), undefined)
    assert.equal(await store.put('a/b', [Buffer.from('on'), Buffer.from('e')], { role: 'log' }), 'created')
    assert.equal((await store.get('a/b'))?.toString(), 'one')
  })

  test('a key may hold all that encodeName() makes', { timeout: LIMIT_MS }, async () => {
    const store = await open()
    const key = 'data/a%20b%2Fc/%C3%BC..x/dt=2026-01-01/s-1_2.parquet'
    await store.put(key, [Buffer.from('x')], { role: 'data' })
    assert.equal((await store.get(key))?.toString(), 'x')
    assert.deepEqual(await keysOf(store.list('data/a%20')), [key])
  })

  test('create-if-absent writes once and leaves what is there', { timeout: LIMIT_MS }, async () => {
    const store = await open()
    assert.equal(await store.put('k', [Buffer.from('one')], { role: 'log', ifAbsent: true }), 'created')
    assert.equal(await store.put('k', [Buffer.from('two')], { role: 'log', ifAbsent: true }), 'exists')
    assert.equal((await store.get('k'))?.toString(), 'one')
  })

  test('without a condition a write replaces', { timeout: LIMIT_MS }, async () => {
    const store = await open()
    await store.put('k', [Buffer.from('longer than two')], { role: 'log' })
    assert.equal(await store.put('k', [Buffer.from('two')], { role: 'log' }), 'created')
    assert.equal((await store.get('k'))?.toString(), 'two')
  })

  test('an object is digested as it is, whatever its size', { timeout: LIMIT_MS }, async () => {
    const store = await open()
    for (const content of [Buffer.alloc(0), Buffer.from('one'), randomBytes(9 * MIB + 1)]) {
      await store.put('k', [content], { role: 'data' })
      assert.deepEqual(await store.digest('k'), { bytes: content.length, sha256: sha256(content) })
    }
    assert.equal(await store.digest('other'), undefined)
  })

  test('an object may be empty', { timeout: LIMIT_MS }, async () => {
    const store = await open()
    await store.put('k', [], { role: 'log', sha256: sha256(Buffer.alloc(0)) })
    assert.equal((await store.get('k'))?.length, 0)
    assert.equal((await store.get('k', { lastBytes: 8 }))?.length, 0)
  })

  test('the last bytes are read alone, or all where there are fewer', { timeout: LIMIT_MS }, async () => {
    const store = await open()
    await store.put('k', [Buffer.from('0123456789')], { role: 'data' })
    assert.equal((await store.get('k', { lastBytes: 3 }))?.toString(), '789')
    assert.equal((await store.get('k', { lastBytes: 10 }))?.toString(), '0123456789')
    assert.equal((await store.get('k', { lastBytes: 99 }))?.toString(), '0123456789')
    assert.equal(await store.get('missing', { lastBytes: 3 }), undefined)
  })

  test('a deleted object is gone, and may be deleted again', { timeout: LIMIT_MS }, async () => {
    const store = await open()
    await store.put('a/k', [Buffer.from('x')], { role: 'log' })
    await store.delete('a/k')
    await store.delete('a/k')
    assert.equal(await store.get('a/k'), undefined)
    assert.equal(await store.put('a/k', [Buffer.from('y')], { role: 'log', ifAbsent: true }), 'created')
  })

  test('a listing is in byte order of whole keys, with sizes', { timeout: LIMIT_MS }, async () => {
    const store = await open()
    // A walk folder by folder gives `a/…` first, though `-` and `.` sort before the slash.
    const sorted = ['A/x', 'a%20b/x', 'a-c/x', 'a.b', 'a/b', 'a/c-/e', 'a/c/d', 'a/c0', 'a0/z', 'b']
    for (const key of sorted.toReversed()) await store.put(key, [Buffer.from(key)], { role: 'log' })
    const objects: StoredObject[] = []
    for await (const object of store.list('')) objects.push(object)
    assert.deepEqual(
      objects,
      sorted.map((key) => ({ key, bytes: key.length })),
    )
    assert.deepEqual(await keysOf(store.list('a/')), ['a/b', 'a/c-/e', 'a/c/d', 'a/c0'])
    assert.deepEqual(await keysOf(store.list('a/c')), ['a/c-/e', 'a/c/d', 'a/c0'])
    assert.deepEqual(await keysOf(store.list('a/', { startAfter: 'a/c' })), ['a/c-/e', 'a/c/d', 'a/c0'])
    assert.deepEqual(await keysOf(store.list('a/', { startAfter: 'a/c-/e' })), ['a/c/d', 'a/c0'])
    assert.deepEqual(await keysOf(store.list('', { startAfter: 'a/c/z' })), ['a/c0', 'a0/z', 'b'])
    assert.deepEqual(await keysOf(store.list('a/', { startAfter: 'b' })), [])
    assert.deepEqual(await keysOf(store.list('nothing/')), [])
  })

  test('a listing of more than one page is whole', { timeout: LIMIT_MS }, async () => {
    const store = await open()
    const keys = Array.from({ length: 1103 }, (_, index) => `log/${String(index).padStart(12, '0')}.plan.json`)
    for (let at = 0; at < keys.length; at += 50) {
      await Promise.all(keys.slice(at, at + 50).map((key) => store.put(key, [Buffer.from('{}')], { role: 'log' })))
    }
    assert.deepEqual(await keysOf(store.list('log/')), keys)
    assert.deepEqual(await keysOf(store.list('log/', { startAfter: keys[49]! })), keys.slice(50))
  })

  test('a listing that is left early stops', { timeout: LIMIT_MS }, async () => {
    const store = await open()
    for (const key of ['a', 'b', 'c']) await store.put(key, [], { role: 'log' })
    for await (const { key } of store.list('')) {
      assert.equal(key, 'a')
      break
    }
  })

  for (const chunks of [1, 37]) {
    test(`an object of 20 MiB in ${chunks} chunks arrives whole, also conditional`, { timeout: LIMIT_MS }, async () => {
      const store = await open()
      const [first, second] = [randomBytes(20 * MIB), randomBytes(20 * MIB + 1)]
      assert.equal(await store.put('big', cut(first, chunks), { role: 'data', ifAbsent: true }), 'created')
      assert.equal(await store.put('big', cut(second, chunks), { role: 'data', ifAbsent: true }), 'exists')
      assert.equal(sha256((await store.get('big'))!), sha256(first))
      assert.equal(await store.put('big', cut(second, chunks), { role: 'data' }), 'created')
      assert.equal(sha256((await store.get('big'))!), sha256(second))
      assert.deepEqual(await store.get('big', { lastBytes: 8 }), second.subarray(-8))
    })
  }

  test(
    'of 50 who race to create an object exactly one wins, and its content stays',
    { timeout: LIMIT_MS },
    async () => {
      const store = await open()
      for (let round = 0; round < 4; round++) {
        const key = `log/${round}`
        const answers = await Promise.all(
          Array.from({ length: 50 }, (_, writer) =>
            store.put(key, [Buffer.from(`writer ${writer}`)], { role: 'log', ifAbsent: true }),
          ),
        )
        assert.equal(answers.filter((answer) => answer === 'created').length, 1)
        assert.equal((await store.get(key))?.toString(), `writer ${answers.indexOf('created')}`)
      }
    },
  )

  test('of four who race with objects in parts exactly one wins', { timeout: LIMIT_MS }, async () => {
    const store = await open()
    const contents = Array.from({ length: 4 }, () => randomBytes(9 * MIB))
    const answers = await Promise.all(
      contents.map((content) => store.put('big', [content], { role: 'data', ifAbsent: true })),
    )
    assert.equal(answers.filter((answer) => answer === 'created').length, 1)
    assert.equal(sha256((await store.get('big'))!), sha256(contents[answers.indexOf('created')]!))
  })

  stagingConformance(open, again)

  test('a signal that has fired ends every call', { timeout: LIMIT_MS }, async () => {
    const store = await open()
    const signal = AbortSignal.abort()
    await store.put('k', [], { role: 'log' })
    await assert.rejects(store.put('k', [], { role: 'log', signal }), { kind: 'gave_up' })
    await assert.rejects(store.stage('s', [Buffer.from('x')], { role: 'data', signal }), { kind: 'gave_up' })
    const receipt = await store.stage('s', [Buffer.from('x')], { role: 'data' })
    await assert.rejects(store.complete('s', receipt, { signal }), { kind: 'gave_up' })
    assert.deepEqual(await keysOf(store.list('')), ['k'])
    await assert.rejects(store.get('k', { signal }), { kind: 'gave_up' })
    await assert.rejects(keysOf(store.list('', { signal })), { kind: 'gave_up' })
  })
}

describe('folder', () => {
  let folder: string
  let opened = 0
  before(async () => void (folder = await mkdtemp(join(tmpdir(), 'wal-cake-lake-'))))
  after(() => rm(folder, { recursive: true }))
  const again = () => FolderStore.open({ folder, namespace: `place-${opened}` })
  conformance(() => {
    opened++
    return again()
  }, again)
})

const sources = [{ name: 'own server', start: startOwnServer }, ...(await availableRealStores())]
for (const source of sources) {
  describe(source.name, () => {
    const bucket = `conformance-${randomBytes(6).toString('hex')}`
    const stores: S3Store[] = []
    let opened = 0
    let service: TestStore
    before(async () => {
      service = await source.start()
      await service.makeBucket(bucket)
    })
    after(async () => {
      for (const store of stores) store.close()
      await service.stop()
    })
    const again = (changed: Partial<S3StoreOptions> = {}): Promise<S3Store> => {
      const { endpoint, region, accessKeyId, secretAccessKey } = service
      const place = { bucket, namespace: `place-${opened}`, conditionalWrites: true }
      const store = new S3Store({ ...place, endpoint, region, accessKeyId, secretAccessKey, ...changed })
      stores.push(store)
      return Promise.resolve(store)
    }
    const open = (changed?: Partial<S3StoreOptions>): Promise<S3Store> => {
      opened++
      return again(changed)
    }
    conformance(open, again)

    const wrong: [name: string, options: Partial<S3StoreOptions>, hint: RegExp][] = [
      ['access key', { accessKeyId: 'NOSUCHKEY' }, /AWS_ACCESS_KEY_ID/],
      ['secret key', { secretAccessKey: 'wrong' }, /AWS_SECRET_ACCESS_KEY/],
      ['bucket', { bucket: `missing-${randomBytes(6).toString('hex')}` }, /S3_BUCKET_NAME/],
    ]
    for (const [name, options, hint] of wrong) {
      test(`a wrong ${name} is a wrong setting for every call, and is named`, { timeout: LIMIT_MS }, async () => {
        const store = await open(options)
        const asTold = (error: { kind?: string; hint?: string }) =>
          error.kind === 'config' && hint.test(error.hint ?? '')
        await assert.rejects(store.put('k', [Buffer.from('x')], { role: 'log' }), asTold)
        await assert.rejects(store.put('k', [Buffer.alloc(9 * MIB)], { role: 'data' }), asTold)
        await assert.rejects(store.get('k'), asTold)
        await assert.rejects(store.get('k', { lastBytes: 3 }), asTold)
        await assert.rejects(keysOf(store.list('')), asTold)
      })
    }

    test('content that is not what its SHA-256 says is refused', { timeout: LIMIT_MS }, async () => {
      const store = await open()
      const lie = sha256(Buffer.from('something else'))
      await assert.rejects(store.put('k', [Buffer.from('x')], { role: 'log', sha256: lie }), { kind: 'store_away' })
      assert.equal(await store.get('k'), undefined)
      const truth = sha256(Buffer.from('x'))
      assert.equal(await store.put('k', [Buffer.from('x')], { role: 'log', sha256: truth }), 'created')
    })

    test('an object in parts that lost its race leaves no parts', { timeout: LIMIT_MS }, async () => {
      const store = await open({ namespace: 'parts' })
      await store.put('big', [Buffer.from('first')], { role: 'data' })
      assert.equal(await store.put('big', [Buffer.alloc(9 * MIB)], { role: 'data', ifAbsent: true }), 'exists')
      const { endpoint, region, accessKeyId, secretAccessKey } = service
      const credentials = { accessKeyId, secretAccessKey }
      const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true })
      // MinIO lists unfinished uploads by exact key only.
      const listed = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: 'parts/big' }))
      client.destroy()
      assert.deepEqual(listed.Uploads ?? [], [])
    })

    test(
      'uploads that were never finished are aborted where they are ours, and only there',
      { timeout: LIMIT_MS },
      async () => {
        const store = await open({ namespace: 'left' })
        const { endpoint, region, accessKeyId, secretAccessKey } = service
        const client = new S3Client({
          endpoint,
          region,
          credentials: { accessKeyId, secretAccessKey },
          forcePathStyle: true,
        })
        for (const key of ['data/ours', 'data/theirs'])
          await client.send(new CreateMultipartUploadCommand({ Bucket: bucket, Key: `left/${key}` }))
        const unfinished = async (key: string): Promise<number> => {
          const listed = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: `left/${key}` }))
          return (listed.Uploads ?? []).length
        }
        assert.deepEqual([await unfinished('data/ours'), await unfinished('data/theirs')], [1, 1])
        // MinIO lists unfinished uploads by exact key only.
        assert.equal(await store.abandonUnfinished('data/ours', (key) => key === 'data/ours'), 1)
        assert.equal(await store.abandonUnfinished('data/theirs', (key) => key === 'data/ours'), 0)
        assert.deepEqual([await unfinished('data/ours'), await unfinished('data/theirs')], [0, 1])
        client.destroy()
      },
    )

    test('without conditional writes existence is looked for first', { timeout: LIMIT_MS }, async () => {
      const store = await open({ conditionalWrites: false })
      assert.equal(await store.put('k', [Buffer.from('one')], { role: 'log', ifAbsent: true }), 'created')
      assert.equal(await store.put('k', [Buffer.from('two')], { role: 'log', ifAbsent: true }), 'exists')
      assert.equal((await store.get('k'))?.toString(), 'one')
      await store.put('empty', [], { role: 'log' })
      assert.equal(await store.put('empty', [Buffer.from('x')], { role: 'log', ifAbsent: true }), 'exists')
    })
  })
}

// The last lines of a run say what it ran on.
after(() => {
  console.log(`object stores: folder, ${sources.map(({ name }) => name).join(', ')}`)
})
