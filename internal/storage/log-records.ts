// Plans, commits and the lake's identity as JSON, and back. Reading checks every field: a record that is cut or was changed
// by hand is an error that names the object, never a guess.
import type { Commit, CutParameters, DataFile, Plan } from '../model/batch-record.js'
import { Failure } from '../model/failure.js'
import { formatMicros, parseMicros } from '../model/instant.js'
import { formatLsn, parseLsn } from '../model/lsn.js'

/**
 * Format of the whole lake; a higher one in the bucket was written by a newer version. It also stands for every constant by
 * which BatchBuilder cuts rows into files and that no plan holds: one that changes needs a new format.
 */
export const LAKE_FORMAT = 1

export interface LakeIdentity {
  readonly systemIdentifier: string
  readonly database: string
  readonly slot: string
  readonly publication: string
}

type Json = Record<string, unknown>

export function encodePlan(plan: Plan): Buffer {
  return bytesOf(planFields(plan))
}

export function encodeCommit(commit: Commit): Buffer {
  return bytesOf({
    ...planFields(commit),
    end_lsn: formatLsn(commit.endLsn),
    timeline: commit.timeline,
    transactions: commit.transactions,
    rows: commit.rows,
    first_commit_ts: commit.firstCommitMicros === undefined ? null : formatMicros(commit.firstCommitMicros),
    last_commit_ts: commit.lastCommitMicros === undefined ? null : formatMicros(commit.lastCommitMicros),
    files: commit.files.map((file) => ({
      key: file.key,
      schema: file.schema,
      table: file.table,
      schema_version: file.schemaVersion,
      rows: file.rows,
      bytes: file.bytes,
      sha256: file.sha256,
    })),
  })
}

export function encodeIdentity(identity: LakeIdentity): Buffer {
  return bytesOf({
    format: LAKE_FORMAT,
    system_identifier: identity.systemIdentifier,
    database: identity.database,
    slot: identity.slot,
    publication: identity.publication,
  })
}

/** Throws Failure `unsafe` naming `key`. */
export function decodePlan(key: string, bytes: Buffer): Plan {
  return new RecordReader(key, bytes).plan()
}

/** Throws Failure `unsafe` naming `key`. */
export function decodeCommit(key: string, bytes: Buffer): Commit {
  const reader = new RecordReader(key, bytes)
  const first = reader.optionalText('first_commit_ts')
  const last = reader.optionalText('last_commit_ts')
  return {
    ...reader.plan(),
    endLsn: reader.lsn('end_lsn'),
    timeline: reader.count('timeline'),
    transactions: reader.count('transactions'),
    rows: reader.count('rows'),
    ...(first === undefined ? {} : { firstCommitMicros: reader.parsed('first_commit_ts', () => parseMicros(first)) }),
    ...(last === undefined ? {} : { lastCommitMicros: reader.parsed('last_commit_ts', () => parseMicros(last)) }),
    files: reader.list('files').map((file) => file.dataFile()),
  }
}

/** Throws Failure `unsafe` naming `key`. */
export function decodeIdentity(key: string, bytes: Buffer): LakeIdentity {
  const reader = new RecordReader(key, bytes)
  reader.checkFormat()
  return {
    systemIdentifier: reader.text('system_identifier'),
    database: reader.text('database'),
    slot: reader.text('slot'),
    publication: reader.text('publication'),
  }
}

function planFields(plan: Plan): Json {
  return {
    format: LAKE_FORMAT,
    batch: plan.batch,
    kind: plan.kind,
    from_lsn: formatLsn(plan.fromLsn),
    to_lsn: formatLsn(plan.toLsn),
    cut: {
      roll_bytes: plan.cut.rollBytes,
      target_file_bytes: plan.cut.targetFileBytes,
      tables: plan.cut.tables,
      exclude_tables: plan.cut.excludeTables,
    },
    writer: plan.writer,
    writer_version: plan.writerVersion,
  }
}

function bytesOf(fields: Json): Buffer {
  return Buffer.from(`${JSON.stringify(fields)}\n`, 'utf8')
}

class RecordReader {
  readonly #key: string
  readonly #fields: Json

  constructor(key: string, content: Buffer | Json) {
    this.#key = key
    const fields: unknown = Buffer.isBuffer(content)
      ? this.parsed('content', () => JSON.parse(content.toString('utf8')) as unknown)
      : content
    if (typeof fields !== 'object' || fields === null) throw this.#broken('content')
    this.#fields = fields as Json
  }

  checkFormat(): void {
    const format = this.count('format')
    if (format > LAKE_FORMAT)
      throw new Failure(
        'unsafe',
        `a newer version wrote this lake: ${this.#key} has format ${format}, this version knows ${LAKE_FORMAT}`,
        {
          hint: 'Run the newer version.',
        },
      )
  }

  plan(): Plan {
    this.checkFormat()
    const kind = this.text('kind')
    if (kind !== 'changes' && kind !== 'idle') throw this.#broken('kind')
    return {
      batch: this.count('batch'),
      kind,
      fromLsn: this.lsn('from_lsn'),
      toLsn: this.lsn('to_lsn'),
      cut: this.#nested('cut').cut(),
      writer: this.text('writer'),
      writerVersion: this.text('writer_version'),
    }
  }

  cut(): CutParameters {
    return {
      rollBytes: this.count('roll_bytes'),
      targetFileBytes: this.count('target_file_bytes'),
      tables: this.text('tables'),
      excludeTables: this.text('exclude_tables'),
    }
  }

  dataFile(): DataFile {
    return {
      key: this.text('key'),
      schema: this.text('schema'),
      table: this.text('table'),
      schemaVersion: this.count('schema_version'),
      rows: this.count('rows'),
      bytes: this.count('bytes'),
      sha256: this.text('sha256'),
    }
  }

  text(field: string): string {
    const value = this.#fields[field]
    if (typeof value !== 'string') throw this.#broken(field)
    return value
  }

  optionalText(field: string): string | undefined {
    return this.#fields[field] === null ? undefined : this.text(field)
  }

  count(field: string): number {
    const value = this.#fields[field]
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw this.#broken(field)
    return value
  }

  lsn(field: string): bigint {
    const text = this.text(field)
    return this.parsed(field, () => parseLsn(text))
  }

  list(field: string): RecordReader[] {
    const value = this.#fields[field]
    if (!Array.isArray(value)) throw this.#broken(field)
    return value.map((entry: unknown) => new RecordReader(this.#key, (entry ?? {}) as Json))
  }

  parsed<T>(field: string, parse: () => T): T {
    try {
      return parse()
    } catch (cause) {
      throw this.#broken(field, cause)
    }
  }

  #nested(field: string): RecordReader {
    const value = this.#fields[field]
    if (typeof value !== 'object' || value === null) throw this.#broken(field)
    return new RecordReader(this.#key, value as Json)
  }

  #broken(field: string, cause?: unknown): Failure {
    return new Failure('unsafe', `${this.#key} is damaged: its ${field} cannot be read`, {
      hint: 'The log is never changed once written. Restore this object from a backup or an older version of it.',
      ...(cause === undefined ? {} : { cause }),
    })
  }
}
