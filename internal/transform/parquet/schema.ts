// A table's columns as Parquet schema elements, with both the logical and the older converted type, so that readers of
// every age agree (https://github.com/apache/parquet-format/blob/master/LogicalTypes.md).
import type { LakeColumn, LeafType } from '../../model/lake-column.js'
import { parquet } from './thrift.js'

/** Path of a column's leaf, as the footer and every reader name it. */
export function leafPath(column: LakeColumn): string[] {
  return column.list ? [column.name, 'list', 'element'] : [column.name]
}

/** The schema in depth-first order, the root first. */
export function schemaElements(columns: readonly LakeColumn[]): object[] {
  const root = new parquet.SchemaElement({ name: 'schema', num_children: columns.length })
  return [
    root,
    ...columns.flatMap((column) => (column.list ? listElements(column) : [leafElement(column.name, column.type)])),
  ]
}

function listElements(column: LakeColumn): object[] {
  return [
    new parquet.SchemaElement({
      name: column.name,
      repetition_type: parquet.FieldRepetitionType.OPTIONAL,
      num_children: 1,
      converted_type: parquet.ConvertedType.LIST,
      logicalType: new parquet.LogicalType({ LIST: new parquet.ListType() }),
    }),
    new parquet.SchemaElement({ name: 'list', repetition_type: parquet.FieldRepetitionType.REPEATED, num_children: 1 }),
    leafElement('element', column.type),
  ]
}

function leafElement(name: string, type: LeafType): object {
  return new parquet.SchemaElement({
    name,
    type: parquet.Type[type.physical === 'FIXED16' ? 'FIXED_LEN_BYTE_ARRAY' : type.physical],
    repetition_type: parquet.FieldRepetitionType.OPTIONAL,
    ...(type.physical === 'FIXED16' ? { type_length: 16 } : {}),
    ...annotations(type),
  })
}

function annotations(type: LeafType): Record<string, unknown> {
  if (!('logical' in type)) return {}
  const { ConvertedType, LogicalType } = parquet
  switch (type.logical) {
    case 'int16':
      return { converted_type: ConvertedType.INT_16, logicalType: new LogicalType({ INTEGER: signed(16) }) }
    case 'int32':
      return { converted_type: ConvertedType.INT_32, logicalType: new LogicalType({ INTEGER: signed(32) }) }
    case 'int64':
      return { converted_type: ConvertedType.INT_64, logicalType: new LogicalType({ INTEGER: signed(64) }) }
    case 'date':
      return { converted_type: ConvertedType.DATE, logicalType: new LogicalType({ DATE: new parquet.DateType() }) }
    case 'timestamp':
      // No converted type: the old annotation would say UTC.
      return { logicalType: new LogicalType({ TIMESTAMP: micros(false) }) }
    case 'timestamptz':
      return {
        converted_type: ConvertedType.TIMESTAMP_MICROS,
        logicalType: new LogicalType({ TIMESTAMP: micros(true) }),
      }
    case 'decimal':
      return {
        converted_type: ConvertedType.DECIMAL,
        precision: type.precision,
        scale: type.scale,
        logicalType: new LogicalType({
          DECIMAL: new parquet.DecimalType({ precision: type.precision, scale: type.scale }),
        }),
      }
    case 'string':
      return { converted_type: ConvertedType.UTF8, logicalType: new LogicalType({ STRING: new parquet.StringType() }) }
    case 'bytes':
      return {}
    default:
      return type satisfies never
  }
}

function signed(bitWidth: number): object {
  return new parquet.IntType({ bitWidth, isSigned: true })
}

function micros(isAdjustedToUTC: boolean): object {
  const unit = new parquet.TimeUnit({ MICROS: new parquet.MicroSeconds() })
  return new parquet.TimestampType({ isAdjustedToUTC, unit })
}
