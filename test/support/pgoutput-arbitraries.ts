// Random sequences of pgoutput messages as a server could send them: whole transactions, every relation described before
// its first change, any mixture of text, binary, NULL and unchanged fields.
import fc from 'fast-check'
import type { Relation, ReplicaIdentity } from '../../internal/model/relation.js'
import { anyCharacter } from './any-character.js'
import { binary, NULL, text, UNCHANGED, type Field, type Message, type OldTuple } from './pgoutput-messages.js'

/** Types that nobody knows, so that no reader turns a text into something else. */
const UNKNOWN_TYPE = 70_000

/** No NUL, which no name and no text can hold, and no byte order mark, which TextDecoder swallows. */
const word = fc
  .string({ unit: anyCharacter, maxLength: 12 })
  .map((value) => Buffer.from(value.replaceAll(/[\0\uFEFF]/g, ''), 'utf8').toString('utf8'))

const oid = fc.integer({ min: 1, max: 0x7fff_ffff })
const lsn = fc.bigInt({ min: 1n, max: (1n << 64n) - 1n })
const micros = fc.bigInt({ min: -(2n ** 60n), max: 2n ** 61n })

export function relations(maxRelations: number): fc.Arbitrary<Relation[]> {
  const columns = fc
    .uniqueArray(word, { maxLength: 6 })
    .chain((names) =>
      fc.tuple(
        ...names.map((name) =>
          fc
            .tuple(
              fc.integer({ min: UNKNOWN_TYPE, max: UNKNOWN_TYPE + 50 }),
              fc.integer({ min: -1, max: 0x7fff_ffff }),
              fc.boolean(),
            )
            .map(([typeOid, typmod, isKey]) => ({ name, typeOid, typmod, isKey })),
        ),
      ),
    )
  const relation: fc.Arbitrary<Relation> = fc.record(
    {
      oid,
      schema: word.filter((name) => name !== ''),
      name: word,
      replicaIdentity: fc.constantFrom<ReplicaIdentity>('d', 'n', 'f', 'i'),
      columns,
    },
    { noNullPrototype: true },
  )
  return fc.uniqueArray(relation, { minLength: 1, maxLength: maxRelations, selector: (each) => each.oid })
}

const value: fc.Arbitrary<Field> = fc.oneof(
  { weight: 3, arbitrary: word.map(text) },
  { weight: 2, arbitrary: fc.uint8Array({ maxLength: 20 }).map((bytes) => binary(Buffer.from(bytes))) },
  { weight: 1, arbitrary: fc.constant(NULL) },
)
const newValue = fc.oneof({ weight: 5, arbitrary: value }, { weight: 1, arbitrary: fc.constant(UNCHANGED) })

function tupleOf(relation: Relation, field: fc.Arbitrary<Field>): fc.Arbitrary<Field[]> {
  return fc.tuple(...relation.columns.map(() => field))
}

function oldOf(relation: Relation): fc.Arbitrary<OldTuple> {
  const whole = tupleOf(relation, value).map((fields): OldTuple => ({ kind: 'O', fields }))
  const key = tupleOf(relation, value).map((fields): OldTuple => ({
    kind: 'K',
    fields: fields.map((field, k) => (relation.columns[k]!.isKey ? field : NULL)),
  }))
  return fc.oneof(whole, key)
}

/** A message inside a transaction. */
export function changes(all: readonly Relation[]): fc.Arbitrary<Message> {
  const ofRelation = fc.constantFrom(...all)
  return fc.oneof(
    {
      weight: 4,
      arbitrary: ofRelation.chain((relation) =>
        tupleOf(relation, value).map((fields): Message => ({ tag: 'insert', oid: relation.oid, new: fields })),
      ),
    },
    {
      weight: 4,
      arbitrary: ofRelation.chain((relation) =>
        fc
          .tuple(fc.option(oldOf(relation), { nil: undefined }), tupleOf(relation, newValue))
          .map(([old, fields]): Message => ({ tag: 'update', oid: relation.oid, old, new: fields })),
      ),
    },
    {
      weight: 3,
      arbitrary: ofRelation.chain((relation) =>
        oldOf(relation).map((old): Message => ({ tag: 'delete', oid: relation.oid, old })),
      ),
    },
    fc
      .tuple(fc.subarray([...all]), fc.integer({ min: 0, max: 3 }))
      .map(([some, flags]): Message => ({ tag: 'truncate', oids: some.map((relation) => relation.oid), flags })),
    ofRelation.map((relation): Message => ({ tag: 'relation', relation })),
    fc.tuple(oid, word, word).map(([typeOid, schema, name]): Message => ({ tag: 'type', oid: typeOid, schema, name })),
    fc.tuple(lsn, word).map(([at, name]): Message => ({ tag: 'origin', lsn: at, name })),
    logicalMessage(true),
  )
}

function logicalMessage(transactional: boolean): fc.Arbitrary<Message> {
  return fc.tuple(lsn, word, fc.uint8Array({ maxLength: 30 })).map(([at, prefix, content]): Message => ({
    tag: 'message',
    transactional,
    lsn: at,
    prefix,
    content: Buffer.from(content),
  }))
}

/** Transactions whose commits need not be in order; each may be empty. */
export function streams(): fc.Arbitrary<Message[]> {
  return relations(3).chain((all) => {
    const transaction = fc
      .tuple(lsn, fc.nat(1000), micros, fc.nat(0x7fff_ffff), fc.array(changes(all), { maxLength: 8 }))
      .map(([at, size, when, xid, inside]): Message[] => {
        const commitLsn = at > 2n ** 63n ? at - 1000n : at
        return [
          { tag: 'begin', commitLsn, micros: when, xid },
          ...inside,
          { tag: 'commit', commitLsn, endLsn: commitLsn + BigInt(size), micros: when },
        ]
      })
    const described = all.map((relation): Message => ({ tag: 'relation', relation }))
    return fc
      .array(
        fc.oneof(
          { weight: 5, arbitrary: transaction },
          logicalMessage(false).map((each) => [each]),
        ),
        {
          maxLength: 5,
        },
      )
      .map((pieces) => [...described, ...pieces.flat()])
  })
}
