// Moments as microseconds since 1970 in a bigint, and their RFC 3339 text in UTC.

/** `2026-01-31T12:00:00.123456Z`. */
export function formatMicros(micros: bigint): string {
  const fraction = ((micros % 1_000_000n) + 1_000_000n) % 1_000_000n
  const whole = new Date(Number((micros - fraction) / 1000n)).toISOString()
  return `${whole.slice(0, -5)}.${fraction.toString().padStart(6, '0')}Z`
}

/** The inverse of formatMicros. Throws RangeError. */
export function parseMicros(text: string): bigint {
  const match = /^(.+)\.(\d{6})Z$/.exec(text)
  const seconds = match === null ? NaN : Date.parse(`${match[1]!}Z`)
  if (Number.isNaN(seconds)) throw new RangeError(`not an RFC 3339 time in UTC: ${JSON.stringify(text)}`)
  return BigInt(seconds) * 1000n + BigInt(match![2]!)
}

/** UTC date of the moment, `YYYY-MM-DD`. */
export function dateOf(micros: bigint): string {
  return formatMicros(micros).split('T')[0]!
}
