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

const codec = require('parquetjs-lite/lib/util.js') as {
  serializeThrift(value: object): Buffer
  decodeThrift(value: object, bytes: Buffer): number
}

export function serialize(value: object): Buffer {
  return codec.serializeThrift(value)
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
