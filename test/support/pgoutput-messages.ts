// pgoutput messages of protocol version 1 as the server sends them, encoded from plain values and from the documentation
// alone (https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html), never from the product's code.
import type { Relation } from '../../internal/model/relation.js'

export type Field =
  { readonly kind: 'null' | 'unchanged' } | { readonly kind: 'text' | 'binary'; readonly bytes: Buffer }

export type Tuple = readonly Field[]

/** `K`: the key's columns, NULL in all others. `O`: the whole old row. */
export interface OldTuple {
  readonly kind: 'K' | 'O'
  readonly fields: Tuple
}

/** Times are microseconds since 1970, UTC. */
export type Message =
  | { readonly tag: 'begin'; readonly commitLsn: bigint; readonly micros: bigint; readonly xid: number }
  | { readonly tag: 'commit'; readonly commitLsn: bigint; readonly endLsn: bigint; readonly micros: bigint }
  | { readonly tag: 'relation'; readonly relation: Relation }
  | { readonly tag: 'type'; readonly oid: number; readonly schema: string; readonly name: string }
  | { readonly tag: 'origin'; readonly lsn: bigint; readonly name: string }
  | { readonly tag: 'insert'; readonly oid: number; readonly new: Tuple }
  | { readonly tag: 'update'; readonly oid: number; readonly old?: OldTuple | undefined; readonly new: Tuple }
  | { readonly tag: 'delete'; readonly oid: number; readonly old: OldTuple }
  | { readonly tag: 'truncate'; readonly oids: readonly number[]; readonly flags: number }
  | {
      readonly tag: 'message'
      readonly transactional: boolean
      readonly lsn: bigint
      readonly prefix: string
      readonly content: Buffer
    }

export const NULL: Field = { kind: 'null' }
export const UNCHANGED: Field = { kind: 'unchanged' }

export function text(value: string): Field {
  return { kind: 'text', bytes: Buffer.from(value, 'utf8') }
}

export function binary(bytes: Buffer): Field {
  return { kind: 'binary', bytes }
}

/** A whole transaction; it ends 8 bytes behind its commit record. */
export function transaction(commitLsn: bigint, micros: bigint, ...inside: readonly Message[]): Message[] {
  return [
    { tag: 'begin', commitLsn, micros, xid: Number(commitLsn & 0xffff_ffffn) },
    ...inside,
    { tag: 'commit', commitLsn, endLsn: commitLsn + 8n, micros },
  ]
}

/** 2000-01-01 in microseconds since 1970. */
const POSTGRES_EPOCH = BigInt(Date.UTC(2000, 0, 1)) * 1000n

export function encodeMessage(message: Message): Buffer {
  switch (message.tag) {
    case 'begin':
      return Buffer.concat([letter('B'), int64(message.commitLsn), time(message.micros), int32(message.xid)])
    case 'commit':
      return Buffer.concat([
        letter('C'),
        int8(0),
        int64(message.commitLsn),
        int64(message.endLsn),
        time(message.micros),
      ])
    case 'relation':
      return relationMessage(message.relation)
    case 'type':
      return Buffer.concat([letter('Y'), int32(message.oid), cString(message.schema), cString(message.name)])
    case 'origin':
      return Buffer.concat([letter('O'), int64(message.lsn), cString(message.name)])
    case 'insert':
      return Buffer.concat([letter('I'), int32(message.oid), letter('N'), tuple(message.new)])
    case 'update': {
      const old = message.old === undefined ? [] : [letter(message.old.kind), tuple(message.old.fields)]
      return Buffer.concat([letter('U'), int32(message.oid), ...old, letter('N'), tuple(message.new)])
    }
    case 'delete':
      return Buffer.concat([letter('D'), int32(message.oid), letter(message.old.kind), tuple(message.old.fields)])
    case 'truncate':
      return Buffer.concat([
        letter('T'),
        int32(message.oids.length),
        int8(message.flags),
        ...message.oids.map((oid) => int32(oid)),
      ])
    case 'message':
      return Buffer.concat([
        letter('M'),
        int8(message.transactional ? 1 : 0),
        int64(message.lsn),
        cString(message.prefix),
        int32(message.content.length),
        message.content,
      ])
    default:
      return message satisfies never
  }
}

function relationMessage(relation: Relation): Buffer {
  return Buffer.concat([
    letter('R'),
    int32(relation.oid),
    cString(relation.schema === 'pg_catalog' ? '' : relation.schema),
    cString(relation.name),
    letter(relation.replicaIdentity),
    int16(relation.columns.length),
    ...relation.columns.flatMap((column) => [
      int8(column.isKey ? 1 : 0),
      cString(column.name),
      int32(column.typeOid),
      int32(column.typmod),
    ]),
  ])
}

export function tuple(fields: Tuple): Buffer {
  return Buffer.concat([int16(fields.length), ...fields.flatMap(fieldParts)])
}

function fieldParts(field: Field): Buffer[] {
  switch (field.kind) {
    case 'null':
      return [letter('n')]
    case 'unchanged':
      return [letter('u')]
    case 'text':
    case 'binary':
      return [letter(field.kind === 'text' ? 't' : 'b'), int32(field.bytes.length), field.bytes]
    default:
      return field satisfies never
  }
}

/** The server's XLogData frame around a message. */
export function xlogData(startLsn: bigint, message: Buffer): Buffer {
  return Buffer.concat([letter('w'), int64(startLsn), int64(startLsn), int64(0n), message])
}

/** The server's keepalive. */
export function primaryKeepalive(position: bigint, replyRequested: boolean): Buffer {
  return Buffer.concat([letter('k'), int64(position), int64(0n), int8(replyRequested ? 1 : 0)])
}

export function letter(value: string): Buffer {
  return Buffer.from(value, 'latin1')
}

export function int8(value: number): Buffer {
  return Buffer.from([value])
}

export function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16BE(value)
  return bytes
}

/** Signed and unsigned alike. */
export function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value >>> 0)
  return bytes
}

export function int64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(BigInt.asUintN(64, value))
  return bytes
}

export function cString(value: string): Buffer {
  return Buffer.from(`${value}\0`, 'utf8')
}

function time(micros: bigint): Buffer {
  return int64(micros - POSTGRES_EPOCH)
}
