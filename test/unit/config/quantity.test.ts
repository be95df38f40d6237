// Durations and sizes: what is read, what is refused, and that formatting loses nothing.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatDuration, formatSize, parseDuration, parseSize } from '../../../internal/config/quantity.js'

test('quantities: units are the documented ones', () => {
  const durations: [string, number | undefined][] = [
    ['250ms', 250],
    ['30s', 30_000],
    ['5m', 300_000],
    ['2h', 7_200_000],
    ['30 s', 30_000],
    ['0s', 0],
    ['30', undefined],
    ['30S', undefined],
    ['1d', undefined],
    ['1.5s', undefined],
    ['-1s', undefined],
    ['s', undefined],
    ['', undefined],
    ['1s 1m', undefined],
    ['99999999999999999h', undefined],
    ['1constructor', undefined],
  ]
  for (const [text, ms] of durations) assert.equal(parseDuration(text), ms, text)
  const sizes: [string, number | undefined][] = [
    ['1KiB', 1024],
    ['1MiB', 1_048_576],
    ['1GiB', 1_073_741_824],
    ['1KB', 1000],
    ['1MB', 1_000_000],
    ['1GB', 1_000_000_000],
    ['128', undefined],
    ['128mb', undefined],
    ['128M', undefined],
    ['0x10MiB', undefined],
  ]
  for (const [text, bytes] of sizes) assert.equal(parseSize(text), bytes, text)
})

test('quantities: formatting and parsing are inverse', () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), (ms) => {
      assert.equal(parseDuration(formatDuration(ms)), ms)
    }),
  )
  const factor = fc.constantFrom(1024, 1024 ** 2, 1024 ** 3, 1e3, 1e6, 1e9)
  fc.assert(
    fc.property(fc.nat({ max: 1_000_000 }), factor, (count, unit) => {
      assert.equal(parseSize(formatSize(count * unit)), count * unit)
    }),
  )
})
