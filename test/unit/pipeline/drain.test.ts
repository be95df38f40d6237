// What an orderly stop waits for, and for how long, on a clock that the test moves.
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { Failure } from '../../../internal/model/failure.js'
import { DRAIN_MS, drainWithinBounds, REST_OF_TRANSACTION_MS, type Drain } from '../../../internal/pipeline/drain.js'

const never = new Promise<never>(() => undefined)

function drain(t: TestContext, options: Partial<Drain>): { done: Promise<void>; seen: string[] } {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const seen: string[] = []
  const done = drainWithinBounds({
    between: Promise.resolve(),
    onLeft: () => seen.push('left'),
    settle: () => Promise.resolve(void seen.push('settle')),
    broken: never,
    ...options,
  })
  // Judged by the test, perhaps only after the clock has moved.
  done.catch(() => undefined)
  return { done, seen }
}

async function turns(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate)
}

test('between two transactions it waits for nothing but what has ended', async (t) => {
  const { done, seen } = drain(t, {})
  await done
  assert.deepEqual(seen, ['settle'])
})

test('the end of a transaction is waited for, so that the batch ends with it', async (t) => {
  let commit = (): void => undefined
  const { done, seen } = drain(t, { between: new Promise((resolve) => (commit = resolve)) })
  t.mock.timers.tick(REST_OF_TRANSACTION_MS - 1)
  await turns()
  assert.deepEqual(seen, [])
  commit()
  await done
  assert.deepEqual(seen, ['settle'])
})

test('a transaction that goes on arriving is left, and what has ended is finished', async (t) => {
  const { done, seen } = drain(t, { between: never })
  await turns()
  t.mock.timers.tick(REST_OF_TRANSACTION_MS)
  await done
  assert.deepEqual(seen, ['left', 'settle'])
})

test('G1: what cannot be finished is given up at the bound', async (t) => {
  const { done } = drain(t, { settle: () => never })
  await turns()
  t.mock.timers.tick(DRAIN_MS)
  await assert.rejects(done, (error) => error instanceof Failure && error.kind === 'gave_up')
})

test('a failure ends it at once', async (t) => {
  const failure = new Failure('link', 'gone')
  const { done } = drain(t, { settle: () => never, broken: Promise.reject(failure) })
  await assert.rejects(done, failure)
})
