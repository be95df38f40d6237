// Rows of tables with columns that are left out or hashed: in both forms, old rows, values that were not sent, and what they count
// for where files are cut.
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import { Failure } from '../../../internal/model/failure.js'
import type { Relation, ReplicaIdentity } from '../../../internal/model/relation.js'
import type { HiddenColumns } from '../../../internal/transform/table-layout.js'
import { ValueHash } from '../../../internal/transform/values/value-hash.js'
import { allRows, BuilderRun, type Row } from '../../support/builder-run.js'
import { columnOf } from '../../support/builtin-types.js'
import {
  binary,
  int32,
  NULL,
  text,
  transaction,
  UNCHANGED,
  type Field,
  type Message,
} from '../../support/pgoutput-messages.js'

const SALT = 'a salt of a test'
const hash = new ValueHash(SALT)
const hmac = (value: string): string => createHmac('sha256', SALT).update(value).digest('hex')

const hidden: HiddenColumns = { rules: ['clear', 'excluded', 'hashed', 'hashed', 'excluded', 'clear'], hash }

function table(replicaIdentity: ReplicaIdentity): Relation {
  const isKey = replicaIdentity === 'f'
  const columns = [
    columnOf('id', 'int4', true),
    columnOf('x1', 'text', isKey),
    columnOf('h1', 'int4', isKey),
    columnOf('h2', 'timestamptz', isKey),
    columnOf('x2', 'tsvector', isKey),
    columnOf('last', 'text', isKey),
  ]
  return { oid: 9, schema: 'public', name: 't', replicaIdentity, columns }
}

const insert = (...fields: Field[]): Message => ({ tag: 'insert', oid: 9, new: fields })

async function run(
  relation: Relation,
  changes: readonly Message[],
  textColumns: 'string' | 'bytes' = 'string',
): Promise<BuilderRun> {
  const builder = new BuilderRun({ hides: () => hidden, textColumns })
  await builder.feed(...transaction(8n, 0n, { tag: 'relation', relation }, ...changes))
  builder.builder.stop()
  return builder
}

async function rowsOf(relation: Relation, ...changes: Message[]): Promise<Row[]> {
  return allRows((await run(relation, changes)).closed)
}

const infinity = Buffer.concat([int32(0x7fff_ffff), int32(-1)])

test('hidden columns: text and binary give the same hashes, and what is left out is not looked at', async () => {
  const rows = await rowsOf(
    table('d'),
    insert(text('1'), text('x'), text('-7'), text('infinity'), text("'x':1"), text('y')),
    // Neither a type that is only known in text nor bytes that are no value matter where the column is left out.
    insert(
      binary(int32(1)),
      binary(Buffer.from([0xff])),
      binary(int32(-7)),
      binary(infinity),
      binary(infinity),
      text('y'),
    ),
    insert(text('2'), NULL, NULL, NULL, NULL, NULL),
    insert(text('3'), UNCHANGED, UNCHANGED, text(''), UNCHANGED, UNCHANGED),
  )
  const shown = rows.map(({ _op, _lsn, _seq, _xid, _commit_ts, _before, ...row }) => row)
  const first = { id: 1, h1: hmac('-7'), h2: hmac('infinity'), last: 'y', _unchanged: null, _raw: null }
  assert.deepEqual(shown, [
    first,
    first,
    { id: 2, h1: null, h2: null, last: null, _unchanged: null, _raw: null },
    { id: 3, h1: null, h2: hmac(''), last: null, _unchanged: '["h1","last"]', _raw: null },
  ])
})

test('hidden columns: the old row has the hashes and lacks what is left out, and fills what was not sent', async () => {
  const old = [text('1'), text('x'), text('-7'), binary(infinity), text('x'), NULL]
  const rows = await rowsOf(
    table('f'),
    {
      tag: 'update',
      oid: 9,
      old: { kind: 'O', fields: old },
      new: [text('1'), UNCHANGED, UNCHANGED, UNCHANGED, UNCHANGED, UNCHANGED],
    },
    { tag: 'delete', oid: 9, old: { kind: 'O', fields: old } },
  )
  for (const row of rows) {
    assert.deepEqual([row.id, row.h1, row.h2], [1, hmac('-7'), hmac('infinity')])
    assert.equal(row._before, JSON.stringify({ id: '1', h1: hmac('-7'), h2: hmac('infinity'), last: null }))
  }
  assert.equal(rows[0]!._unchanged, '["last"]')
})

test('hidden columns: what is left out counts for nothing, and a hash for its 64 digits', async () => {
  const bytesOf = async (x: string, h: string): Promise<number> => {
    const { closed } = await run(table('d'), [insert(text('1'), text(x), text(h), NULL, NULL, NULL)])
    return closed[0]!.files[0]!.file.valueBytes
  }
  const least = await bytesOf('', '')
  // More than a page.
  assert.equal(await bytesOf('x'.repeat(3 << 20), 'h'.repeat(3 << 20)), least)
  const { closed } = await run(table('d'), [insert(text('1'), NULL, NULL, NULL, NULL, NULL)])
  assert.equal(least - closed[0]!.files[0]!.file.valueBytes, 64)
})

test('hidden columns: a table of which every column is left out', async () => {
  const rules = table('f').columns.map(() => 'excluded' as const)
  const builder = new BuilderRun({ hides: () => ({ rules, hash: undefined }) })
  const fields = table('f').columns.map(() => text('x'))
  await builder.feed(
    ...transaction(8n, 0n, { tag: 'relation', relation: table('f') }, insert(...fields), {
      tag: 'delete',
      oid: 9,
      old: { kind: 'O', fields },
    }),
  )
  builder.builder.stop()
  assert.deepEqual(
    (await allRows(builder.closed)).map(({ _op, _before, _raw }) => [_op, _before, _raw]),
    [
      ['I', null, null],
      ['D', null, null],
    ],
  )
})

test('hidden columns: a database that promises no encoding sends what is hashed as text, and its bytes are hashed', async () => {
  await assert.rejects(
    run(table('d'), [insert(binary(int32(1)), NULL, binary(int32(7)), NULL, NULL, NULL)], 'bytes'),
    (error) => error instanceof Failure && error.kind === 'needs_text' && error.message.includes('public.t.h1'),
  )
  const bytes = Buffer.from([0xff, 0x41])
  const { closed } = await run(
    table('d'),
    [insert(text('1'), NULL, { kind: 'text', bytes }, NULL, NULL, NULL)],
    'bytes',
  )
  const [row] = await allRows(closed)
  assert.equal(row!.h1, createHmac('sha256', SALT).update(bytes).digest('hex'))
})

test('hidden columns: the schema record tells hashes and their salt, and nothing of what is left out', async () => {
  const { registered } = await run(table('d'), [])
  assert.deepEqual(
    registered[0]!.schema.columns.map(({ name, type, parquet, hashed }) => [name, type, parquet, hashed]),
    [
      ['id', 'int4', 'INT32 int32', undefined],
      ['h1', 'int4', 'BYTE_ARRAY string', hash.fingerprint],
      ['h2', 'timestamptz', 'BYTE_ARRAY string', hash.fingerprint],
      ['last', 'text', 'BYTE_ARRAY string', undefined],
    ],
  )
  assert.notEqual(new ValueHash(`${SALT}.`).fingerprint, hash.fingerprint)
  assert.equal(new ValueHash(SALT).fingerprint, hash.fingerprint)
})
