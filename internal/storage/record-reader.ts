// Fields of the JSON records in the bucket, read with suspicion: a record that is cut or was changed by hand is an error
// that names the object and the field, never a guess.
import { Failure } from '../model/failure.js'
import { parseMicros } from '../model/instant.js'
import { parseLsn, type Lsn } from '../model/lsn.js'

/**
 * Format of the whole lake; a higher one in the bucket was written by a newer version. It also stands for every constant by
 * which BatchBuilder cuts rows into files and that no plan holds: one that changes needs a new format.
 */
export const LAKE_FORMAT = 1

export type Json = Record<string, unknown>

/** Every method throws Failure `unsafe` naming the key. */
export class RecordReader {
  readonly #key: string
  readonly #fields: Json

  /** `content`: the object's bytes, or an object inside such a record. */
  constructor(key: string, content: Buffer | Json) {
    this.#key = key
    const fields: unknown = Buffer.isBuffer(content)
      ? this.#parsed('content', () => JSON.parse(content.toString('utf8')) as unknown)
      : content
    if (typeof fields !== 'object' || fields === null) throw this.broken('content')
    this.#fields = fields as Json
  }

  checkFormat(): void {
    const format = this.count('format')
    if (format > LAKE_FORMAT)
      throw new Failure(
        'unsafe',
        `a newer version wrote this lake: ${this.#key} has format ${format}, this version knows ${LAKE_FORMAT}`,
        { hint: 'Run the newer version.' },
      )
  }

  text(field: string): string {
    const value = this.#fields[field]
    if (typeof value !== 'string') throw this.broken(field)
    return value
  }

  oneOf<Word extends string>(field: string, words: readonly Word[]): Word {
    const text = this.text(field)
    const word = words.find((known) => known === text)
    if (word === undefined) throw this.broken(field)
    return word
  }

  count(field: string): number {
    const value = this.integer(field)
    if (value < 0) throw this.broken(field)
    return value
  }

  /** Of either sign. */
  integer(field: string): number {
    const value = this.#fields[field]
    if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw this.broken(field)
    return value
  }

  /** Of 64 bits, in decimal digits. */
  unsigned(field: string): bigint {
    const text = this.text(field)
    if (!/^\d{1,20}$/.test(text)) throw this.broken(field)
    return BigInt(text)
  }

  flag(field: string): boolean {
    const value = this.#fields[field]
    if (typeof value !== 'boolean') throw this.broken(field)
    return value
  }

  lsn(field: string): Lsn {
    const text = this.text(field)
    return this.#parsed(field, () => parseLsn(text))
  }

  /** Microseconds since 1970. */
  micros(field: string): bigint {
    const text = this.text(field)
    return this.#parsed(field, () => parseMicros(text))
  }

  /** Neither null nor absent. */
  has(field: string): boolean {
    return this.#fields[field] !== null && this.#fields[field] !== undefined
  }

  list(field: string): RecordReader[] {
    const value = this.#fields[field]
    if (!Array.isArray(value)) throw this.broken(field)
    return value.map((entry: unknown) => new RecordReader(this.#key, (entry ?? {}) as Json))
  }

  nested(field: string): RecordReader {
    const value = this.#fields[field]
    if (typeof value !== 'object' || value === null) throw this.broken(field)
    return new RecordReader(this.#key, value as Json)
  }

  broken(field: string, cause?: unknown): Failure {
    return new Failure('unsafe', `${this.#key} is damaged: its ${field} cannot be read`, {
      hint: 'The log is never changed once written. Restore this object from a backup or an older version of it.',
      ...(cause === undefined ? {} : { cause }),
    })
  }

  #parsed<T>(field: string, parse: () => T): T {
    try {
      return parse()
    } catch (cause) {
      throw this.broken(field, cause)
    }
  }
}

/** As the records are written: one line of JSON. */
export function bytesOfRecord(fields: Json): Buffer {
  return Buffer.from(`${JSON.stringify({ format: LAKE_FORMAT, ...fields })}\n`, 'utf8')
}
