// When an outage of the store begins and ends, over several calls at once, and how often it is told.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Failure } from '../../../internal/model/failure.js'
import type { StoreCall } from '../../../internal/storage/retrying-store.js'
import { StoreOutage } from '../../../internal/storage/store-outage.js'

const call = (key: string): StoreCall => ({ operation: 'put', key })

function setUp() {
  const clock = { ms: 0 }
  const told: string[] = []
  const outage = new StoreOutage(
    {
      attemptFailed: () => undefined,
      failing: ({ key }, { attempt, failure }) => told.push(`${attempt} ${key}: ${failure.message}`),
      recovered: ({ failedAttempts, ms }) => told.push(`recovered after ${failedAttempts} in ${ms} ms`),
    },
    () => clock.ms,
  )
  const fail = (of: StoreCall, message = 'away') =>
    outage.failed(of, { attempt: 1, delayMs: 0, failure: new Failure('store_away', message) })
  return { outage, clock, told, fail }
}

test('calls that succeed are no outage', () => {
  const { outage, told } = setUp()
  outage.succeeded(call('a'))
  outage.ended(call('a'))
  assert.deepEqual([outage.longest, told], [undefined, []])
})

test('failures of all calls are counted together and told at powers of two; one line tells of the end', () => {
  const { outage, clock, told, fail } = setUp()
  const [a, b] = [call('a'), call('b')]
  for (let failed = 0; failed < 20; failed++) fail(failed % 2 === 0 ? a : b)
  clock.ms = 70
  outage.succeeded(a)
  assert.equal(told.length, 5, 'one call still fails')
  outage.succeeded(b)
  assert.deepEqual(told, [
    '1 a: away',
    '2 b: away',
    '4 b: away',
    '8 b: away',
    '16 b: away',
    'recovered after 20 in 70 ms',
  ])
  fail(a)
  assert.equal(told.at(-1), '1 a: away', 'the next outage counts anew')
})

test('the longest is the call that fails for longest, with its newest reason, until it is served', () => {
  const { outage, clock, fail } = setUp()
  const [a, b] = [call('a'), call('b')]
  fail(a, 'first')
  clock.ms = 10
  fail(b, 'other')
  fail(a, 'second')
  clock.ms = 30
  assert.deepEqual([outage.longest?.ms, outage.longest?.failure.message], [30, 'second'])
  outage.succeeded(a)
  assert.deepEqual([outage.longest?.ms, outage.longest?.failure.message], [20, 'other'])
  fail(a, 'third')
  outage.succeeded(b)
  assert.deepEqual(
    [outage.longest?.ms, outage.longest?.failure.message],
    [0, 'third'],
    'what failed again after it was served has failed since then',
  )
})

test('a call that is given up ends nothing; the next one that is served does', () => {
  const { outage, clock, told, fail } = setUp()
  fail(call('b'))
  const a = call('a')
  fail(a)
  outage.ended(a)
  clock.ms = 5
  assert.equal(outage.longest?.ms, 5)
  outage.succeeded(call('b'))
  assert.deepEqual(told, ['1 b: away', '2 a: away'], 'another call of the same key is another call')
})

test('with all failing calls given up nothing fails any more, and the next success tells of the recovery', () => {
  const { outage, told, fail } = setUp()
  const a = call('a')
  fail(a)
  outage.ended(a)
  assert.equal(outage.longest, undefined)
  assert.deepEqual(told, ['1 a: away'])
  outage.succeeded(call('b'))
  assert.deepEqual(told, ['1 a: away', 'recovered after 1 in 0 ms'])
})
