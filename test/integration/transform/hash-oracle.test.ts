// PostgreSQL is the oracle for hashes too: of values of every type that the server has, streamed in binary and in text and copied,
// the lake gets the hash of what the server prints, the same each time.
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import { makeRig, type Rig, type Source } from '../../support/rig.js'
import { major } from '../../support/table-kind.js'
import { arraysOf, type TypeSamples } from './type-samples.js'
import { createExtensions, samples, setup } from './value-samples.js'

const HASH_SALT = 'a salt for the oracle'
const hashed = { HASH_COLUMNS: 'public.t*.v*', HASH_SALT, FLUSH_INTERVAL: '1s' }

interface Case {
  readonly table: string
  readonly sample: TypeSamples
  readonly arrays: boolean
}

test('hashes of values of every type of the server are of its text, in binary, in text and copied', async (t) => {
  const binary = await makeRig(t, { lake: 'folder' })
  const { source } = binary
  const text = await makeRig(t, { lake: 'folder', source })
  const cases = await createCases(source, await major(binary))
  const inBinary = cases.filter(({ sample }) => sample.textOnly !== true)
  await publish(source, 'pub_binary', inBinary)
  await publish(source, 'pub_text', cases)
  const services = [
    await binary.stream({ ...hashed, PG_PUBLICATION: 'pub_binary' }),
    await text.stream({ ...hashed, PG_PUBLICATION: 'pub_text' }),
  ]
  assert.equal(services[0]!.logged('streaming')[0]?.mode, (await major(binary)) < 14 ? 'text' : 'binary')
  assert.equal(services[1]!.logged('streaming')[0]?.mode, 'text')
  for (const each of cases) await fill(source, each)
  const copied = await makeRig(t, { lake: 'folder', source })
  const copying = await copied.stream({ ...hashed, PG_PUBLICATION: 'pub_text', SNAPSHOT: 'initial' })
  const all = (): true | undefined => (copying.logged('table copied').length > cases.length ? true : undefined)
  await copying.waitFor('all tables to be copied', all, { timeoutMs: 120_000 })
  assert.equal(await copying.stop(), 0)
  // As the program's own connection has it: names of objects are printed with their schema.
  await source.query('SET search_path = pg_catalog')
  const expected = new Map<Case, Hashes>()
  for (const each of cases) {
    expected.set(each, await hashesOf(source, each))
    await source.query(`DELETE FROM public.${each.table}`)
  }
  await source.query('RESET search_path')
  for (const [k, rig] of [binary, text].entries()) {
    await rig.caughtUp(services[k]!, { timeoutMs: 180_000 })
    assert.equal(await services[k]!.stop(), 0)
  }
  let values = 0
  for (const each of cases)
    for (const rig of each.sample.textOnly === true ? [text, copied] : [binary, text, copied]) {
      values += await compare(rig, each, expected.get(each)!, rig === copied ? ['S'] : ['I', 'D'])
    }
  assert.ok(values > 10_000, `${values} values`)
  for (const rig of [binary, text, copied]) await rig.dropSlot()
})

async function createCases(source: Source, version: number): Promise<Case[]> {
  await createExtensions(source)
  for (const statement of setup) await source.query(statement)
  const cases: Case[] = []
  for (const sample of samples) {
    if ((sample.since ?? 0) > version || (sample.values.length === 0 && sample.query === undefined)) continue
    const table = `t${cases.length}`
    const [row] = await source.query<{ arrays: boolean }>(
      'SELECT typarray <> 0 AS arrays FROM pg_type WHERE oid = $1::regtype',
      [sample.type],
    )
    const { arrays } = row!
    await source.query(`
      CREATE TABLE ${table} (id serial PRIMARY KEY, v ${sample.type}${arrays ? `, vs ${sample.type}[]` : ''});
      ALTER TABLE ${table} REPLICA IDENTITY FULL`)
    cases.push({ table, sample, arrays })
  }
  return cases
}

async function publish(source: Source, name: string, cases: readonly Case[]): Promise<void> {
  await source.query(`CREATE PUBLICATION ${name} FOR TABLE marks, ${cases.map(({ table }) => table).join(', ')}`)
}

async function fill(source: Source, { table, sample, arrays }: Case): Promise<void> {
  const { type, values, query } = sample
  await source.query(`INSERT INTO ${table} (v) SELECT v::${type} FROM unnest($1::text[]) AS v`, [[...values, null]])
  if (arrays)
    await source.query(`INSERT INTO ${table} (vs) SELECT vs::${type}[] FROM unnest($1::text[]) AS vs`, [
      arraysOf(sample),
    ])
  if (query !== undefined) await source.query(`INSERT INTO ${table} (v) ${query}`)
}

/** By the id of the row: of `v` and of `vs`. */
type Hashes = ReadonlyMap<number, readonly (string | null)[]>

async function hashesOf(source: Source, { table, arrays }: Case): Promise<Hashes> {
  const printed = (name: string): string => `CASE num_nulls(${name}) WHEN 0 THEN format('%s', ${name}) END`
  const rows = await source.query<{ id: number; v: string | null; vs: string | null }>(
    `SELECT id, ${printed('v')} AS v, ${arrays ? printed('vs') : 'NULL'} AS vs FROM public.${table}`,
  )
  const hash = (text: string | null): string | null =>
    text === null ? null : createHmac('sha256', HASH_SALT).update(text, 'utf8').digest('hex')
  return new Map(rows.map(({ id, v, vs }) => [id, [hash(v), hash(vs)]]))
}

/** Gives the number of values that were compared. */
async function compare(
  { lake }: Rig,
  { table, sample }: Case,
  expected: Hashes,
  ops: readonly string[],
): Promise<number> {
  const rows = await lake.rows(`public.${table}`)
  assert.equal(rows.length, expected.size * ops.length, sample.type)
  for (const { id, v, vs = null, _op, _before } of rows) {
    const hashes = expected.get(id as number)!
    assert.deepEqual([v, vs], hashes, `${sample.type}, row ${String(id)} of kind ${String(_op)}`)
    if (_op !== 'D') continue
    const before = JSON.parse(_before as string) as Record<string, string | null>
    assert.deepEqual([before.v, before.vs ?? null], hashes, `_before of ${sample.type}, row ${String(id)}`)
  }
  return rows.length
}
