// date, timestamp and timestamptz: from PostgreSQL's epoch, 2000-01-01, to Parquet's, 1970-01-01, exactly. Infinities and
// the last 30 years of PostgreSQL's range have no place in the column and are told by `false`, never clamped.
import type { LeafType } from '../../model/lake-column.js'
import { Int32Values, Int64Values } from '../parquet/leaf-values.js'
import { DAY_MICROS, dayText, daysOf, EPOCH_DAYS, timestampText } from './calendar.js'
import { int32At, pushProduct } from './int64-halves.js'
import { digitAt, notAValue, requireWidth, type ScalarCodec } from './scalar-codec.js'

const INT32_MAX = 0x7fff_ffff
const INT32_MIN = -0x8000_0000
const TWO_32 = 0x1_0000_0000
/** 946,684,800,000,000 µs from 1970 to 2000 in two halves. */
const EPOCH_MICROS_HIGH = 220_417
const EPOCH_MICROS_LOW = EPOCH_DAYS * 86_400_000_000 - EPOCH_MICROS_HIGH * TWO_32
// PostgreSQL's ranges, counted from 2000 on: 4714-11-24 BC to 5874897-12-31, and to the end of 294276 (datatype/timestamp.h).
const FIRST_DAY = -2_451_545
const END_DAY = 2_145_031_949
const END_TIMESTAMP_DAY = 106_751_983
const FIRST_MICROS = BigInt(FIRST_DAY) * DAY_MICROS
const END_MICROS = BigInt(END_TIMESTAMP_DAY) * DAY_MICROS
const [FIRST_HIGH, FIRST_LOW, END_HIGH, END_LOW] = [...halvesOf(FIRST_MICROS), ...halvesOf(END_MICROS)] as const
const MONTH_DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

export const dateCodec: ScalarCodec = {
  type: { physical: 'INT32', logical: 'date' },
  bind(intake) {
    const leaf = new Int32Values(intake)
    return {
      leaf,
      putText(buffer, start, end) {
        if (isInfinity('date', buffer, start, end)) return false
        const dash = yearEnd('date', buffer, start, end)
        const beforeChrist = isBeforeChrist('date', buffer, end)
        if (dash + 6 + (beforeChrist ? 3 : 0) !== end) throw notAValue('date', 'wrong length')
        leaf.push(readDays('date', buffer, start, dash, beforeChrist, END_DAY))
        return true
      },
      putBinary(buffer, start, end) {
        requireWidth('date', start, end, 4)
        const days = int32At(buffer, start)
        if (days === INT32_MAX || days === INT32_MIN) return false
        requireDay('date', days, END_DAY)
        leaf.push(days + EPOCH_DAYS)
        return true
      },
    }
  },
  textOfBinary(buffer, start, end) {
    requireWidth('date', start, end, 4)
    const days = int32At(buffer, start)
    if (days === INT32_MAX) return 'infinity'
    if (days === INT32_MIN) return '-infinity'
    requireDay('date', days, END_DAY)
    return dayText(days + EPOCH_DAYS)
  },
}

export const timestampCodec = timestampOf('timestamp', { physical: 'INT64', logical: 'timestamp' }, '')
/** Its text form is in the session's time zone, which is UTC. */
export const timestamptzCodec = timestampOf('timestamptz', { physical: 'INT64', logical: 'timestamptz' }, '+00')

function timestampOf(name: string, type: LeafType, zone: string): ScalarCodec {
  return {
    type,
    bind(intake) {
      const leaf = new Int64Values(intake)
      return {
        leaf,
        putText: (buffer, start, end) => {
          if (isInfinity(name, buffer, start, end)) return false
          return pushTimestamp(name, zone, leaf, buffer, start, end)
        },
        putBinary(buffer, start, end) {
          requireWidth(name, start, end, 8)
          const high = int32At(buffer, start)
          const low = int32At(buffer, start + 4)
          if ((high === INT32_MAX && low === -1) || (high === INT32_MIN && low === 0)) return false
          if (!isTimestamp(high, low >>> 0)) throw notAValue(name, 'out of range')
          const lowSum = (low >>> 0) + EPOCH_MICROS_LOW
          const highSum = high + EPOCH_MICROS_HIGH + (lowSum >= TWO_32 ? 1 : 0)
          if (highSum > INT32_MAX) return false
          leaf.push(lowSum | 0, highSum)
          return true
        },
      }
    },
    textOfBinary(buffer, start, end) {
      requireWidth(name, start, end, 8)
      return textOfMicros(name, buffer.readBigInt64BE(start), zone)
    },
  }
}

function textOfMicros(name: string, micros: bigint, zone: string): string {
  if (micros === 0x7fff_ffff_ffff_ffffn) return 'infinity'
  if (micros === -0x8000_0000_0000_0000n) return '-infinity'
  if (micros < FIRST_MICROS || micros >= END_MICROS) throw notAValue(name, 'out of range')
  return timestampText(micros, EPOCH_DAYS, zone)
}

/** `YYYY-MM-DD HH:MM:SS[.ffffff][+00][ BC]` (DateStyle ISO); behind the year everything has its fixed place. */
function pushTimestamp(
  name: string,
  zone: string,
  leaf: Int64Values,
  buffer: Buffer,
  start: number,
  end: number,
): boolean {
  const dash = yearEnd(name, buffer, start, end)
  const beforeChrist = isBeforeChrist(name, buffer, end)
  const clockEnd = (beforeChrist ? end - 3 : end) - zone.length
  if (clockEnd < dash + 15) throw notAValue(name, 'wrong length')
  for (let k = 0; k < zone.length; k++)
    if (buffer[clockEnd + k] !== zone.charCodeAt(k)) throw notAValue(name, 'not in UTC')
  const days = readDays(name, buffer, start, dash, beforeChrist, END_TIMESTAMP_DAY)
  requireByte(name, buffer, dash + 6, 0x20)
  requireByte(name, buffer, dash + 9, 0x3a)
  requireByte(name, buffer, dash + 12, 0x3a)
  const hours = pairAt(name, buffer, dash + 7)
  const minutes = pairAt(name, buffer, dash + 10)
  const seconds = pairAt(name, buffer, dash + 13)
  if (hours > 23 || minutes > 59 || seconds > 59) throw notAValue(name, 'no time of day')
  const total = days * 86_400 + hours * 3600 + minutes * 60 + seconds
  return pushProduct(leaf, total, 1e6, readFraction(name, buffer, dash + 15, clockEnd))
}

/** Microseconds of `.f` to `.ffffff`, or of nothing. */
function readFraction(name: string, buffer: Buffer, start: number, end: number): number {
  if (start === end) return 0
  requireByte(name, buffer, start, 0x2e)
  if (end - start < 2 || end - start > 7) throw notAValue(name, 'wrong number of decimals')
  let micros = 0
  for (let k = 1; k <= 6; k++) micros = micros * 10 + (start + k < end ? digitAt(name, buffer, start + k) : 0)
  return micros
}

/** Where the dash behind the year is; the month and the day behind it are known to be there. */
function yearEnd(name: string, buffer: Buffer, start: number, end: number): number {
  let at = start
  while (at < end && buffer[at] !== 0x2d) at++
  if (at - start < 4 || at - start > 7 || at + 6 > end) throw notAValue(name, 'no date')
  return at
}

/** Days since 1970; `end`: the first day since 2000 that the type does not have. */
function readDays(
  name: string,
  buffer: Buffer,
  start: number,
  dash: number,
  beforeChrist: boolean,
  end: number,
): number {
  let shown = 0
  for (let at = start; at < dash; at++) shown = shown * 10 + digitAt(name, buffer, at)
  requireByte(name, buffer, dash + 3, 0x2d)
  const year = beforeChrist ? 1 - shown : shown
  const month = pairAt(name, buffer, dash + 1)
  const day = pairAt(name, buffer, dash + 4)
  if (shown === 0 || day < 1 || day > monthDays(year, month)) throw notAValue(name, 'no date')
  const days = daysOf(year, month, day)
  requireDay(name, days - EPOCH_DAYS, end)
  return days
}

/** 0 where there is no such month. */
function monthDays(year: number, month: number): number {
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  return month === 2 && !isLeap ? 28 : (MONTH_DAYS[month - 1] ?? 0)
}

function requireDay(name: string, days: number, end: number): void {
  if (days < FIRST_DAY || days >= end) throw notAValue(name, 'out of range')
}

function isTimestamp(high: number, low: number): boolean {
  return (
    (high > FIRST_HIGH || (high === FIRST_HIGH && low >= FIRST_LOW)) &&
    (high < END_HIGH || (high === END_HIGH && low < END_LOW))
  )
}

function halvesOf(value: bigint): [number, number] {
  return [Number(value >> 32n), Number(value & 0xffff_ffffn)]
}

function isBeforeChrist(name: string, buffer: Buffer, end: number): boolean {
  if (buffer[end - 1] !== 0x43) return false
  requireByte(name, buffer, end - 3, 0x20)
  requireByte(name, buffer, end - 2, 0x42)
  return true
}

const INFINITY = Buffer.from('-infinity', 'latin1')

function isInfinity(name: string, buffer: Buffer, start: number, end: number): boolean {
  const first = buffer[start] === 0x2d ? 0 : 1
  if (buffer[start + 1 - first] !== 0x69) return false
  if (buffer.compare(INFINITY, first, INFINITY.length, start, end) !== 0) throw notAValue(name, 'no date')
  return true
}

function pairAt(name: string, buffer: Buffer, at: number): number {
  return digitAt(name, buffer, at) * 10 + digitAt(name, buffer, at + 1)
}

function requireByte(name: string, buffer: Buffer, at: number, byte: number): void {
  if (buffer[at] !== byte) throw notAValue(name, 'not in ISO style')
}
