// From messages to rows, as the contract says them: operations, key changes, old rows, unchanged values, and values that no
// column can hold. What is asked of the files is asked of hyparquet.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Failure } from '../../../internal/model/failure.js'
import type { Relation, RelationColumn, ReplicaIdentity } from '../../../internal/model/relation.js'
import { allRows, BuilderRun, type Row } from '../../support/builder-run.js'
import { columnOf, numericTypmod } from '../../support/builtin-types.js'
import {
  binary,
  int32,
  int64,
  NULL,
  text,
  transaction,
  UNCHANGED,
  type Field,
  type Message,
} from '../../support/pgoutput-messages.js'

const OID = 16_384
/** 2026-03-01 12:00 UTC. */
const NOON = 1_772_366_400_000_000n
const LSN = 0x16_b374_d848n

function table(columns: readonly RelationColumn[], replicaIdentity: ReplicaIdentity = 'd'): Relation {
  return { oid: OID, schema: 'public', name: 'orders', replicaIdentity, columns }
}
const orders = table([columnOf('id', 'int4', true), columnOf('name', 'text'), columnOf('note', 'text')])
const full = table(
  orders.columns.map((column) => ({ ...column, isKey: true })),
  'f',
)

const insert = (...fields: Field[]): Message => ({ tag: 'insert', oid: OID, new: fields })
const update = (fields: readonly Field[], kind?: 'K' | 'O', old: readonly Field[] = []): Message => ({
  tag: 'update',
  oid: OID,
  old: kind && { kind, fields: old },
  new: fields,
})
const remove = (kind: 'K' | 'O', ...old: Field[]): Message => ({ tag: 'delete', oid: OID, old: { kind, fields: old } })

/** Rows of one transaction at LSN. */
async function rowsOfChanges(relation: Relation, ...changes: Message[]): Promise<Row[]> {
  const run = new BuilderRun()
  await run.feed(...transaction(LSN, NOON, { tag: 'relation', relation }, ...changes))
  run.builder.stop()
  return allRows(run.closed)
}

const META = {
  _lsn: LSN,
  _xid: 0xb374_d848n,
  _commit_ts: NOON,
  _unchanged: null,
  _before: null,
  _raw: null,
}

test('an insert, an update, a delete and a truncate are a row each, in their order', async () => {
  const rows = await rowsOfChanges(
    orders,
    insert(text('1'), text('Zoë'), NULL),
    update([text('1'), text(''), text('x')]),
    remove('K', text('1'), NULL, NULL),
    { tag: 'truncate', oids: [OID], flags: 0 },
  )
  assert.deepStrictEqual(rows, [
    { id: 1, name: 'Zoë', note: null, _op: 'I', ...META, _seq: 0n },
    { id: 1, name: '', note: 'x', _op: 'U', ...META, _seq: 1n },
    { id: 1, name: null, note: null, _op: 'D', ...META, _seq: 2n },
    { id: null, name: null, note: null, _op: 'T', ...META, _seq: 3n },
  ])
})

test('binary fields give the same rows as text', async () => {
  const relation = table([
    columnOf('id', 'int8', true),
    columnOf('n', 'int4'),
    columnOf('at', 'timestamptz'),
    columnOf('t', 'text'),
    columnOf('l', '_int4'),
  ])
  const asText = insert(text('-2'), text('7'), text('2026-03-01 12:00:00.5+00'), text('é'), text('{1,NULL}'))
  const array = Buffer.concat([1, 1, 23, 2, 1, 4, 1, -1].map(int32))
  const micros = NOON + 500_000n - 946_684_800_000_000n
  const asBinary = insert(
    binary(int64(-2n)),
    binary(int32(7)),
    binary(int64(micros)),
    binary(Buffer.from('é')),
    binary(array),
  )
  const [first, second] = await rowsOfChanges(relation, asText, asBinary)
  assert.deepStrictEqual({ ...second, _seq: 0n }, first)
  assert.deepStrictEqual(
    [first!.id, first!.n, first!.at, first!.t, first!.l],
    [-2n, 7, NOON + 500_000n, 'é', [1, null]],
  )
})

test('G4: text and binary count the same bytes, so a replay in the other form is cut in the same places', async () => {
  const columns = [
    columnOf('id', 'int8', true),
    columnOf('n', 'int4', true),
    columnOf('at', 'timestamptz', true),
    columnOf('t', 'text', true),
    columnOf('l', '_int4', true),
    columnOf('p', 'numeric', true),
    columnOf('u', 'uuid', true),
    columnOf('b', 'bytea', true),
  ]
  const uuid = '0123456789abcdef0123456789abcdef'
  const inText = [
    text('-2'),
    text('7'),
    text('infinity'),
    text('é'),
    text('{1,NULL}'),
    text('42'),
    text(uuid.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')),
    text('\\x00ff'),
  ]
  const inBinary = [
    binary(int64(-2n)),
    binary(int32(7)),
    binary(Buffer.concat([int32(0x7fff_ffff), int32(-1)])),
    binary(Buffer.from('é')),
    binary(Buffer.concat([1, 1, 23, 2, 1, 4, 1, -1].map(int32))),
    binary(Buffer.from('0001000000000000002a', 'hex')),
    binary(Buffer.from(uuid, 'hex')),
    binary(Buffer.from([0, 255])),
  ]
  const run = async (fields: readonly Field[]): Promise<readonly [number, Row[]]> => {
    const builder = new BuilderRun()
    const changes = [insert(...fields), update(fields, 'O', fields), remove('O', ...fields)]
    await builder.feed(...transaction(LSN, NOON, { tag: 'relation', relation: table(columns, 'f') }, ...changes))
    builder.builder.stop()
    return [builder.closed[0]!.files[0]!.file.valueBytes, await allRows(builder.closed)]
  }
  assert.deepStrictEqual(await run(inBinary), await run(inText))
})

test('a changed key is a D of the old key and then a U of the new row, each with its own place', async () => {
  const rows = await rowsOfChanges(
    orders,
    update([text('2'), text('b'), text('n')], 'K', [text('1'), NULL, NULL]),
    insert(text('3'), NULL, NULL),
  )
  assert.deepStrictEqual(
    rows.map((row) => [row._op, row._seq, row.id, row.name, row.note]),
    [
      ['D', 0n, 1, null, null],
      ['U', 1n, 2, 'b', 'n'],
      ['I', 2n, 3, null, null],
    ],
  )
})

test('a key that was sent but did not change is a plain U', async () => {
  // The server sends the key also where a column of it is stored out of line.
  const keyed = table([columnOf('id', 'text', true), columnOf('second', 'text', true), columnOf('name', 'text')], 'i')
  const rows = await rowsOfChanges(
    keyed,
    update([text('a'), text('b'), text('x')], 'K', [text('a'), text('b'), NULL]),
    update([text('a'), UNCHANGED, text('x')], 'K', [text('a'), text('b'), NULL]),
    update([text('a'), text('c'), text('x')], 'K', [text('a'), text('b'), NULL]),
    update([text('a'), NULL, text('x')], 'K', [text('a'), text('b'), NULL]),
    update([text('a'), text('b'), text('x')], 'K', [text('a'), NULL, NULL]),
  )
  assert.deepStrictEqual(
    rows.map((row) => [row._op, row._seq, row.id, row.second, row._unchanged]),
    [
      ['U', 0n, 'a', 'b', null],
      ['U', 1n, 'a', 'b', null],
      ['D', 2n, 'a', 'b', null],
      ['U', 3n, 'a', 'c', null],
      ['D', 4n, 'a', 'b', null],
      ['U', 5n, 'a', null, null],
      ['D', 6n, 'a', null, null],
      ['U', 7n, 'a', 'b', null],
    ],
    'an unchanged key column is filled from the key tuple',
  )
})

test('what stands beside the key in a key tuple is no value', async () => {
  const [row] = await rowsOfChanges(orders, remove('K', text('1'), text('placeholder'), text('placeholder')))
  assert.deepStrictEqual([row!.id, row!.name, row!.note, row!._before], [1, null, null, null])
})

test('G7: an unchanged value that the server did not send is NULL and named in _unchanged', async () => {
  const rows = await rowsOfChanges(
    orders,
    update([text('1'), UNCHANGED, UNCHANGED]),
    update([text('1'), text('x'), UNCHANGED]),
    update([text('1'), NULL, text('y')]),
    update([text('2'), UNCHANGED, text('y')], 'K', [text('1'), NULL, NULL]),
  )
  assert.deepStrictEqual(
    rows.map((row) => [row._op, row.name, row.note, row._unchanged]),
    [
      ['U', null, null, '["name","note"]'],
      ['U', 'x', null, '["note"]'],
      ['U', null, 'y', null],
      ['D', null, null, null],
      ['U', null, 'y', '["name"]'],
    ],
  )
})

test('G7: under FULL an unchanged value is filled from the old row, and the old row stands whole in _before', async () => {
  const rows = await rowsOfChanges(
    full,
    update([text('1'), UNCHANGED, text('n2')], 'O', [text('1'), text('toasted "x"\n\u0001'), NULL]),
    update([text('2'), text('b'), NULL], 'O', [text('1'), text('a'), text('n')]),
    remove('O', text('2'), text('b'), NULL),
  )
  assert.deepStrictEqual(
    rows.map((row) => [row._op, row._seq, row.id, row.name, row.note, row._unchanged]),
    [
      ['U', 0n, 1, 'toasted "x"\n\u0001', 'n2', null],
      ['U', 1n, 2, 'b', null, null],
      ['D', 2n, 2, 'b', null, null],
    ],
  )
  assert.deepStrictEqual(
    rows.map((row) => JSON.parse(row._before as string) as unknown),
    [
      { id: '1', name: 'toasted "x"\n\u0001', note: null },
      { id: '1', name: 'a', note: 'n' },
      { id: '2', name: 'b', note: null },
    ],
  )
})

test('the old row is in text form, whatever form it came in', async () => {
  const relation = table(
    [columnOf('id', 'int4', true), columnOf('f', 'float8', true), columnOf('b', 'bool', true)],
    'f',
  )
  const float = Buffer.alloc(8)
  float.writeDoubleBE(0.1)
  const [row] = await rowsOfChanges(relation, remove('O', binary(int32(-5)), binary(float), binary(Buffer.from([1]))))
  assert.deepEqual(JSON.parse(row!._before as string), { id: '-5', f: '0.1', b: 't' })
})

const odd = table([
  columnOf('id', 'int4', true),
  columnOf('at', 'timestamptz'),
  columnOf('price', 'numeric', false, numericTypmod(10, 2)),
  columnOf('day', 'date'),
  columnOf('l', '_int4'),
])

test('G8: a value that its column cannot hold is kept as text in _raw, and the column is NULL', async () => {
  const rows = await rowsOfChanges(
    odd,
    insert(text('1'), text('infinity'), text('NaN'), text('-infinity'), text('{{1,2},{3,4}}')),
    insert(text('2'), text('2026-03-01 12:00:00+00'), text('12.34'), text('1969-12-31'), text('{1,2}')),
    insert(text('3'), NULL, text('NaN'), NULL, NULL),
    remove('K', text('1'), NULL, NULL, NULL, NULL),
  )
  assert.deepStrictEqual(
    rows.map((row) => [row.id, row.at, row.price, row.day, row.l]),
    [
      [1, null, null, null, null],
      [2, NOON, 1234n, -1, [1, 2]],
      [3, null, null, null, null],
      [1, null, null, null, null],
    ],
  )
  assert.deepStrictEqual(
    rows.map((row) => (row._raw === null ? null : (JSON.parse(row._raw as string) as unknown))),
    [{ at: 'infinity', price: 'NaN', day: '-infinity', l: '{{1,2},{3,4}}' }, null, { price: 'NaN' }, null],
  )
})

test('G8: binary values that no column holds are kept in the same text', async () => {
  const infinity = Buffer.concat([int32(0x7fff_ffff), int32(-1)])
  const nan = Buffer.from('00000000c0000000', 'hex')
  const [row] = await rowsOfChanges(
    odd,
    insert(binary(int32(1)), binary(infinity), binary(nan), binary(int32(0x7fff_ffff)), NULL),
  )
  assert.deepEqual(JSON.parse(row!._raw as string), { at: 'infinity', price: 'NaN', day: 'infinity' })
})

test('G8: a value filled from the old row that its column cannot hold goes to _raw too, as does a key`s', async () => {
  const relation = table([columnOf('id', 'timestamptz', true), columnOf('v', 'text', true)], 'f')
  const [filled] = await rowsOfChanges(relation, update([UNCHANGED, text('x')], 'O', [text('infinity'), text('y')]))
  assert.deepStrictEqual([filled!.id, filled!._raw, filled!._unchanged], [null, '{"id":"infinity"}', null])
  const keyed = table([columnOf('id', 'timestamptz', true), columnOf('v', 'text')])
  const [deleted] = await rowsOfChanges(keyed, remove('K', text('infinity'), NULL))
  assert.deepStrictEqual([deleted!._op, deleted!.id, deleted!._raw], ['D', null, '{"id":"infinity"}'])
})

test('a column named like one of ours keeps its name, and ours gets another underscore', async () => {
  const relation = table([
    columnOf('id', 'int4', true),
    columnOf('_op', 'text'),
    columnOf('_LSN', 'text'),
    columnOf('__lsn', 'text'),
  ])
  const [row] = await rowsOfChanges(relation, insert(text('1'), text('mine'), text('also'), text('too')))
  assert.deepStrictEqual(
    [row!._op, row!.__op, row!._LSN, row!.__lsn, row!.___lsn, row!._seq],
    ['mine', 'I', 'also', 'too', LSN, 0n],
  )
})

test('columns that differ only in case are told apart by a number, also in the columns that name columns', async () => {
  const relation = table([columnOf('id', 'int4', true), columnOf('Id', 'timestamptz'), columnOf('ID', 'text')])
  const [row] = await rowsOfChanges(relation, update([text('1'), text('infinity'), UNCHANGED]))
  assert.deepStrictEqual([row!.id, row!.Id__2, row!.ID__3], [1, null, null])
  assert.deepStrictEqual([row!._raw, row!._unchanged], ['{"Id__2":"infinity"}', '["ID__3"]'])
})

test('a table without a column has rows too', async () => {
  const rows = await rowsOfChanges(table([], 'f'), insert(), update([], 'O', []), remove('O'), {
    tag: 'truncate',
    oids: [OID],
    flags: 0,
  })
  assert.deepStrictEqual(
    rows.map((row) => [row._op, row._seq, row._before]),
    [
      ['I', 0n, null],
      ['U', 1n, null],
      ['D', 2n, null],
      ['T', 3n, null],
    ],
  )
})

test('transaction ids and LSNs above 2^31 and 2^63 are what they are', async () => {
  const run = new BuilderRun()
  const commitLsn = 0x7fff_ffff_ffff_0000n
  await run.feed(
    { tag: 'begin', commitLsn, micros: -1n, xid: 0xffff_ffff },
    { tag: 'relation', relation: orders },
    insert(text('1'), NULL, NULL),
    { tag: 'commit', commitLsn, endLsn: commitLsn + 1n, micros: -1n },
  )
  run.builder.stop()
  const [row] = await allRows(run.closed)
  assert.deepStrictEqual([row!._lsn, row!._xid, row!._commit_ts], [commitLsn, 0xffff_ffffn, -1n])
  assert.equal(run.closed[0]!.files[0]!.file.date, '1969-12-31')
})

test('G9: a row that is no row of its table stops the stream, and is never written', async () => {
  const wrong: Message[] = [
    insert(text('1'), NULL),
    insert(text('1'), NULL, NULL, NULL),
    insert(text('x'), NULL, NULL),
    { tag: 'delete', oid: OID, old: { kind: 'N' as 'K', fields: [text('1'), NULL, NULL] } },
    {
      tag: 'update',
      oid: OID,
      old: { kind: 'X' as 'K', fields: [text('1'), NULL, NULL] },
      new: [text('1'), NULL, NULL],
    },
    { tag: 'insert', oid: 99, new: [] },
  ]
  for (const [k, change] of wrong.entries()) {
    await assert.rejects(
      rowsOfChanges(orders, change),
      (error) => error instanceof Failure && error.kind === 'protocol' && !error.message.includes("'x'"),
      `case ${k}`,
    )
  }
})
