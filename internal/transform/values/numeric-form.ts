// The binary form of numeric (numeric_send in utils/adt/numeric.c): int16 number of base-10000 digits, int16 weight of the
// first (in powers of 10000), uint16 sign, uint16 digits after the decimal point when printed, then the digits.
import { notAValue } from './scalar-codec.js'

export const NUMERIC_HEAD_BYTES = 8

export const NUMERIC_NEGATIVE = 0x4000
const NUMERIC_POSITIVE = 0x0000
/** NUMERIC_DSCALE_MASK: the most decimals that are shown. */
const MAX_SCALE = 0x3fff
/** Of the digits that the last group may have beyond the scale, which are zeros. */
const HIDDEN_POWERS = [1, 10, 100, 1000] as const
const NUMERIC_NAN = 0xc000
const NUMERIC_INFINITY = 0xd000
const NUMERIC_NEGATIVE_INFINITY = 0xf000

export function uint16At(buffer: Buffer, at: number): number {
  return (buffer[at]! << 8) | buffer[at + 1]!
}

/** How many digits the value has. Those that are there begin and end with one other than zero, and all of them are shown. */
export function numericDigits(buffer: Buffer, start: number, end: number): number {
  const digits = end - start >= NUMERIC_HEAD_BYTES ? uint16At(buffer, start) : -1
  if (end - start !== NUMERIC_HEAD_BYTES + 2 * digits) throw notAValue('numeric', 'wrong length')
  const scale = uint16At(buffer, start + 6)
  if (scale > MAX_SCALE) throw notAValue('numeric', 'unknown scale')
  if (digits === 0) {
    if (uint16At(buffer, start + 2) !== 0 || uint16At(buffer, start + 4) === NUMERIC_NEGATIVE)
      throw notAValue('numeric', 'a zero of another form')
    return 0
  }
  const last = uint16At(buffer, end - 2)
  const hidden = 4 * (digits - 1 - numericWeight(buffer, start)) - scale
  if (uint16At(buffer, start + NUMERIC_HEAD_BYTES) === 0 || last === 0) throw notAValue('numeric', 'a zero at an end')
  if (hidden > 0 && (hidden > 3 || last % HIDDEN_POWERS[hidden as 1 | 2 | 3] !== 0))
    throw notAValue('numeric', 'digits beyond its scale')
  return digits
}

export function numericWeight(buffer: Buffer, start: number): number {
  return (uint16At(buffer, start + 2) << 16) >> 16
}

export function numericSign(buffer: Buffer, start: number): number {
  return uint16At(buffer, start + 4)
}

export function numericDigitAt(buffer: Buffer, start: number, index: number): number {
  const digit = uint16At(buffer, start + NUMERIC_HEAD_BYTES + 2 * index)
  if (digit > 9999) throw notAValue('numeric', 'a digit above 9999')
  return digit
}

/** Every sign that is neither plus nor minus: the text of the value, undefined for ordinary numbers. */
export function numericSpecial(sign: number): string | undefined {
  if (sign === NUMERIC_POSITIVE || sign === NUMERIC_NEGATIVE) return undefined
  if (sign === NUMERIC_NAN) return 'NaN'
  if (sign === NUMERIC_INFINITY) return 'Infinity'
  if (sign === NUMERIC_NEGATIVE_INFINITY) return '-Infinity'
  throw notAValue('numeric', 'unknown sign')
}
