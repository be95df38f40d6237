// Days of the proleptic Gregorian calendar to and from 1970-01-01, over PostgreSQL's whole range, years before Christ
// counted …, -1, 0, 1, … (0 is 1 BC). Algorithm: https://howardhinnant.github.io/date_algorithms.html

/** Days from 1970-01-01 to 2000-01-01, PostgreSQL's epoch. */
export const EPOCH_DAYS = 10_957

export function daysOf(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year
  const era = Math.floor(y / 400)
  const yearOfEra = y - era * 400
  const dayOfYear = ((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) | 0
  const dayOfEra = yearOfEra * 365 + (yearOfEra >> 2) - ((yearOfEra / 100) | 0) + dayOfYear + day - 1
  return era * 146_097 + dayOfEra - 719_468
}

/** `YYYY-MM-DD` in PostgreSQL's form, without the era, and whether it is before Christ. */
export function dateText(days: number): { date: string; beforeChrist: boolean } {
  const shifted = days + 719_468
  const era = Math.floor(shifted / 146_097)
  const dayOfEra = shifted - era * 146_097
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153)
  const day = dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  const shown = year > 0 ? year : 1 - year
  return {
    date: `${shown.toString().padStart(4, '0')}-${twoDigits(month)}-${twoDigits(day)}`,
    beforeChrist: year <= 0,
  }
}

/** As PostgreSQL prints a date (DateStyle ISO). */
export function dayText(days: number): string {
  const { date, beforeChrist } = dateText(days)
  return beforeChrist ? `${date} BC` : date
}

export const DAY_MICROS = 86_400_000_000n

/** As PostgreSQL prints a timestamp (DateStyle ISO). `micros`: since the day `epochDays`, counted from 1970-01-01. */
export function timestampText(micros: bigint, epochDays: number, zone: string): string {
  const rest = micros % DAY_MICROS
  const ofDay = rest < 0n ? rest + DAY_MICROS : rest
  const { date, beforeChrist } = dateText(Number((micros - ofDay) / DAY_MICROS) + epochDays)
  return `${date} ${clockText(Number(ofDay))}${zone}${beforeChrist ? ' BC' : ''}`
}

/** `HH:MM:SS[.ffffff]` of a time of day, without trailing zeros in the fraction. */
export function clockText(micros: number): string {
  const seconds = Math.floor(micros / 1e6)
  const hours = Math.floor(seconds / 3600)
  return `${twoDigits(hours)}:${twoDigits(Math.floor(seconds / 60) % 60)}:${secondsText(seconds % 60, micros % 1e6)}`
}

/** `SS[.ffffff]` */
export function secondsText(seconds: number, micros: number): string {
  return twoDigits(seconds) + (micros === 0 ? '' : `.${micros.toString().padStart(6, '0').replace(/0+$/, '')}`)
}

export function twoDigits(value: number): string {
  return value < 10 ? `0${value}` : value.toString()
}
