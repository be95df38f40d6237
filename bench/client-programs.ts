// PostgreSQL's own client programs, which the speed benches measure against.
import { access, constants, readdir } from 'node:fs/promises'
import { delimiter, join } from 'node:path'

/** Throws Error where it is not installed. */
export async function findClientProgram(name: string): Promise<string> {
  const versions = await readdir('/usr/lib/postgresql').catch(() => [])
  // First those that are no wrapper, which would take time of its own.
  const folders = [
    ...versions.map((version) => `/usr/lib/postgresql/${version}/bin`),
    ...(process.env.PATH ?? '').split(delimiter),
  ]
  for (const folder of folders) {
    const path = join(folder, name)
    const found = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    )
    if (found) return path
  }
  throw new Error(`${name} is the baseline and is not on the PATH: install PostgreSQL's client programs`)
}
