// numeric(p, s) as DECIMAL(p, s): the value times 10^s as an integer, in an int64 up to 18 digits, in 16 bytes up to 38.
// Exact or not at all: NaN, the infinities and anything with more digits than the column has are told by `false`.
import { Fixed16Values, Int64Values } from '../parquet/leaf-values.js'
import { pushProduct } from './int64-halves.js'
import { MAX_DECIMAL_PRECISION, UnscaledInteger } from './unscaled-integer.js'
import {
  NUMERIC_NEGATIVE,
  numericDigitAt,
  numericDigits,
  numericSign,
  numericSpecial,
  numericWeight,
} from './numeric-form.js'
import { numericText } from './numeric-text.js'
import { digitAt, notAValue, type Put, type ScalarCodec } from './scalar-codec.js'

const MINUS = 0x2d
const SPECIAL = new Set(['NaN', 'Infinity', '-Infinity'])
const POINT = 0x2e
const TWO_32 = 0x1_0000_0000
const INT64_PRECISION = 18
const DIGIT_POWERS = [1, 10, 100, 1000, 10_000] as const

/** undefined where no DECIMAL holds every value of numeric(precision, scale). */
export function decimalCodec(precision: number, scale: number): ScalarCodec | undefined {
  if (precision > MAX_DECIMAL_PRECISION || scale < 0 || scale > precision) return undefined
  return precision <= INT64_PRECISION ? int64Decimal(precision, scale) : fixed16Decimal(precision, scale)
}

/** Precision and scale of a numeric's type modifier (numeric_typmod_precision and _scale in utils/adt/numeric.c). */
export function numericShape(typmod: number): { precision: number; scale: number } | undefined {
  if (typmod < 4) return undefined
  const packed = typmod - 4
  // Eleven bits in two's complement: before version 15 a scale had no sign and stayed below 1024.
  return { precision: (packed >> 16) & 0xffff, scale: ((packed & 0x7ff) ^ 0x400) - 0x400 }
}

function int64Decimal(precision: number, scale: number): ScalarCodec {
  return {
    type: { physical: 'INT64', logical: 'decimal', precision, scale },
    bind(intake) {
      const leaf = new Int64Values(intake)
      return {
        leaf,
        putText: int64FromText(leaf, precision, scale),
        putBinary: int64FromBinary(leaf, precision, scale),
      }
    },
    textOfBinary: numericText,
  }
}

function int64FromBinary(leaf: Int64Values, precision: number, scale: number): Put {
  const limit = 10n ** BigInt(precision)
  const limitHigh = Number(limit >> 32n)
  const limitLow = Number(limit & 0xffff_ffffn)
  const wholeGroups = Math.floor(scale / 4)
  const splitPower = DIGIT_POWERS[(scale % 4) as 0 | 1 | 2 | 3]
  const dropPower = DIGIT_POWERS[(4 - (scale % 4)) as 1 | 2 | 3 | 4]
  return (buffer, start, end) => {
    const digits = numericDigits(buffer, start, end)
    const sign = numericSign(buffer, start)
    if (numericSpecial(sign) !== undefined) return false
    const weight = numericWeight(buffer, start)
    // 18 digits touch at most six groups; more would leave the range in which the sums below are exact.
    if (digits > 0 && weight > 4) return false
    const lastWhole = weight + wholeGroups
    let high = 0
    let low = 0
    for (let index = 0; index <= lastWhole; index++) {
      const sum = low * 10_000 + (index < digits ? numericDigitAt(buffer, start, index) : 0)
      low = sum >>> 0
      high = high * 10_000 + (sum - low) / TWO_32
    }
    let rest = lastWhole + 1
    if (splitPower !== 1) {
      // The group in which the scale ends: its upper digits count, its lower ones must be zero.
      const group = rest >= 0 && rest < digits ? numericDigitAt(buffer, start, rest) : 0
      const upper = (group / dropPower) | 0
      if (upper * dropPower !== group) return false
      const sum = low * splitPower + upper
      low = sum >>> 0
      high = high * splitPower + (sum - low) / TWO_32
      rest++
    }
    for (let index = Math.max(rest, 0); index < digits; index++)
      if (numericDigitAt(buffer, start, index) !== 0) return false
    if (high > limitHigh || (high === limitHigh && low >= limitLow)) return false
    if (sign === NUMERIC_NEGATIVE) leaf.push(-low | 0, low === 0 ? -high : ~high)
    else leaf.push(low | 0, high)
    return true
  }
}

function int64FromText(leaf: Int64Values, precision: number, scale: number): Put {
  const leadingLimit = 10 ** Math.max(precision - 9, 0)
  const lastLimit = 10 ** Math.min(precision, 9)
  return (buffer, start, end) => {
    if (isSpecial(buffer, start, end)) return false
    const negative = buffer[start] === MINUS
    const first = negative ? start + 1 : start
    const point = pointOf(buffer, first, end)
    if (point === first) throw notAValue('numeric', 'no digits')
    // Digits still to come; the last nine go into the lower of two sums.
    let ahead = point - first + scale
    let leading = 0
    let last = 0
    for (let at = first; at < end; at++) {
      if (at === point) continue
      const digit = digitAt('numeric', buffer, at)
      if (ahead > 9) leading = leading * 10 + digit
      else if (ahead > 0) last = last * 10 + digit
      else if (digit !== 0) return false
      ahead--
    }
    for (; ahead > 0; ahead--)
      if (ahead > 9) leading *= 10
      else last *= 10
    if (leading >= leadingLimit || last >= lastLimit) return false
    return negative ? pushProduct(leaf, -leading, 1e9, -last) : pushProduct(leaf, leading, 1e9, last)
  }
}

function fixed16Decimal(precision: number, scale: number): ScalarCodec {
  return {
    type: { physical: 'FIXED16', logical: 'decimal', precision, scale },
    bind(intake) {
      const leaf = new Fixed16Values(intake)
      const value = new UnscaledInteger(precision)
      return {
        leaf,
        putText: fixed16FromText(leaf, value, scale),
        putBinary: fixed16FromBinary(leaf, value, scale),
      }
    },
    textOfBinary: numericText,
  }
}

function fixed16FromBinary(leaf: Fixed16Values, value: UnscaledInteger, scale: number): Put {
  return (buffer, start, end) => {
    const digits = numericDigits(buffer, start, end)
    const sign = numericSign(buffer, start)
    if (numericSpecial(sign) !== undefined) return false
    value.clear()
    // Decimal digits still to come, as if the number went on with zeros behind its last one.
    let ahead = (numericWeight(buffer, start) + 1) * 4 + scale
    for (let index = 0; index < digits || ahead > 0; index++) {
      const group = index < digits ? numericDigitAt(buffer, start, index) : 0
      const taken = Math.min(Math.max(ahead, 0), 4)
      const dropPower = DIGIT_POWERS[(4 - taken) as 0 | 1 | 2 | 3 | 4]
      const upper = Math.floor(group / dropPower)
      if (upper * dropPower !== group) return false
      if (taken > 0) value.append(DIGIT_POWERS[taken as 1 | 2 | 3 | 4], upper)
      ahead -= 4
    }
    if (!value.fits) return false
    leaf.push(value.bigEndian(sign === NUMERIC_NEGATIVE), 0)
    return true
  }
}

function fixed16FromText(leaf: Fixed16Values, value: UnscaledInteger, scale: number): Put {
  return (buffer, start, end) => {
    if (isSpecial(buffer, start, end)) return false
    const negative = buffer[start] === MINUS
    const first = negative ? start + 1 : start
    const point = pointOf(buffer, first, end)
    if (point === first) throw notAValue('numeric', 'no digits')
    value.clear()
    let ahead = point - first + scale
    for (let at = first; at < end; at++) {
      if (at === point) continue
      const digit = digitAt('numeric', buffer, at)
      if (ahead > 0) value.append(10, digit)
      else if (digit !== 0) return false
      ahead--
    }
    for (; ahead > 0; ahead--) value.append(10, 0)
    if (!value.fits) return false
    leaf.push(value.bigEndian(negative), 0)
    return true
  }
}

/** NaN, Infinity, -Infinity: no number ends in a letter. */
function isSpecial(buffer: Buffer, start: number, end: number): boolean {
  if (buffer[end - 1] !== 0x4e && buffer[end - 1] !== 0x79) return false
  if (SPECIAL.has(buffer.toString('latin1', start, end))) return true
  throw notAValue('numeric', 'not a number')
}

function pointOf(buffer: Buffer, start: number, end: number): number {
  let at = start
  while (at < end && buffer[at] !== POINT) at++
  return at
}
