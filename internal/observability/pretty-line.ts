// A JSON log line as one line for people: time, level, message, then key=value. It only changes the form.
import { prettyFactory } from 'pino-pretty'

/** Renders the line that pino made; with `colours`, using terminal escapes. */
export function prettyLine(colours: boolean): (line: string) => string {
  // Used as a function and not as a stream, so that a line is out before the process ends.
  return prettyFactory({
    colorize: colours,
    translateTime: 'SYS:HH:MM:ss.l',
    hideObject: true,
    messageFormat: (log, messageKey, _levelLabel, { colors }) => {
      const { level: _level, time: _time, err, [messageKey]: message, ...fields } = log
      const error = typeof err === 'object' && err !== null ? (err as Record<string, unknown>) : {}
      const { message: why, stack, ...about } = error
      const text = [message, why].filter(
        (part, index, all) => part !== undefined && part !== '' && all.indexOf(part) === index,
      )
      const pairs = Object.entries({ ...fields, ...about }).map(
        ([key, value]) => `${colors.dim(`${unitless(key)}=`)}${readable(key, value)}`,
      )
      const trace = typeof stack === 'string' ? `\n${stack.replace(/^.*?\n(?=\s+at )/s, '')}` : ''
      return [text.map((part) => plainText(part)).join(': '), ...pairs].join(' ') + trace
    },
  })
}

/** `elapsedMs` and `elapsed_ms` are shown as `elapsed`, because the value carries the unit. */
function unitless(key: string): string {
  return key.replace(/(?<=.)(_ms|Ms|_bytes|Bytes)$/, '')
}

function readable(key: string, value: unknown): string {
  if (typeof value === 'number' && /(^b|_b|B)ytes$/.test(key)) return readableSize(value)
  if (typeof value === 'number' && /(^m|_m|M)s$/.test(key)) return readableDuration(value)
  if (Array.isArray(value)) return JSON.stringify(value.map(plainText).join('; '))
  return typeof value !== 'string' || /^[^\s"=\p{C}]+$/u.test(value) ? plainText(value) : JSON.stringify(value)
}

function plainText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function readableSize(bytes: number): string {
  if (bytes < 1024) return `${bytes}B`
  const power = Math.min(Math.floor(Math.log2(bytes) / 10), 4)
  return `${shortNumber(bytes / 1024 ** power)}${['', 'KiB', 'MiB', 'GiB', 'TiB'][power]!}`
}

function readableDuration(ms: number): string {
  if (ms < 1000) return `${shortNumber(ms)}ms`
  if (ms < 60_000) return `${shortNumber(ms / 1000)}s`
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)}m${Math.floor((ms % 60_000) / 1000)}s`
  return `${Math.floor(ms / 3_600_000)}h${Math.floor((ms % 3_600_000) / 60_000)}m`
}

function shortNumber(value: number): string {
  return String(Number(value.toFixed(value < 10 ? 1 : 0)))
}
