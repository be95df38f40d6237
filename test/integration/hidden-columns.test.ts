// Columns that are left out, and columns of which only hashes come into the lake: streamed in binary and in text, copied, in old
// rows, where a column could not hold the value and where the server did not send it. What was planted is nowhere.
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import pg from 'pg'
import { copied, copying, endInOrder } from '../support/copies.js'
import type { Row } from '../support/lake.js'
import { assertNowhere } from '../support/planted.js'
import { startPostgres } from '../support/postgres.js'
import { makeRig, type Env, type Rig } from '../support/rig.js'
import { serverSource } from '../support/server-source.js'
import { runVerb } from '../support/service.js'
import { major } from '../support/table-kind.js'

const SALT = 'a salt that is l0ng enough'
const PLANTED = 'pl4nted'

const hidden: Env = {
  EXCLUDE_COLUMNS: 'public.h.x_*,public.big.x_big',
  HASH_COLUMNS: 'public.h.h_*,public."Odd ""t"."k.1",*.big.h_big',
  HASH_SALT: SALT,
  LOG_LEVEL: 'trace',
}

/** Of each type a column that is hashed and one that is left out, and what is planted in both, in two ways. */
const types = [
  ['text', `'${PLANTED} é'`, `'${PLANTED} again'`],
  ['varchar(40)', `'${PLANTED} v'`, 'NULL'],
  ['char(20)', `'${PLANTED} c'`, `''`],
  ['timestamptz', `'infinity'`, `'2024-02-29 12:00:00.5+02'`],
  ['timestamp', `'-infinity'`, `'2024-02-29 12:00:00'`],
  ['date', `'infinity'`, `'0044-03-15 BC'`],
  ['numeric', `918273645.5500`, `'NaN'`],
  ['numeric(12,2)', `918273645.55`, `'NaN'`],
  ['int4', `918273645`, 'NULL'],
  ['int8', `-918273645918273645`, `0`],
  ['float8', `918273645.5`, `'-0'`],
  ['float4', `0.1`, `'Infinity'`],
  ['bool', `true`, `false`],
  ['bytea', `'${PLANTED}'::bytea`, `''`],
  ['uuid', `'918273645-9182-7364-5918-273645918273'`.replace('918273645-', '91827364-'), 'NULL'],
  ['jsonb', `'{"b": "${PLANTED}", "a": [1.50]}'`, `'1e400'`],
  ['json', `'{"b":  "${PLANTED}"}'`, `'null'`],
  ['interval', `'918273645 days 04:05:06.789'`, `'-1 year'`],
  ['text[]', `ARRAY['${PLANTED}', NULL, 'a "b"']`, `'{{${PLANTED}},{y}}'`],
  ['numeric(12,2)[]', `ARRAY[918273645.55, 'NaN']`, `'{}'`],
  ['timestamptz[]', `ARRAY['infinity'::timestamptz]`, `'[0:1]={2024-02-29,infinity}'`],
  ['int4range', `'[1,918273645)'`, `'empty'`],
  ['inet', `'91.82.73.64/8'`, 'NULL'],
  ['"char"', `'p'`, `''`],
] as const
const COMPOSITE = ['pair', `ROW('${PLANTED}', 918273645)`, `ROW(NULL, NULL)`] as const
const FORBIDDEN = [PLANTED, '918273645', '91827364', '91.82.73.64']

for (const mode of ['binary', 'text'] as const)
  test(`hidden columns: streamed in ${mode}, copied, and in old rows`, async (t) => {
    const rig = await makeRig(t, { lake: 'folder' })
    const { source, lake } = rig
    const columns = mode === 'text' ? [...types, COMPOSITE] : types
    await createTables(rig, columns)
    const insert = async (id: number): Promise<void> => {
      for (const [k, choice] of [1, 2, undefined].entries()) {
        const values = columns.map((column) => (choice === undefined ? 'NULL' : column[choice]))
        await source.query(`INSERT INTO h VALUES (${id + k}, 'seen', ${values.map((v) => `${v}, ${v}`).join(', ')})`)
      }
    }
    await insert(1)
    const service = await rig.stream({ ...hidden, ...copying })
    if ((await major(rig)) >= 14) assert.equal(service.logged('streaming')[0]?.mode, mode)
    await copied(rig, service, ['h'])
    await insert(4)
    const printed = columns.map((_, k) => `printed(h_${k}) AS h_${k}`)
    const expected = await source.query<Row>(`SELECT id, ${printed.join(', ')} FROM h ORDER BY id`)
    await source.query(`UPDATE h SET note = 'later', h_0 = 'other' WHERE id = 4`)
    await source.query('DELETE FROM h WHERE id >= 4')
    await endInOrder(rig, service)

    const rows = await lake.rows('public.h')
    const of = (op: string): Row[] => rows.filter(({ _op }) => _op === op).sort((a, b) => Number(a.id) - Number(b.id))
    const hashes = expected.map((row) => hashed(row, columns.length))
    assert.deepEqual([...of('S'), ...of('I')].map(shownColumns), hashes)
    const [update] = of('U')
    assert.deepEqual(shownColumns(update!), { ...hashes[3]!, h_0: hmac('other') })
    assert.deepEqual(withoutNote(update!._before), { ...hashes[3]!, id: '4' })
    assert.deepEqual(
      of('D').map(({ _before }) => withoutNote(_before)),
      hashes.slice(3).map((row) => ({ ...row, id: String(row.id), ...(row.id === 4 ? { h_0: hmac('other') } : {}) })),
    )
    for (const row of rows) assert.deepEqual([row._raw, row._unchanged], [null, null], 'every value has a hash')
    assert.ok((await assertNowhere(lake, service.lines, FORBIDDEN)) > 300)
    await checkSchemas(rig, columns.length)
    await rig.dropSlot()
  })

test('hidden columns: large values that were not sent, keys, and names with dots and quotes', async (t) => {
  const rig = await makeRig(t, { lake: 'folder' })
  const { source, lake } = rig
  await createTables(rig, [])
  await source.query(`CREATE TABLE "Odd ""t" ("k.1" text PRIMARY KEY, v int)`)
  const service = await rig.stream(hidden)
  const large = `repeat('${PLANTED}', 200000)`
  await source.query(`INSERT INTO big VALUES (1, 'a', ${large}, ${large})`)
  await source.query(`UPDATE big SET note = 'b'`)
  await source.query(`INSERT INTO "Odd ""t" VALUES ('${PLANTED} k', 1)`)
  await source.query(`UPDATE "Odd ""t" SET "k.1" = '${PLANTED} l'`)
  await source.query(`DELETE FROM "Odd ""t"`)
  await endInOrder(rig, service)
  const big = await lake.rows('public.big')
  assert.deepEqual(
    big.map(({ _op, h_big, _unchanged, x_big }) => [_op, h_big, _unchanged, x_big]),
    [
      ['I', hmac(PLANTED.repeat(200_000)), null, undefined],
      ['U', null, '["h_big"]', undefined],
    ],
  )
  const [k, l] = [hmac(`${PLANTED} k`), hmac(`${PLANTED} l`)]
  assert.deepEqual(
    (await lake.rows('public.Odd "t')).map((row) => [row._op, row['k.1']]),
    [
      ['I', k],
      ['D', k],
      ['U', l],
      ['D', l],
    ],
  )
  await assertNowhere(lake, service.lines, FORBIDDEN)
  await rig.dropSlot()
})

test('hidden columns: in clear, hashed, under another salt, and in clear again', async (t) => {
  const rig = await makeRig(t, { lake: 'folder' })
  const { source, lake } = rig
  await source.query('CREATE TABLE u (id int PRIMARY KEY, email text, other int)')
  const hash = { HASH_COLUMNS: 'public.u.email' }
  const settings: Env[] = [
    {},
    { ...hash, HASH_SALT: SALT },
    { ...hash, HASH_SALT: `${SALT} 2` },
    { ...hash, HASH_SALT: SALT, EXCLUDE_COLUMNS: '*.*.other' },
    { EXCLUDE_COLUMNS: 'public.u.email' },
    {},
  ]
  for (const [k, env] of settings.entries()) {
    const service = await rig.stream(env)
    await source.query(`INSERT INTO u VALUES (${k}, '${k}@x', ${k})`)
    await endInOrder(rig, service)
  }
  const rows = await lake.rows('public.u')
  assert.deepEqual(
    rows.map(({ id, email, email__hashed, email__hashed__2, other }) => [
      ...[id, email, email__hashed, email__hashed__2, other],
    ]),
    [
      [0, '0@x', null, null, 0],
      [1, null, hmac('1@x'), null, 1],
      [2, null, null, hmac('2@x', `${SALT} 2`), 2],
      [3, null, hmac('3@x'), null, null],
      [4, null, null, null, 4],
      [5, '5@x', null, null, 5],
    ],
  )
  const versions = await schemaRecords(rig, 'public.u')
  assert.deepEqual(
    versions.map(({ columns }) => columns.map(({ lake_name, hashed }) => [lake_name, hashed !== undefined])),
    [
      [
        ['id', false],
        ['email', false],
        ['other', false],
      ],
      [
        ['id', false],
        ['email__hashed', true],
        ['other', false],
      ],
      [
        ['id', false],
        ['email__hashed__2', true],
        ['other', false],
      ],
      [
        ['id', false],
        ['email__hashed', true],
      ],
      [
        ['id', false],
        ['other', false],
      ],
      [
        ['id', false],
        ['email', false],
        ['other', false],
      ],
    ],
  )
  await rig.dropSlot()
})

test('hidden columns: a start refuses keys that are left out and columns in both lists, and tells what matches nothing', async (t) => {
  const rig = await makeRig(t, { lake: 'folder' })
  await createTables(rig, types.slice(0, 1))
  const refused = async (env: Env, message: RegExp): Promise<void> => {
    const { code, output } = await runVerb(t, ['start'], { ...rig.env, ...env })
    assert.equal(code, 2, output)
    assert.match(output, message)
  }
  await refused({ EXCLUDE_COLUMNS: 'public.h.i*' }, /EXCLUDE_COLUMNS leaves out public\.h\.id, of the key/)
  await refused({ EXCLUDE_COLUMNS: '*.h.*_0', HASH_COLUMNS: '*.h.h_*', HASH_SALT: SALT }, /both have public\.h\.h_0$/m)
  const service = await rig.stream({ ...hidden, EXCLUDE_COLUMNS: 'public.H.x_0,public.h.x_0' })
  assert.deepEqual(
    service.logged(/matches no column/).map(({ variable, item }) => [variable, item]),
    [
      ['EXCLUDE_COLUMNS', 'public.H.x_0'],
      ['HASH_COLUMNS', 'public."Odd ""t"."k.1"'],
    ],
  )
  // The key moves to the column that is left out.
  await rig.source.query('ALTER TABLE h DROP CONSTRAINT h_pkey; ALTER TABLE h REPLICA IDENTITY DEFAULT')
  await rig.source.query(`ALTER TABLE h ADD PRIMARY KEY (x_0); INSERT INTO h VALUES (1, 'n', 'a', 'b')`)
  assert.equal((await service.waitForExit()).code, 3)
  assert.match(JSON.stringify(service.lines), /leaves out public\.h\.x_0, of the key/)
  const doctor = await runVerb(t, ['doctor'], { ...rig.env, ...hidden })
  assert.match(doctor.output, /FAILED {3}columns +EXCLUDE_COLUMNS leaves out public\.h\.x_0/)
  await rig.dropSlot()
})

test('hidden columns: what the server says of a row that a condition fails on is in no log', async (t) => {
  const rig = await makeRig(t, { lake: 'folder' })
  await createTables(rig, types.slice(0, 1))
  await rig.source.query(`INSERT INTO h VALUES (1, 'n', '${PLANTED}', '${PLANTED}')`)
  const service = await rig.stream(hidden)
  const where = ['snapshot', 'public.h', '--where', 'x_0::int > 0']
  const { code, output } = await runVerb(t, where, { ...rig.env, ...hidden })
  assert.equal(code, 2)
  assert.match(output, /an error in the rows \(SQLSTATE 22P02\)/)
  assert.equal(await service.stop(), 0)
  await assertNowhere(rig.lake, [...service.lines, { msg: output }], [PLANTED])
  await rig.dropSlot()
})

test('hidden columns: a SQL_ASCII database, whose texts may be no UTF-8', async (t) => {
  const server = await startPostgres()
  t.after(() => server.stop('immediate'))
  const admin = await serverSource(server)
  await admin.query(`CREATE DATABASE bytes ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0`)
  const client = new pg.Client({ connectionString: admin.url.replace(/\/postgres$/, '/bytes') })
  client.on('error', () => undefined)
  await client.connect()
  t.after(() => client.end())
  const source = {
    url: admin.url.replace(/\/postgres$/, '/bytes'),
    query: async <Found extends pg.QueryResultRow>(sql: string, values: unknown[] = []) =>
      (await client.query<Found>(sql, values)).rows,
  }
  const rig = await makeRig(t, { lake: 'folder', source })
  await source.query(`CREATE TABLE h (id int PRIMARY KEY, h_0 text, x_0 text, h_1 text[], h_2 bytea)`)
  const insert = (id: number): Promise<unknown> =>
    source.query(`INSERT INTO h VALUES (${id}, E'\\xff${PLANTED}', E'\\xfe${PLANTED}', ARRAY[E'\\xff'], '\\xff')`)
  await insert(1)
  const service = await rig.stream({ ...hidden, ...copying })
  assert.equal(service.logged('streaming')[0]?.mode, 'text')
  await copied(rig, service, ['h'])
  await insert(2)
  await endInOrder(rig, service)
  const hash = (bytes: Buffer): string => createHmac('sha256', SALT).update(bytes).digest('hex')
  const ff = Buffer.from([0xff])
  const hashes = [
    hash(Buffer.concat([ff, Buffer.from(PLANTED)])),
    hash(Buffer.concat([Buffer.from('{'), ff, Buffer.from('}')])),
    hmac('\\xff'),
  ]
  assert.deepEqual(
    (await rig.lake.rows('public.h')).map((row) => [row._op, row.h_0, row.h_1, row.h_2, row.x_0]),
    ['S', 'I'].map((op) => [op, ...hashes, undefined]),
  )
  await assertNowhere(rig.lake, service.lines, [PLANTED])
  await rig.dropSlot()
})

type Columns = readonly (readonly [type: string, first: string, second: string])[]

/** `h`: of each type a hashed column h_N and one that is left out, x_N; `big`: values outside of their row. */
async function createTables({ source }: Rig, columns: Columns): Promise<void> {
  const both = columns.map(([type], k) => `h_${k} ${type}, x_${k} ${type}`)
  await source.query(`
    CREATE TYPE pair AS (a text, b int);
    CREATE TABLE h (${['id int PRIMARY KEY', 'note text', ...both].join(', ')});
    ALTER TABLE h REPLICA IDENTITY FULL;
    CREATE TABLE big (id int PRIMARY KEY, note text, h_big text, x_big text);
    ALTER TABLE big ALTER h_big SET STORAGE EXTERNAL, ALTER x_big SET STORAGE EXTERNAL;
    CREATE FUNCTION printed(anyelement) RETURNS text LANGUAGE plpgsql SET DateStyle = ISO SET IntervalStyle = postgres
      SET TimeZone = UTC SET bytea_output = hex AS $$ BEGIN RETURN CASE num_nulls($1) WHEN 0 THEN format('%s', $1) END; END $$`)
}

function hmac(text: string, salt = SALT): string {
  return createHmac('sha256', salt).update(text, 'utf8').digest('hex')
}

/** The hashed columns and the key, as the lake has them. */
function hashed(row: Row, columns: number): Row {
  const names = Array.from({ length: columns }, (_, k) => `h_${k}`)
  const hash = (text: unknown): string | null => (typeof text === 'string' ? hmac(text) : null)
  return Object.fromEntries([['id', row.id], ...names.map((name) => [name, hash(row[name])] as const)])
}

function shownColumns(row: Row): Row {
  return Object.fromEntries(Object.entries(row).filter(([name]) => !name.startsWith('_') && name !== 'note'))
}

function withoutNote(before: unknown): Row {
  const { note: _, ...rest } = JSON.parse(String(before)) as Row
  return rest
}

interface SchemaRecord {
  readonly version: number
  readonly columns: readonly { readonly name: string; readonly lake_name: string; readonly hashed?: string }[]
}

async function schemaRecords({ lake, slot }: Rig, table: string): Promise<SchemaRecord[]> {
  const keys = await lake.keys(`_wal_cake/${slot}/schemas/${table}/`)
  const records = await Promise.all(keys.map((key) => readFile(lake.path(key), 'utf8')))
  return records.map((text) => JSON.parse(text) as SchemaRecord).sort((a, b) => a.version - b.version)
}

/** One version, whichever way the rows came; it says which columns hold hashes, and nothing of those that are left out. */
async function checkSchemas(rig: Rig, columns: number): Promise<void> {
  const versions = await schemaRecords(rig, 'public.h')
  assert.equal(versions.length, 1)
  const fingerprint = versions[0]!.columns[2]?.hashed
  assert.match(fingerprint ?? '', /^[0-9a-f]{16}$/)
  assert.deepEqual(
    versions[0]!.columns.map(({ name, hashed }) => [name, hashed]),
    [['id', undefined], ['note', undefined], ...Array.from({ length: columns }, (_, k) => [`h_${k}`, fingerprint])],
  )
}
