// The layout of the lake against the contract's text, and its keys' algebra: no two things share a key, keys sort as
// what they name does, and every key can be read back.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import * as keys from '../../../internal/storage/keys.js'

/** Any name PostgreSQL takes: up to 63 bytes, here by characters that make trouble. */
const name = fc
  .array(
    fc.oneof(fc.constantFrom('.', '/', '%', '-', '_', '~', '\\', ' ', '=', 'é', '漢', '😀', '\u0000'), fc.string()),
  )
  .map((parts) => cutToBytes(parts.join(''), 63))
  .filter((text) => text.length > 0)
const slot = fc.stringMatching(/^[a-z0-9_]{1,63}$/)
const batch = fc.integer({ min: 0, max: 999_999_999_999 })
const lsn = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n })
const date = fc
  .date({ min: new Date('1970-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
  .map((day) => day.toISOString().slice(0, 10))
const dataFile: fc.Arbitrary<keys.DataFileName> = fc.record(
  {
    schema: name,
    table: name,
    dateColumn: fc.constantFrom('dt' as const, 'dt_commit' as const),
    date,
    slot,
    batch,
    fromLsn: lsn,
    toLsn: lsn,
    part: fc.integer({ min: 0, max: 99_999 }),
  },
  { noNullPrototype: true },
)

test('each key is the one that the contract shows', () => {
  const file = {
    schema: 'public',
    table: 'orders',
    dateColumn: 'dt',
    date: '2026-03-01',
    slot: 'wal_cake_slot',
  } as const
  assert.equal(
    keys.dataKey({ ...file, batch: 42, fromLsn: 0x16b374d848n, toLsn: 0x16b374d900n, part: 3 }),
    'data/public/orders/dt=2026-03-01/wal_cake_slot-000000000042-00000016B374D848-00000016B374D900-0003.parquet',
  )
  assert.equal(keys.identityKey('s'), '_wal_cake/s/identity.json')
  assert.equal(keys.headKey('s'), '_wal_cake/s/head.json')
  assert.equal(keys.logPrefix('s'), '_wal_cake/s/log/')
  assert.equal(keys.planKey('s', 7), '_wal_cake/s/log/000000000007.plan.json')
  assert.equal(keys.commitKey('s', 7), '_wal_cake/s/log/000000000007.commit.json')
  assert.equal(keys.checkpointKey('s', 7), '_wal_cake/s/checkpoint/000000000007.json')
  assert.equal(keys.schemasPrefix('s'), '_wal_cake/s/schemas/')
  assert.equal(keys.schemaKey('s', 'public', 'orders', 2), '_wal_cake/s/schemas/public.orders/000002.json')
})

test('a name is encoded byte by byte, and only where it must be', () => {
  const cases = [
    ['Orders_2.v-1', 'Orders_2.v-1'],
    ['a b', 'a%20b'],
    ['a%20b', 'a%2520b'],
    ['a/b', 'a%2Fb'],
    ['ü', '%C3%BC'],
    ['😀', '%F0%9F%98%80'],
    ['~', '%7E'],
    ['.', '%2E'],
    ['..', '%2E%2E'],
    ['...', '...'],
  ] as const
  for (const [plain, encoded] of cases) {
    assert.equal(keys.encodeName(plain), encoded)
    assert.equal(keys.decodeName(encoded), plain)
  }
})

test('a segment that encodeName() cannot have made is not decoded', () => {
  for (const segment of ['a b', '%2e', '%41', '%', '%GG', '%C3', '.', '..', 'a~b']) {
    assert.equal(keys.decodeName(segment), undefined, segment)
  }
})

test('every name comes back from its encoding, which is one safe segment', () => {
  fc.assert(
    fc.property(name, (text) => {
      const encoded = keys.encodeName(text)
      assert.match(encoded, /^[A-Za-z0-9_.%-]+$/)
      assert.ok(encoded !== '.' && encoded !== '..')
      assert.equal(keys.decodeName(encoded), text)
    }),
  )
})

test('every data file comes back from its key, so no two share one, and no segment is too long for a folder', () => {
  fc.assert(
    fc.property(dataFile, (file) => {
      const key = keys.dataKey(file)
      assert.deepEqual(keys.parseDataKey(key), file)
      assertSegmentsFit(key)
    }),
  )
})

test('data files of one table and date sort by batch, then by part', () => {
  fc.assert(
    fc.property(dataFile, batch, batch, fc.nat(9999), fc.nat(9999), (file, batchA, batchB, partA, partB) => {
      const a = keys.dataKey({ ...file, batch: batchA, part: partA })
      const b = keys.dataKey({ ...file, batch: batchB, part: partB })
      assert.equal(Math.sign(compareBytes(a, b)), Math.sign(batchA - batchB || partA - partB))
    }),
  )
})

test('records of the log sort by batch, come back from their keys, and start where logStart() says', () => {
  fc.assert(
    fc.property(slot, batch, batch, (of, a, b) => {
      const records = { plan: keys.planKey, commit: keys.commitKey }
      for (const [record, key] of Object.entries(records)) {
        assert.deepEqual(keys.parseLogKey(of, key(of, a)), { batch: a, record })
        assert.equal(compareBytes(key(of, a), keys.logStart(of, b)) > 0, a >= b)
        if (a !== b) assert.equal(compareBytes(key(of, a), keys.planKey(of, b)) < 0, a < b)
      }
      assert.equal(keys.parseCheckpointKey(of, keys.checkpointKey(of, a)), a)
    }),
  )
})

test('keys of others are no records', () => {
  const others = ['', 'x', '_wal_cake/s/log/7.plan.json', '_wal_cake/s/log/000000000007.plan.json.tmp']
  others.push(keys.planKey('other', 7), keys.headKey('s'), `${keys.planKey('s', 7)}/x`)
  for (const key of others) {
    assert.equal(keys.parseLogKey('s', key), undefined, key)
    assert.equal(keys.parseCheckpointKey('s', key), undefined, key)
    assert.equal(keys.parseDataKey(key), undefined, key)
  }
})

test('no two tables share a place for their schemas, and no segment is too long for a folder', () => {
  fc.assert(
    fc.property(name, name, name, name, (schemaA, tableA, schemaB, tableB) => {
      const a = keys.schemaKey('s', schemaA, tableA, 1)
      assertSegmentsFit(a)
      const same = schemaA === schemaB && tableA === tableB
      assert.equal(a === keys.schemaKey('s', schemaB, tableB, 1), same)
    }),
  )
  assert.notEqual(keys.schemaKey('s', 'a.b', 'c', 1), keys.schemaKey('s', 'a', 'b.c', 1))
})

test('two pairs of long names that differ only at the end keep different places', () => {
  const long = '漢'.repeat(21)
  const a = keys.schemaKey('s', long, `${long.slice(1)}a`, 1)
  const b = keys.schemaKey('s', long, `${long.slice(1)}b`, 1)
  assert.notEqual(a, b)
  assertSegmentsFit(a)
})

test('a number that would not sort is refused', () => {
  assert.throws(() => keys.planKey('s', 1e12), RangeError)
  assert.throws(() => keys.planKey('s', -1), RangeError)
  assert.throws(() => keys.commitKey('s', 1.5), RangeError)
})

function assertSegmentsFit(key: string): void {
  for (const segment of key.split('/')) {
    assert.ok(segment !== '' && Buffer.byteLength(segment) <= keys.MAX_SEGMENT_BYTES, segment)
  }
}

function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

function cutToBytes(text: string, bytes: number): string {
  const kept: string[] = []
  let left = bytes
  for (const character of text) {
    left -= Buffer.byteLength(character)
    if (left < 0) break
    kept.push(character)
  }
  return kept.join('')
}
