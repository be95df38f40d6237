// The data files of a table, each read whole: its size, checksum and number of rows against the log, and what has to be known of all of them
// before their rows can be carried out in order.
import { createHash } from 'node:crypto'
import type { DataFile as ListedFile } from '../../model/batch-record.js'
import type { Lsn } from '../../model/lsn.js'
import { Failure } from '../../model/failure.js'
import { isAfter, type StreamPosition } from '../../model/table-schema.js'
import { parseCopyKey } from '../../storage/keys.js'
import type { ObjectStore } from '../../storage/object-store.js'
import { DataFile } from '../reading/data-file.js'
import { logNotes, logRows, type WantedColumn } from '../reading/log-rows.js'
import type { ReadableFile } from './lake-state.js'
import { readAhead } from './read-ahead.js'

export interface FilesFound {
  /** In order of the log. */
  readonly files: readonly ReadableFile[]
  /** The last truncate before `until`. */
  readonly truncated: StreamPosition | undefined
  /** Places of the wanted columns that were not sent with some row, because their value was not changed. */
  readonly late: readonly number[]
  /** A line each. */
  readonly problems: readonly string[]
}

/** Of a file that is not read for its rows; undefined where it is what the log says. */
export async function problemOf(store: ObjectStore, file: ListedFile): Promise<string | undefined> {
  return differs(file, await store.digest(file.key))
}

/** `wanted`: the columns of the table in a file of this version. `read` is called after each file. */
export async function lookThrough(
  store: ObjectStore,
  listed: readonly ListedFile[],
  wanted: (schemaVersion: number) => readonly WantedColumn[],
  until: Lsn,
  read: (file: ListedFile) => void,
): Promise<FilesFound> {
  const files: ReadableFile[] = []
  const problems: string[] = []
  const late = new Set<number>()
  let truncated: StreamPosition | undefined
  // A file that is not what it should be is told when its turn comes.
  const open = (file: ListedFile): Promise<DataFile | Failure> =>
    contentOf(store, file).catch((error: unknown) => {
      // What the store does not give is not known to be wrong.
      if (error instanceof Failure && error.kind === 'unsafe') return error
      throw error
    })
  for await (const { item: file, loaded } of readAhead(listed, open)) {
    read(file)
    if (loaded instanceof Failure) {
      problems.push(loaded.message)
      continue
    }
    const columns = wanted(file.schemaVersion)
    for await (const rows of logNotes(loaded))
      for (let row = 0; row < rows.count; row++) {
        const position = { lsn: rows.lsn(row), seq: rows.seq(row) }
        if (position.lsn >= until) continue
        if (rows.op(row) === 'T' && (truncated === undefined || isAfter(position, truncated))) truncated = position
        for (const name of rows.unchanged(row)) late.add(columns.findIndex(({ lakeName }) => lakeName === name))
      }
    files.push({
      bytes: file.bytes,
      copiedAt: parseCopyKey(file.key)?.lsn,
      open: () => contentOf(store, file),
      rows: (data) => logRows(data, columns),
    })
  }
  return { files, truncated, late: [...late].filter((k) => k >= 0).sort((a, b) => a - b), problems }
}

/** Throws Failure `unsafe` where it is not what the log says. */
async function contentOf(store: ObjectStore, file: ListedFile): Promise<DataFile> {
  const content = await store.get(file.key)
  const digest = content && { bytes: content.length, sha256: createHash('sha256').update(content).digest('hex') }
  const problem = differs(file, digest)
  if (problem !== undefined) throw new Failure('unsafe', problem)
  const data = new DataFile(file.key, content!)
  if (data.rows !== file.rows)
    throw new Failure('unsafe', `${file.key} has ${data.rows} rows, and the log says ${file.rows}`)
  return data
}

function differs(
  { key, bytes, sha256 }: ListedFile,
  found: { readonly bytes: number; readonly sha256: string } | undefined,
): string | undefined {
  if (found === undefined) return `${key} is in the log and not in the store`
  if (found.bytes !== bytes) return `${key} has ${found.bytes} bytes, and the log says ${bytes}`
  return found.sha256 === sha256 ? undefined : `${key} has another checksum than the log says`
}
