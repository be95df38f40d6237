// The order in which Parquet compares values of each type, written from the specification
// (https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift, ColumnOrder): for checking bounds.
import type { LeafType } from '../../internal/model/lake-column.js'
import type { Cell, Scalar } from './parquet-columns.js'

/** A bound as it stands in the file, as a value. */
export function boundValue(type: LeafType, bytes: Buffer): Scalar {
  switch (type.physical) {
    case 'BOOLEAN':
      return bytes[0] === 1
    case 'INT32':
      return bytes.readInt32LE(0)
    case 'INT64':
      return bytes.readBigInt64LE(0)
    case 'FLOAT':
      return bytes.readFloatLE(0)
    case 'DOUBLE':
      return bytes.readDoubleLE(0)
    case 'FIXED16':
      return BigInt.asIntN(128, BigInt(`0x${bytes.toString('hex')}`))
    case 'BYTE_ARRAY':
      return bytes
    default:
      return type satisfies never
  }
}

export function compareScalars(a: Scalar, b: Scalar): number {
  if (Buffer.isBuffer(a)) return Buffer.compare(a, b as Buffer)
  return a < b ? -1 : a > b ? 1 : 0
}

/** The values among cells, lists taken apart. */
export function scalarsOf(type: LeafType, cells: readonly Cell[]): Scalar[] {
  const values = cells.flatMap((cell) => (Array.isArray(cell) ? (cell as (Scalar | null)[]) : [cell as Scalar | null]))
  return values
    .filter((value) => value !== null)
    .map((value) => (type.physical === 'FLOAT' ? Math.fround(value as number) : value))
}

/** The slots that hold no value: NULL, an empty list, a NULL element. */
export function nullSlots(cells: readonly Cell[]): number {
  return cells.reduce<number>((sum, cell) => {
    if (cell === null) return sum + 1
    if (!Array.isArray(cell)) return sum
    return sum + (cell.length === 0 ? 1 : cell.filter((element) => element === null).length)
  }, 0)
}

export function slotsOf(cells: readonly Cell[]): number {
  return cells.reduce<number>((sum, cell) => sum + (Array.isArray(cell) ? Math.max(1, cell.length) : 1), 0)
}

/** Undefined where there is no value, or a NaN, which has no place in the order. */
export function extremes(values: readonly Scalar[]): { min: Scalar; max: Scalar } | undefined {
  if (values.length === 0 || values.some((value) => Number.isNaN(value))) return undefined
  return values.slice(1).reduce<{ min: Scalar; max: Scalar }>(
    ({ min, max }, value) => ({
      min: compareScalars(value, min) < 0 ? value : min,
      max: compareScalars(value, max) > 0 ? value : max,
    }),
    { min: values[0]!, max: values[0]! },
  )
}
