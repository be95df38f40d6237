// COPY's binary format into rows, and what is refused of it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BadBytes } from '../../../internal/model/bad-bytes.js'
import { BufferPool } from '../../../internal/transform/buffer-pool.js'
import { columnsAsText, CopyRows } from '../../../internal/transform/copy-rows.js'
import type { ClosedFile } from '../../../internal/transform/open-file.js'
import { layoutOf } from '../../../internal/transform/table-layout.js'
import { stampOf } from '../../../internal/transform/transaction-stamp.js'
import { zstdAt } from '../../../internal/transform/zstd.js'
import { builtinTypes, columnOf } from '../../support/builtin-types.js'
import { DuckReader } from '../../support/parquet-readers.js'

const INT4 = 23
const TSVECTOR = 3614
const layout = layoutOf(
  {
    oid: 1,
    schema: 'public',
    name: 't',
    replicaIdentity: 'd',
    columns: [columnOf('id', 'int4', true), columnOf('v', 'tsvector')],
  },
  builtinTypes([INT4, TSVECTOR]),
  'string',
)
const header = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1')
const trailer = Buffer.from([0xff, 0xff])

function row(...fields: (Buffer | null)[]): Buffer {
  const parts: Buffer[] = [Buffer.from([0, fields.length])]
  for (const field of fields) {
    const length = Buffer.alloc(4)
    length.writeInt32BE(field === null ? -1 : field.length)
    parts.push(length, ...(field === null ? [] : [field]))
  }
  return Buffer.concat(parts)
}

const int4 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

class Rig {
  held = 0
  readonly files: ClosedFile[] = []
  readonly rows: CopyRows

  constructor(targetFileBytes = 1 << 20) {
    const meter = (delta: number): void => void (this.held += delta)
    const context = { pool: new BufferPool(meter, 0), compress: zstdAt(3), meter, leaving: () => undefined }
    this.rows = new CopyRows({
      ...{ layout, stamp: stampOf(0x1_0000_0063n, 1_767_225_600_000_000n, undefined), targetFileBytes, seqFrom: 2048 },
      target: { context, createdBy: 'test' },
      onFile: (file) => this.files.push(file),
    })
  }

  take(...payloads: Buffer[]): void {
    for (const payload of payloads) this.rows.take(payload, 0, payload.length)
  }
}

test('rows are stamped with the position of the snapshot, numbered, and have no transaction', async () => {
  assert.deepEqual(columnsAsText(layout), [false, true])
  const rig = new Rig()
  rig.rows.supersede()
  rig.take(Buffer.concat([header, row(int4(-7), Buffer.from("'a':1"))]), row(int4(8), null), trailer)
  rig.rows.close()
  assert.equal(rig.rows.rows, 2)
  const content = await rig.files[0]!.content()
  const { parts, rows } = content
  assert.equal(rows, 3)
  const duck = await DuckReader.open()
  try {
    const found = await duck.rows(Buffer.concat(parts))
    const text = (value: unknown): unknown => (typeof value === 'string' ? Buffer.from(value, 'hex').toString() : value)
    assert.deepEqual(
      found.map((each) => [text(each._op), each._lsn, each._seq, each._xid, each._commit_ts, each.id, text(each.v)]),
      [
        ['T', 0x1_0000_0063n, -1n, null, 1_767_225_600_000_000n, null, null],
        ['S', 0x1_0000_0063n, 2048n, null, 1_767_225_600_000_000n, -7, "'a':1"],
        ['S', 0x1_0000_0063n, 2049n, null, 1_767_225_600_000_000n, 8, null],
      ],
    )
  } finally {
    await duck.close()
  }
  content.release()
  assert.equal(rig.held, 0, 'all memory is back')
})

test('files roll, and what is open can be dropped', async () => {
  const rig = new Rig(200)
  rig.take(header, ...Array.from({ length: 20 }, (_, k) => row(int4(k), null)))
  assert.ok(rig.files.length > 3)
  await rig.rows.discard()
  for (const file of rig.files) (await file.content()).release()
  assert.equal(rig.held, 0, 'all memory is back')
})

test('G9: bytes that are no copy in binary are refused, with the place', () => {
  const good = row(int4(1), null)
  const bad: [string, Buffer[]][] = [
    ['no header', [good]],
    ['a header that is cut', [header.subarray(0, 10)]],
    ['a field too few', [header, row(int4(1))]],
    ['a field too many', [header, row(int4(1), null, null)]],
    ['a row that is cut in a length', [header, good.subarray(0, 4)]],
    ['a row that is cut in a value', [header, good.subarray(0, 8)]],
    ['bytes behind the row', [header, Buffer.concat([good, Buffer.from([0])])]],
    ['a length below none', [header, Buffer.from([0, 2, 0xff, 0xff, 0xff, 0xfe])]],
    ['an integer of three bytes', [header, row(Buffer.from([1, 2, 3]), null)]],
  ]
  for (const [name, payloads] of bad) assert.throws(() => new Rig().take(...payloads), BadBytes, name)
})
