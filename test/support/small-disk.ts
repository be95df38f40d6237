// A disk of a few MiB under a folder, in memory: to be filled, made read-only, taken away and brought back. Mounting needs
// rights: root's, or those of a user namespace of its own.
import { execFile, spawnSync } from 'node:child_process'
import { mkdtemp, rm, rmdir, unlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

export class SmallDisk {
  /** Where it is mounted. */
  readonly folder: string
  /** Where it stays when it is taken away. */
  readonly #home: string

  private constructor(folder: string, home: string) {
    this.folder = folder
    this.#home = home
  }

  /** Hands a new disk under `folder` to `use`, and takes it away whatever happens. */
  static async under(folder: string, mib: number, use: (disk: SmallDisk) => Promise<void>): Promise<void> {
    const home = await mkdtemp(join(tmpdir(), 'wal-cake-disk-'))
    await run('mount', ['-t', 'tmpfs', '-o', `size=${mib}m`, 'tmpfs', home])
    const disk = new SmallDisk(folder, home)
    try {
      await disk.bringBack()
      await use(disk)
    } finally {
      await disk.takeAway().catch(() => undefined)
      await run('umount', ['--lazy', home])
      await rmdir(home)
    }
  }

  /** Leaves the empty folder that lies below. Who has a file open goes on with it. */
  async takeAway(): Promise<void> {
    await run('umount', ['--lazy', this.folder])
  }

  async bringBack(): Promise<void> {
    await run('mount', ['--bind', this.#home, this.folder])
  }

  /** Fails while somebody has a file open for writing. */
  async remount(how: 'ro' | 'rw'): Promise<void> {
    await run('mount', ['-o', `remount,bind,${how}`, this.folder])
  }

  /** Takes up so much of it. */
  async fill(mib: number): Promise<void> {
    await writeFile(join(this.#home, 'ballast'), Buffer.alloc(mib << 20))
  }

  async free(): Promise<void> {
    await unlink(join(this.#home, 'ballast'))
  }
}

/** May this process mount: as it is, only in a namespace of its own, or not at all? */
export async function mayMount(): Promise<'here' | 'in a namespace' | 'never'> {
  const folder = await mkdtemp(join(tmpdir(), 'wal-cake-mount-'))
  try {
    const mount = ['mount', '-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder] as const
    if (succeeds(...mount)) {
      succeeds('umount', folder)
      return 'here'
    }
    return succeeds('unshare', '--map-root-user', '--mount', ...mount) ? 'in a namespace' : 'never'
  } finally {
    await rm(folder, { recursive: true })
  }
}

function succeeds(command: string, ...args: readonly string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0
}
