// The views of docs/querying.md in the engines that are no library of Node: the current state is what PostgreSQL has, row for
// row, and was it at an earlier time. Athena is not run; its views are nearly those for Trino.
import assert from 'node:assert/strict'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test, type TestContext } from 'node:test'
import { makeRig } from '../support/rig.js'
import { startService } from '../support/service.js'
import { makeViewLake, sorted, viewCases, type Moment, type TextRow } from '../support/view-cases.js'
import { sectionOf } from './page.js'
import { pythonReader } from './python.js'
import type { Reader } from './reader.js'
import { Trino, trinoProgram, type TrinoProgram } from './trino-server.js'
import { trinoPage } from './trino.js'

/** SQL, or Python where the engine has it. */
type Statement = string | { readonly python: string }

interface ViewEngine {
  readonly name: string
  readonly engine: string
  /** Of docs/querying.md. */
  readonly section: string
  readonly prepare: () => Promise<string | undefined>
  /** Rows of each statement, or why it was refused. */
  readonly run: (statements: readonly Statement[]) => Promise<(readonly (readonly unknown[])[] | string)[]>
  /** A view's name, behind FROM. */
  readonly view: (schema: string, name: string) => string
  /** A view of one time; undefined where it was printed for one. */
  readonly asOf: ((view: string, time: string) => string) | undefined
  readonly identifier: (name: string) => string
  readonly text: (value: string) => string
  readonly bytes: (value: string) => string
  readonly array?: (value: string) => string
  readonly field: (name: string) => string
  /** Why a table cannot be read there. */
  readonly refused?: Readonly<Record<string, RegExp>>
}

const backticked = (name: string): string => `\`${name}\``
const doubled = (name: string): string => `"${name.replaceAll('"', '""')}"`
const fitted = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9_]/g, '_')
const escaped = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`

function python(
  name: string,
  requirements: string,
  engine: string,
  needsJava: boolean,
): Pick<ViewEngine, 'name' | 'engine' | 'prepare' | 'run'> {
  const reader: Reader = pythonReader({ name, script: ['views.py', engine], requirements, needsJava })
  return {
    ...{ name, engine, prepare: reader.prepare },
    run: async (statements) => {
      const request = { folder: '', columns: [], bytes: [], instants: [] }
      const answers = await reader.read(
        statements.map((statement) =>
          typeof statement === 'string'
            ? { ...request, table: '', snippet: statement }
            : { ...request, table: 'python', snippet: statement.python },
        ),
      )
      return answers.map((answer) => ('refused' in answer ? answer.refused : answer.rows))
    },
  }
}

const duckdb: ViewEngine = {
  section: 'pandas and Polars',
  ...python('DuckDB for Python', 'requirements.txt', 'duckdb', false),
  view: (schema, name) => `${doubled(schema)}.${doubled(name)}`,
  asOf: (view, time) => `${view}('${time}')`,
  identifier: doubled,
  text: (value) => `CAST(${value} AS VARCHAR)`,
  bytes: (value) => `'\\x' || lower(hex(${value}))`,
  field: (name) =>
    `json_extract_string(_raw, '/${name.replaceAll('~', '~0').replaceAll('/', '~1').replaceAll("'", "''")}')`,
}

const clickhouse: ViewEngine = {
  section: 'ClickHouse',
  ...python('ClickHouse', 'requirements.txt', 'clickhouse', false),
  view: (schema, name) => `${backticked(schema)}.${backticked(name.replaceAll('.', '_'))}`,
  asOf: (view, time) => `${view}(as_of_time = '${time}')`,
  identifier: backticked,
  text: (value) => `toString(${value})`,
  bytes: (value) => `concat('\\\\x', lower(hex(${value})))`,
  array: (value) => `if(empty(${value}), NULL, toString(${value}))`,
  field: (name) => `JSONExtract(_raw, ${escaped(name)}, 'Nullable(String)')`,
}

function spark(version: '3.5' | '4'): ViewEngine {
  return {
    section: 'Spark',
    ...python(`Spark ${version}`, `requirements-spark-${version[0]!}.txt`, 'spark', true),
    view: (schema, name) => backticked(`${schema}_${name}`),
    asOf: undefined,
    identifier: backticked,
    text: (value) => `CAST(${value} AS STRING)`,
    bytes: (value) => `concat('\\\\x', lower(hex(${value})))`,
    field: (name) => `from_json(_raw, 'map<string,string>')[${escaped(name)}]`,
    ...(version === '3.5' ? { refused: { typed: /Parquet column cannot be converted/ } } : {}),
  }
}

const trino: ViewEngine = {
  ...{ name: 'Trino', engine: 'trino', section: 'Trino' },
  prepare: async () => {
    const program = await trinoProgram()
    return typeof program === 'string' ? program : undefined
  },
  run: async (statements) => {
    const server = await Trino.start((await trinoProgram()) as TrinoProgram, (await trinoPage()).properties)
    try {
      const answers = []
      for (const statement of statements)
        answers.push(
          await server
            .query(typeof statement === 'string' ? statement : statement.python)
            .catch((error: unknown) => String(error)),
        )
      return answers
    } finally {
      await server.stop()
    }
  },
  view: (schema, name) => `${doubled(fitted(schema))}.${doubled(fitted(name))}`,
  asOf: undefined,
  identifier: doubled,
  text: (value) => `CAST(${value} AS varchar)`,
  bytes: (value) => `concat('\\x', lower(to_hex(${value})))`,
  array: (value) => `json_format(CAST(${value} AS json))`,
  field: (name) => `element_at(CAST(json_parse(_raw) AS map(varchar, varchar)), '${name.replaceAll("'", "''")}')`,
}

interface ViewLake {
  readonly folder: string
  readonly slot: string
  readonly moments: readonly [Moment, Moment]
}

let lake: Promise<ViewLake> | undefined
let copy: string | undefined

after(async () => {
  if (copy !== undefined) await rm(copy, { recursive: true })
})

async function makeLake(t: TestContext): Promise<ViewLake> {
  const rig = await makeRig(t, { lake: 'folder' })
  const moments = await makeViewLake(rig)
  copy = await mkdtemp(join(tmpdir(), 'wal-cake-views-'))
  await cp(rig.folder!, copy, { recursive: true })
  return { folder: copy, slot: rig.slot, moments }
}

async function printed(t: TestContext, { folder, slot }: ViewLake, ...args: string[]): Promise<string> {
  const env = { PG_CONN_STRING: 'postgres://nobody@127.0.0.1:1/none', PG_SLOT: slot, LAKE_DIR: folder }
  const asking = startService(t, env, ['views', ...args])
  assert.equal((await asking.waitForExit()).code, 0, JSON.stringify(asking.lines))
  return asking.lines.map(({ msg }) => msg).join('\n')
}

function statementsOf(sql: string): string[] {
  return sql.split(/;(?:\n|$)/).filter((text) => text.trim() !== '')
}

/** What the page shows of the engine: statements to ask, and Python, which reads `views.sql`. */
async function shown(section: string): Promise<{ sql: string[]; python: string | undefined }> {
  const page = await readFile(new URL('../../../docs/querying.md', import.meta.url), 'utf8')
  const text = sectionOf(page, section)
  const [, sql = ''] = /```sql\n(.*?)```/s.exec(text) ?? []
  return { sql: statementsOf(sql), python: /```python\n(.*?)```/s.exec(text)?.[1] }
}

for (const engine of [duckdb, clickhouse, spark('3.5'), spark('4'), trino])
  test(`the views for ${engine.name} show what PostgreSQL has, now and as of a time`, async (t) => {
    const missing = await engine.prepare()
    if (missing !== undefined) {
      t.diagnostic(`${engine.name} is not tested: ${missing}`)
      t.skip(missing)
      return
    }
    lake ??= makeLake(t)
    const made = await lake
    const [one, two] = made.moments
    const page = await shown(engine.section)
    const sql = await printed(t, made, '--engine', engine.engine)
    const file = join(made.folder, `${engine.engine}.sql`)
    await writeFile(file, sql)
    const python = page.python === undefined ? [] : [{ python: page.python.replace('views.sql', file) }]
    // Spark's makes the views, the other one makes its own.
    const makes: Statement[] = engine.engine === 'spark' ? python : [...statementsOf(sql), ...python]
    if (engine.asOf === undefined)
      makes.push(...statementsOf(await printed(t, made, '--engine', engine.engine, '--as-of', one.time)))
    const questions = viewCases.flatMap(({ schema, table, bytes = [], arrays = [] }, k) =>
      ([undefined, one, ...(engine.asOf === undefined ? [] : [two])] as const).map((moment) => {
        const { columns, rows } = (moment ?? two).tables[k]!
        const view = engine.view(schema, moment === undefined ? table : `${table}_as_of`)
        const from = moment !== undefined && engine.asOf !== undefined ? engine.asOf(view, moment.time) : view
        const texts = columns.map((name) => {
          const value = engine.identifier(name)
          const ofArray = arrays.includes(name) ? engine.array : undefined
          const text = bytes.includes(name) ? engine.bytes : (ofArray ?? engine.text)
          return `coalesce(${text(value)}, ${engine.field(name)})`
        })
        return { table, columns, rows, from, sql: `SELECT ${texts.join(', ')} FROM ${from}` }
      }),
    )
    const answers = await engine.run([...makes, ...page.sql, ...questions.map(({ sql }) => sql)])
    const [views, told, asked] = [
      answers.slice(0, makes.length),
      answers.slice(makes.length, makes.length + page.sql.length),
      answers.slice(makes.length + page.sql.length),
    ] as const
    views.forEach((answer, k) =>
      assert.ok(typeof answer !== 'string', `${String(answer)}\n${JSON.stringify(makes[k])}`),
    )
    if (python.length > 0 && engine.engine === 'duckdb')
      assert.deepEqual(views.at(-1), [[String(two.tables[0]!.rows.length)]], 'rows of the frame')
    told.forEach((answer, k) => assert.ok(typeof answer !== 'string', `${String(answer)}\n${page.sql[k]!}`))
    const statuses = new Set(two.tables[0]!.rows.map(({ status }) => status))
    if (page.sql.length > 0) assert.equal(told[0]?.length, statuses.size, page.sql[0])
    questions.forEach(({ table, columns, rows, from }, k) => {
      const answer = asked[k]!
      const refusal = engine.refused?.[table]
      if (refusal !== undefined) {
        assert.match(String(answer), refusal)
        return
      }
      assert.ok(typeof answer !== 'string', `${from}: ${String(answer)}`)
      const found = answer.map((row) => Object.fromEntries(row.map((cell, x) => [columns[x]!, cell as string | null])))
      assert.deepEqual(sorted(found as TextRow[]), sorted(rows), from)
    })
  })
