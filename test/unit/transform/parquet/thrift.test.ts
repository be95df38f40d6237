// The Thrift layer at its edges: offsets beyond 32 bits, and the row count that is read back from a file's tail.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deserializeTCompactProtocol } from 'hyparquet/src/thrift.js'
import { parquet, rowCountOfTail, serialize } from '../../../../internal/transform/parquet/thrift.js'
import { int64 } from '../../../support/parquet-arbitraries.js'
import { plain, writeTable } from '../../../support/parquet-columns.js'

test('offsets of large files keep all their bits', () => {
  for (const offset of [0, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 5_000_000_000, 2 ** 40 + 1, Number.MAX_SAFE_INTEGER]) {
    const bytes = serialize(new parquet.PageLocation({ offset, compressed_page_size: 7, first_row_index: offset }))
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    const { field_1: at, field_3: row } = deserializeTCompactProtocol({ view, offset: 0 }) as Record<string, unknown>
    assert.deepEqual([at, row], [BigInt(offset), BigInt(offset)])
  }
})

test('a tail tells the rows where it holds the whole footer, and nothing where it does not', async () => {
  const cells = Array.from({ length: 300 }, (_, k) => BigInt(k))
  const { bytes } = await writeTable([plain('n', int64, cells)], { groupAfter: (row) => row % 100 === 99 })
  assert.equal(rowCountOfTail(bytes), 300)
  const footer = bytes.readUInt32LE(bytes.length - 8) + 8
  assert.equal(rowCountOfTail(bytes.subarray(-footer)), 300)
  assert.equal(rowCountOfTail(bytes.subarray(-footer + 1)), undefined)
  for (const other of [Buffer.alloc(0), Buffer.from('PAR1'), bytes.subarray(0, -1), Buffer.alloc(100)])
    assert.equal(rowCountOfTail(other), undefined)
})
