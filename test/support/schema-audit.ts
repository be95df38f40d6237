// Holds the recorded versions of each table's schema against the data files: every file has the columns of one version, and
// only rows of changes from where that version holds to where the next one does. Shares nothing with the program.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { parquetMetadata, parquetSchema } from 'hyparquet'
import type { Lake } from './lake.js'
import type { ListedFile } from './log-audit.js'
import { lsn } from './lsn-text.js'

export interface VersionRecord {
  readonly version: number
  readonly from_lsn: string
  readonly from_seq: number
  readonly relation_oid: number
  readonly replica_identity: string
  readonly columns: readonly {
    readonly name: string
    readonly lake_name: string
    readonly type: string
    readonly key: boolean
    readonly likely_renamed_from?: string
  }[]
}

/** Columns of ours in every file. */
const META = 8

/** A table's versions, by where they hold from. */
export async function versionsOf(lake: Lake, slot: string, table: string): Promise<VersionRecord[]> {
  const prefix = `_wal_cake/${slot}/schemas/${table}/`
  const keys = (await lake.keys()).filter((key) => key.startsWith(prefix))
  const records = await Promise.all(
    keys.map(async (key) => JSON.parse(await readFile(lake.path(key), 'utf8')) as VersionRecord),
  )
  return records.sort((a, b) => (isBefore(placeOf(a), placeOf(b)) ? -1 : 1))
}

/** `files`: what the log lists; no table has a column that is called like one of ours. */
export async function auditSchemas(lake: Lake, slot: string, files: readonly ListedFile[]): Promise<void> {
  const places = await placesOf(lake, files)
  for (const table of new Set(files.map((file) => `${file.schema}.${file.table}`))) {
    const versions = await versionsOf(lake, slot, table)
    for (const file of files.filter((file) => `${file.schema}.${file.table}` === table)) {
      const k = versions.findIndex(({ version }) => version === file.schema_version)
      const [version, next] = [versions[k], versions[k + 1]]
      assert.ok(version !== undefined, `${file.key}: version ${file.schema_version} is recorded`)
      await assertColumns(lake, file, version)
      for (const place of places.get(lake.path(file.key))!) {
        assert.ok(!isBefore(place, placeOf(version)), `${file.key}: a row before its version`)
        assert.ok(next === undefined || isBefore(place, placeOf(next)), `${file.key}: a row of the version behind`)
      }
    }
  }
}

async function assertColumns(lake: Lake, { key }: ListedFile, version: VersionRecord): Promise<void> {
  const content = await readFile(lake.path(key))
  const bytes = content.buffer.slice(content.byteOffset, content.byteOffset + content.length)
  const names = parquetSchema(parquetMetadata(bytes)).children.map(({ element }) => element.name)
  assert.deepEqual(
    names.slice(0, -META),
    version.columns.map((column) => column.lake_name),
    `${key}: the columns are those of version ${version.version}`,
  )
}

/** By path, where the changes of a file's rows were. */
async function placesOf(lake: Lake, files: readonly ListedFile[]): Promise<Map<string, Place[]>> {
  const paths = files.map(({ key }) => `'${lake.path(key).replaceAll("'", "''")}'`)
  const rows = await lake.query(
    `SELECT filename, _lsn AS lsn, _seq AS seq
       FROM read_parquet([${paths.join(', ')}], filename = true, union_by_name = true, hive_partitioning = false)`,
  )
  const places = new Map<string, Place[]>(files.map(({ key }) => [lake.path(key), []]))
  for (const { filename, lsn, seq } of rows)
    places.get(String(filename))!.push({ lsn: lsn as bigint, seq: Number(seq) })
  return places
}

interface Place {
  readonly lsn: bigint
  readonly seq: number
}

function placeOf({ from_lsn, from_seq }: VersionRecord): Place {
  return { lsn: lsn(from_lsn), seq: from_seq }
}

function isBefore(a: Place, b: Place): boolean {
  return a.lsn < b.lsn || (a.lsn === b.lsn && a.seq < b.seq)
}
