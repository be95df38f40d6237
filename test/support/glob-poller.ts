// A reader that only globs the data files, again and again while the program runs, crashes and is fenced: it never sees a
// change twice, and nothing that it has seen is gone later (G4). Knows nothing of plans and commits, and only reads.
import { isDeepStrictEqual } from 'node:util'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join, relative } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { parquetReadObjects } from 'hyparquet'
import type { Row } from './current-state.js'
import type { LakeBucket } from './lake-bucket.js'
import { compressors } from './zstd-pages.js'

/** Pause between two looks; at least so many times as long as the look took, so that watching does not become the load. */
const EVERY_MS = 50
const PAUSE_PER_LOOK = 8

/** Where the lake lies, as in a Rig: one of the two. */
export interface PolledLake {
  readonly bucket: LakeBucket | undefined
  readonly folder: string | undefined
}

interface SeenFile {
  /** Changes when the file was written again. */
  stamp: string
  content: Uint8Array
}

export class GlobPoller {
  /** Whole listings that were made. */
  looks = 0
  /** Listings and reads that failed because the store was away. */
  failedLooks = 0
  /** Files seen written again; with the same rows, which is no fault. */
  rewritten = 0
  /** Changes seen, by `schema/table`. */
  readonly rows = new Map<string, number>()
  readonly faults: string[] = []
  readonly #files = new Map<string, SeenFile>()
  /** Table and position of every change, and the file that holds it. */
  readonly #places = new Map<string, string>()
  readonly #missing = new Set<string>()
  readonly #source: Promise<DataFiles>
  readonly #running: Promise<void>
  #stopped = false

  constructor(t: TestContext, lake: PolledLake, namespace = 'default') {
    const data = `${namespace}/data/`
    this.#source = filesUnder(lake, data)
    this.#running = this.#poll()
    // A test that fails must not leave the poller running.
    t.after(() => (this.#stopped = true))
  }

  /** Data files seen. */
  get files(): number {
    return this.#files.size
  }

  /** Looks once more, which must succeed, and ends. What was found is in `faults`. */
  async stop(): Promise<void> {
    this.#stopped = true
    await this.#running
    await this.#look()
    const { close } = await this.#source
    close()
  }

  async #poll(): Promise<void> {
    while (!this.#stopped) {
      const from = performance.now()
      await this.#look().catch(() => this.failedLooks++)
      await delay(Math.max(EVERY_MS, PAUSE_PER_LOOK * (performance.now() - from)))
    }
  }

  async #look(): Promise<void> {
    const listed = await (await this.#source).list()
    for (const key of this.#files.keys()) if (!listed.has(key)) this.#noteMissing(key)
    for (const [key, stamp] of listed) if (this.#files.get(key)?.stamp !== stamp) await this.#read(key, stamp)
    this.looks++
  }

  async #read(key: string, stamp: string): Promise<void> {
    const content = await (await this.#source).read(key)
    if (content === undefined) {
      this.#noteMissing(key)
      return
    }
    const before = this.#files.get(key)
    if (before === undefined) await this.#note(key, { stamp, content })
    else {
      this.rewritten++
      const same = Buffer.compare(before.content, content) === 0
      if (!same && !isDeepStrictEqual(await rowsOf(before.content), await rowsOf(content)))
        this.faults.push(`${key} was written again with other rows`)
      before.stamp = stamp
      before.content = content
    }
  }

  async #note(key: string, file: SeenFile): Promise<void> {
    const table = key.split('/').slice(0, 2).join('/')
    const rows = await rowsOf(file.content, ['_lsn', '_seq'])
    this.#files.set(key, file)
    this.rows.set(table, (this.rows.get(table) ?? 0) + rows.length)
    for (const { _lsn, _seq } of rows) {
      const place = `${table} ${String(_lsn)} ${String(_seq)}`
      const other = this.#places.get(place)
      if (other !== undefined) this.faults.push(`(_lsn, _seq) of ${place} is in ${other} and in ${key}`)
      this.#places.set(place, key)
    }
  }

  #noteMissing(key: string): void {
    if (this.#missing.has(key)) return
    this.#missing.add(key)
    this.faults.push(`${key} was there and is gone`)
  }
}

/** All columns where none are named. */
async function rowsOf(content: Uint8Array, columns?: string[]): Promise<Row[]> {
  const file = content.buffer.slice(content.byteOffset, content.byteOffset + content.byteLength) as ArrayBuffer
  return (await parquetReadObjects({ file, compressors, ...(columns === undefined ? {} : { columns }) })) as Row[]
}

export interface DataFiles {
  /** Key below data/ to what changes when it is written again. */
  readonly list: () => Promise<Map<string, string>>
  /** Undefined where it is gone. */
  readonly read: (key: string) => Promise<Uint8Array | undefined>
  readonly close: () => void
}

async function filesUnder({ bucket, folder }: PolledLake, prefix: string): Promise<DataFiles> {
  if (bucket === undefined) return folderFiles(join(folder!, prefix))
  const { bucketFiles } = await import('./bucket-readers.js')
  return bucketFiles(bucket, prefix)
}

function folderFiles(folder: string): DataFiles {
  return {
    list: async () => {
      const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
      const listed = new Map<string, string>()
      for (const entry of entries) {
        if (!entry.isFile() || !entry.name.endsWith('.parquet')) continue
        const path = join(entry.parentPath, entry.name)
        // Gone between the two: told by read().
        const { ino, mtimeNs } = await stat(path, { bigint: true }).catch(() => ({ ino: 0n, mtimeNs: 0n }))
        listed.set(relative(folder, path), `${ino} ${mtimeNs}`)
      }
      return listed
    },
    read: (key) => readFile(join(folder, key)).catch(() => undefined),
    close: () => undefined,
  }
}
