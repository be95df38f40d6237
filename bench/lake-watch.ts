// When rows of a table came to lie in a lake, looked at from outside: a listing every few milliseconds, whose files are read
// when all is over.
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3'
import { parquetReadObjects } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import type { LakeBucket } from '../test/support/lake-bucket.js'
import { pause } from './measuring.js'

const LOOK_MS = 10

/** The data files of one table. */
export interface TableFiles {
  /** Names of those that were not listed before. */
  listNew(): Promise<readonly string[]>
  read(name: string): Promise<Uint8Array>
}

export function filesInFolder(folder: string): TableFiles {
  const known = new Set<string>()
  return {
    listNew: async () => {
      const all = await readdir(folder, { recursive: true }).catch(() => [])
      const fresh = all.filter((name) => name.endsWith('.parquet') && !known.has(name))
      for (const name of fresh) known.add(name)
      return fresh
    },
    read: (name) => readFile(join(folder, name)),
  }
}

/** Keys of later batches sort behind those of earlier ones, so that a listing need not begin at the first. */
export function filesInBucket({ bucket, endpoint, region, ...credentials }: LakeBucket, prefix: string): TableFiles {
  const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true })
  let last = prefix
  return {
    listNew: async () => {
      const command = new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, StartAfter: last })
      const { Contents = [] } = await client.send(command)
      const fresh = Contents.map(({ Key = '' }) => Key)
      last = fresh.at(-1) ?? last
      return fresh
    },
    read: async (key) => {
      const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }))
      return (await Body?.transformToByteArray()) ?? new Uint8Array()
    },
  }
}

export class LakeWatch {
  readonly #files: TableFiles
  readonly #seen = new Map<string, number>()
  readonly #watching: Promise<void>
  #stopped = false

  constructor(files: TableFiles) {
    this.#files = files
    this.#watching = this.#watch()
    this.#watching.catch(() => undefined) // stop() tells
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.#watching
  }

  /** When the file that has it was listed first, by the row's `id`, as performance.now() has it. */
  async rows(): Promise<ReadonlyMap<bigint, number>> {
    const ids = new Map<bigint, number>()
    for (const [name, atMs] of this.#seen) {
      const file = new Uint8Array(await this.#files.read(name)).buffer
      for (const { id } of (await parquetReadObjects({ file, columns: ['id'], compressors })) as { id: bigint }[])
        ids.set(id, atMs)
    }
    return ids
  }

  async #watch(): Promise<void> {
    while (!this.#stopped) {
      await this.#look()
      await pause(LOOK_MS)
    }
    await this.#look()
  }

  async #look(): Promise<void> {
    for (const name of await this.#files.listNew()) this.#seen.set(name, performance.now())
  }
}

/** How long each took from its commit to the listing, in milliseconds and in order; Infinity for what was never listed. */
export function latencies(
  commits: ReadonlyMap<bigint, number>,
  listed: ReadonlyMap<bigint, number>,
): readonly number[] {
  return [...commits].map(([id, at]) => (listed.get(id) ?? Infinity) - at).toSorted((a, b) => a - b)
}

/** `part`: 0.5 for the middle, 1 for the largest. */
export function percentile(ordered: readonly number[], part: number): number {
  return ordered[Math.ceil(ordered.length * part) - 1]!
}
