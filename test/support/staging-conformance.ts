// What every object store does with what is staged; part of the conformance suite.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import type { ObjectStore } from '../../internal/storage/object-store.js'
import { RetryingStore } from '../../internal/storage/retrying-store.js'
import { cut, sha256 } from './content.js'
import { keysOf } from './faulty-store.js'

const MIB = 1024 * 1024
const LIMIT_MS = 120_000

/** `open` gives a new, empty place each time, `again` another store on the place of the last one. */
export function stagingConformance(open: () => Promise<ObjectStore>, again: () => Promise<ObjectStore>): void {
  test('what is staged is seen by nobody until another store completes it', { timeout: LIMIT_MS }, async () => {
    const store = await open()
    const key = `data/a%20b/t/dt=2026-01-01/${'x'.repeat(240)}.parquet`
    const receipt = await store.stage(key, [Buffer.from('on'), Buffer.from('e')], { role: 'data' })
    await store.put('data/a%20b/other', [Buffer.from('x')], { role: 'data' })
    const other = await again()
    for (const looking of [store, other]) {
      assert.equal(await looking.get(key), undefined)
      assert.equal(await looking.get(key, { lastBytes: 1 }), undefined)
      assert.equal(await looking.digest(key), undefined)
      assert.deepEqual(await keysOf(looking.list('')), ['data/a%20b/other'])
    }
    assert.equal(await other.complete(key, receipt), 'completed')
    for (const looking of [store, other]) {
      assert.equal((await looking.get(key))?.toString(), 'one')
      assert.deepEqual(await looking.digest(key), { bytes: 3, sha256: sha256(Buffer.from('one')) })
      assert.deepEqual(await keysOf(looking.list('data/a%20b/t/')), [key])
    }
  })

  test('to complete twice changes nothing', { timeout: LIMIT_MS }, async () => {
    const store = await open()
    const receipt = await store.stage('data/k', [Buffer.from('one')], { role: 'data' })
    assert.equal(await store.complete('data/k', receipt), 'completed')
    assert.equal(await store.complete('data/k', receipt), 'completed')
    assert.equal(await (await again()).complete('data/k', receipt), 'completed')
    assert.equal((await store.get('data/k'))?.toString(), 'one')
    assert.equal(await store.abandonUnfinished('data/k', () => true), 0)
  })

  test('two who complete at the same moment do each other no harm', { timeout: LIMIT_MS }, async () => {
    const [store, other] = [await open(), await again()]
    const { signal } = new AbortController()
    const both = [store, other].map((each) => new RetryingStore(each, { initialDelayMs: 1, maxDelayMs: 20, signal }))
    for (let round = 0; round < 10; round++) {
      const [key, content] = [`data/${round}`, randomBytes(round === 0 ? 9 * MIB : 1000)]
      const receipt = await store.stage(key, [content], { role: 'data' })
      const answers = await Promise.all([...both, ...both].map((each) => each.complete(key, receipt)))
      assert.deepEqual(new Set(answers), new Set(['completed']))
      assert.equal(sha256((await store.get(key))!), sha256(content))
    }
  })

  for (const chunks of [1, 37]) {
    test(`20 MiB that are staged in ${chunks} chunks become one object`, { timeout: LIMIT_MS }, async () => {
      const store = await open()
      const content = randomBytes(20 * MIB)
      const receipt = await store.stage('data/big', cut(content, chunks), { role: 'data', sha256: sha256(content) })
      assert.equal(await store.get('data/big'), undefined)
      assert.equal(await (await again()).complete('data/big', receipt), 'completed')
      assert.deepEqual(await store.digest('data/big'), { bytes: content.length, sha256: sha256(content) })
    })
  }

  test('what is ours, staged and not completed is abandoned, and then it is gone', { timeout: LIMIT_MS }, async () => {
    const store = await open()
    const keys = ['data/done', 'data/ours', 'data/theirs', 'elsewhere/ours']
    const receipts = new Map<string, string>()
    for (const key of keys) receipts.set(key, await store.stage(key, [Buffer.from(key)], { role: 'data' }))
    const complete = (key: string) => store.complete(key, receipts.get(key)!)
    assert.equal(await complete('data/done'), 'completed')
    const asked = new Set<string>()
    const isOurs = (key: string): boolean => {
      asked.add(key)
      return key !== 'data/theirs'
    }
    // MinIO lists unfinished uploads by exact key only.
    let abandoned = 0
    for (const key of ['data/done', 'data/ours', 'data/theirs'])
      abandoned += await (await again()).abandonUnfinished(key, isOurs)
    assert.equal(abandoned, 1)
    assert.deepEqual([...asked].sort(), ['data/ours', 'data/theirs'])
    assert.equal(await complete('data/ours'), 'gone')
    assert.equal(await store.get('data/ours'), undefined)
    for (const key of ['data/done', 'data/theirs', 'elsewhere/ours']) {
      assert.equal(await complete(key), 'completed')
      assert.equal((await store.get(key))?.toString(), key)
    }
  })

  test('what was being staged when its writer was stopped is not to be seen', { timeout: LIMIT_MS }, async () => {
    const store = await open()
    const stop = new AbortController()
    const chunks = Array.from({ length: 64 }, () => randomBytes(MIB))
    const staging = store.stage('data/big', chunks, { role: 'data', signal: stop.signal })
    setImmediate(() => stop.abort())
    await assert.rejects(staging, { kind: 'gave_up' })
    assert.deepEqual(await keysOf(store.list('')), [])
    assert.equal(await store.get('data/big'), undefined)
  })
}
