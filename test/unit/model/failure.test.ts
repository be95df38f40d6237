// What each kind of failure makes the service do: retry or stop, and with which exit code of the contract.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asFailure, Failure, verdictOf, type FailureKind } from '../../../internal/model/failure.js'

test('every kind has the verdict of the contract', () => {
  const verdicts: Record<FailureKind, 'retry' | number> = {
    link: 'retry',
    slot_busy: 'retry',
    store_away: 'retry',
    plan_taken: 'retry',
    needs_text: 'retry',
    config: 2,
    unsafe: 3,
    fenced: 4,
    gave_up: 5,
    protocol: 1,
    unexpected: 1,
  }
  for (const [kind, expected] of Object.entries(verdicts)) {
    const verdict = verdictOf(new Failure(kind as FailureKind, 'x'))
    assert.equal(verdict.act === 'retry' ? 'retry' : verdict.exitCode, expected, kind)
  }
})

test('an error that nobody foresaw is unexpected, and keeps its cause', () => {
  const error = new TypeError('boom')
  const failure = asFailure(error)
  assert.deepEqual([failure.kind, failure.message, failure.cause], ['unexpected', 'boom', error])
  assert.equal(asFailure('text').message, 'text')
  assert.equal(asFailure(failure), failure)
})
