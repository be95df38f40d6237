// Reads variables one by one and remembers what is wrong with them, so that all of it can be told at once.
// It never puts the value of a secret into a problem.
import { Failure } from '../model/failure.js'
import { redact } from '../observability/redact.js'
import type { Environment } from './connection-string.js'
import { parseDuration, parseSize } from './quantity.js'
import { acceptedText, variable, type VariableName } from './variables.js'

export class VariableReader {
  readonly problems: string[] = []
  readonly #env: Environment

  constructor(env: Environment) {
    this.#env = env
  }

  /** The text without blanks around it; a variable that is set to nothing counts as not set. */
  text(name: VariableName): string | undefined {
    const text = this.#env[name]?.trim()
    return text === '' ? undefined : text
  }

  /**
   * The parsed value, or of its default when it is not set; undefined when there is none of both, or when `parse`
   * returns undefined or throws a Failure, which becomes a problem.
   */
  value<T>(name: VariableName, parse: (text: string) => T | undefined): T | undefined {
    const text = this.text(name) ?? variable(name).default
    if (text === undefined) return undefined
    try {
      const value = parse(text)
      if (value === undefined) this.reject(name)
      return value
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      this.reject(name, error.message)
      return undefined
    }
  }

  choice<T extends string>(name: VariableName, choices: readonly T[]): T | undefined {
    return this.value(name, (text) => choices.find((choice) => choice === text))
  }

  flag(name: VariableName): boolean | undefined {
    return this.value(name, (text) => (text === 'true' ? true : text === 'false' ? false : undefined))
  }

  /** An integer as it is, a duration in milliseconds, a size in bytes; within the bounds of the table. */
  number(name: VariableName): number | undefined {
    const { kind } = variable(name)
    return this.value(name, (text) => {
      switch (kind.type) {
        case 'integer':
          return within(/^\d+$/.test(text) ? Number(text) : undefined, kind.min, kind.max)
        case 'duration':
          return within(parseDuration(text), kind.minMs, kind.maxMs)
        case 'size':
          return within(parseSize(text), kind.minBytes, kind.maxBytes)
        default:
          throw new TypeError(`${name} is not a number`)
      }
    })
  }

  /** Records that a variable is wrong: its name, its value unless secret, why if there is more to say, what is accepted. */
  reject(name: VariableName, why?: string): void {
    const { kind, secret } = variable(name)
    const text = this.text(name)
    const shown = text === undefined ? ' (not set)' : secret === true ? '' : `=${quote(text)}`
    this.problems.push(`${name}${shown}: ${why === undefined ? '' : `${why}; `}accepted: ${acceptedText(kind)}`)
  }
}

function within(value: number | undefined, min: number, max: number): number | undefined {
  return value !== undefined && value >= min && value <= max ? value : undefined
}

/** A connection string may have landed in the wrong variable. */
function quote(text: string): string {
  const shown = redact(text)
  return JSON.stringify(shown.length > 80 ? `${shown.slice(0, 80)}…` : shown)
}
