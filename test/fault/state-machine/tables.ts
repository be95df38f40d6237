// The tables that the state machine writes: every kind of replica identity, the same columns otherwise; and each operation
// as SQL. Rows are made and chosen by the server itself. Columns that come later say by their name what they are.
import type pg from 'pg'
import type { Source } from '../../support/rig.js'
import type { Operation, Statement } from './steps.js'

export interface Table {
  readonly name: string
  /** Empty: rows can only be added. */
  readonly key: readonly string[]
  /** The key of row `v`, in SQL. */
  readonly keyOf: readonly string[]
}

const first: readonly Table[] = [
  { name: 'items', key: ['id'], keyOf: ['v'] },
  { name: 'whole', key: ['id'], keyOf: ['v'] },
  { name: 'coded', key: ['code'], keyOf: [`'it''s "' || v`] },
  { name: 'pairs', key: ['a', 'b'], keyOf: ['(v % 50)::int', `'b' || v`] },
  { name: 'events', key: [], keyOf: ['v'] },
]

/** `note` is never NULL, so that an old row that was logged whole can be told from its key alone. */
const COLUMNS = 'note text NOT NULL, amount numeric(12,2), at timestamptz, active boolean, doc text, tags jsonb'
/** A long `doc` is kept outside the row, uncompressed. */
const docOutside = (table: string): string => `ALTER TABLE ${table} ALTER doc SET STORAGE EXTERNAL`
const NAMES = ['note', 'amount', 'at', 'active', 'doc', 'tags'] as const
const VALUES = `
  'note "' || md5(v::text) || E'"\\n', CASE WHEN v % 41 = 0 THEN 'NaN' WHEN v % 5 <> 0 THEN (v * 37 % 100000) / 100.0 END,
  CASE WHEN v % 43 = 0 THEN 'infinity' ELSE timestamptz '2024-02-28 23:59:59.99+00' + v * interval '61.000001 s' END,
  CASE v % 3 WHEN 0 THEN true WHEN 1 THEN false END,
  CASE WHEN v % 8 = 0 THEN repeat(md5(v::text), 100) WHEN v % 5 <> 0 THEN 'it''s ' || v END, jsonb_build_object('v', v, 'none', NULL)`

export async function createTables(source: Source): Promise<void> {
  await source.query(`
    CREATE SEQUENCE ids;
    CREATE TABLE items (id bigint PRIMARY KEY, ${COLUMNS});
    CREATE TABLE whole (id bigint PRIMARY KEY, ${COLUMNS});
    CREATE TABLE coded (code text NOT NULL, ${COLUMNS});
    CREATE TABLE pairs (a int, b text, ${COLUMNS}, PRIMARY KEY (a, b));
    CREATE TABLE events (id bigint, ${COLUMNS});
    CREATE UNIQUE INDEX coded_code ON coded (code);
    ALTER TABLE whole REPLICA IDENTITY FULL;
    ALTER TABLE coded REPLICA IDENTITY USING INDEX coded_code;
    ${first.map(({ name }) => docOutside(name)).join('; ')}`)
  // Tables that come later belong to it; and the program itself makes none over a table without a key.
  await source.query('CREATE PUBLICATION wal_cake_pub FOR ALL TABLES')
}

/** The key of `public.name`, also where it is dropped. */
export function keyOf(name: string): readonly string[] {
  return first.find((table) => name === `public.${table.name}`)?.key ?? ['id']
}

type Query = <Row extends pg.QueryResultRow>(sql: string, values?: unknown[]) => Promise<Row[]>

/** All there are now. */
export async function tablesThere(query: Query): Promise<Table[]> {
  const later = await query<{ name: string }>(
    `SELECT relname AS name FROM pg_class
      WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname LIKE 'later%' ORDER BY oid`,
  )
  return [...first, ...later.map(({ name }) => ({ name, key: ['id'], keyOf: ['v'] }))]
}

/** The `n`th column that came later, if there is one. */
async function laterColumn(
  query: Query,
  table: string,
  n: number,
): Promise<{ name: string; type: string } | undefined> {
  const columns = await query<{ name: string; type: string }>(
    `SELECT attname AS name, format_type(atttypid, atttypmod) AS type FROM pg_attribute
      WHERE attrelid = to_regclass($1) AND attname ~ '^[xdr]_' AND NOT attisdropped ORDER BY 1`,
    [table],
  )
  return columns[n % Math.max(1, columns.length)]
}

/** Each name once in a run: a column or table that comes again under an old name is another matter. */
export class Names {
  #used = 0

  next(prefix: string): string {
    return `${prefix}_${this.#used++}`
  }
}

const COLUMN_TYPES = ['text', 'bigint', 'numeric(12,2)', 'timestamptz', 'jsonb'] as const

export interface Surroundings {
  readonly query: Query
  readonly names: Names
  readonly bulkRows: number
}

export interface Action {
  readonly sql: string
  /** Of a COPY: makes its rows. */
  readonly rows?: string
}

/** What to run; nothing where there is nothing to do it to. */
export async function actionOf(statement: Statement, surroundings: Surroundings): Promise<Action | undefined> {
  if (statement.op === 'copy') {
    const table = tableFor('copy', await tablesThere(surroundings.query), statement.table)
    const sql = `COPY ${table.name} (${columnsOf(table)}) FROM STDIN (FORMAT csv, NULL '\\N')`
    return { sql, rows: rowsSql(table, statement.rows) }
  }
  const sql = await sqlOf({ ...statement, op: statement.op }, surroundings)
  return sql === undefined ? undefined : { sql }
}

type SqlStatement = Statement & { readonly op: Exclude<Operation, 'copy'> }

async function sqlOf(
  { op, table: chosen, rows, n }: SqlStatement,
  { query, names, bulkRows }: Surroundings,
): Promise<string | undefined> {
  const there = await tablesThere(query)
  const table = tableFor(op, there, chosen)
  const { name } = table
  const value = COLUMN_TYPES[n % COLUMN_TYPES.length]!
  switch (op) {
    case 'insert':
      return insertSql(table, rows)
    case 'bulk':
      return insertSql(table, bulkRows)
    case 'update':
      return `UPDATE ${name} SET note = 'n${n}', amount = amount + 1, active = NOT active ${someRows(table, rows, n)}`
    case 'updateNothing':
      return `UPDATE ${name} SET note = note ${someRows(table, rows, n)}`
    case 'updateLarge':
      return `UPDATE ${name} SET doc = repeat(md5(note || ${n}), ${n % 3 === 0 ? 1 : 100}) ${someRows(table, rows, n)}`
    case 'rekey':
      return `UPDATE ${name} SET ${newKey(table)} ${someRows(table, rows, n)}`
    case 'rekeyLarge':
      return `UPDATE ${name} SET ${newKey(table)}, doc = repeat(md5(note), 90) ${someRows(table, rows, n)}`
    case 'delete':
      return `DELETE FROM ${name} ${someRows(table, rows, n)}`
    case 'truncate':
      return `TRUNCATE ${name}`
    case 'truncateTwo':
      return `TRUNCATE ${name}, ${tableFor(op, there, chosen + 1).name} RESTART IDENTITY CASCADE`
    case 'fill': {
      const found = await laterColumn(query, name, n)
      if (found === undefined) return undefined
      const filled = found.type.startsWith('timestamp') ? '2025-01-01 00:00:00.5+00' : '7'
      return `UPDATE ${name} SET ${found.name} = '${filled}' ${someRows(table, rows, n)}`
    }
    case 'addColumn':
      return `ALTER TABLE ${name} ADD ${names.next('x')} ${value}`
    case 'addDefault':
      return n % 2 === 0
        ? `ALTER TABLE ${name} ADD ${names.next('d')} bigint DEFAULT ${n}`
        : `ALTER TABLE ${name} ADD ${names.next('d')} text NOT NULL DEFAULT md5(random()::text)`
    case 'dropColumn': {
      const found = await laterColumn(query, name, n)
      return found === undefined ? undefined : `ALTER TABLE ${name} DROP ${found.name}`
    }
    case 'renameColumn': {
      const found = await laterColumn(query, name, n)
      return found === undefined ? undefined : `ALTER TABLE ${name} RENAME ${found.name} TO ${names.next('r')}`
    }
    case 'createTable': {
      const created = names.next('later')
      return `CREATE TABLE ${created} (id bigint PRIMARY KEY, ${COLUMNS}); ${docOutside(created)}`
    }
    case 'dropTable':
      return name.startsWith('later') ? `DROP TABLE ${name}` : undefined
    case 'identity':
      return table.name === 'coded' || table.name === 'whole'
        ? undefined
        : `ALTER TABLE ${name} REPLICA IDENTITY ${n % 2 === 0 ? 'FULL' : 'DEFAULT'}`
    case 'message':
      return `SELECT pg_logical_emit_message(${n % 2 === 0}, 'state machine', 'n${n}')`
    default:
      return op satisfies never
  }
}

const needsKey = new Set<Operation>([
  ...(['update', 'updateNothing', 'updateLarge', 'rekey', 'rekeyLarge', 'delete', 'fill', 'identity'] as const),
])

function tableFor(op: Operation, all: readonly Table[], chosen: number): Table {
  const fitting = needsKey.has(op) ? all.filter(({ key }) => key.length > 0) : all
  return fitting[chosen % fitting.length]!
}

function columnsOf({ key }: Table): string {
  return [...(key.length === 0 ? ['id'] : key), ...NAMES].join(', ')
}

function insertSql(table: Table, rows: number): string {
  return `INSERT INTO ${table.name} (${columnsOf(table)}) ${rowsSql(table, rows)}`
}

/** New rows of the table, as a query. */
function rowsSql({ keyOf }: Table, rows: number): string {
  return `SELECT ${keyOf.join(', ')}, ${VALUES} FROM (SELECT nextval('ids') AS v FROM generate_series(1, ${rows})) s`
}

function newKey({ key, keyOf }: Table): string {
  // One value for all columns of the key.
  return `(${key.join(', ')}) = (SELECT ${keyOf.join(', ')} FROM (SELECT nextval('ids') + 0 * length(note) AS v) s)`
}

/** Not always the first ones of the table. */
function someRows({ name }: Table, rows: number, n: number): string {
  return `WHERE ctid = ANY (ARRAY(SELECT ctid FROM ${name} WHERE hashtext(note) % 5 = ${n % 5} LIMIT ${rows}))`
}
