// The pgoutput decoder against an independent parser, the one of pg-logical-replication, and against messages that no
// server would send.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { PgoutputPlugin } from 'pg-logical-replication'
import { Failure } from '../../../internal/model/failure.js'
import type { Relation } from '../../../internal/model/relation.js'
import { PgoutputDecoder, POSTGRES_EPOCH_MICROS } from '../../../internal/replication/pgoutput-decoder.js'
import { streams } from '../../support/pgoutput-arbitraries.js'
import * as pg from '../../support/pgoutput-messages.js'
import { encodeMessage, letter, tuple, type Field, type Message, type Tuple } from '../../support/pgoutput-messages.js'
import { RecordingSink, type Recorded } from '../../support/recording-sink.js'

/** Decodes the message in the middle of a larger buffer, as it lies in the receive buffer. */
function decodeAmong(decoder: PgoutputDecoder, message: Buffer): void {
  const noise = Buffer.from('B\x00\x00\x00\x01n\x00u\x00N', 'latin1')
  const buffer = Buffer.concat([noise, message, noise])
  assert.equal(decoder.decode(buffer, noise.length, noise.length + message.length), undefined)
  buffer.fill(0xee)
}

function decodeAll(messages: readonly Buffer[]): Recorded[] {
  const sink = new RecordingSink()
  const decoder = new PgoutputDecoder(sink)
  for (const message of messages) decodeAmong(decoder, message)
  return sink.recorded
}

/** What the decoder hands on of a message; undefined for one that carries no row. */
function expectedOf(message: Message): Recorded | undefined {
  switch (message.tag) {
    case 'begin':
    case 'relation':
      return message
    case 'commit':
      return { tag: 'commit', commitLsn: message.commitLsn, endLsn: message.endLsn }
    case 'truncate':
      return { tag: 'truncate', oids: message.oids }
    case 'insert':
      return { tag: 'insert', oid: message.oid, tuples: Buffer.concat([letter('N'), tuple(message.new)]) }
    case 'update': {
      const old = message.old === undefined ? [] : [letter(message.old.kind), tuple(message.old.fields)]
      const tuples = Buffer.concat([...old, letter('N'), tuple(message.new)])
      return { tag: 'update', oid: message.oid, tuples }
    }
    case 'delete':
      return {
        tag: 'delete',
        oid: message.oid,
        tuples: Buffer.concat([letter(message.old.kind), tuple(message.old.fields)]),
      }
    case 'type':
    case 'origin':
    case 'message':
      return undefined
    default:
      return message satisfies never
  }
}

test('any stream is handed on message by message, as it was sent', () => {
  fc.assert(
    fc.property(streams(), (messages) => {
      const expected = messages.map(expectedOf).filter((event) => event !== undefined)
      assert.deepStrictEqual(decodeAll(messages.map(encodeMessage)), expected)
    }),
    { numRuns: 400 },
  )
})

/** Its OIDs and xids are signed and its zero LSN is null: the streams hold neither. */
function oracleView(parsed: ReturnType<PgoutputPlugin['parse']>): unknown {
  switch (parsed.tag) {
    case 'begin':
      return ['begin', parsed.commitLsn, parsed.commitTime, parsed.xid]
    case 'commit':
      return ['commit', parsed.commitLsn, parsed.commitEndLsn]
    case 'relation':
      return [
        'relation',
        parsed.relationOid,
        parsed.schema,
        parsed.name,
        parsed.replicaIdentity[0],
        parsed.columns.map((column) => [column.name, column.typeOid, column.typeMod, (column.flags & 1) === 1]),
      ]
    case 'insert':
      return ['insert', parsed.relation.relationOid, entries(parsed.new)]
    case 'update':
      return ['update', parsed.relation.relationOid, entries(parsed.key), entries(parsed.old), entries(parsed.new)]
    case 'delete':
      return ['delete', parsed.relation.relationOid, entries(parsed.key), entries(parsed.old)]
    case 'truncate':
      return ['truncate', parsed.relations.map((relation) => relation.relationOid)]
    default:
      return undefined
  }
}

function entries(row: Readonly<Record<string, unknown>> | null): unknown {
  if (row === null) return null
  return Object.entries(row).map(([name, value]) => [
    name,
    value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value,
  ])
}

const EPOCH = 946_684_800_000_000n

/** What was recorded, in the oracle's words. */
function ourView(event: Recorded, relations: Map<number, Relation>): unknown {
  const lsn = (value: bigint): string =>
    value
      .toString(16)
      .toUpperCase()
      .padStart(16, '0')
      .replace(/^(.{8})/, '$1/')
  switch (event.tag) {
    case 'begin':
      // It reads times before 2000 as unsigned.
      return ['begin', lsn(event.commitLsn), BigInt.asUintN(64, event.micros - EPOCH) + EPOCH, event.xid]
    case 'commit':
      return ['commit', lsn(event.commitLsn), lsn(event.endLsn)]
    case 'relation': {
      const { oid, schema, name, replicaIdentity, columns } = event.relation
      relations.set(oid, event.relation)
      const shape = columns.map((column) => [column.name, column.typeOid, column.typmod, column.isKey])
      return ['relation', oid, schema, name, replicaIdentity, shape]
    }
    case 'truncate':
      return ['truncate', event.oids]
    case 'keepalive':
      return undefined
    default:
      return rowView(event.tag, relations.get(event.oid)!, event.tuples)
  }
}

function rowView(tag: string, relation: Relation, tuples: Buffer): unknown {
  const found = new Map<string, unknown[]>()
  let old: unknown[] | undefined
  for (let at = 0; at < tuples.length;) {
    const kind = String.fromCharCode(tuples[at]!)
    const { values, end } = readTuple(tuples, at + 1, relation, kind === 'N' ? old : undefined)
    if (kind === 'O') old = values
    found.set(kind, values)
    at = end
  }
  const named = (kind: string): unknown => {
    const values = found.get(kind)
    if (values === undefined) return null
    const pairs = relation.columns.map((column, k) => [column.name, values[k]] as const)
    // Of a key the oracle gives the key's columns only, and none of them NULL. Numeric names come first in its objects.
    const shown = kind === 'K' ? pairs.filter((_, k) => relation.columns[k]!.isKey) : pairs
    const row = Object.create(null) as Record<string, unknown>
    for (const [name, value] of shown) row[name] = kind === 'K' && value === null ? undefined : value
    return Object.entries(row)
  }
  const parts = { insert: ['N'], update: ['K', 'O', 'N'], delete: ['K', 'O'] }[tag]!
  return [tag, relation.oid, ...parts.map(named)]
}

function readTuple(bytes: Buffer, start: number, relation: Relation, old: unknown[] | undefined) {
  let at = start + 2
  const values = relation.columns.map((_, k): unknown => {
    const kind = String.fromCharCode(bytes[at++]!)
    if (kind === 'n') return null
    if (kind === 'u') return old?.[k]
    const length = bytes.readInt32BE(at)
    const value = bytes.subarray(at + 4, (at += 4 + length))
    return kind === 't' ? value.toString('utf8') : value.toString('hex')
  })
  return { values, end: at }
}

test('an independent parser reads the same out of any stream', () => {
  fc.assert(
    fc.property(streams(), (messages) => {
      const oracle = new PgoutputPlugin({ protoVersion: 1, publicationNames: [] })
      const encoded = messages.map(encodeMessage)
      const theirs = encoded.map((bytes) => oracleView(oracle.parse(bytes))).filter((view) => view !== undefined)
      const relations = new Map<number, Relation>()
      assert.deepEqual(
        decodeAll(encoded).map((event) => ourView(event, relations)),
        theirs,
      )
    }),
    { numRuns: 300 },
  )
})

const table: Relation = {
  oid: 4_000_000_000,
  schema: 'public',
  name: 'orders',
  replicaIdentity: 'd',
  columns: [{ name: 'id', typeOid: 23, typmod: -1, isKey: true }],
}
const begin: Message = { tag: 'begin', commitLsn: 500n, micros: 0n, xid: 0xffff_fffe }
const commit: Message = { tag: 'commit', commitLsn: 500n, endLsn: 520n, micros: 0n }
const insert = (...fields: Field[]): Message => ({ tag: 'insert', oid: table.oid, new: fields })

test('OIDs and transaction ids are unsigned, and a zero LSN is a zero', () => {
  const events = decodeAll(
    [{ ...begin, commitLsn: 0n }, { tag: 'relation', relation: table } as const, insert(pg.text('1'))].map(
      encodeMessage,
    ),
  )
  assert.deepStrictEqual(events[0], { tag: 'begin', commitLsn: 0n, micros: 0n, xid: 0xffff_fffe })
  assert.deepStrictEqual(events[1], { tag: 'relation', relation: table })
  assert.equal((events[2] as { oid: number }).oid, 4_000_000_000)
})

test('the epoch is that of PostgreSQL, 2000-01-01 UTC', () => {
  assert.equal(POSTGRES_EPOCH_MICROS, BigInt(Date.parse('2000-01-01T00:00:00Z')) * 1000n)
  const raw = encodeMessage(begin)
  raw.writeBigInt64BE(0n, 9)
  assert.deepStrictEqual(decodeAll([raw])[0], { ...begin, micros: 946_684_800_000_000n })
})

test('an empty schema name is pg_catalog', () => {
  const relation = { ...table, schema: 'pg_catalog' }
  assert.deepStrictEqual(decodeAll([encodeMessage({ tag: 'relation', relation })]), [{ tag: 'relation', relation }])
})

function protocolFailure(...messages: readonly (Message | Buffer)[]): Failure {
  let failure: unknown
  try {
    decodeAll(messages.map((message) => (Buffer.isBuffer(message) ? message : encodeMessage(message))))
  } catch (error) {
    failure = error
  }
  assert.ok(failure instanceof Failure && failure.kind === 'protocol', `not a protocol failure: ${String(failure)}`)
  return failure
}

test('G9: every tag but the ten of the protocol stops the stream, with the byte and the position', () => {
  const known = 'IUDBCRTYOM'
  for (let tag = 0; tag < 256; tag++) {
    if (known.includes(String.fromCharCode(tag))) continue
    const unknown = Buffer.concat([Buffer.from([tag]), Buffer.alloc(40)])
    const { message } = protocolFailure(begin, unknown)
    assert.ok(message.includes(`0x${tag.toString(16).padStart(2, '0')}`) && message.includes('0/1F4'), message)
  }
  protocolFailure(Buffer.alloc(0))
})

test('G9: an unknown replica identity stops the stream', () => {
  const bytes = encodeMessage({ tag: 'relation', relation: table })
  bytes[bytes.indexOf('d\0\u0001')] = 0x78
  protocolFailure(bytes)
})

test('G9: a transaction begins once, ends as it began, and holds every row', () => {
  assert.match(protocolFailure(begin, begin).message, /Begin inside/)
  assert.match(protocolFailure(commit).message, /does not match its Begin/)
  assert.match(protocolFailure(begin, { ...commit, commitLsn: 501n }).message, /does not match its Begin/)
  assert.match(protocolFailure(begin, { ...commit, endLsn: 499n }).message, /does not match its Begin/)
  assert.match(protocolFailure(begin, commit, commit).message, /does not match its Begin/)
  const rows: Message[] = [
    insert(pg.NULL),
    { tag: 'update', oid: 1, new: [] },
    { tag: 'delete', oid: 1, old: { kind: 'K', fields: [] } },
    { tag: 'truncate', oids: [1], flags: 0 },
  ]
  for (const row of rows) {
    assert.match(protocolFailure(row).message, /outside a transaction, between transactions/)
    assert.match(protocolFailure(begin, commit, row).message, /outside a transaction/)
  }
})

test('G9: what stops the stream is named: the message, the position that it was sent with, the byte', () => {
  const decoder = new PgoutputDecoder(new RecordingSink())
  const head = Buffer.concat([pg.letter('w'), pg.int64(0x2_0000_0010n), pg.int64(0n), pg.int64(0n)])
  const decode = (message: Buffer): void =>
    void decoder.decode(Buffer.concat([head, message]), head.length, head.length + message.length, 1)
  assert.throws(() => decode(encodeMessage(commit)), {
    message: /^pgoutput: message C \(0x43\) of 26 bytes sent at 2\/10, byte 2: .*, between transactions$/,
  })
  decode(encodeMessage(begin))
  assert.throws(() => decode(encodeMessage({ tag: 'relation', relation: table }).subarray(0, 19)), {
    message:
      'pgoutput: message R (0x52) of 19 bytes sent at 2/10, byte 19: cut off, in the transaction that commits at 0/1F4',
  })
  assert.throws(() => decode(Buffer.alloc(0)), {
    message: /^pgoutput: message \(none\) of 0 bytes sent at 2\/10, byte 0: empty/,
  })
  // Of several messages for one WAL record only the last has its position.
  head.fill(0, 1, 9)
  assert.throws(() => decode(Buffer.from('?')), {
    message: /^pgoutput: message 0x3f of 1 bytes, byte 0: unknown kind of message, in /,
  })
})

test('a message of another program passes anywhere and is no row', () => {
  const message: Message = { tag: 'message', transactional: false, lsn: 9n, prefix: 'p', content: Buffer.from('BCI') }
  const seen = decodeAll([message, begin, message, commit, message].map(encodeMessage)).map((event) => event.tag)
  assert.deepEqual(seen, ['begin', 'commit'])
})

test('G9: a message that is cut or has bytes too many is never read as a whole one', () => {
  const fields: Tuple = [pg.text('abc'), pg.binary(Buffer.from([1, 2, 3])), pg.NULL]
  const messages: Message[] = [
    begin,
    commit,
    { tag: 'relation', relation: table },
    { tag: 'truncate', oids: [7, 8, 9], flags: 0 },
  ]
  for (const message of messages) {
    const whole = encodeMessage(message)
    const before = message.tag === 'begin' || message.tag === 'relation' ? [] : [encodeMessage(begin)]
    for (let length = 0; length < whole.length; length++) protocolFailure(...before, whole.subarray(0, length))
    protocolFailure(...before, Buffer.concat([whole, Buffer.from([0])]))
  }
  // Of a row the decoder reads the head; the tuple's end is the table writer's to check.
  const row = encodeMessage({ tag: 'insert', oid: 1, new: fields })
  for (let length = 1; length < 6; length++) protocolFailure(begin, row.subarray(0, length))
})

test('G9: bytes that are no message end in a failure of the protocol or in a row, never in another error', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array({ minLength: 1, maxLength: 60 }),
        fc
          .tuple(fc.constantFrom(...Array.from('IUDBCRTYOM')), fc.uint8Array({ maxLength: 60 }))
          .map(([tag, rest]) => Buffer.concat([letter(tag), rest])),
      ),
      fc.boolean(),
      (bytes, inTransaction) => {
        const before = inTransaction ? [encodeMessage(begin)] : []
        try {
          decodeAll([...before, Buffer.from(bytes)])
        } catch (error) {
          assert.ok(error instanceof Failure && error.kind === 'protocol', String(error))
        }
      },
    ),
    { numRuns: 3000 },
  )
})

test('an error of the sink passes through as it is', () => {
  const sink = new RecordingSink()
  const failure = new Failure('fenced', 'x')
  sink.pause = () => {
    throw failure
  }
  assert.throws(
    () => decodeAmong(new PgoutputDecoder(sink), encodeMessage(begin)),
    (error) => error === failure,
  )
})
