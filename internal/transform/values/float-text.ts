// float4 and float8 as PostgreSQL prints them: the shortest digits that read back as the same value, chosen as its Ryu
// does (common/d2s.c and common/f2s.c). JavaScript's own choice differs where the shortest decimal lies exactly on the
// border between two values: it takes the border, PostgreSQL does not. It has no 32-bit form at all.

const bits = new DataView(new ArrayBuffer(8))

/** A positive value as 0.d₁d₂d₃… × 10^point. */
interface Decimal {
  readonly digits: string
  readonly point: number
}

export function float8Text(value: number): string {
  // Here JavaScript prints the same: the fixed form in both, and no border that it could take.
  const size = Math.abs(value)
  if (size >= 1e-4 && size < 1e15) return String(value)
  // The fixed form ends where printf's %g with 15 digits would end it.
  return floatText(value, 15, shortestOfDouble)
}

/** `value` must be a 32-bit float. */
export function float4Text(value: number): string {
  return floatText(value, 6, shortestOfSingle)
}

function floatText(value: number, fixedDigits: number, shortest: (positive: number) => Decimal): string {
  if (Number.isNaN(value)) return 'NaN'
  const sign = value < 0 || Object.is(value, -0) ? '-' : ''
  const positive = Math.abs(value)
  if (positive === Infinity) return `${sign}Infinity`
  if (positive === 0) return `${sign}0`
  const { digits, point } = shortest(positive)
  const exponent = point - 1
  if (exponent < -4 || exponent >= fixedDigits) {
    const fraction = digits.length > 1 ? `.${digits.slice(1)}` : ''
    const size = Math.abs(exponent).toString().padStart(2, '0')
    return `${sign}${digits.charAt(0)}${fraction}e${exponent < 0 ? '-' : '+'}${size}`
  }
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`
  if (digits.length <= point) return sign + digits.padEnd(point, '0')
  return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`
}

/**
 * Only between these two can a decimal of at most 17 digits lie exactly between two doubles: such a border has 54 or
 * 55 significant bits, so d·10^e needs 5^e < 2^55 above, and an integer part of at least 52 bits below.
 */
const FIRST_BORDER = 2 ** 50
const LAST_BORDER = 1e42

function shortestOfDouble(value: number): Decimal {
  if (value >= FIRST_BORDER && value < LAST_BORDER) {
    bits.setFloat64(0, value)
    const biased = bits.getUint16(0) >> 4
    return shortestInside(value, bits.getBigUint64(0) & 0xf_ffff_ffff_ffffn, biased, 52, 1023)
  }
  const [mantissa, exponent] = value.toExponential().split('e')
  return { digits: mantissa!.replace('.', ''), point: Number(exponent) + 1 }
}

function shortestOfSingle(value: number): Decimal {
  bits.setFloat32(0, value)
  const word = bits.getUint32(0)
  return shortestInside(value, BigInt(word & 0x7f_ffff), word >>> 23, 23, 127)
}

/**
 * The shortest decimal strictly between the borders of `value`, the nearest one of that length: free-format printing by
 * Steele & White and Dragon4, with exact integers. value = r / s; the borders lie `below` / s and `above` / s away.
 */
function shortestInside(value: number, fraction: bigint, biased: number, fractionBits: number, bias: number): Decimal {
  const mantissa = biased === 0 ? fraction : fraction | (1n << BigInt(fractionBits))
  const exponent = Math.max(biased, 1) - bias - fractionBits
  // Under a power of two the values lie twice as close.
  const closeBelow = fraction === 0n && biased > 1
  let r = mantissa << BigInt(Math.max(exponent, 0) + 2)
  let s = 1n << BigInt(Math.max(-exponent, 0) + 2)
  let above = 1n << BigInt(Math.max(exponent, 0) + 1)
  let below = closeBelow ? above >> 1n : above
  let point = Math.ceil(Math.log10(value) - 1e-10)
  if (point >= 0) s *= 10n ** BigInt(point)
  else {
    const scale = 10n ** BigInt(-point)
    r *= scale
    above *= scale
    below *= scale
  }
  if (r + above > s) {
    point++
    s *= 10n
  }
  let digits = ''
  for (;;) {
    r *= 10n
    above *= 10n
    below *= 10n
    const digit = r / s
    r %= s
    const isInside = r < below
    const nextIsInside = r + above > s
    if (!isInside && !nextIsInside) {
      digits += digit.toString()
      continue
    }
    const up = nextIsInside && (!isInside || 2n * r > s || (2n * r === s && digit % 2n === 1n))
    return { digits: digits + (up ? digit + 1n : digit).toString(), point }
  }
}
