// Smallest and largest value of a page or chunk, in PLAIN encoding without a length, as Parquet's type-defined order has it
// (https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift, ColumnOrder).
import type { LeafType } from '../../model/lake-column.js'
import { HEAD_BYTES, lengthAt, type PageValues } from './page-values.js'

/** Longer bounds are cut to one byte more than this, so that a cut one can be told from a whole one. */
export const LONGEST_EXACT_BOUND = 256

export interface MinMax {
  readonly min: Buffer
  readonly max: Buffer
}

/** Bounds of `count` values; undefined where there are none, or a NaN among them. */
export function minMaxOf(type: LeafType, page: PageValues, count: number): MinMax | undefined {
  if (count === 0) return undefined
  switch (type.physical) {
    case 'BOOLEAN':
      return booleanBounds(page, count)
    case 'INT32':
      return int32Bounds(page.ints, count)
    case 'INT64':
      return int64Bounds(page.ints, count)
    case 'FLOAT':
      return floatBounds(new Float32Array(page.ints.buffer, page.ints.byteOffset + HEAD_BYTES, count), 4)
    case 'DOUBLE':
      return floatBounds(new Float64Array(page.ints.buffer, page.ints.byteOffset + HEAD_BYTES, count), 8)
    case 'FIXED16':
      return fixed16Bounds(page.buffer, count)
    case 'BYTE_ARRAY':
      return bytesBounds(page, count)
    default:
      return type satisfies never
  }
}

/** Bounds of several pages together. */
export function mergeMinMax(type: LeafType, bounds: readonly MinMax[]): MinMax | undefined {
  const [first, ...others] = bounds
  const compare = comparatorOf(type)
  return others.reduce(
    (a, b) => a && { min: compare(b.min, a.min) < 0 ? b.min : a.min, max: compare(b.max, a.max) > 0 ? b.max : a.max },
    first,
  )
}

function comparatorOf(type: LeafType): (a: Buffer, b: Buffer) => number {
  switch (type.physical) {
    case 'INT32':
      return (a, b) => a.readInt32LE(0) - b.readInt32LE(0)
    case 'INT64':
      return (a, b) => a.readInt32LE(4) - b.readInt32LE(4) || a.readUInt32LE(0) - b.readUInt32LE(0)
    case 'FLOAT':
      return (a, b) => a.readFloatLE(0) - b.readFloatLE(0)
    case 'DOUBLE':
      return (a, b) => sign(a.readDoubleLE(0), b.readDoubleLE(0))
    case 'FIXED16':
      return (a, b) => a.readInt8(0) - b.readInt8(0) || Buffer.compare(a, b)
    case 'BOOLEAN':
    case 'BYTE_ARRAY':
      return (a, b) => Buffer.compare(a, b)
    default:
      return type satisfies never
  }
}

const sign = (a: number, b: number): number => (a < b ? -1 : a > b ? 1 : 0)

function booleanBounds(page: PageValues, count: number): MinMax {
  let trues = 0
  for (let k = 0; k < count; k++) trues += (page.buffer[HEAD_BYTES + (k >> 3)]! >> (k & 7)) & 1
  return { min: Buffer.from([trues === count ? 1 : 0]), max: Buffer.from([trues > 0 ? 1 : 0]) }
}

function int32Bounds(ints: Int32Array, count: number): MinMax {
  const first = HEAD_BYTES / 4
  let min = ints[first]!
  let max = min
  for (let k = first + 1; k < first + count; k++) {
    const value = ints[k]!
    if (value < min) min = value
    else if (value > max) max = value
  }
  const bounds = Buffer.alloc(8)
  bounds.writeInt32LE(min, 0)
  bounds.writeInt32LE(max, 4)
  return { min: bounds.subarray(0, 4), max: bounds.subarray(4) }
}

function int64Bounds(ints: Int32Array, count: number): MinMax {
  const first = HEAD_BYTES / 4
  let minLow = ints[first]! >>> 0
  let minHigh = ints[first + 1]!
  let maxLow = minLow
  let maxHigh = minHigh
  for (let k = first + 2; k < first + count * 2; k += 2) {
    const low = ints[k]! >>> 0
    const high = ints[k + 1]!
    if (high < minHigh || (high === minHigh && low < minLow)) {
      minLow = low
      minHigh = high
    } else if (high > maxHigh || (high === maxHigh && low > maxLow)) {
      maxLow = low
      maxHigh = high
    }
  }
  const bounds = Buffer.alloc(16)
  bounds.writeUInt32LE(minLow, 0)
  bounds.writeInt32LE(minHigh, 4)
  bounds.writeUInt32LE(maxLow, 8)
  bounds.writeInt32LE(maxHigh, 12)
  return { min: bounds.subarray(0, 8), max: bounds.subarray(8) }
}

/**
 * A zero bound is written as -0 below and +0 above, because the two compare equal. Where there is a NaN nothing is: it has
 * no place in the order, and DuckDB takes it that a page with bounds holds none.
 */
function floatBounds(values: Float32Array | Float64Array, width: 4 | 8): MinMax | undefined {
  let min = Infinity
  let max = -Infinity
  for (let k = 0; k < values.length; k++) {
    const value = values[k]!
    if (Number.isNaN(value)) return undefined
    if (value < min) min = value
    if (value > max) max = value
  }
  const write = (value: number): Buffer => {
    const bytes = Buffer.alloc(width)
    if (width === 4) bytes.writeFloatLE(value, 0)
    else bytes.writeDoubleLE(value, 0)
    return bytes
  }
  return { min: write(min === 0 ? -0 : min), max: write(max === 0 ? 0 : max) }
}

/** Big-endian two's complement: the sign decides, then the bytes. */
function fixed16Bounds(buffer: Buffer, count: number): MinMax {
  const less = (a: number, b: number): boolean => {
    const bySign = buffer.readInt8(a) - buffer.readInt8(b)
    return bySign === 0 ? buffer.compare(buffer, b, b + 16, a, a + 16) < 0 : bySign < 0
  }
  let min = HEAD_BYTES
  let max = HEAD_BYTES
  for (let at = HEAD_BYTES + 16; at < HEAD_BYTES + count * 16; at += 16) {
    if (less(at, min)) min = at
    else if (less(max, at)) max = at
  }
  return { min: copyOf(buffer, min, 16), max: copyOf(buffer, max, 16) }
}

/** The first eight bytes mostly decide: they are compared as two integers, and byte by byte only where they do not. */
function bytesBounds({ buffer, view }: PageValues, count: number): MinMax {
  let length = lengthAt(buffer, HEAD_BYTES)
  let at = HEAD_BYTES + 4
  let min = at
  let max = at
  let minEnd = at + length
  let maxEnd = minEnd
  // NaN is neither before nor behind anything: a shorter bound is always looked at.
  let min1 = headAt(view, min, minEnd, 0)
  let min2 = headAt(view, min, minEnd, 4)
  let max1 = min1
  let max2 = min2
  for (let k = 1; k < count; k++) {
    at += length
    length = lengthAt(buffer, at)
    at += 4
    if (length >= 8) {
      const head1 = view.getUint32(at)
      const head2 = view.getUint32(at + 4)
      const above = head1 > min1 || (head1 === min1 && head2 > min2)
      if (above && (head1 < max1 || (head1 === max1 && head2 < max2))) continue
    }
    const end = at + length
    if (lessBytes(buffer, at, end, min, minEnd)) {
      min = at
      minEnd = end
      min1 = headAt(view, at, end, 0)
      min2 = headAt(view, at, end, 4)
    } else if (lessBytes(buffer, max, maxEnd, at, end)) {
      max = at
      maxEnd = end
      max1 = headAt(view, at, end, 0)
      max2 = headAt(view, at, end, 4)
    }
  }
  const bound = (start: number, end: number): Buffer =>
    copyOf(buffer, start, Math.min(end - start, LONGEST_EXACT_BOUND + 1))
  return { min: bound(min, minEnd), max: bound(max, maxEnd) }
}

function headAt(view: DataView, start: number, end: number, offset: number): number {
  return end - start >= 8 ? view.getUint32(start + offset) : NaN
}

/** True when the bytes a..aEnd sort before b..bEnd, as unsigned bytes. The first byte mostly decides. */
function lessBytes(buffer: Buffer, a: number, aEnd: number, b: number, bEnd: number): boolean {
  while (a < aEnd && b < bEnd) {
    const difference = buffer[a++]! - buffer[b++]!
    if (difference !== 0) return difference < 0
  }
  return a === aEnd && b < bEnd
}

function copyOf(buffer: Buffer, at: number, length: number): Buffer {
  return Buffer.from(buffer.subarray(at, at + length))
}
