// float4 and float8. Text is read back to the very bits that the server printed: digits within a double's exact range are
// scaled by an exact power of ten, all else goes through the language's own correctly rounding parser.
import { Int32Values, Int64Values } from '../parquet/leaf-values.js'
import { float4Text, float8Text } from './float-text.js'
import { int32At } from './int64-halves.js'
import { notAValue, requireWidth, type ScalarCodec } from './scalar-codec.js'

const singles = new Float32Array(1)
const singleBits = new Int32Array(singles.buffer)
const doubles = new Float64Array(1)
const doubleBits = new Int32Array(doubles.buffer)
/** The powers of ten that a double holds exactly. */
const EXACT_POWERS = Array.from({ length: 23 }, (_, exponent) => 10 ** exponent)
const SPECIAL = new Map([
  ['NaN', NaN],
  ['Infinity', Infinity],
  ['-Infinity', -Infinity],
])
/** NaN comes with many bits, Infinity * 0 with others than 'NaN'; they are one value, so it is stored in one way. */
const NAN_4 = 0x7fc0_0000
const NAN_8_HIGH = 0x7ff8_0000

export const float4Codec: ScalarCodec = {
  type: { physical: 'FLOAT' },
  bind(intake) {
    const leaf = new Int32Values(intake)
    return {
      leaf,
      putText(buffer, start, end) {
        singles[0] = readFloat4(buffer, start, end)
        leaf.push(singleBits[0]!)
        return true
      },
      putBinary(buffer, start, end) {
        requireWidth('float4', start, end, 4)
        const bits = int32At(buffer, start)
        leaf.push((bits & 0x7fff_ffff) > 0x7f80_0000 ? NAN_4 : bits)
        return true
      },
    }
  },
  textOfBinary(buffer, start, end) {
    requireWidth('float4', start, end, 4)
    return float4Text(buffer.readFloatBE(start))
  },
}

export const float8Codec: ScalarCodec = {
  type: { physical: 'DOUBLE' },
  bind(intake) {
    const leaf = new Int64Values(intake)
    return {
      leaf,
      putText(buffer, start, end) {
        doubles[0] = readDouble('float8', buffer, start, end)
        leaf.push(doubleBits[0]!, doubleBits[1]!)
        return true
      },
      putBinary(buffer, start, end) {
        requireWidth('float8', start, end, 8)
        const high = int32At(buffer, start)
        const exponent = high & 0x7fff_ffff
        if (exponent >= 0x7ff0_0000 && Number.isNaN(buffer.readDoubleBE(start))) leaf.push(0, NAN_8_HIGH)
        else leaf.push(int32At(buffer, start + 4), high)
        return true
      },
    }
  },
  textOfBinary(buffer, start, end) {
    requireWidth('float8', start, end, 8)
    return float8Text(buffer.readDoubleBE(start))
  },
}

/**
 * Rounding twice, to a double and then to a float, can only go wrong where the double lies exactly between two floats.
 * Then the text itself tells which one was printed. Of all floats this happens to 7.038531e-26 and its negative alone.
 */
function readFloat4(buffer: Buffer, start: number, end: number): number {
  const double = readDouble('float4', buffer, start, end)
  const single = Math.fround(double)
  if (single === double || Number.isNaN(double)) return single
  // Finite and other than zero: what has become neither is too large or too small.
  if (!Number.isFinite(single) || single === 0) throw notAValue('float4', 'out of range')
  const other = Math.fround(double + (double - single))
  if (other - double !== double - single) return single
  return float4Text(other) === buffer.toString('latin1', start, end) ? other : single
}

function readDouble(type: string, buffer: Buffer, start: number, end: number): number {
  const negative = buffer[start] === 0x2d
  let mantissa = 0
  let digits = 0
  let decimals = 0
  let seenPoint = false
  for (let at = negative ? start + 1 : start; at < end; at++) {
    const digit = buffer[at]! - 48
    if (digit >= 0 && digit <= 9) {
      mantissa = mantissa * 10 + digit
      digits++
      if (seenPoint) decimals++
    } else if (buffer[at] === 0x2e && !seenPoint) seenPoint = true
    else return parseDouble(type, buffer, start, end)
  }
  // 15 digits stay below 2^53, and the quotient of two exact numbers is rounded once.
  if (digits === 0 || digits > 15) return parseDouble(type, buffer, start, end)
  const value = mantissa / EXACT_POWERS[decimals]!
  return negative ? -value : value
}

/** A digit other than zero before the exponent. */
const HAS_SIZE = /^[^e]*[1-9]/
const DECIMAL = /^-?\d+(\.\d+)?(e[+-]\d+)?$/

function parseDouble(type: string, buffer: Buffer, start: number, end: number): number {
  const text = buffer.toString('latin1', start, end)
  const special = SPECIAL.get(text)
  if (special !== undefined) return special
  if (!DECIMAL.test(text)) throw notAValue(type, 'not a number')
  const value = Number(text)
  if (!Number.isFinite(value) || (value === 0 && HAS_SIZE.test(text))) throw notAValue(type, 'out of range')
  return value
}
