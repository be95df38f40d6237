// 64-bit integers as two 32-bit halves, exact, without a BigInt: Parquet stores them low half first.
import type { Int64Values } from '../parquet/leaf-values.js'

const TWO_16 = 0x1_0000
const TWO_32 = 0x1_0000_0000

/**
 * Appends a·factor + b, or returns false where that is no int64. Every step stays below 2^53, and so exact, while
 * |a| < 2^44, factor ≤ 10^9 with |a|·factor < 2^68, and |b| < 2^52.
 */
export function pushProduct(leaf: Int64Values, a: number, factor: number, b: number): boolean {
  const aHigh = Math.floor(a / TWO_16)
  const product = aHigh * factor
  const productHigh = Math.floor(product / TWO_16)
  const rest = (product - productHigh * TWO_16) * TWO_16 + (a - aHigh * TWO_16) * factor + b
  const high = productHigh + Math.floor(rest / TWO_32)
  if (high < -0x8000_0000 || high > 0x7fff_ffff) return false
  leaf.push(rest | 0, high)
  return true
}

/** The big-endian 32-bit integer at buffer[at], signed. */
export function int32At(buffer: Buffer, at: number): number {
  return (buffer[at]! << 24) | (buffer[at + 1]! << 16) | (buffer[at + 2]! << 8) | buffer[at + 3]!
}

/** The big-endian 64-bit integer at buffer[at] as a Number: exact only below 2^53. */
export function numberAt(buffer: Buffer, at: number): number {
  return int32At(buffer, at) * TWO_32 + (int32At(buffer, at + 4) >>> 0)
}
