// The folder store where it differs from a bucket: temporary files, mounts, names, and what the system's errors mean.
// What it shares with buckets is in the conformance suite.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { link, mkdir, mkdtemp, readdir, rename, rm, rmdir, utimes, writeFile } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { Failure, type FailureKind } from '../../../internal/model/failure.js'
import { folderFailure } from '../../../internal/storage/folder-failure.js'
import { FolderStore } from '../../../internal/storage/folder-store.js'
import type { StoredObject } from '../../../internal/storage/object-store.js'
import { STAGED_FOLDER } from '../../../internal/storage/staged-files.js'
import { TEMPORARY_FOLDER, TemporaryFiles } from '../../../internal/storage/temporary-files.js'

const content = [Buffer.from('content')]

async function lakeFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'wal-cake-folder-'))
  t.after(() => rm(folder, { recursive: true }))
  return folder
}

function failure(kind: FailureKind, pattern: RegExp) {
  return (error: unknown) => error instanceof Failure && error.kind === kind && pattern.test(error.message)
}

async function keysOf(objects: AsyncIterable<StoredObject>): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of objects) keys.push(key)
  return keys
}

test('a file lies under the namespace at its key, and nothing is left beside it', async (t) => {
  const folder = await lakeFolder(t)
  const store = await FolderStore.open({ folder, namespace: 'team/lake' })
  await store.put('data/public/t/f.parquet', content, { role: 'data' })
  await store.put('data/public/t/f.parquet', content, { role: 'data', ifAbsent: true })
  const files = await readdir(folder, { recursive: true, withFileTypes: true })
  const paths = files.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  assert.deepEqual(paths, [join(folder, 'team/lake/data/public/t/f.parquet')])
})

test('a file on its way is outside data/ and is no .parquet', async (t) => {
  const folder = await lakeFolder(t)
  const temporary = new TemporaryFiles(folder)
  await temporary.prepare(0)
  await temporary.withFile(content, undefined, async (path) => {
    assert.ok(path.startsWith(join(folder, TEMPORARY_FOLDER)))
    assert.ok(path.endsWith('.tmp'))
    assert.deepEqual(await readdir(temporary.folder), [path.slice(temporary.folder.length + 1)])
  })
  assert.deepEqual(await readdir(temporary.folder), [])
})

test('a write that fails leaves no temporary file', async (t) => {
  const folder = await lakeFolder(t)
  const store = await FolderStore.open({ folder, namespace: 'n' })
  await store.put('a', content, { role: 'log' })
  // No file can lie below a file.
  await assert.rejects(store.put('a/b', content, { role: 'log' }), failure('config', /write a\/b/))
  assert.deepEqual(await readdir(join(folder, TEMPORARY_FOLDER)), [])
})

test('opening sweeps files of dead writers and old ones, and leaves those that may be in use', async (t) => {
  const folder = await lakeFolder(t)
  await mkdir(join(folder, TEMPORARY_FOLDER))
  const host = hostname().replace(/[^A-Za-z0-9.]/g, '_')
  const dead = spawnSync(process.execPath, ['--version']).pid
  const [live, elsewhere] = [`${host}-${process.pid}-0123456789abcdef.tmp`, 'elsewhere-1-0123456789abcdef.tmp']
  const [orphan, old, foreign] = [`${host}-${dead}-0123456789abcdef.tmp`, 'elsewhere-2-0123456789abcdef.tmp', 'notes']
  for (const name of [live, elsewhere, orphan, old, foreign]) await writeFile(join(folder, TEMPORARY_FOLDER, name), '')
  const twoHoursAgo = new Date(Date.now() - 2 * 3600_000)
  await utimes(join(folder, TEMPORARY_FOLDER, old), twoHoursAgo, twoHoursAgo)
  await FolderStore.open({ folder, namespace: 'n' })
  assert.deepEqual((await readdir(join(folder, TEMPORARY_FOLDER))).sort(), [live, elsewhere, foreign].sort())
})

async function staged(folder: string): Promise<string[]> {
  const entries = await readdir(join(folder, STAGED_FOLDER), { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
}

test('a staged file is outside data/, is no .parquet and is not swept, and two namespaces do not meet', async (t) => {
  const folder = await lakeFolder(t)
  const key = 'data/public/t/f.parquet'
  const namespaces = ['team', 'team/data', 'x'.repeat(200), `${'x'.repeat(200)}/data`]
  const stores = await Promise.all(namespaces.map((namespace) => FolderStore.open({ folder, namespace })))
  const receipts: string[] = []
  for (const [index, store] of stores.entries())
    receipts.push(await store.stage(key, [Buffer.from(namespaces[index]!)], { role: 'data' }))
  const files = await staged(folder)
  assert.deepEqual(files.sort(), receipts.map((receipt) => join(folder, receipt)).sort())
  for (const file of files) {
    assert.ok(!file.slice(folder.length).includes('/data/') && !file.endsWith('.parquet'), file)
    await utimes(file, new Date(0), new Date(0))
  }
  for (const [index, namespace] of namespaces.entries()) {
    const store = await FolderStore.open({ folder, namespace })
    assert.equal(await store.abandonUnfinished('', (each) => each !== key), 0)
    assert.equal(await store.complete(key, receipts[index]!), 'completed')
    assert.equal((await store.get(key))?.toString(), namespace)
  }
  assert.deepEqual(await staged(folder), [])
})

test('in a lake without a namespace a staged file is in no listing either', async (t) => {
  const store = await FolderStore.open({ folder: await lakeFolder(t), namespace: '' })
  const receipt = await store.stage('data/f', content, { role: 'data' })
  assert.deepEqual(await keysOf(store.list('')), [])
  assert.equal(await store.complete('data/f', receipt), 'completed')
  assert.deepEqual(await keysOf(store.list('')), ['data/f'])
})

test('a completion that a crash cut short is finished, or its rest abandoned, and the file stays', async (t) => {
  const folder = await lakeFolder(t)
  const store = await FolderStore.open({ folder, namespace: 'n' })
  const keys = ['data/t/1', 'data/t/2'] as const
  for (const key of keys) {
    const receipt = await store.stage(key, content, { role: 'data' })
    await mkdir(join(folder, 'n/data/t'), { recursive: true })
    await link(join(folder, receipt), join(folder, 'n', key))
  }
  assert.equal(await store.complete(keys[0], ''), 'completed')
  assert.equal((await staged(folder)).length, 1)
  assert.equal(await store.abandonUnfinished('data/', (key) => key === keys[1]), 1)
  assert.deepEqual(await staged(folder), [])
  for (const key of keys) assert.equal((await store.get(key))?.toString(), 'content')
})

test('every key that a folder can hold can be staged, and is asked for by its name', async (t) => {
  const folder = await lakeFolder(t)
  const store = await FolderStore.open({ folder, namespace: 'n' })
  const names = ['x', `%2F..${'~'.repeat(60)}`, 'y'.repeat(255), '%C3%BC'.repeat(42)]
  const keys = [...names, names.join('/'), 'k'.repeat(200), `${'k'.repeat(200)}l`, '...', "it's(1)!*"]
  for (const key of keys) await store.stage(key, content, { role: 'data' })
  await writeFile(join(folder, STAGED_FOLDER, 'n.lake', 'notes'), '')
  await writeFile(join(folder, STAGED_FOLDER, 'n.lake', '%ZZ.staged'), '')
  const asked: string[] = []
  assert.equal(await store.abandonUnfinished('', (key) => asked.push(key) > 0), keys.length)
  assert.deepEqual(asked.sort(), keys.sort())
  await assert.rejects(store.stage('y'.repeat(256), content, { role: 'data' }), failure('config', /255/))
})

test('a staged file whose mount has gone is away, not gone, and nothing is made in its place', async (t) => {
  const folder = await lakeFolder(t)
  const store = await FolderStore.open({ folder, namespace: 'n' })
  const receipt = await store.stage('data/1', content, { role: 'data' })
  await rename(folder, `${folder}-away`)
  await mkdir(folder)
  await assert.rejects(store.complete('data/1', receipt), failure('store_away', /gone/))
  await assert.rejects(store.stage('data/2', content, { role: 'data' }), failure('store_away', /stage data\/2/))
  await assert.rejects(
    store.abandonUnfinished('', () => true),
    failure('store_away', /gone/),
  )
  assert.deepEqual(await readdir(folder), [])
  await rmdir(folder)
  await rename(`${folder}-away`, folder)
  assert.equal(await store.complete('data/1', receipt), 'completed')
})

test('a folder that somebody removes meanwhile makes no staged file be called gone', async (t) => {
  const folder = await lakeFolder(t)
  const store = await FolderStore.open({ folder, namespace: 'n' })
  const receipt = await store.stage('data/t/1', content, { role: 'data' })
  await store.put('data/t/2', content, { role: 'data' })
  await rm(join(folder, 'n/data'), { recursive: true })
  await assert.rejects(store.complete('data/t/1', receipt), failure('store_away', /complete data\/t\/1/))
  assert.equal(await store.complete('data/t/1', receipt), 'completed')
  assert.equal((await store.get('data/t/1'))?.toString(), 'content')
})

test('a LAKE_DIR of which only the last part is missing is made', async (t) => {
  const folder = join(await lakeFolder(t), 'new')
  const store = await FolderStore.open({ folder, namespace: 'n' })
  assert.equal(await store.put('k', [Buffer.from('v')], { role: 'log' }), 'created')
})

test('a LAKE_DIR that is far from anything or a file is not made, and is named', async (t) => {
  const folder = await lakeFolder(t)
  await assert.rejects(
    FolderStore.open({ folder: join(folder, 'missing', 'mount'), namespace: 'n' }),
    failure('config', /LAKE_DIR .*missing/),
  )
  await writeFile(join(folder, 'file'), '')
  await assert.rejects(
    FolderStore.open({ folder: join(folder, 'file'), namespace: 'n' }),
    failure('config', /LAKE_DIR/),
  )
})

test('a namespace that leads out of the folder is refused', async (t) => {
  const folder = await lakeFolder(t)
  for (const namespace of ['..', 'a/../..', 'a//b', TEMPORARY_FOLDER, STAGED_FOLDER]) {
    await assert.rejects(FolderStore.open({ folder, namespace }), failure('config', /NAMESPACE/), namespace)
  }
})

test('a lake whose mount has gone is away, not empty', async (t) => {
  const folder = await lakeFolder(t)
  const store = await FolderStore.open({ folder, namespace: 'n' })
  await store.put('log/1', content, { role: 'log' })
  await rm(folder, { recursive: true })
  await mkdir(folder)
  const gone = failure('store_away', /gone/)
  await assert.rejects(store.get('log/1'), gone)
  await assert.rejects(keysOf(store.list('log/')), gone)
  await assert.rejects(store.delete('log/1'), gone)
  await assert.rejects(store.put('log/2', content, { role: 'log' }), failure('store_away', /log\/2/))
})

test('folders that somebody removes are made again, after one failure at most', async (t) => {
  const folder = await lakeFolder(t)
  const store = await FolderStore.open({ folder, namespace: 'n' })
  await store.put('data/t/1', content, { role: 'data' })
  await rm(join(folder, 'n/data'), { recursive: true })
  await assert.rejects(store.put('data/t/2', content, { role: 'data' }), failure('store_away', /data\/t\/2/))
  assert.equal(await store.put('data/t/2', content, { role: 'data' }), 'created')
})

test('a segment may have 255 bytes, and one more is refused with its name', async (t) => {
  const store = await FolderStore.open({ folder: await lakeFolder(t), namespace: 'n' })
  assert.equal(await store.put(`data/${'x'.repeat(255)}`, content, { role: 'data' }), 'created')
  await assert.rejects(store.put(`data/${'y'.repeat(256)}`, content, { role: 'data' }), failure('config', /255.*yyyy/))
})

test('a key that leads out of the folder is refused', async (t) => {
  const store = await FolderStore.open({ folder: await lakeFolder(t), namespace: 'n' })
  for (const key of ['../x', 'a/../../x', 'a//b', '/a', '.']) {
    await assert.rejects(store.put(key, content, { role: 'log' }), failure('unexpected', /not a key/), key)
    await assert.rejects(store.get(key), failure('unexpected', /not a key/), key)
  }
})

test('a write whose signal has fired leaves nothing', async (t) => {
  const store = await FolderStore.open({ folder: await lakeFolder(t), namespace: 'n' })
  const signal = AbortSignal.abort()
  await assert.rejects(store.put('a', content, { role: 'log', signal }), failure('gave_up', /stopped write a/))
  assert.equal(await store.get('a'), undefined)
})

const meanings: readonly [code: string, FailureKind, hint: RegExp | undefined][] = [
  ['ENOSPC', 'store_away', /LAKE_DIR is full/],
  ['EDQUOT', 'store_away', /quota/],
  ['EIO', 'store_away', /kernel log/],
  ['ESTALE', 'store_away', /mount/],
  ['EMFILE', 'store_away', /ulimit/],
  ['ENOENT', 'store_away', undefined],
  ['EACCES', 'config', /LAKE_DIR/],
  ['EPERM', 'config', /LAKE_DIR/],
  ['EROFS', 'config', /LAKE_DIR/],
  ['EXDEV', 'config', /LAKE_DIR/],
  // What nobody foresaw of a file system is for a person to look at.
  ['EISDIR', 'config', /LAKE_DIR/],
  ['ENOTDIR', 'config', /LAKE_DIR/],
]

for (const [code, kind, hint] of meanings) {
  test(`${code} is ${kind}`, () => {
    const found = folderFailure(
      Object.assign(new Error(`${code}: it broke`), { code, syscall: 'open' }),
      'write k',
      '/lake',
    )
    assert.equal(found.kind, kind)
    assert.equal(found.message, `cannot write k in /lake: ${code}: it broke`)
    if (hint === undefined) assert.equal(found.hint, undefined)
    else assert.match(found.hint ?? '', hint)
  })
}

test('what is no error of the file system is unexpected', () => {
  for (const error of [new TypeError('boom'), Object.assign(new Error('boom'), { code: 'ERR_INVALID_ARG_TYPE' })]) {
    assert.equal(folderFailure(error, 'write k', '/lake').kind, 'unexpected')
  }
})
