// time, timetz and interval as PostgreSQL prints them (IntervalStyle postgres): kept as text, because Parquet's TIME makes
// a reader refuse the whole file, and has no 24:00:00, zone or months.
import { clockText, secondsText, twoDigits } from './calendar.js'
import { int32At, numberAt } from './int64-halves.js'
import { notAValue, requireWidth } from './scalar-codec.js'

const INT32_MAX = 0x7fff_ffff
const INT32_MIN = -0x8000_0000
const INT64_MAX = 0x7fff_ffff_ffff_ffffn
const DAY_MICROS = 86_400_000_000
/** TZDISP_LIMIT in datatype/timestamp.h. */
const ZONE_LIMIT_SECONDS = 16 * 3600
const MICROS_PER_HOUR = 3_600_000_000n

export function timeText(buffer: Buffer, start: number, end: number): string {
  requireWidth('time', start, end, 8)
  return clockOfDay('time', buffer, start)
}

/** Up to 24:00:00, which is a time of its own. */
function clockOfDay(type: string, buffer: Buffer, start: number): string {
  const micros = numberAt(buffer, start)
  if (micros < 0 || micros > DAY_MICROS) throw notAValue(type, 'out of range')
  return clockText(micros)
}

/** Microseconds of the day and seconds west of UTC (timetz_send and EncodeTimezone in utils/adt). */
export function timetzText(buffer: Buffer, start: number, end: number): string {
  requireWidth('timetz', start, end, 12)
  const west = int32At(buffer, start + 8)
  const size = Math.abs(west)
  if (size >= ZONE_LIMIT_SECONDS) throw notAValue('timetz', 'zone out of range')
  const minutes = Math.floor(size / 60) % 60
  const seconds = size % 60
  let zone = (west <= 0 ? '+' : '-') + twoDigits(Math.floor(size / 3600))
  if (minutes !== 0 || seconds !== 0) zone += `:${twoDigits(minutes)}`
  if (seconds !== 0) zone += `:${twoDigits(seconds)}`
  return clockOfDay('timetz', buffer, start) + zone
}

/** Microseconds, days, months (interval_send in utils/adt/timestamp.c), written as EncodeInterval in datetime.c does. */
export function intervalText(buffer: Buffer, start: number, end: number): string {
  requireWidth('interval', start, end, 16)
  const micros = buffer.readBigInt64BE(start)
  const days = int32At(buffer, start + 8)
  const months = int32At(buffer, start + 12)
  // From version 17 on; older servers give these numbers no meaning of their own.
  if (micros === INT64_MAX && days === INT32_MAX && months === INT32_MAX) return 'infinity'
  if (micros === -INT64_MAX - 1n && days === INT32_MIN && months === INT32_MIN) return '-infinity'
  const parts: string[] = []
  let negativeBefore = false
  const part = (value: number, unit: string): void => {
    if (value === 0) return
    parts.push(`${negativeBefore && value > 0 ? '+' : ''}${value} ${unit}${value === 1 ? '' : 's'}`)
    negativeBefore = value < 0
  }
  part(Math.trunc(months / 12), 'year')
  part(months % 12, 'mon')
  part(days, 'day')
  if (parts.length === 0 || micros !== 0n) parts.push(clockOf(micros, negativeBefore))
  return parts.join(' ')
}

function clockOf(micros: bigint, negativeBefore: boolean): string {
  const size = micros < 0n ? -micros : micros
  const hours = size / MICROS_PER_HOUR
  const rest = Number(size % MICROS_PER_HOUR)
  const minutes = Math.floor(rest / 60_000_000)
  const seconds = secondsText(Math.floor(rest / 1e6) % 60, rest % 1e6)
  const sign = micros < 0n ? '-' : negativeBefore ? '+' : ''
  return `${sign}${hours.toString().padStart(2, '0')}:${twoDigits(minutes)}:${seconds}`
}
