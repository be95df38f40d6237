// pgoutput, protocol version 1: cuts a message into its fields and hands it to the sink; tuples stay bytes. Anything unknown
// stops the stream with the byte and the position (G9); nothing is skipped but what carries no row.
// https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html
import { BadBytes } from '../model/bad-bytes.js'
import type { ChangeSink, Pause } from '../model/change-sink.js'
import { Failure } from '../model/failure.js'
import { formatLsn, type Lsn } from '../model/lsn.js'
import type { Relation, RelationColumn, ReplicaIdentity } from '../model/relation.js'

/** 2000-01-01 UTC, PostgreSQL's epoch, in microseconds since 1970. */
export const POSTGRES_EPOCH_MICROS = 946_684_800_000_000n

const BEGIN_BYTES = 21
const COMMIT_BYTES = 26

export class PgoutputDecoder {
  readonly #sink: ChangeSink
  /** Commit LSN of the open transaction. */
  #open: Lsn | undefined

  constructor(sink: ChangeSink) {
    this.#sink = sink
  }

  get inTransaction(): boolean {
    return this.#open !== undefined
  }

  /**
   * Decodes the message `buffer[at, end)`. `lsnAt`: where the position that it was sent with stands in the buffer. Throws
   * Failure `protocol`, which tells the message, its position, and the byte.
   */
  decode(buffer: Buffer, at: number, end: number, lsnAt?: number): Pause {
    try {
      return this.#decode(buffer, at, end)
    } catch (error) {
      if (!(error instanceof Failure) || error.kind !== 'protocol') throw error
      throw this.#broken(messageName(buffer, at, end, lsnAt), at, error)
    }
  }

  #decode(buffer: Buffer, at: number, end: number): Pause {
    if (at >= end) throw new BadBytes(at, 'empty')
    const kind = buffer[at]!
    switch (kind) {
      case 0x49: // I
        this.#needsRow(at, end)
        return this.#sink.insert(buffer.readUInt32BE(at + 1), buffer, at + 5, end)
      case 0x55: // U
        this.#needsRow(at, end)
        return this.#sink.update(buffer.readUInt32BE(at + 1), buffer, at + 5, end)
      case 0x44: // D
        this.#needsRow(at, end)
        return this.#sink.delete(buffer.readUInt32BE(at + 1), buffer, at + 5, end)
      case 0x42: // B
        return this.#begin(buffer, at, end)
      case 0x43: // C
        return this.#commit(buffer, at, end)
      case 0x52: // R
        return this.#sink.relation(this.#relation(buffer, at, end))
      case 0x54: // T
        this.#needsTransaction(at)
        return this.#sink.truncate(relationOids(buffer, at, end))
      case 0x59: // Y: a type's name; the catalogue tells more
      case 0x4f: // O: where a transaction first came from
      case 0x4d: // M: a logical message, which is no row
        requireNoRow(new FieldReader(buffer, at + 1, end), kind)
        return undefined
      default:
        throw new BadBytes(at, 'unknown kind of message')
    }
  }

  #begin(buffer: Buffer, at: number, end: number): Pause {
    requireBytes(at, end, BEGIN_BYTES)
    if (this.#open !== undefined) throw new BadBytes(at, 'Begin inside a transaction')
    const commitLsn = buffer.readBigUInt64BE(at + 1)
    this.#open = commitLsn
    return this.#sink.begin(
      commitLsn,
      buffer.readBigInt64BE(at + 9) + POSTGRES_EPOCH_MICROS,
      buffer.readUInt32BE(at + 17),
    )
  }

  #commit(buffer: Buffer, at: number, end: number): Pause {
    requireBytes(at, end, COMMIT_BYTES)
    const commitLsn = buffer.readBigUInt64BE(at + 2)
    const endLsn = buffer.readBigUInt64BE(at + 10)
    if (this.#open !== commitLsn || endLsn < commitLsn)
      throw new BadBytes(at + 2, `Commit at ${formatLsn(commitLsn)} does not match its Begin`)
    this.#open = undefined
    return this.#sink.commit(commitLsn, endLsn)
  }

  #relation(buffer: Buffer, at: number, end: number): Relation {
    const reader = new FieldReader(buffer, at + 1, end)
    const oid = reader.uint32()
    const schema = reader.text()
    const name = reader.text()
    const identityAt = reader.at
    const replicaIdentity = String.fromCharCode(reader.byte())
    if (!'dnfi'.includes(replicaIdentity))
      throw new BadBytes(identityAt, `unknown replica identity ${JSON.stringify(replicaIdentity)}`)
    const columns: RelationColumn[] = []
    for (let count = reader.uint16(); count > 0; count--) {
      const isKey = (reader.byte() & 1) === 1
      columns.push({ name: reader.text(), typeOid: reader.uint32(), typmod: reader.int32(), isKey })
    }
    reader.finish()
    // pg_catalog is sent as the empty schema name.
    return {
      oid,
      schema: schema === '' ? 'pg_catalog' : schema,
      name,
      replicaIdentity: replicaIdentity as ReplicaIdentity,
      columns,
    }
  }

  #needsRow(at: number, end: number): void {
    this.#needsTransaction(at)
    if (end - at < 6) throw new BadBytes(end, 'no tuple')
  }

  #needsTransaction(at: number): void {
    if (this.#open === undefined) throw new BadBytes(at, 'outside a transaction')
  }

  #broken(message: string, at: number, problem: Failure): Failure {
    const byte = problem instanceof BadBytes ? `, byte ${problem.at - at}` : ''
    const where =
      this.#open === undefined ? 'between transactions' : `in the transaction that commits at ${formatLsn(this.#open)}`
    return new Failure('protocol', `pgoutput: ${message}${byte}: ${problem.message}, ${where}`, {
      hint: 'Nothing was skipped: the slot still holds this transaction. Please report it with the server version.',
      cause: problem,
    })
  }
}

function messageName(buffer: Buffer, at: number, end: number, lsnAt: number | undefined): string {
  const lsn = lsnAt === undefined || at > end ? 0n : buffer.readBigUInt64BE(lsnAt)
  // Of several messages that one WAL record makes only the last is sent with its position.
  const name = `message ${at < end ? letter(buffer[at]!) : '(none)'} of ${Math.max(end - at, 0)} bytes`
  return lsn === 0n ? name : `${name} sent at ${formatLsn(lsn)}`
}

function letter(kind: number): string {
  const hex = `0x${kind.toString(16).padStart(2, '0')}`
  return kind > 0x40 && kind < 0x5b ? `${String.fromCharCode(kind)} (${hex})` : hex
}

/** What lies behind a message in the receive buffer is another one: it must not be read as its rest. */
function requireBytes(at: number, end: number, expected: number): void {
  if (end - at !== expected) throw new BadBytes(Math.min(end, at + expected), `not ${expected} bytes`)
}

/** `at` at the kind byte of a Truncate message. */
function relationOids(buffer: Buffer, at: number, end: number): number[] {
  if (end - at < 6) throw new BadBytes(end, 'no list of relations')
  const count = buffer.readUInt32BE(at + 1)
  requireBytes(at, end, 6 + count * 4)
  return Array.from({ length: count }, (_, index) => buffer.readUInt32BE(at + 6 + index * 4))
}

/** Nothing else may pass for a message that is skipped. */
function requireNoRow(reader: FieldReader, kind: number): void {
  if (kind === 0x59) reader.skip(4)
  else reader.skip(kind === 0x4f ? 8 : 9)
  reader.text()
  if (kind === 0x59) reader.text()
  else if (kind === 0x4d) reader.skip(reader.uint32())
  reader.finish()
}

class FieldReader {
  readonly #buffer: Buffer
  readonly #end: number
  at: number

  constructor(buffer: Buffer, at: number, end: number) {
    this.#buffer = buffer
    this.at = at
    this.#end = end
  }

  byte(): number {
    return this.#buffer.readUInt8(this.#step(1))
  }

  uint16(): number {
    return this.#buffer.readUInt16BE(this.#step(2))
  }

  uint32(): number {
    return this.#buffer.readUInt32BE(this.#step(4))
  }

  int32(): number {
    return this.#buffer.readInt32BE(this.#step(4))
  }

  skip(bytes: number): void {
    this.#step(bytes)
  }

  text(): string {
    const stop = this.#buffer.indexOf(0, this.at)
    if (stop < 0 || stop >= this.#end) throw new BadBytes(this.at, 'text without an end')
    const text = this.#buffer.toString('utf8', this.at, stop)
    this.at = stop + 1
    return text
  }

  finish(): void {
    if (this.at !== this.#end) throw new BadBytes(this.at, 'bytes behind the last field')
  }

  #step(bytes: number): number {
    const at = this.at
    if (at + bytes > this.#end) throw new BadBytes(at, 'cut off')
    this.at += bytes
    return at
  }
}
