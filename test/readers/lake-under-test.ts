// The one lake that all readers read: every change of a schema and every type, streamed by the program itself, with what
// must be read of it.
import assert from 'node:assert/strict'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, type TestContext } from 'node:test'
import { makeRig, type Rig } from '../support/rig.js'
import { furtherSchemaChanges, inPlace, schemaChanges, type KnownCell } from '../support/schema-change-cases.js'
import type { Cell } from './reader.js'
import { typeCases, typesOfOurOwn } from './type-cases.js'

/** What is read in one go: what a reader does with it is one line of docs/readers.md. */
export interface ReadCase {
  /** As docs/readers.md calls it. */
  readonly name: string
  readonly table: string
  readonly columns: readonly string[]
  readonly bytes: readonly string[]
  readonly rows: readonly (readonly Cell[])[]
}

export interface LakeUnderTest {
  /** The directory of the schema `public`. */
  readonly folder: string
  readonly cases: readonly ReadCase[]
}

let lake: Promise<LakeUnderTest> | undefined

/** Made once; goes after the last test of the file. */
export function lakeUnderTest(t: TestContext): Promise<LakeUnderTest> {
  lake ??= makeLake(t)
  return lake
}

let copy: string | undefined

after(async () => {
  if (copy !== undefined) await rm(copy, { recursive: true })
})

const changes = [...schemaChanges, ...furtherSchemaChanges]

async function makeLake(t: TestContext): Promise<LakeUnderTest> {
  const rig = await makeRig(t, { lake: 'folder' })
  for (const [k, { table }] of changes.entries()) await rig.source.query(inPlace(`CREATE TABLE t (${table})`, k))
  await rig.source.query(`${typesOfOurOwn} CREATE TABLE types (id int PRIMARY KEY, ${typeColumns.join(', ')})`)
  await rig.source.query(`CREATE TABLE "${names.table}" (id int PRIMARY KEY, ${names.columns.join(', ')})`)
  const service = await rig.stream()
  for (const [k, { work }] of changes.entries()) await rig.source.query(inPlace(`BEGIN; ${work}; COMMIT`, k))
  await insertTypes(rig)
  await rig.source.query(`INSERT INTO "${names.table}" VALUES (1, 'x', 'y', 'z', 'ы', ',')`)
  await rig.caughtUp(service)
  assert.equal(await service.stop(), 0)
  await rig.dropSlot()
  copy = await mkdtemp(join(tmpdir(), 'wal-cake-readers-'))
  await cp(rig.folder!, copy, { recursive: true })
  return { folder: join(copy, 'default', 'data', 'public'), cases }
}

const typeColumns = typeCases.map(({ type }, k) => `v${k} ${type}`)
const valuesOf = typeCases.map(({ values }) =>
  values.map((value) => (typeof value === 'string' ? { value, shown: value } : value)),
)
/** And one with NULL alone, the first. */
const typeRows = 1 + Math.max(...valuesOf.map((values) => values.length))

async function insertTypes({ source }: Rig): Promise<void> {
  const placeholders = typeCases.map(({ type }, k) => `$${k + 2}::text::${type}`)
  for (let row = 0; row < typeRows; row++) {
    const values = valuesOf.map((values) => values[row - 1]?.value ?? null)
    await source.query(`INSERT INTO types VALUES ($1, ${placeholders.join(', ')})`, [row, ...values])
  }
}

const names = {
  table: 'names',
  columns: ['"漢字" text', '"with space" text', '"Ünïcode (1)" text', '"a.b" text', '"a,b" text'],
}

const typeReads = typeCases.map(({ name, type }, k): ReadCase => {
  const rows = Array.from({ length: typeRows }, (_, row) => [valuesOf[k]![row - 1]?.shown ?? null])
  const columns = [`v${k}`]
  return { name, table: 'types', columns, bytes: type.startsWith('bytea') ? columns : [], rows }
})

const cases: readonly ReadCase[] = [
  ...changes.map(({ name, columns, rows }, k) => ({
    ...{ name, table: `c${k}`, columns, bytes: [] },
    rows: rows.map((row) => row.map(asCell)),
  })),
  ...typeReads,
  {
    ...{ name: 'what no column can hold, in `_raw`', table: 'types', columns: ['_raw'], bytes: [] },
    rows: Array.from({ length: typeRows }, (_, row) => [rawOf(row)]),
  },
  {
    ...{ name: 'names of columns in any script and with any sign', table: names.table, bytes: [] },
    columns: ['漢字', 'with space', 'Ünïcode (1)', 'a.b'],
    rows: [['x', 'y', 'z', 'ы']],
  },
  { name: 'a name with a comma', table: names.table, columns: ['a,b'], bytes: [], rows: [[',']] },
]

function rawOf(row: number): string | null {
  const values = valuesOf.map((values) => values[row - 1])
  const kept = values.flatMap((value, k) => (value?.shown === null ? [[`v${k}`, value.value] as const] : []))
  return kept.length === 0 ? null : JSON.stringify(Object.fromEntries(kept))
}

/** Their whole numbers are of integer columns. */
function asCell(cell: KnownCell): Cell {
  if (typeof cell === 'number') return Number.isInteger(cell) ? String(cell) : cell
  return typeof cell === 'object' ? (cell?.map(asCell) ?? null) : cell
}
