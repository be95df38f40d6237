// Where a local lake keeps what is staged: whole files, each named after the key that it is to get, outside data/ and not
// ending in .parquet, because readers glob hidden files too.
import { readdir } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { unless } from './temporary-files.js'

export const STAGED_FOLDER = '.wal-cake-staged'

/** A longer name goes on in a folder below. With the ending it fits every common file system. */
const MAX_NAME_BYTES = 200

export class StagedFiles {
  /** Of this namespace alone. */
  readonly #folder: string

  constructor(lakeFolder: string, namespace: string) {
    this.#folder = join(lakeFolder, STAGED_FOLDER, `${cut(namespace)}.lake`)
  }

  path(key: string): string {
    return join(this.#folder, `${cut(key)}.staged`)
  }

  /** The keys of all that is staged. */
  async keys(): Promise<string[]> {
    const entries = await readdir(this.#folder, { recursive: true, withFileTypes: true }).catch(unless('ENOENT'))
    const paths = (entries ?? [])
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name))
    return paths.flatMap((path) => this.#keyOf(path) ?? [])
  }

  /** Undefined for a file that path() has not named. */
  #keyOf(path: string): string | undefined {
    const name = relative(this.#folder, path).replaceAll(sep, '')
    try {
      const key = decodeURIComponent(name.replace(/\.staged$/, ''))
      return this.path(key) === path ? key : undefined
    } catch {
      return undefined
    }
  }
}

/** Two names never meet: one that goes on has no ending where the other one ends. */
function cut(name: string): string {
  return encodeURIComponent(name).replace(new RegExp(`.{${MAX_NAME_BYTES}}(?=.)`, 'g'), `$&${sep}`)
}
