// Our Parquet writer alone: from tuples, as the server sends them in binary, to a file. No connection, no decoder of messages,
// no log.
import { writeFile } from 'node:fs/promises'
import { setImmediate } from 'node:timers/promises'
import { BufferPool } from '../internal/transform/buffer-pool.js'
import { layoutOf } from '../internal/transform/table-layout.js'
import { TableWriter, type FileTarget } from '../internal/transform/table-writer.js'
import { stampOf } from '../internal/transform/transaction-stamp.js'
import { zstdAt } from '../internal/transform/zstd.js'
import { builtinTypes, columnOf, numericTypmod } from '../test/support/builtin-types.js'
import { binary, letter, tuple } from '../test/support/pgoutput-messages.js'
import { int, numeric } from '../test/unit/transform/values/binary-forms.js'
import { INSERTED_AT_MICROS, orderRows, type Order } from './order-rows.js'

const ROWS_PER_TRANSACTION = 1_000
/** As `start` has them by default. */
const ZSTD_LEVEL = 3
const POOL_KEEP_BYTES = 24 << 20
/** Between two commits of a busy server. */
const COMMIT_MICROS = 10_000n
const FIRST_LSN = 0x16_b374_d848n
const FIRST_XID = 1_000
const POSTGRES_EPOCH_MICROS = BigInt(Date.UTC(2000, 0, 1)) * 1000n

const columns = [
  columnOf('id', 'int8', true),
  columnOf('customer_id', 'int4'),
  columnOf('status', 'text'),
  columnOf('amount', 'numeric', false, numericTypmod(12, 2)),
  columnOf('note', 'text'),
  columnOf('meta', 'jsonb'),
  columnOf('uid', 'uuid'),
  columnOf('paid', 'bool'),
  columnOf('price', 'float8'),
  columnOf('created_at', 'timestamptz'),
]
const relation = { oid: 16_384, schema: 'public', name: 'orders', replicaIdentity: 'd', columns } as const
const types = builtinTypes(columns.map(({ typeOid }) => typeOid))

/** The inserts of one transaction, one behind the other. */
export interface Tuples {
  readonly bytes: Buffer
  /** Where each ends. */
  readonly ends: readonly number[]
}

export function orderTuples(count: number): Tuples[] {
  const transactions: Tuples[] = []
  let open: Buffer[] = []
  for (const order of orderRows(count)) {
    open.push(Buffer.concat([letter('N'), tuple(fieldsOf(order).map(binary))]))
    if (open.length < ROWS_PER_TRANSACTION && order.id < count) continue
    let end = 0
    transactions.push({ ends: open.map((bytes) => (end += bytes.length)), bytes: Buffer.concat(open) })
    open = []
  }
  return transactions
}

function fieldsOf(order: Order): Buffer[] {
  const price = Buffer.alloc(8)
  price.writeDoubleBE(order.price)
  return [
    int(8, order.id),
    int(4, order.customerId),
    Buffer.from(order.status),
    numeric(BigInt(order.cents), 2),
    Buffer.from(order.note),
    Buffer.concat([Buffer.from([1]), Buffer.from(order.meta)]),
    order.uid,
    Buffer.from([order.paid ? 1 : 0]),
    price,
    int(8, order.createdAt - POSTGRES_EPOCH_MICROS),
  ]
}

/** Writes one file of all rows, its checksum made on the way as for the lake. */
export async function writeWithOurs(path: string, transactions: readonly Tuples[]): Promise<void> {
  const first = stampOf(FIRST_LSN, INSERTED_AT_MICROS, FIRST_XID)
  const writer = new TableWriter(layoutOf(relation, types, 'string'), first.date, target())
  let lsn = FIRST_LSN
  for (const [k, { bytes, ends }] of transactions.entries()) {
    const stamp = stampOf(lsn, INSERTED_AT_MICROS + BigInt(k) * COMMIT_MICROS, FIRST_XID + k, first)
    let at = 0
    ends.forEach((end, seq) => {
      writer.insert(stamp, seq, bytes, at, end)
      at = end
    })
    lsn += BigInt(bytes.length)
    // As between two reads of the socket: pages that are compressed give their memory back.
    await setImmediate()
  }
  const content = await writer.close().content()
  await writeFile(path, content.parts)
  content.release()
}

function target(): FileTarget {
  const meter = (): void => undefined
  const pool = new BufferPool(meter, POOL_KEEP_BYTES)
  return {
    context: { pool, compress: zstdAt(ZSTD_LEVEL), meter, leaving: () => undefined },
    createdBy: 'wal-cake version 0.0.0 (build 0)',
  }
}
