// What the driver throws on a connection in use, and what it means: the link, which is tried again, or something else.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import pg from 'pg'
import { Failure } from '../../../internal/model/failure.js'
import { queryFailure } from '../../../internal/replication/connection.js'

function refused(code: string): Error {
  const error = new pg.DatabaseError(`message of ${code}`, 0, 'error')
  error.code = code
  return error
}

const broken = (code: string): Error => Object.assign(new Error(`read ${code}`), { code })

test('G11: a connection that is lost and a server that is in trouble are tried again', () => {
  const cases: readonly (readonly [error: unknown, says: RegExp])[] = [
    // An operator, a crash, a shutdown or a start.
    ...['57P01', '57P02', '57P03', '08006'].map((code) => [refused(code), /connection to PostgreSQL broke/] as const),
    // No connections, memory or disk left; a cancelled statement, a deadlock, a broken disk; a catalogue that changes.
    ...['53300', '53200', '53100', '57014', '40P01', '58030', 'XX000'].map(
      (code) => [refused(code), new RegExp(`could not answer: .*SQLSTATE ${code}`)] as const,
    ),
    [refused('40001'), /a standby has ended a query: .*SQLSTATE 40001/],
    ...['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH'].map(
      (code) => [broken(code), /connection to PostgreSQL broke/] as const,
    ),
    // As the driver says it.
    [new Error('Connection terminated unexpectedly'), /broke/],
    [new Error('Connection terminated'), /broke/],
    [new Error('Client has encountered a connection error and is not queryable'), /broke/],
    [new Error('Client was closed and is not queryable'), /broke/],
    [new Error('Query read timeout'), /did not answer/],
  ]
  for (const [error, says] of cases) {
    const failure = queryFailure(error)
    assert.equal(failure.kind, 'link', String(error))
    assert.match(failure.message, says)
  }
})

test('what will not pass is no matter of the link', () => {
  for (const code of ['42501', '42P01', '22023', '0A000', '55000'])
    assert.equal(queryFailure(refused(code)).kind, 'unexpected', code)
  assert.equal(queryFailure(new TypeError('undefined is not a function')).kind, 'unexpected')
  const own = new Failure('unsafe', 'a gap')
  assert.equal(queryFailure(own), own)
})
