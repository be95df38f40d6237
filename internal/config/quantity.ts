// Durations and sizes as people write them in a setting. A number without a unit, an unknown unit or a fraction is
// never guessed at.

const durationUnits = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const
const sizeUnits = { KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3, KB: 1e3, MB: 1e6, GB: 1e9 } as const

/** Milliseconds of `30s`; undefined for anything that is not a whole number with `ms s m h`. */
export function parseDuration(text: string): number | undefined {
  return parseQuantity(text, durationUnits)
}

/** Bytes of `128MiB`; undefined for anything that is not a whole number with `KiB MiB GiB KB MB GB`. */
export function parseSize(text: string): number | undefined {
  return parseQuantity(text, sizeUnits)
}

/** The shortest text that parseDuration reads as exactly this many milliseconds. */
export function formatDuration(ms: number): string {
  return formatQuantity(ms, durationUnits) ?? `${ms}ms`
}

/** The shortest text that parseSize reads as exactly this many bytes, or a bare number where there is none. */
export function formatSize(bytes: number): string {
  return formatQuantity(bytes, sizeUnits) ?? String(bytes)
}

function parseQuantity(text: string, units: Readonly<Record<string, number>>): number | undefined {
  const match = /^(\d+) ?([A-Za-z]+)$/.exec(text)
  if (match === null || !Object.hasOwn(units, match[2]!)) return undefined
  const value = Number(match[1]) * units[match[2]!]!
  return Number.isSafeInteger(value) ? value : undefined
}

function formatQuantity(value: number, units: Readonly<Record<string, number>>): string | undefined {
  return Object.entries(units)
    .filter(([, factor]) => value % factor === 0)
    .map(([unit, factor]) => `${value / factor}${unit}`)
    .sort((a, b) => a.length - b.length)[0]
}
