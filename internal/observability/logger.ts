// Makes the one logger: JSON lines for machines, or one line an event for people. What it never does: write a secret
// it was told of, or a password of a connection string, whatever a message holds.
import { isatty } from 'node:tty'
import { pino, type Logger } from 'pino'
import { loggable } from './loggable.js'
import { prettyLine } from './pretty-line.js'
import { redact, secretMask, spellings } from './redact.js'

export type { Logger } from 'pino'
export { redact } from './redact.js'

export interface LogStream {
  write(line: string): unknown
  readonly isTTY?: boolean
}

export interface LoggerOptions {
  readonly level: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace'
  readonly format: 'json' | 'pretty'
  /** Standard output when absent, written synchronously: the last line before an exit is not lost. */
  readonly stream?: LogStream
  /** Values that are replaced by `***` in every line, in all their spellings. */
  readonly secrets?: readonly string[]
}

/** Errors are logged as `logger.error(failure)` or `logger.error({ err: failure }, 'message')`. */
export function createLogger({ level, format, stream, secrets = [] }: LoggerOptions): Logger {
  const target = stream ?? pino.destination({ fd: 1, sync: true })
  const colours = stream === undefined ? isatty(1) : stream.isTTY === true
  const render = format === 'pretty' ? prettyLine(colours) : (line: string) => line
  const hide = lineMask(secrets)
  return pino(
    {
      level,
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: {
        level: (label) => ({ level: label }),
        log: (fields) => loggable(fields) as Record<string, unknown>,
      },
      // loggable() has described the error already.
      serializers: { err: (error: unknown) => error },
    },
    { write: (line: string) => void target.write(render(hide(line))) },
  )
}

/**
 * Masks the values of a rendered line. Only a line that may hold something to hide is parsed again; what is parsed is
 * masked value by value, so that the line stays JSON whatever the secret looks like.
 */
function lineMask(secrets: readonly string[]): (line: string) => string {
  const forms = spellings(secrets)
  const maskText = secretMask(secrets)
  const maskAll = (value: unknown): unknown => {
    if (typeof value === 'string') return maskText(value)
    if (typeof value === 'number') return maskText(String(value)) === String(value) ? value : maskText(String(value))
    if (Array.isArray(value)) return value.map(maskAll)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, maskAll(member)]))
  }
  return (line) => {
    if (!forms.some((form) => line.includes(form)) && redact(line) === line) return line
    const { level, time, ...rest } = JSON.parse(line) as Record<string, unknown>
    return `${JSON.stringify({ level, time, ...(maskAll(rest) as object) })}\n`
  }
}
