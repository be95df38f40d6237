// When reading waits: never on an idle stream, never after a full read, never on a socket with a small buffer.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ReadPacer } from '../../../internal/replication/read-pacer.js'

/** The delays after reads given as [milliseconds since the last one, bytes]. */
function delays(smallSocketBuffer: boolean, reads: readonly (readonly [number, number])[]): number[] {
  let now = 1_000
  const pacer = new ReadPacer(smallSocketBuffer, () => now)
  return reads.map(([gap, bytes]) => {
    now += gap
    return pacer.delayAfter(bytes)
  })
}

test('small reads close together are given a moment', () => {
  assert.deepEqual(
    delays(false, [
      [0, 100],
      [0.1, 100],
      [3, 100],
      [9, 100],
    ]),
    [0, 3, 3, 3],
  )
})

test('a read after a pause is never delayed', () => {
  assert.deepEqual(
    delays(false, [
      [0, 9],
      [1, 9],
      [20, 9],
      [20, 9],
    ]),
    [0, 3, 0, 0],
  )
})

test('full reads are never delayed', () => {
  assert.deepEqual(
    delays(false, [
      [0, 9],
      [0, 65_536],
      [0, 32_768],
      [0, 32_767],
    ]),
    [0, 0, 0, 3],
  )
})

test('a Unix-domain socket is never delayed', () => {
  assert.deepEqual(
    delays(
      true,
      Array.from({ length: 10 }, () => [0, 9] as const),
    ),
    new Array(10).fill(0),
  )
})
