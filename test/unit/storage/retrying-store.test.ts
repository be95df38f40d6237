// What is tried again, how often and how long after, and that an abort ends every wait. Over a store that fails by
// script; faults of a real connection are in the integration tests.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Failure } from '../../../internal/model/failure.js'
import type { ObjectDigest, ObjectStore, PutOptions, StoredObject } from '../../../internal/storage/object-store.js'
import {
  RetryingStore,
  type CallObserver,
  type FailedAttempt,
  type RetryingStoreOptions,
  type StoreCall,
} from '../../../internal/storage/retrying-store.js'

const away = () => new Failure('store_away', 'away')
const HOUR_MS = 3600_000

/** Each call takes the next step of the script: it throws the failure, or works. */
class ScriptedStore implements ObjectStore {
  readonly location = 'scripted'
  readonly keys = ['p/1', 'p/2', 'p/3', 'p/4']
  readonly calls: string[] = []
  closed = false
  readonly #script: (Failure | 'works')[]

  constructor(script: (Failure | 'works')[]) {
    this.#script = script
  }

  #step(call: string): void {
    this.calls.push(call)
    const step = this.#script.shift() ?? 'works'
    if (step !== 'works') throw step
  }

  // eslint-disable-next-line @typescript-eslint/require-await
  async put(key: string, _chunks: readonly Uint8Array[], options: PutOptions): Promise<'created'> {
    options.onMoved?.()
    this.#step(`put ${key}`)
    return 'created'
  }

  // eslint-disable-next-line @typescript-eslint/require-await
  async stage(key: string): Promise<string> {
    this.#step(`stage ${key}`)
    return 'receipt'
  }

  // eslint-disable-next-line @typescript-eslint/require-await
  async complete(key: string, receipt: string): Promise<'completed'> {
    this.#step(`complete ${key} ${receipt}`)
    return 'completed'
  }

  // eslint-disable-next-line @typescript-eslint/require-await
  async get(key: string): Promise<Buffer> {
    this.#step(`get ${key}`)
    return Buffer.from(key)
  }

  // eslint-disable-next-line @typescript-eslint/require-await
  async digest(key: string): Promise<ObjectDigest> {
    this.#step(`digest ${key}`)
    return { bytes: 1, sha256: '00' }
  }

  /** Takes a step before each object and one before the end. */
  // eslint-disable-next-line @typescript-eslint/require-await
  async *list(prefix: string, { startAfter = '' }: { startAfter?: string } = {}): AsyncGenerator<StoredObject> {
    for (const key of this.keys.filter((each) => each > startAfter)) {
      this.#step(`list ${prefix} after ${startAfter}`)
      yield { key, bytes: 1 }
    }
    this.#step(`list ${prefix} after ${startAfter}`)
  }

  // eslint-disable-next-line @typescript-eslint/require-await
  async delete(key: string): Promise<void> {
    this.#step(`delete ${key}`)
  }

  abandonUnfinished(): Promise<number> {
    return Promise.resolve(0)
  }

  close(): void {
    this.closed = true
  }
}

/** Remembers what it is told of calls. */
class Recorder implements CallObserver {
  readonly failures: (StoreCall & FailedAttempt)[] = []
  /** `failed put k`, `succeeded put k`, `ended put k`. */
  readonly told: string[] = []
  /** `began put k`, `moved put k`. */
  readonly moves: string[] = []
  onFailed: () => void = () => undefined
  readonly #calls = new Set<StoreCall>()

  /** Different calls of which something was told. */
  get calls(): number {
    return this.#calls.size
  }

  began(call: StoreCall): void {
    this.moves.push(`began ${call.operation} ${call.key}`)
  }

  moved(call: StoreCall): void {
    this.moves.push(`moved ${call.operation} ${call.key}`)
  }

  failed(call: StoreCall, attempt: FailedAttempt): void {
    this.failures.push({ ...call, ...attempt })
    this.#tell('failed', call)
    this.onFailed()
  }

  succeeded(call: StoreCall): void {
    this.#tell('succeeded', call)
  }

  ended(call: StoreCall): void {
    this.#tell('ended', call)
  }

  #tell(what: string, call: StoreCall): void {
    this.#calls.add(call)
    this.told.push(`${what} ${call.operation} ${call.key}`)
  }
}

function retrying(script: (Failure | 'works')[], options: Partial<RetryingStoreOptions> = {}) {
  const inner = new ScriptedStore(script)
  const observer = new Recorder()
  const store = new RetryingStore(inner, {
    initialDelayMs: 1,
    maxDelayMs: 4,
    signal: new AbortController().signal,
    observer,
    ...options,
  })
  return { store, inner, observer }
}

test('a store that is away is asked again until it answers, and each attempt is told', async () => {
  const { store, inner, observer } = retrying([away(), away(), away()])
  assert.equal(await store.put('k', [], { role: 'log' }), 'created')
  assert.equal(inner.calls.length, 4)
  assert.deepEqual(
    observer.failures.map(({ attempt }) => attempt),
    [1, 2, 3],
  )
  assert.deepEqual(observer.told, ['failed put k', 'failed put k', 'failed put k', 'succeeded put k', 'ended put k'])
  assert.equal(observer.calls, 1)
})

test('what goes well at once is told too, call by call', async () => {
  const { store, observer } = retrying([])
  assert.equal((await store.get('k'))?.toString(), 'k')
  await store.delete('k')
  assert.deepEqual(observer.told, ['succeeded get k', 'ended get k', 'succeeded delete k', 'ended delete k'])
  assert.equal(observer.calls, 2)
})

test('what is staged and completed is tried again like a write', async () => {
  const { store, inner, observer } = retrying([away(), 'works', away(), away()])
  const receipt = await store.stage('k', [], { role: 'data' })
  assert.equal(await store.complete('k', receipt), 'completed')
  assert.deepEqual(inner.calls, ['stage k', 'stage k', ...Array.from({ length: 3 }, () => 'complete k receipt')])
  const completed = ['failed complete k', 'failed complete k', 'succeeded complete k', 'ended complete k']
  assert.deepEqual(observer.told, ['failed stage k', 'succeeded stage k', 'ended stage k', ...completed])
})

test('delays are random below a bound that doubles up to the maximum', async (t) => {
  const { store, observer } = retrying(Array.from({ length: 12 }, away), { initialDelayMs: 1, maxDelayMs: 4 })
  t.mock.method(Math, 'random', () => 0.999)
  await store.get('k')
  // The bounds 1, 2, 4, 4 … of which the integer below is taken.
  assert.deepEqual(
    observer.failures.map(({ delayMs }) => delayMs),
    [0, 1, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3],
  )
})

for (const kind of ['config', 'fenced', 'unexpected', 'gave_up'] as const) {
  test(`${kind} is not tried again`, async () => {
    const { store, inner, observer } = retrying([new Failure(kind, 'no')])
    await assert.rejects(store.get('k'), { kind })
    assert.equal(inner.calls.length, 1)
    assert.deepEqual(observer.told, ['ended get k'])
  })
}

test('after the last allowed attempt the failure comes through', async () => {
  const { store, inner, observer } = retrying(Array.from({ length: 9 }, away), { maxAttempts: 3 })
  await assert.rejects(store.delete('k'), { kind: 'store_away' })
  assert.equal(inner.calls.length, 3)
  assert.deepEqual(observer.told, ['failed delete k', 'failed delete k', 'ended delete k'])
})

test('a listing goes on behind the last object it gave', async () => {
  const { store, inner, observer } = retrying(['works', 'works', away(), away(), 'works', 'works', away()])
  const keys: string[] = []
  for await (const { key } of store.list('p/')) keys.push(key)
  assert.deepEqual(keys, inner.keys)
  assert.equal(inner.calls.at(-1), 'list p/ after p/4')
  assert.deepEqual(
    observer.failures.map(({ attempt }) => attempt),
    [1, 2, 1],
  )
  const [given, failed] = ['succeeded list p/', 'failed list p/']
  assert.deepEqual(observer.told, [given, given, failed, failed, given, given, failed, given, 'ended list p/'])
  assert.equal(observer.calls, 1)
})

test('a listing that its reader leaves has ended', async () => {
  const { store, observer } = retrying([])
  for await (const _ of store.list('p/')) break
  assert.equal(observer.told.at(-1), 'ended list p/')
})

const signalOwners = ['the store', 'the call'] as const
for (const owner of signalOwners) {
  test(`an abort by ${owner} ends a wait at once`, { timeout: 10_000 }, async (t) => {
    t.mock.method(Math, 'random', () => 0.999)
    const controller = new AbortController()
    const { store, inner, observer } = retrying([away()], {
      initialDelayMs: HOUR_MS,
      maxDelayMs: HOUR_MS,
      ...(owner === 'the store' ? { signal: controller.signal } : {}),
    })
    observer.onFailed = () => queueMicrotask(() => controller.abort())
    const call = owner === 'the call' ? { signal: controller.signal } : {}
    await assert.rejects(store.get('k', call), { kind: 'gave_up' })
    assert.deepEqual(inner.calls, ['get k'])
    assert.deepEqual(observer.told, ['failed get k', 'ended get k'])
  })
}

test('an abort ends a listing that waits', { timeout: 10_000 }, async (t) => {
  t.mock.method(Math, 'random', () => 0.999)
  const controller = new AbortController()
  const { store, observer } = retrying(['works', away()], {
    initialDelayMs: HOUR_MS,
    maxDelayMs: HOUR_MS,
    signal: controller.signal,
  })
  observer.onFailed = () => controller.abort()
  const keys: string[] = []
  const reading = async () => {
    for await (const { key } of store.list('p/')) keys.push(key)
  }
  await assert.rejects(reading(), { kind: 'gave_up' })
  assert.deepEqual(keys, ['p/1'])
})

test('the beginning of a call is told once, and each part of it that arrives', async () => {
  const { store, observer } = retrying([away()])
  await store.put('k', [], { role: 'data' })
  assert.deepEqual(observer.moves, ['began put k', 'moved put k', 'moved put k'])
})

test('after an abort nothing is asked', async () => {
  const { store, inner } = retrying([], { signal: AbortSignal.abort() })
  await assert.rejects(store.put('k', [], { role: 'log' }), { kind: 'gave_up' })
  await assert.rejects(store.delete('k'), { kind: 'gave_up' })
  assert.deepEqual(inner.calls, [])
})

test('a failure as the reason of an abort is what comes through', async () => {
  const reason = new Failure('fenced', 'another writer')
  const { store } = retrying([], { signal: AbortSignal.abort(reason) })
  await assert.rejects(store.get('k'), reason)
})

test('calls leave no listener on the signal that lasts', async () => {
  const { signal } = new AbortController()
  let listeners = 0
  const lasting = new Proxy(signal, {
    get: (target, property) => {
      if (property === 'addEventListener') listeners++
      if (property === 'removeEventListener') listeners--
      const value: unknown = Reflect.get(target, property, target)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
  const { store } = retrying([], { signal: lasting })
  await store.get('k', { signal: new AbortController().signal })
  for await (const _ of store.list('p/', { signal: new AbortController().signal }));
  assert.equal(listeners, 0)
})

test('closing closes the store below', () => {
  const { store, inner } = retrying([])
  store.close()
  assert.ok(inner.closed)
})
