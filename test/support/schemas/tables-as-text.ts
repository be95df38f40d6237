// Is a table's current state in the lake the table, every column in PostgreSQL's own text form? The columns, keys and types come
// from the server's catalogue; DuckDB reads the lake, and each type that it prints in another form is written as the server does.
import assert from 'node:assert/strict'
import { byPosition, currentState, type Row } from '../current-state.js'
import type { Lake } from '../lake.js'
import type { Source } from '../rig.js'

export interface CataloguedTable {
  /** `schema.table`. */
  readonly name: string
  /** Quoted for SQL. */
  readonly quoted: string
  readonly key: readonly string[]
  readonly columns: readonly { readonly name: string; readonly type: string }[]
}

/** Every table of the schema `public` that is not a part of another. */
export async function tablesOf(source: Source): Promise<CataloguedTable[]> {
  return source.query<CataloguedTable & Record<string, unknown>>(`
    SELECT 'public.' || c.relname AS name, format('public.%I', c.relname) AS quoted,
           ARRAY(SELECT a.attname::text FROM pg_index i CROSS JOIN LATERAL unnest(i.indkey) k (n) JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.n
                  WHERE i.indrelid = c.oid AND i.indisprimary) AS key,
           (SELECT json_agg(json_build_object('name', a.attname, 'type', format_type(a.atttypid, NULL)) ORDER BY a.attnum)
              FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns
      FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY 1`)
}

/** Fails with the rows that only one of the two has. None of them may need `_raw`. */
export async function assertTableAsText(source: Source, lake: Lake, table: CataloguedTable): Promise<void> {
  const log =
    await lake.query(`SELECT _op, _lsn, _seq, _unchanged, _before, _raw, ${table.columns.map(asServerText).join(', ')}
    FROM ${lake.from(table.name)}`)
  assert.deepEqual(
    log.filter(({ _raw }) => _raw !== null),
    [],
    `${table.name}: rows with a value in _raw`,
  )
  const state = table.key.length === 0 ? insertedSinceTruncate(log) : currentState(log, table.key)
  const wanted = await source.query(`SELECT ${table.columns.map(serverText).join(', ')} FROM ${table.quoted}`)
  const texts = (row: Row): string => JSON.stringify(table.columns.map(({ name }) => row[name]))
  const [found, expected] = [state.map(texts).sort(), wanted.map(texts).sort()]
  const [onlyLake, onlyServer] = [without(found, expected), without(expected, found)]
  assert.deepEqual({ onlyLake, onlyServer }, { onlyLake: [], onlyServer: [] }, table.name)
  // A row may be there twice where there is no key.
  assert.ok(found.join('\n') === expected.join('\n'), `${table.name}: the same rows in another number`)
}

/** A table without a key has inserts and truncates alone. */
function insertedSinceTruncate(log: readonly Row[]): Row[] {
  const ordered = [...log].sort(byPosition)
  const since = ordered.slice(ordered.findLastIndex(({ _op }) => _op === 'T') + 1)
  assert.deepEqual(
    since.filter(({ _op }) => _op !== 'I'),
    [],
  )
  return since
}

const SHOWN_ROWS = 3

function without(rows: readonly string[], others: readonly string[]): string[] {
  const there = new Set(others)
  return rows
    .filter((row) => !there.has(row))
    .slice(0, SHOWN_ROWS)
    .map((row) => row.slice(0, 2_000))
}

/** By the type's output function: a cast to text takes the blanks from a char(n). Arrays travel as JSON, which both sides know. */
function serverText({ name, type }: { name: string; type: string }): string {
  const column = quoteName(name)
  const text = type.endsWith('[]') ? `to_json(${column})::text` : `concat(${column})`
  return `CASE WHEN ${column} IS NOT NULL THEN ${text} END AS ${column}`
}

function asServerText({ name, type }: { name: string; type: string }): string {
  const column = quoteName(name)
  const text = type.endsWith('[]')
    ? `to_json(${column})::VARCHAR`
    : (textOfType[type]?.(column) ?? `${column}::VARCHAR`)
  return `CASE WHEN ${column} IS NOT NULL THEN ${text} END AS ${column}`
}

/** Where DuckDB's text is not the server's. */
const textOfType: Readonly<Record<string, (column: string) => string>> = {
  boolean: (column) => `CASE WHEN ${column} THEN 't' ELSE 'f' END`,
  bytea: (column) => `'\\x' || lower(hex(${column}))`,
  real: (column) => `regexp_replace(${column}::VARCHAR, '\\.0$', '')`,
}

function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
