// Rows that no server would send: cut, with bytes changed, or made up. What is not a row of its table must end in a failure of
// the protocol, never in another error, an endless loop or memory for a length that is none.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Failure } from '../../../internal/model/failure.js'
import type { Relation } from '../../../internal/model/relation.js'
import { BuilderRun } from '../../support/builder-run.js'
import { columnOf, numericTypmod } from '../../support/builtin-types.js'
import {
  binary,
  encodeMessage,
  int32,
  int64,
  NULL,
  text,
  UNCHANGED,
  type Message,
} from '../../support/pgoutput-messages.js'

const OID = 5
const relation: Relation = {
  oid: OID,
  schema: 'public',
  name: 'orders',
  replicaIdentity: 'f',
  columns: [
    columnOf('id', 'int4', true),
    columnOf('v', 'text'),
    columnOf('l', '_int4'),
    columnOf('n', 'numeric', false, numericTypmod(12, 3)),
    columnOf('at', 'timestamptz', true),
    columnOf('b', 'bytea'),
    columnOf('j', 'jsonb'),
    columnOf('w', 'numeric'),
  ],
}
const inText = [
  text('1'),
  text('a text'),
  text('{1,NULL,3}'),
  text('-12.345'),
  text('2026-03-01 12:00:00+00'),
  text('\\x0102'),
  text('{"a":1}'),
  text('12'),
]
const inBinary = [
  binary(int32(7)),
  binary(Buffer.from('a text')),
  binary(Buffer.concat([1, 1, 23, 2, 1, 4, 1, -1].map(int32))),
  binary(Buffer.from('000200000000000400010002', 'hex')),
  binary(int64(12_345n)),
  binary(Buffer.from([1, 2, 3])),
  binary(Buffer.from('\u0001{}')),
  binary(Buffer.from('0001000000000000002a', 'hex')),
]
const key = inText.map((field, k) => (relation.columns[k]!.isKey ? field : NULL))
const rows: readonly Message[] = [
  { tag: 'insert', oid: OID, new: inText },
  { tag: 'insert', oid: OID, new: inBinary },
  { tag: 'insert', oid: OID, new: inText.map(() => NULL) },
  { tag: 'update', oid: OID, new: [inText[0]!, ...inText.slice(1).map(() => UNCHANGED)] },
  { tag: 'update', oid: OID, old: { kind: 'K', fields: key }, new: inBinary },
  { tag: 'update', oid: OID, old: { kind: 'O', fields: inBinary }, new: [UNCHANGED, ...inText.slice(1)] },
  { tag: 'delete', oid: OID, old: { kind: 'K', fields: key } },
  { tag: 'delete', oid: OID, old: { kind: 'O', fields: inText } },
]

async function begun(): Promise<BuilderRun> {
  const run = new BuilderRun()
  await run.feed({ tag: 'begin', commitLsn: 1n, micros: 0n, xid: 1 }, { tag: 'relation', relation })
  return run
}

/** An operator is told which message, of which transaction, and which of its bytes. */
function assertPlaced({ message: told }: Failure, message: Buffer): void {
  const found =
    /^pgoutput: message (.*) of (\d+) bytes, byte (\d+): .+, in the transaction that commits at 0\/1$/s.exec(told)
  assert.ok(found, told)
  const [, kind, length, byte] = found
  assert.ok(kind!.includes(message.length === 0 ? '(none)' : `0x${message[0]!.toString(16).padStart(2, '0')}`), told)
  assert.equal(Number(length), message.length)
  assert.ok(Number(byte) <= message.length, told)
}

/** `taken` or `refused`; anything else is a bug. */
async function outcomeOf(message: Buffer): Promise<'taken' | 'refused'> {
  const run = await begun()
  let outcome: 'taken' | 'refused' = 'taken'
  try {
    await run.feedBytes(message)
  } catch (error) {
    assert.ok(error instanceof Failure && error.kind === 'protocol', `${String(error)}: ${message.toString('hex')}`)
    assertPlaced(error, message)
    outcome = 'refused'
  }
  assert.ok(run.heldBytes < 1 << 20, `${run.heldBytes} bytes for a message of ${message.length}`)
  await run.builder.discard()
  assert.equal(run.heldBytes, 0)
  return outcome
}

test('the rows themselves are taken', async () => {
  for (const row of rows) assert.equal(await outcomeOf(encodeMessage(row)), 'taken', JSON.stringify(row))
})

test('G9: what is wrong with a row is told with its column and its byte, and without the value', async () => {
  const messageOf = async (row: Message): Promise<string> => {
    const run = await begun()
    const failure = await run.feed(row).then(
      () => assert.fail('taken'),
      (error: unknown) => error as Failure,
    )
    await run.builder.discard()
    return failure.message
  }
  const where = ', in the transaction that commits at 0/1'
  const wrongText = [...inText.slice(0, 3), text('12x34'), ...inText.slice(4)]
  // Kind, OID, kind of tuple, count; then a kind and a length before each value.
  const before =
    1 + 4 + 1 + 2 + inText.slice(0, 3).reduce((sum, field) => sum + 5 + ('bytes' in field ? field.bytes.length : 0), 0)
  assert.equal(
    await messageOf({ tag: 'insert', oid: OID, new: wrongText }),
    `pgoutput: message I (0x49) of ${encodeMessage({ tag: 'insert', oid: OID, new: wrongText }).length} bytes, byte ${before + 5}: ` +
      `public.orders, column n: the server sent bytes that are no value of type numeric: a digit was expected${where}`,
  )
  // The old row stands in _before, as text.
  const wrongBinary = [...inBinary.slice(0, 6), binary(Buffer.from('\u0007{}')), inBinary[7]!]
  const inOld = await messageOf({ tag: 'update', oid: OID, old: { kind: 'O', fields: wrongBinary }, new: inText })
  assert.match(
    inOld,
    /^pgoutput: message U \(0x55\) .* byte \d+: public\.orders, column j: .* jsonb: unknown version, in/,
  )
  const inKey = await messageOf({
    tag: 'update',
    oid: OID,
    old: { kind: 'K', fields: [text('x'), ...key.slice(1)] },
    new: inText,
  })
  assert.match(inKey, /column id: .* int4: a digit was expected/)
  const unknown = await messageOf({ tag: 'delete', oid: 77, old: { kind: 'K', fields: key } })
  assert.equal(
    unknown,
    `pgoutput: message D (0x44) of ${encodeMessage({ tag: 'delete', oid: 77, old: { kind: 'K', fields: key } }).length} bytes, byte 1: ` +
      `a change of relation 77, which was never described${where}`,
  )
})

test('G9: text that is not UTF-8 stops the stream, in a column, in _raw and in _before', async () => {
  const broken = Buffer.from('caf\xe9', 'latin1')
  for (const row of [
    { tag: 'insert', oid: OID, new: [inText[0]!, { kind: 'text', bytes: broken }, ...inText.slice(2)] },
    { tag: 'insert', oid: OID, new: [inBinary[0]!, binary(broken), ...inBinary.slice(2)] },
    {
      tag: 'update',
      oid: OID,
      old: { kind: 'O', fields: [inText[0]!, { kind: 'text', bytes: broken }, ...inText.slice(2)] },
      new: inText,
    },
    {
      tag: 'update',
      oid: OID,
      old: { kind: 'O', fields: [inBinary[0]!, binary(broken), ...inBinary.slice(2)] },
      new: inText,
    },
  ] as const)
    assert.equal(await outcomeOf(encodeMessage(row)), 'refused')
})

test('G9: a row cut anywhere, or with a byte too many, is refused', async () => {
  for (const row of rows) {
    const whole = encodeMessage(row)
    for (let length = 0; length < whole.length; length++)
      assert.equal(await outcomeOf(whole.subarray(0, length)), 'refused', `${row.tag} of ${length} bytes`)
    assert.equal(await outcomeOf(Buffer.concat([whole, Buffer.from('n')])), 'refused')
  }
})

test('G9: a field length that is negative, or reaches past the message, is refused at once', async () => {
  for (const row of rows) {
    const whole = encodeMessage(row)
    for (let at = 6; at + 5 <= whole.length; at++) {
      if (whole[at] !== 0x74 && whole[at] !== 0x62) continue
      for (const length of [-1, -5, -2_147_483_648, 0x7fff_ffff, whole.length, 1 << 30]) {
        const wrong = Buffer.from(whole)
        wrong.writeInt32BE(length, at + 1)
        // Where the byte was no field's kind the change may have hit a value.
        await outcomeOf(wrong)
      }
    }
    const first = whole.findIndex((byte, at) => at > 5 && (byte === 0x74 || byte === 0x62))
    if (first < 0) continue
    whole.writeInt32BE(0x7fff_ff00, first + 1)
    assert.equal(await outcomeOf(whole), 'refused')
  }
})

test('G9: every kind of tuple and field but those of the protocol is refused', async () => {
  const row = encodeMessage({ tag: 'insert', oid: OID, new: inText.map(() => NULL) })
  const old = encodeMessage({
    tag: 'update',
    oid: OID,
    old: { kind: 'O', fields: inText.map(() => NULL) },
    new: inText,
  })
  for (let byte = 0; byte < 256; byte++) {
    const letter = String.fromCharCode(byte)
    for (const [message, at, known] of [
      [row, 5, 'N'],
      [row, 8, 'nutb'],
      [old, 5, 'NKO'],
      [old, 8, 'nutb'],
    ] as const) {
      if (known.includes(letter)) continue
      const wrong = Buffer.from(message)
      wrong[at] = byte
      assert.equal(await outcomeOf(wrong), 'refused', `0x${byte.toString(16)} at ${at}`)
    }
  }
})

test('G9: a row does not pass for another kind of message, least of all for one that is skipped', async () => {
  for (const row of rows)
    for (const tag of 'YOMRTBC') {
      const wrong = encodeMessage(row)
      wrong.write(tag, 'latin1')
      assert.equal(await outcomeOf(wrong), 'refused', `${row.tag} as ${tag}`)
    }
})

test('G9: rows with random bytes in them are taken or refused, and nothing else', async () => {
  const edits = fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { minLength: 1, maxLength: 4 })
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...rows), edits, async (row, bytes) => {
      const wrong = encodeMessage(row)
      for (const [at, byte] of bytes) wrong[1 + (at % (wrong.length - 1))] = byte
      await outcomeOf(wrong)
    }),
    { numRuns: 1500 },
  )
})

test('G9: random bytes behind the head of a row are taken or refused, and nothing else', async () => {
  const tail = fc.array(
    fc.oneof(
      fc
        .constantFrom('n', 'u', 't\0\0\0\u0001', 'b\0\0\0\u0004', 'N\0\u0008', 'K\0\u0008', 'O\0\u0008')
        .map((part) => Buffer.from(part, 'latin1')),
      fc.uint8Array({ maxLength: 6 }),
    ),
    { maxLength: 25 },
  )
  await fc.assert(
    fc.asyncProperty(fc.constantFrom('I', 'U', 'D'), tail, async (tag, parts) => {
      await outcomeOf(Buffer.concat([Buffer.from(tag), int32(OID), ...parts]))
    }),
    { numRuns: 1000 },
  )
})
