// Parquet's Thrift structures and the compact protocol, from parquetjs-lite's generated code, behind the few types that
// the writer needs (https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift).
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)

type Struct = new (fields?: Record<string, unknown>) => object
type Enum = Readonly<Record<string, number>>

interface GeneratedCode {
  readonly Type: Enum
  readonly ConvertedType: Enum
  readonly FieldRepetitionType: Enum
  readonly Encoding: Enum
  readonly CompressionCodec: Enum
  readonly PageType: Enum
  readonly BoundaryOrder: Enum
  readonly Statistics: Struct
  readonly StringType: Struct
  readonly ListType: Struct
  readonly DateType: Struct
  readonly DecimalType: Struct
  readonly MicroSeconds: Struct
  readonly TimeUnit: Struct
  readonly TimestampType: Struct
  readonly IntType: Struct
  readonly LogicalType: Struct
  readonly SchemaElement: Struct
  readonly DataPageHeader: Struct
  readonly DictionaryPageHeader: Struct
  readonly PageHeader: Struct
  readonly ColumnMetaData: Struct
  readonly ColumnChunk: Struct
  readonly RowGroup: Struct
  readonly TypeDefinedOrder: Struct
  readonly ColumnOrder: Struct
  readonly PageLocation: Struct
  readonly OffsetIndex: Struct
  readonly ColumnIndex: Struct
  readonly FileMetaData: Struct
}

export const parquet = require('parquetjs-lite/gen-nodejs/parquet_types.js') as GeneratedCode

const codec = require('parquetjs-lite/lib/util.js') as { decodeThrift(value: object, bytes: Buffer): number }

interface Protocol {
  writeI64(value: number | object): void
}

const CompactProtocol = require('parquetjs-lite/modules/thrift-lite/compact_protocol.js') as new (
  transport: undefined,
) => Protocol

/**
 * The same bytes into one buffer. The generated code's own transport makes a buffer for each byte, which was a sixth of what a
 * file with few rows cost.
 */
class BufferedProtocol extends CompactProtocol {
  #buffer = Buffer.allocUnsafeSlow(1 << 14)
  #used = 0

  constructor() {
    super(undefined)
  }

  /** A copy of what was written since it was asked last. */
  take(): Buffer {
    const taken = Buffer.from(this.#buffer.subarray(0, this.#used))
    this.#used = 0
    return taken
  }

  writeByte(byte: number): void {
    this.#need(1)
    this.#buffer[this.#used++] = byte
  }

  writeVarint32(value: number): void {
    this.#need(5)
    let left = value
    for (; (left & ~0x7f) !== 0; left >>>= 7) this.#buffer[this.#used++] = (left & 0x7f) | 0x80
    this.#buffer[this.#used++] = left
  }

  override writeI64(value: number | object): void {
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
      throw new RangeError('no offset, size or count')
    this.#need(10)
    // Zigzag doubles it, which a number could not hold: so the first byte has six bits of it, the others seven.
    let byte = (value % 64) * 2
    let left = Math.floor(value / 64)
    for (; left > 0; left = Math.floor(left / 128)) {
      this.#buffer[this.#used++] = byte | 0x80
      byte = left % 128
    }
    this.#buffer[this.#used++] = byte
  }

  writeStringOrBinary(_name: string, encoding: BufferEncoding, value: string | Buffer): void {
    const bytes = typeof value === 'string' ? Buffer.from(value, encoding) : value
    this.writeVarint32(bytes.length)
    this.#need(bytes.length)
    bytes.copy(this.#buffer, this.#used)
    this.#used += bytes.length
  }

  #need(bytes: number): void {
    if (this.#used + bytes <= this.#buffer.length) return
    const grown = Buffer.allocUnsafeSlow(Math.max(this.#buffer.length * 2, this.#used + bytes))
    this.#buffer.copy(grown, 0, 0, this.#used)
    this.#buffer = grown
  }
}

const protocol = new BufferedProtocol()

export function serialize(value: object): Buffer {
  ;(value as { write(protocol: Protocol): void }).write(protocol)
  return protocol.take()
}

/** Enough of a file's end to hold its footer. */
export const TAIL_BYTES = 1 << 20

/** Row count of a Parquet file from its last bytes, or undefined where they do not hold the whole footer. */
export function rowCountOfTail(tail: Buffer): number | undefined {
  if (tail.length < 12 || tail.toString('latin1', tail.length - 4) !== 'PAR1') return undefined
  const start = tail.length - 8 - tail.readUInt32LE(tail.length - 8)
  if (start < 0) return undefined
  const footer = new parquet.FileMetaData() as { num_rows?: unknown }
  codec.decodeThrift(footer, tail.subarray(start, tail.length - 8))
  return Number(footer.num_rows)
}
