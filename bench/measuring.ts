// What the benches share: the middle of several runs, what a lake has, and pauses.
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!
}

/** What the commits of a lake in a folder list. */
export async function committed(lake: string): Promise<{ rows: number; bytes: number }> {
  const total = { rows: 0, bytes: 0 }
  for (const name of await readdir(lake, { recursive: true })) {
    if (!name.endsWith('.commit.json')) continue
    const commit = JSON.parse(await readFile(join(lake, name), 'utf8')) as { rows: number; files: { bytes: number }[] }
    total.rows += commit.rows
    total.bytes += commit.files.reduce((sum, file) => sum + file.bytes, 0)
  }
  return total
}

export async function pause(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms))
}
