// Dates and times, which readers give as numbers, as PostgreSQL prints them: those of JavaScript end before those of the lake.

const DAY_MICROS = 86_400_000_000n
/** 400 years, after which all dates come again. */
const ERA_DAYS = 146_097

/** `days` since 1970-01-01. */
export function dateText(days: number): string {
  const { day, era } = dateOf(days)
  return `${day}${era}`
}

/** `micros` since 1970-01-01 00:00. */
export function timestampText(micros: bigint, zone: '' | '+00'): string {
  const time = ((micros % DAY_MICROS) + DAY_MICROS) % DAY_MICROS
  const { day, era } = dateOf(Number((micros - time) / DAY_MICROS))
  const seconds = new Date(Number(time / 1_000_000n) * 1000).toISOString().slice(11, 19)
  const fraction = `.${String(time % 1_000_000n).padStart(6, '0')}`.replace(/\.?0+$/, '')
  return `${day} ${seconds}${fraction}${zone}${era}`
}

function dateOf(days: number): { day: string; era: '' | ' BC' } {
  const eras = Math.floor(days / ERA_DAYS)
  const [year = '', month, day] = new Date((days - eras * ERA_DAYS) * 86_400_000).toISOString().slice(0, 10).split('-')
  const ofEra = Number(year) + 400 * eras
  const text = `${String(ofEra > 0 ? ofEra : 1 - ofEra).padStart(4, '0')}-${month}-${day}`
  return { day: text, era: ofEra > 0 ? '' : ' BC' }
}
