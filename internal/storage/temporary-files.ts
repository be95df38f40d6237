// Files on their way into a local lake: whole and on the disk before anything in the lake names them. They lie outside
// data/ and never end in .parquet, because readers glob hidden files too.
import { randomBytes } from 'node:crypto'
import { link, mkdir, open, readdir, stat, unlink, type FileHandle } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { Failure } from '../model/failure.js'
import { errorCode } from './folder-failure.js'

export const TEMPORARY_FOLDER = '.wal-cake-tmp'

/** A file that nobody has written to for so long has lost its writer. */
const STALE_MS = 60 * 60 * 1000

export class TemporaryFiles {
  readonly folder: string
  readonly #host: string

  constructor(lakeFolder: string, host: string = hostname()) {
    this.folder = join(lakeFolder, TEMPORARY_FOLDER)
    this.#host = host.replace(/[^A-Za-z0-9.]/g, '_').slice(0, 100)
  }

  /**
   * Writes the chunks to a new file, to the disk, and hands its path to `use`, which links or renames it; removes what is
   * left under the temporary name whatever happens.
   */
  async withFile<Result>(
    chunks: readonly Uint8Array[],
    signal: AbortSignal | undefined,
    use: (path: string) => Promise<Result>,
  ): Promise<Result> {
    const path = join(this.folder, `${this.#host}-${process.pid}-${randomBytes(8).toString('hex')}.tmp`)
    const file = await open(path, 'wx')
    try {
      await writeThrough(file, chunks, signal)
      return await use(path)
    } finally {
      await removeIfThere(path)
    }
  }

  /** Makes the folder, removes what dead writers left in it, and proves that this mount does hard links. */
  async prepare(now: number): Promise<void> {
    await mkdir(this.folder).catch(unless('EEXIST'))
    for (const name of await readdir(this.folder)) await this.#sweep(name, now)
    await this.withFile([], undefined, async (path) => {
      const second = `${path}.link`
      await link(path, second).catch((error: unknown) => {
        throw new Failure('config', `the file system of ${this.folder} has no hard links: ${String(error)}`, {
          hint: 'Set LAKE_DIR to a folder on a local disk, or use a bucket (S3_BUCKET_NAME).',
          cause: error,
        })
      })
      await unlink(second)
    })
  }

  /**
   * Takes away a file that is old, or whose writer is gone. Should it be in use after all (a writer on another machine
   * that looks dead from here), its writer's link() fails and it tries again: nothing is lost.
   */
  async #sweep(name: string, now: number): Promise<void> {
    const path = join(this.folder, name)
    const [, host, pid] = /^(.*)-(\d+)-[0-9a-f]{16}\.tmp(?:\.link)?$/.exec(name) ?? []
    const orphan = host === this.#host && !isAlive(Number(pid))
    if (!orphan) {
      const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: now }))
      if (now - mtimeMs < STALE_MS) return
    }
    await removeIfThere(path)
  }
}

async function writeThrough(
  file: FileHandle,
  chunks: readonly Uint8Array[],
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    for (const chunk of chunks) await file.writeFile(chunk, signal === undefined ? {} : { signal })
    await file.sync()
  } finally {
    await file.close()
  }
}

export async function removeIfThere(path: string): Promise<void> {
  await unlink(path).catch(unless('ENOENT'))
}

/** For `catch`: swallows the errors with this code and throws the others. */
export function unless(code: string): (error: unknown) => undefined {
  return (error) => {
    if (errorCode(error) !== code) throw error
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // EPERM: it is there and belongs to somebody else.
    return errorCode(error) !== 'ESRCH'
  }
}
