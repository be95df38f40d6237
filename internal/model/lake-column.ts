// A column as the lake stores it: the Parquet profile that every supported reader reads right.

/** Physical and logical type of a leaf column (https://github.com/apache/parquet-format/blob/master/LogicalTypes.md). */
export type LeafType =
  | { readonly physical: 'BOOLEAN' }
  | { readonly physical: 'INT32'; readonly logical: 'int16' | 'int32' | 'date' }
  | { readonly physical: 'INT64'; readonly logical: 'int64' | 'timestamp' | 'timestamptz' }
  | { readonly physical: 'INT64'; readonly logical: 'decimal'; readonly precision: number; readonly scale: number }
  | { readonly physical: 'FLOAT' }
  | { readonly physical: 'DOUBLE' }
  | { readonly physical: 'BYTE_ARRAY'; readonly logical: 'string' | 'bytes' }
  /** 16 bytes, big-endian two's complement. */
  | { readonly physical: 'FIXED16'; readonly logical: 'decimal'; readonly precision: number; readonly scale: number }

/** All columns are OPTIONAL; a list is three levels, `list.element`, each optional. */
export interface LakeColumn {
  readonly name: string
  readonly type: LeafType
  readonly list: boolean
}
