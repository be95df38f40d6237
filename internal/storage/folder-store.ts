// An object store in a local folder, with a bucket's guarantees: whole files only, create-if-absent by link(), and on
// the disk, with every folder above them, before a write is answered. Never takes a lost mount for an empty lake.
import { createHash } from 'node:crypto'
import { link, mkdir, open, opendir, rename, stat, unlink, type FileHandle } from 'node:fs/promises'
import { dirname, join, relative, resolve } from 'node:path'
import { Failure } from '../model/failure.js'
import { errorCode, folderFailure } from './folder-failure.js'
import { MAX_SEGMENT_BYTES } from './keys.js'
import type { ObjectDigest, ObjectStore, PutOptions, StageOptions, StoredObject } from './object-store.js'
import { STAGED_FOLDER, StagedFiles } from './staged-files.js'
import { stoppedFailure, throwIfStopped } from './stopped.js'
import { removeIfThere, TEMPORARY_FOLDER, TemporaryFiles, unless } from './temporary-files.js'

export interface FolderStoreOptions {
  /** LAKE_DIR; it must be there, because making it could write to the wrong disk when a mount is missing. */
  readonly folder: string
  /** Folder of the lake inside it. */
  readonly namespace: string
}

/** At the root of LAKE_DIR, for what no reader may see. */
const OUR_FOLDERS: readonly string[] = [TEMPORARY_FOLDER, STAGED_FOLDER]

/** Of a folder that is listed: one with millions of records is read in seconds. */
const ENTRIES_AT_ONCE = 4096

/** Folders remembered as on the disk; forgetting them costs a few calls. */
const MAX_KNOWN_FOLDERS = 10_000

export class FolderStore implements ObjectStore {
  readonly location: string
  readonly #folder: string
  readonly #root: string
  readonly #temporary: TemporaryFiles
  readonly #staged: StagedFiles
  /** Folders whose entry in the folder above is on the disk. */
  readonly #known = new Set<string>()

  private constructor(folder: string, namespace: string) {
    this.#folder = folder
    this.#root = join(folder, namespace)
    this.location = this.#root
    this.#temporary = new TemporaryFiles(folder)
    this.#staged = new StagedFiles(folder, namespace)
  }

  /**
   * Makes the folder where only its last part is missing: a longer path that is not there is rather a mount that is
   * missing than a lake to begin. Throws Failure `config` then, and where it may not be written or cannot do hard links.
   */
  static async open(options: FolderStoreOptions): Promise<FolderStore> {
    const folder = resolve(options.folder)
    await mkdir(folder).catch(() => undefined) // what is wrong with it shows below
    const there = await stat(folder).catch((error: unknown) => {
      if (['ENOENT', 'ENOTDIR'].includes(errorCode(error) ?? '')) return undefined
      throw folderFailure(error, 'look at LAKE_DIR', folder)
    })
    if (there?.isDirectory() !== true) {
      throw new Failure('config', `LAKE_DIR ${folder} is not a folder`, { hint: `Make it: mkdir -p '${folder}'` })
    }
    if (options.namespace !== '' && !options.namespace.split('/').every(staysBelow)) {
      throw new Failure('config', `NAMESPACE ${JSON.stringify(options.namespace)} is not a folder below LAKE_DIR`)
    }
    const store = new FolderStore(folder, options.namespace)
    try {
      await store.#temporary.prepare(Date.now())
      await syncFolder(folder)
    } catch (error) {
      throw folderFailure(error, 'prepare LAKE_DIR', folder)
    }
    return store
  }

  async put(key: string, chunks: readonly Uint8Array[], options: PutOptions): Promise<'created' | 'exists'> {
    const move = options.ifAbsent === true ? linkIfAbsent : replace
    return this.#write(`write ${key}`, this.#path(key), chunks, move, options.signal)
  }

  /** The receipt says where the file lies in LAKE_DIR; the key says it too, and the receipt is not needed. */
  async stage(key: string, chunks: readonly Uint8Array[], options: StageOptions): Promise<string> {
    this.#path(key) // a key that no file can have shall not be staged
    const staged = this.#staged.path(key)
    await this.#write(`stage ${key}`, staged, chunks, replace, options.signal)
    return relative(this.#folder, staged)
  }

  async complete(
    key: string,
    _receipt: string,
    { signal }: { signal?: AbortSignal } = {},
  ): Promise<'completed' | 'gone'> {
    const doing = `complete ${key}`
    throwIfStopped(signal, doing)
    const [staged, path] = [this.#staged.path(key), this.#path(key)]
    try {
      if (await isThere(staged)) {
        await this.#makeFolder(dirname(path))
        await linkIfAbsent(staged, path).catch(async (error: unknown) => {
          // Another process may have completed it since we looked.
          if (await isThere(staged)) throw error
          unless('ENOENT')(error)
        })
      }
      if (!(await isThere(path))) {
        await this.#provePresence()
        return 'gone'
      }
      // Whoever made the link: until it is on the disk, the staged file is all there is.
      await syncFolder(dirname(path))
      await removeIfThere(staged)
      return 'completed'
    } catch (error) {
      this.#known.clear()
      throw folderFailure(error, doing, this.#folder)
    }
  }

  async get(key: string, options: { lastBytes?: number; signal?: AbortSignal } = {}): Promise<Buffer | undefined> {
    const doing = `read ${key}`
    throwIfStopped(options.signal, doing)
    try {
      const file = await open(this.#path(key), 'r').catch(unless('ENOENT'))
      if (file !== undefined) return await readEnd(file, options.lastBytes)
      await this.#provePresence()
      return undefined
    } catch (error) {
      throw folderFailure(error, doing, this.#folder)
    }
  }

  async digest(key: string, { signal }: { signal?: AbortSignal } = {}): Promise<ObjectDigest | undefined> {
    const doing = `read ${key}`
    throwIfStopped(signal, doing)
    try {
      const file = await open(this.#path(key), 'r').catch(unless('ENOENT'))
      if (file !== undefined) return await digestOf(file, signal)
      await this.#provePresence()
      return undefined
    } catch (error) {
      if (signal?.aborted === true) throw stoppedFailure(signal, doing)
      throw folderFailure(error, doing, this.#folder)
    }
  }

  async *list(
    prefix: string,
    options: { startAfter?: string; signal?: AbortSignal } = {},
  ): AsyncGenerator<StoredObject, void, undefined> {
    const { startAfter = '', signal } = options
    const doing = `list ${prefix}`
    try {
      await this.#provePresence()
      for await (const key of this.#keysUnder('', prefix, startAfter)) {
        throwIfStopped(signal, doing)
        const found = await stat(join(this.#root, key)).catch(unless('ENOENT'))
        if (found !== undefined) yield { key, bytes: found.size }
      }
    } catch (error) {
      throw folderFailure(error, doing, this.#folder)
    }
  }

  async delete(key: string): Promise<void> {
    const path = this.#path(key)
    try {
      await unlink(path)
      await syncFolder(dirname(path))
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return this.#provePresence()
      throw folderFailure(error, `delete ${key}`, this.#folder)
    }
  }

  /** Only what is staged: temporary files are swept when the folder is opened. */
  async abandonUnfinished(prefix: string, isOurs: (key: string) => boolean): Promise<number> {
    try {
      await this.#provePresence()
      const abandoned = (await this.#staged.keys()).filter((key) => key.startsWith(prefix) && isOurs(key))
      for (const key of abandoned) await removeIfThere(this.#staged.path(key))
      return abandoned.length
    } catch (error) {
      throw folderFailure(error, `remove staged files below ${prefix}`, this.#folder)
    }
  }

  close(): void {
    // Nothing is held open between calls.
  }

  /** Writes a temporary file and hands it to `move`, which gives it its path. */
  async #write<Answer>(
    doing: string,
    path: string,
    chunks: readonly Uint8Array[],
    move: (temporary: string, path: string) => Promise<Answer>,
    signal: AbortSignal | undefined,
  ): Promise<Answer> {
    throwIfStopped(signal, doing)
    try {
      return await this.#temporary.withFile(chunks, signal, async (temporary) => {
        await this.#makeFolder(dirname(path))
        const answer = await move(temporary, path)
        // Also after `exists`: the other writer may not have come to its own sync yet.
        await syncFolder(dirname(path))
        return answer
      })
    } catch (error) {
      this.#known.clear()
      if (signal?.aborted === true) throw stoppedFailure(signal, doing)
      throw folderFailure(error, doing, this.#folder)
    }
  }

  /** Key by key in byte order of whole keys: a folder sorts as its name with the slash that follows it in every key. */
  async *#keysUnder(folder: string, prefix: string, startAfter: string): AsyncGenerator<string> {
    const entries: string[] = []
    const opened = await opendir(join(this.#root, folder), { bufferSize: ENTRIES_AT_ONCE }).catch(unless('ENOENT'))
    for await (const entry of opened ?? []) {
      const isFolder = entry.isDirectory()
      if (folder === '' && OUR_FOLDERS.includes(entry.name)) continue
      const key = folder + entry.name + (isFolder ? '/' : '')
      // A folder of the log may hold millions of records: keep only what can be asked for.
      if (isFolder ? mayHold(key, prefix, startAfter) : key.startsWith(prefix) && compareBytes(key, startAfter) > 0) {
        entries.push(key)
      }
    }
    for (const key of entries.sort(compareBytes)) {
      if (key.endsWith('/')) yield* this.#keysUnder(key, prefix, startAfter)
      else yield key
    }
  }

  #path(key: string): string {
    for (const segment of key.split('/')) {
      if (!staysBelow(segment)) throw new Failure('unexpected', `not a key of a folder: ${JSON.stringify(key)}`)
      if (Buffer.byteLength(segment) > MAX_SEGMENT_BYTES) {
        throw new Failure(
          'config',
          `a file name in LAKE_DIR may have ${MAX_SEGMENT_BYTES} bytes, not more: ${segment}`,
          {
            hint: 'Give the slot, schema or table a shorter name, or use a bucket (S3_BUCKET_NAME).',
          },
        )
      }
    }
    return join(this.#root, key)
  }

  /** Each folder's entry goes to the disk before anything in the folder counts, whoever made it. */
  async #makeFolder(folder: string): Promise<void> {
    if (folder === this.#folder || this.#known.has(folder)) return
    await this.#makeFolder(dirname(folder))
    await mkdir(folder).catch(unless('EEXIST'))
    await syncFolder(dirname(folder))
    if (this.#known.size >= MAX_KNOWN_FOLDERS) this.#known.clear()
    this.#known.add(folder)
  }

  /** The temporary folder was there at the start; without it, this is not the disk that we opened. */
  async #provePresence(): Promise<void> {
    if (await isThere(this.#temporary.folder)) return
    throw new Failure('store_away', `${this.#temporary.folder} is gone: the lake is not the one that was opened`, {
      hint: 'See whether LAKE_DIR is mounted. If the folder was removed on purpose, start the service again.',
    })
  }
}

function staysBelow(segment: string): boolean {
  return segment !== '' && segment !== '.' && segment !== '..' && !OUR_FOLDERS.includes(segment)
}

async function isThere(path: string): Promise<boolean> {
  return (await stat(path).catch(unless('ENOENT'))) !== undefined
}

async function linkIfAbsent(temporary: string, path: string): Promise<'created' | 'exists'> {
  try {
    await link(temporary, path)
    return 'created'
  } catch (error) {
    unless('EEXIST')(error)
    return 'exists'
  }
}

async function replace(temporary: string, path: string): Promise<'created'> {
  await rename(temporary, path)
  return 'created'
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function readEnd(file: FileHandle, lastBytes = Infinity): Promise<Buffer> {
  try {
    const { size } = await file.stat()
    const content = Buffer.alloc(Math.min(size, lastBytes))
    const first = size - content.length
    for (let at = 0; at < content.length;) {
      const { bytesRead } = await file.read(content, at, content.length - at, first + at)
      // Files of the lake never shrink; one that does must not be read as zeros.
      if (bytesRead === 0) throw new Failure('store_away', 'a file of the lake was cut while it was read')
      at += bytesRead
    }
    return content
  } finally {
    await file.close()
  }
}

/** The stream closes the file. */
async function digestOf(file: FileHandle, signal: AbortSignal | undefined): Promise<ObjectDigest> {
  const hash = createHash('sha256')
  let bytes = 0
  for await (const chunk of file.createReadStream(signal === undefined ? {} : { signal }) as AsyncIterable<Buffer>) {
    hash.update(chunk)
    bytes += chunk.length
  }
  return { bytes, sha256: hash.digest('hex') }
}

/** Whether some key under `folder` (which ends in a slash) can start with `prefix` and come after `startAfter`. */
function mayHold(folder: string, prefix: string, startAfter: string): boolean {
  const inPrefix = folder.startsWith(prefix) || prefix.startsWith(folder)
  return inPrefix && (startAfter.startsWith(folder) || compareBytes(folder, startAfter) > 0)
}

function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}
