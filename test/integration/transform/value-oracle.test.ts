// PostgreSQL is the oracle: values of every type that the server has are inserted, streamed by the program in binary and in
// text, and copied, read back by DuckDB and by hyparquet, and must be what the server prints (G8: nothing is rounded, clamped or
// dropped).
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import type { SchemaElement } from 'hyparquet'
import { auditLog } from '../../support/log-audit.js'
import { DuckReader, footerOf, readWithHyparquet, type PlainRow } from '../../support/parquet-readers.js'
import { fileColumns, numberText, postgresText, type FileColumn } from '../../support/postgres-text.js'
import { makeRig, type Source } from '../../support/rig.js'
import type { Lake } from '../../support/lake.js'
import { major } from '../../support/table-kind.js'
import { arraysOf, type TypeSamples } from './type-samples.js'
import { createExtensions, samples, setup } from './value-samples.js'

/** One type: a table of its values, arrays of them, a domain over it, and arrays of that. */
interface Case {
  readonly sample: TypeSamples
  readonly table: string
  readonly columns: readonly Column[]
}

interface Column {
  readonly name: 'v' | 'vs' | 'd' | 'ds'
  readonly array: boolean
}

/** Values beyond so many are neither in arrays nor under the domain. */
const AGAIN = 100

test('G8: values of every type of the server, in binary, in text and copied, in two readers', async (t) => {
  const binary = await makeRig(t, { lake: 'folder' })
  const { source } = binary
  const text = await makeRig(t, { lake: 'folder', source })
  const cases = await createCases(source, await major(binary))
  await t.test('every type of the catalogue has a case', () => assertAllCovered(source))

  const inBinary = cases.filter(({ sample }) => sample.textOnly !== true)
  await publish(source, 'pub_binary', inBinary)
  await publish(source, 'pub_text', cases)
  const services = [
    await binary.stream({ PG_PUBLICATION: 'pub_binary', FLUSH_INTERVAL: '1s' }),
    await text.stream({ PG_PUBLICATION: 'pub_text', FLUSH_INTERVAL: '1s' }),
  ] as const
  const modes = [(await major(binary)) < 14 ? 'text' : 'binary', 'text']
  for (const each of cases) await fill(source, each)
  const copied = await makeRig(t, { lake: 'folder', source })
  const copying = await copied.stream({ PG_PUBLICATION: 'pub_text', SNAPSHOT: 'initial' })
  const all = (): true | undefined => (copying.logged('table copied').length > cases.length ? true : undefined)
  await copying.waitFor('all tables to be copied', all, { timeoutMs: 120_000 })
  assert.equal(await copying.stop(), 0)
  await auditLog(copied.lake, copied.slot)
  const answers = new Map<Case, Answers>()
  // What the program's own connection has: names of objects are printed with their schema.
  await source.query('SET search_path = pg_catalog')
  for (const each of cases) {
    answers.set(each, await ask(source, each))
    await source.query(`DELETE FROM public.${each.table}`)
  }
  await source.query('RESET search_path')
  for (const [k, rig] of [binary, text].entries()) {
    await rig.caughtUp(services[k]!, { timeoutMs: 180_000 })
    assert.equal(await services[k]!.stop(), 0)
    for (const { mode } of services[k]!.logged('streaming')) assert.equal(mode, modes[k])
    await auditLog(rig.lake, rig.slot)
  }

  const duck = await DuckReader.open()
  try {
    for (const each of cases)
      await t.test(each.sample.type, async () => {
        const { schema } = await compareCase(duck, each, answers.get(each)!, binary.lake, text.lake)
        const byCopy = await readTable(duck, copied.lake, each.table)
        assert.deepEqual(byCopy.schema, schema, 'copied rows are laid out as streamed ones')
        assertAnswers(each, byCopy.schema, byCopy.byDuckDb, answers.get(each)!, ['S'])
        assert.deepEqual(byCopy.byHyparquet, byCopy.byDuckDb, 'both readers of copied rows')
      })
  } finally {
    await duck.close()
  }
  for (const rig of [binary, text, copied]) await rig.dropSlot()
})

async function createCases(source: Source, version: number): Promise<Case[]> {
  await createExtensions(source)
  for (const statement of setup) await source.query(statement)
  const cases: Case[] = []
  for (const sample of samples.filter(({ since = 0 }) => since <= version)) {
    const table = `t${cases.length}`
    const { type, list = false } = sample
    const [{ arrays } = { arrays: false }] = await source.query<{ arrays: boolean }>(
      `SELECT typarray <> 0 AS arrays FROM pg_type WHERE oid = $1::regtype`,
      [type],
    )
    const columns: Column[] = [
      { name: 'v', array: list },
      { name: 'd', array: list },
      ...(arrays ? [{ name: 'vs', array: true } as const] : []),
      { name: 'ds', array: true },
    ]
    const types = { v: type, vs: `${type}[]`, d: `d${cases.length}`, ds: `d${cases.length}[]` }
    await source.query(`
      CREATE DOMAIN ${types.d} AS ${type};
      CREATE TABLE ${table} (id serial PRIMARY KEY, ${columns.map(({ name }) => `${name} ${types[name]}`).join(', ')});
      ALTER TABLE ${table} REPLICA IDENTITY FULL`)
    cases.push({ sample, table, columns })
  }
  return cases
}

/** A row type comes with every table and is a composite like any other; what is left out stands for no stored value. */
async function assertAllCovered(source: Source): Promise<void> {
  const uncovered = await source.query<{ type: string }>(`
    SELECT format_type(t.oid, NULL) AS type FROM pg_type t LEFT JOIN pg_type e ON e.oid = t.typelem AND e.typarray = t.oid
     WHERE t.typtype NOT IN ('c', 'p') AND coalesce(e.typtype, 'b') NOT IN ('c', 'p')
       AND NOT EXISTS (SELECT FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
                        WHERE a.atttypid = t.oid AND c.relname ~ '^t[0-9]+$' AND c.relkind = 'r')`)
  assert.deepEqual(
    uncovered.map(({ type }) => type),
    [],
  )
}

async function publish(source: Source, name: string, cases: readonly Case[]): Promise<void> {
  await source.query(`CREATE PUBLICATION ${name} FOR TABLE marks, ${cases.map(({ table }) => table).join(', ')}`)
}

async function fill(source: Source, { table, sample, columns }: Case): Promise<void> {
  const { type, values, query } = sample
  const names = columns.map(({ name }) => name)
  const again = `CASE WHEN place <= ${AGAIN} THEN`
  const made = { v: `v::${type}`, d: `${again} v::${type} END`, vs: `vs::${type}[]`, ds: `vs::d${table.slice(1)}[]` }
  if (values.length === 0 && query === undefined) await assertNoValue(source, type)
  await source.query(
    `INSERT INTO ${table} (${names.join(', ')}) SELECT ${names.map((name) => made[name]).join(', ')}
       FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS u(v, vs, place)`,
    [values, arraysOf(sample)],
  )
  if (query !== undefined) await source.query(`INSERT INTO ${table} (v) ${query}`)
}

async function assertNoValue(source: Source, type: string): Promise<void> {
  await assert.rejects(source.query(`SELECT ''::${type}`), /cannot accept a value|not implemented/i, type)
}

/** A column's value: what the server prints, whether it must be in `_raw`, and what must be in the column otherwise. */
interface Answer {
  readonly printed: string | null
  readonly refused: boolean
  readonly stored: string | null | (string | null)[]
}
type Answers = ReadonlyMap<number, ReadonlyMap<string, Answer>>

async function ask(source: Source, { table, sample, columns }: Case): Promise<Answers> {
  const selected = columns.map(({ name, array }) => {
    const stored = array ? elements(sample, name) : over(sample.number ?? 'v', name)
    const refused = array ? arrayRefused(sample, name) : over(sample.refused ?? 'false', name)
    return `json_build_array(format('%s', ${name}), coalesce(${refused}, false), ${array ? stored : `format('%s', ${stored})`},
      num_nulls(${name}))`
  })
  const rows = await source.query<{ id: number; answers: [string, boolean, Answer['stored'], number][] }>(
    `SELECT id, json_build_array(${selected.join(', ')}) AS answers FROM public.${table} ORDER BY id`,
  )
  assert.notEqual(rows.length, 0)
  return new Map(
    rows.map(({ id, answers }) => [id, new Map(answers.map((answer, k) => [columns[k]!.name, answerOf(answer)]))]),
  )
}

function answerOf([printed, refused, stored, nulls]: [string, boolean, Answer['stored'], number]): Answer {
  return nulls === 1
    ? { printed: null, refused: false, stored: null }
    : { printed, refused, stored: refused ? null : stored }
}

/** SQL over `v`, over something else. */
function over(sql: string, value: string): string {
  return sql.replace(/\bv\b/g, value)
}

/** As the server prints each; `format` calls the type's output, where a cast to text may be another thing. */
function elements({ number, list }: TypeSamples, name: string): string {
  const element = `${name}[i]`
  const printed = `format('%s', ${list === undefined || name === 'ds' ? over(number ?? 'v', element) : element})`
  return `(SELECT coalesce(json_agg(CASE num_nulls(${element}) WHEN 0 THEN ${printed} END ORDER BY i), '[]')
             FROM generate_series(1, array_length(${name}, 1)) AS i)`
}

function arrayRefused({ refused }: TypeSamples, name: string): string {
  const shape = `array_ndims(${name}) > 1 OR array_lower(${name}, 1) <> 1`
  if (refused === undefined) return shape
  return `${shape} OR EXISTS (SELECT FROM unnest(${name}) AS e WHERE ${over(refused, 'e')})`
}

async function compareCase(
  duck: DuckReader,
  each: Case,
  answers: Answers,
  binary: Lake,
  text: Lake,
): Promise<TableRead> {
  const { sample, table } = each
  const inText = await readTable(duck, text, table)
  assertAnswers(each, inText.schema, inText.byDuckDb, answers, ['I', 'D'])
  assert.deepEqual(inText.byHyparquet, inText.byDuckDb, 'both readers')
  if (sample.textOnly === true) return inText
  const inBinary = await readTable(duck, binary, table)
  assert.deepEqual(inBinary, inText, 'both modes')
  return inText
}

interface TableRead {
  readonly schema: readonly SchemaElement[]
  readonly byDuckDb: readonly PlainRow[]
  readonly byHyparquet: readonly PlainRow[]
}

async function readTable(duck: DuckReader, lake: Lake, name: string): Promise<TableRead> {
  const table = `public.${name}`
  const byHyparquet: PlainRow[] = []
  let schema: readonly SchemaElement[] | undefined
  for (const key of await lake.files(table)) {
    const bytes = await readFile(lake.path(key))
    const { schema: ofFile } = footerOf(bytes)
    schema ??= ofFile
    assert.deepEqual(ofFile, schema, 'all files have one schema')
    byHyparquet.push(...(await readWithHyparquet(bytes, [...fileColumns(ofFile)].map(physical))))
  }
  const columns = [...fileColumns(schema ?? [])].map(asDuckDbHasIt).join(', ')
  const rows = await duck.query(`SELECT ${columns} FROM ${lake.from(table)} ORDER BY _lsn, _seq`)
  return {
    schema: schema ?? [],
    byDuckDb: rows,
    byHyparquet: byHyparquet.sort(byPlace),
  }
}

/** Text as its bytes: on its way into JavaScript it would lose a byte order mark. */
function asDuckDbHasIt([name, { leaf, list }]: [string, FileColumn]): string {
  if (leaf.logical_type?.type !== 'STRING') return name
  return `${list ? `list_transform(${name}, lambda text: encode(text))` : `encode(${name})`} AS ${name}`
}

function physical([name, { leaf }]: [string, FileColumn]): Parameters<typeof readWithHyparquet>[1][number] {
  return { name, type: { physical: leaf.type === 'FIXED_LEN_BYTE_ARRAY' ? 'FIXED16' : 'INT32' } }
}

function byPlace(a: PlainRow, b: PlainRow): number {
  return Number((a._lsn as bigint) - (b._lsn as bigint)) || Number((a._seq as bigint) - (b._seq as bigint))
}

/** A row of each of `ops` for each row, with all of its values; a delete with the old row as it is printed beside. */
function assertAnswers(
  each: Case,
  schema: readonly SchemaElement[],
  rows: readonly PlainRow[],
  answers: Answers,
  ops: readonly string[],
): void {
  const columns = fileColumns(schema)
  for (const op of ops)
    assert.deepEqual(
      rows.flatMap((row) => (textOf(row._op) === op ? [row.id as number] : [])).sort((a, b) => a - b),
      [...answers.keys()],
      `rows of kind ${op}`,
    )
  for (const row of rows) {
    const raw = jsonOf(row._raw)
    const before = jsonOf(row._before)
    for (const { name } of each.columns) {
      const { printed, refused, stored } = answers.get(row.id as number)!.get(name)!
      const column = columns.get(name)!
      const what = `${name} ${printed?.slice(0, 200)}`
      assert.deepEqual(postgresText(column, row[name]), asRead(column, stored), what)
      assert.equal(raw?.[name], refused ? printed : undefined, `_raw of ${what}`)
      assert.equal(before?.[name], textOf(row._op) === 'D' ? printed : undefined, `_before of ${what}`)
    }
  }
}

/** Numbers in floating point are compared as numbers: all have the same text then. */
function asRead({ leaf: { type } }: FileColumn, stored: Answer['stored']): Answer['stored'] {
  if (stored === null || (type !== 'FLOAT' && type !== 'DOUBLE')) return stored
  const number = (text: string): string => numberText(Number(text))
  return Array.isArray(stored) ? stored.map((text) => (text === null ? null : number(text))) : number(stored)
}

function jsonOf(value: PlainRow[string] | undefined): Record<string, string | null> | undefined {
  return value === null || value === undefined
    ? undefined
    : (JSON.parse(textOf(value)!) as Record<string, string | null>)
}

function textOf(value: PlainRow[string] | undefined): string | null {
  return typeof value === 'string' ? Buffer.from(value, 'hex').toString('utf8') : null
}
