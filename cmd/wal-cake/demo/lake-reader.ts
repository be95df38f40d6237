// Reads the demo's lake with DuckDB, as a user would: a glob over Parquet files, and views on top. Reads files only;
// nothing here knows the service or its log.
import { existsSync } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { DuckDBInstance, DuckDBTimestampTZValue, type DuckDBConnection, type DuckDBValue } from '@duckdb/node-api'
import type { ShopTable } from './shop-schema.js'

// Its text form is in the machine's time zone otherwise.
DuckDBTimestampTZValue.timezoneOffsetInMinutes = 0

export interface QueryResult {
  readonly columns: readonly string[]
  readonly rows: readonly (readonly (string | null)[])[]
}

export interface LakeFile {
  readonly path: string
  readonly bytes: number
  /** When it became visible, milliseconds since 1970. */
  readonly visibleMs: number
}

export class LakeReader {
  readonly #dataFolder: string
  readonly #instance: DuckDBInstance
  readonly #connection: DuckDBConnection

  private constructor(dataFolder: string, instance: DuckDBInstance, connection: DuckDBConnection) {
    this.#dataFolder = dataFolder
    this.#instance = instance
    this.#connection = connection
  }

  /** Opens the lake in `folder`, with two views a table: `orders` (rows as they are now) and `orders_log` (all changes). */
  static async open(folder: string, tables: readonly ShopTable[]): Promise<LakeReader> {
    const instance = await DuckDBInstance.create(':memory:')
    const connection = await instance.connect()
    const reader = new LakeReader(join(folder, 'default', 'data', 'public'), instance, connection)
    await connection.run("SET TimeZone = 'UTC'")
    for (const table of tables) await reader.#createViews(table)
    return reader
  }

  close(): void {
    this.#connection.closeSync()
    this.#instance.closeSync()
  }

  async query(sql: string): Promise<QueryResult> {
    const result = await this.#connection.runAndReadAll(sql)
    return { columns: result.deduplicatedColumnNames(), rows: result.getRows().map((row) => row.map(text)) }
  }

  async files(table: string): Promise<LakeFile[]> {
    const folder = join(this.#dataFolder, table)
    if (!existsSync(folder)) return []
    const entries = await readdir(folder, { recursive: true, withFileTypes: true })
    const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
    return Promise.all(
      paths.map(async (path) => {
        // A file is linked to its name when it is complete, which sets this time.
        const { size, ctimeMs } = await stat(path)
        return { path, bytes: size, visibleMs: ctimeMs }
      }),
    )
  }

  /** A FROM item for all changes of a table, as DuckDB takes it anywhere. */
  source(table: string): string {
    return `read_parquet(${literal(join(this.#dataFolder, table, '**', '*.parquet'))}, union_by_name = true)`
  }

  /** Every row of the table as it is now, a text for each of `columns`, in a form that databases agree on. */
  async currentRows(table: string, columns: readonly string[]): Promise<(string | null)[][]> {
    const { rows: types } = await this.query(`SELECT column_name, column_type FROM (DESCRIBE ${quoted(table)})`)
    const typeOf = new Map(types.map(([name, type]) => [name, type ?? '']))
    const cells = columns.map((column) => plainText(quoted(column), typeOf.get(column) ?? ''))
    const { rows } = await this.query(`SELECT ${cells.join(', ')} FROM ${quoted(table)}`)
    return rows.map((row) => [...row])
  }

  async #createViews({ name, key }: ShopTable): Promise<void> {
    const log = quoted(`${name}_log`)
    await this.#connection.run(`CREATE VIEW ${log} AS SELECT * FROM ${this.source(name)}`)
    const { rows } = await this.query(`SELECT column_name FROM (DESCRIBE ${log})`)
    const columns = rows.map(([column]) => column ?? '').filter((column) => !column.startsWith('_') && column !== 'dt')
    await this.#connection.run(`CREATE VIEW ${quoted(name)} AS ${currentRowsSql(log, columns, key)}`)
  }
}

/**
 * The last row of each key, unless it is a delete; after the last truncate; a value that the server did not send is the
 * one it sent last.
 */
function currentRowsSql(log: string, columns: readonly string[], key: readonly string[]): string {
  const position = '(_lsn, _seq)'
  const values = columns.map((column) => {
    if (key.includes(column)) return quoted(column)
    const sent = `NOT coalesce(list_contains(CAST(CAST(_unchanged AS JSON) AS VARCHAR[]), ${literal(column)}), false)`
    // In a struct, because arg_max passes over NULL.
    return `(arg_max({'value': ${quoted(column)}}, ${position}) FILTER (${sent})).value AS ${quoted(column)}`
  })
  return `
    SELECT ${values.join(', ')} FROM ${log}
     WHERE _op <> 'T' AND ${position} > coalesce((SELECT max(${position}) FROM ${log} WHERE _op = 'T'), (-1::BIGINT, -1::BIGINT))
     GROUP BY ${key.map(quoted).join(', ')} HAVING arg_max(_op, ${position}) <> 'D'`
}

function plainText(column: string, type: string): string {
  if (type.startsWith('TIMESTAMP')) return `strftime(${column}, '%Y-%m-%d %H:%M:%S.%f')`
  if (type.endsWith('[]')) return `CAST(to_json(${column}) AS VARCHAR)`
  return `CAST(${column} AS VARCHAR)`
}

function text(value: DuckDBValue): string | null {
  return value === null ? null : value.toString()
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

function literal(value: string): string {
  return `'${value.replaceAll("'", "''")}'`
}
