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

test('what a person has to mend ends a first start, and a service at work waits for it; all else is the same for both', () => {
  const kinds: FailureKind[] = ['link', 'slot_busy', 'store_away', 'plan_taken', 'needs_text']
  const stopping: FailureKind[] = ['unsafe', 'fenced', 'gave_up', 'protocol', 'unexpected']
  for (const kind of [...kinds, ...stopping]) {
    const failure = new Failure(kind, 'x')
    assert.deepEqual(verdictOf(failure, 'atWork'), verdictOf(failure, 'atFirst'), kind)
  }
  assert.deepEqual(verdictOf(new Failure('config', 'x'), 'atWork'), { act: 'retry' })
})

test('an error that nobody foresaw is unexpected, and keeps its cause', () => {
  const error = new TypeError('boom')
  const failure = asFailure(error)
  assert.deepEqual([failure.kind, failure.message, failure.cause], ['unexpected', 'boom', error])
  assert.equal(asFailure('text').message, 'text')
  assert.equal(asFailure(failure), failure)
})
