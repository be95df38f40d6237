// Reads a lake back as its users do: with DuckDB over a glob, and with hyparquet, which shares no code with our writer.
// Values stay exact; never reads through the program's own code.
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import type { TestContext } from 'node:test'
import {
  DuckDBBlobValue,
  DuckDBInstance,
  DuckDBListValue,
  DuckDBTimestampTZValue,
  type DuckDBValue,
} from '@duckdb/node-api'
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet'
import { byPosition, currentState, type Row } from './current-state.js'
import type { LakeBucket } from './lake-bucket.js'
import { compressors } from './zstd-pages.js'

export { currentState, type Row } from './current-state.js'
export type { LakeBucket } from './lake-bucket.js'

// Its text form is in the machine's time zone otherwise.
DuckDBTimestampTZValue.timezoneOffsetInMinutes = 0

/** A lake in a local folder. `folder` is LAKE_DIR. */
export function folderLake(folder: string, namespace = 'default'): Lake {
  return new Lake(folder, namespace)
}

/** A lake in a bucket; its objects are fetched before each read, into a folder that goes with the test. */
export async function bucketLake(t: TestContext, bucket: LakeBucket, namespace = 'default'): Promise<Lake> {
  const folder = await mkdtemp(join(tmpdir(), 'wal-cake-lake-'))
  // The SDK takes a while to load, and a folder needs none of it.
  const { BucketCopy } = await import('./lake-bucket.js')
  const copy = new BucketCopy(bucket, folder)
  t.after(async () => {
    copy.close()
    await rm(folder, { recursive: true })
  })
  return new Lake(folder, namespace, (prefix) => copy.refresh(`${namespace}/${prefix}`))
}

/** A record of the commit log; the numbers of its `files` are numbers, LSNs are text. */
export type LogRecord = Readonly<Record<string, unknown>> & { readonly batch: number }

/** Tables are named `schema.table`. */
export class Lake {
  readonly #root: string
  readonly #refresh: (prefix: string) => Promise<void>

  /** Use folderLake() or bucketLake(). */
  constructor(folder: string, namespace: string, refresh: (prefix: string) => Promise<void> = () => Promise.resolve()) {
    this.#root = join(folder, namespace)
    this.#refresh = refresh
  }

  /** Every key of the lake, or those below a prefix, relative to the namespace, sorted. */
  async keys(prefix = ''): Promise<string[]> {
    await this.#refresh(prefix)
    const folder = join(this.#root, prefix.slice(0, prefix.lastIndexOf('/') + 1))
    if (!existsSync(folder)) return []
    const entries = await readdir(folder, { recursive: true, withFileTypes: true })
    const files = entries.filter((entry) => entry.isFile())
    const keys = files.map((entry) => relative(this.#root, join(entry.parentPath, entry.name)))
    return keys.filter((key) => key.startsWith(prefix)).sort()
  }

  /** The keys of a table's data files. */
  async files(table: string): Promise<string[]> {
    const keys = await this.keys(`${tableFolder(table)}/`)
    return keys.filter((key) => key.endsWith('.parquet'))
  }

  /** The absolute path of a key. */
  path(key: string): string {
    return join(this.#root, key)
  }

  async tables(): Promise<string[]> {
    const folders = (await this.keys('data/')).map((key) => key.split('/').slice(1, 3).map(decodeURIComponent))
    return [...new Set(folders.map((names) => names.join('.')))]
  }

  /** The slot's commits, in order. */
  async commits(slot = 'wal_cake_slot'): Promise<LogRecord[]> {
    const keys = await this.keys(`_wal_cake/${slot}/log/`)
    const commits = keys.filter((key) => key.endsWith('.commit.json'))
    return Promise.all(commits.map(async (key) => JSON.parse(await readFile(this.path(key), 'utf8')) as LogRecord))
  }

  /**
   * All rows of a table in log order, read by DuckDB with `hive_partitioning` and `union_by_name`; without the partition
   * column. int64 is a bigint; dates, times and decimals are their text; lists are arrays, bytes are Buffers.
   */
  async rows(table: string): Promise<Row[]> {
    if ((await this.files(table)).length === 0) return []
    const rows = await this.query(`SELECT * FROM ${this.from(table)}`)
    return rows.map(withoutPartition).sort(byPosition)
  }

  /** The same rows as hyparquet gives them: decimals are numbers, times are Dates. */
  async rowsByHyparquet(table: string): Promise<Row[]> {
    const keys = await this.files(table)
    const rows: Row[] = []
    for (const key of keys) {
      const file = await asyncBufferFromFile(this.path(key))
      rows.push(...((await parquetReadObjects({ file, compressors })) as Row[]))
    }
    return rows.sort(byPosition)
  }

  /** The table's rows now, by the contract's rule, ordered by key. */
  async currentState(table: string, keyColumns: readonly string[]): Promise<Row[]> {
    return currentState(await this.rows(table), keyColumns)
  }

  /** Fails when a change is in the lake twice (G4). Gives the number of rows of every table. */
  async noDoubles(): Promise<Record<string, number>> {
    const counts: Record<string, number> = {}
    for (const table of await this.tables()) {
      const [row] = await this.query(
        `SELECT count(*) AS rows, count(DISTINCT (_lsn, _seq)) AS changes FROM ${this.from(table)}`,
      )
      assert.equal(row?.rows, row?.changes, `${table}: rows, and changes by (_lsn, _seq)`)
      counts[table] = Number(row?.rows)
    }
    return counts
  }

  /** For a FROM clause: the table as a user would read it. Does not fetch; keys(), files(), rows() do. */
  from(table: string): string {
    const glob = join(this.#root, tableFolder(table), '**', '*.parquet')
    return `read_parquet('${glob.replaceAll("'", "''")}', hive_partitioning = true, hive_types_autocast = false, union_by_name = true)`
  }

  /** Any SQL, UTC. */
  async query(sql: string): Promise<Row[]> {
    duckDb ??= DuckDBInstance.create(':memory:', { threads: '2', enable_external_file_cache: 'false' })
    const connection = await (await duckDb).connect()
    try {
      await connection.run("SET TimeZone = 'UTC'")
      const reader = await connection.runAndReadAll(sql)
      return reader.getRowObjects().map((row) => mapValues(row, plain))
    } finally {
      connection.closeSync()
    }
  }
}

/** One for the whole process: to make it costs more than most questions. It keeps nothing of the files that it has read. */
let duckDb: Promise<DuckDBInstance> | undefined

function tableFolder(table: string): string {
  const dot = table.indexOf('.')
  const names = [table.slice(0, dot), table.slice(dot + 1)]
  return `data/${names.map((name) => encodeURIComponent(name).replace(/[!'()*~]/g, percent)).join('/')}`
}

function percent(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`
}

function withoutPartition(row: Row): Row {
  const { dt, dt_commit, ...rest } = row
  // A table with a column dt of its own is partitioned by dt_commit.
  return dt_commit === undefined ? rest : { ...rest, dt }
}

function plain(value: DuckDBValue): unknown {
  if (value instanceof DuckDBListValue) return value.items.map(plain)
  if (value instanceof DuckDBBlobValue) return Buffer.from(value.bytes)
  if (typeof value === 'object' && value !== null) return value.toString()
  return value
}

function mapValues(row: Record<string, DuckDBValue>, map: (value: DuckDBValue) => unknown): Row {
  return Object.fromEntries(Object.entries(row).map(([column, value]) => [column, map(value)]))
}
