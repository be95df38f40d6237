// How much memory the program may take, as docs/memory.md promises it to operators: read from that page, so that what is
// tested and measured is what is written there.
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { peakMemory } from './memory-watch.js'

const compiledRoot = fileURLToPath(new URL('../../..', import.meta.url))
const root = existsSync(join(compiledRoot, 'docs')) ? compiledRoot : process.cwd()
const page = await readFile(join(root, 'docs/memory.md'), 'utf8')

/**
 * What decides how much: `rowBytes`, of the largest messages that the server sends at the same time; `tables`, written in one batch;
 * `workers`, while rows are copied.
 */
export interface MemoryLoad {
  readonly limitBytes: number
  readonly rowBytes?: number
  readonly tables?: number
  readonly workers?: number
}

const fixedBytes = promised(/`MEMORY_LIMIT` \+ (\d+) MiB/) * 2 ** 20
const bytesPerTable = promised(/(\d+) KiB for each table/) * 2 ** 10
const bytesPerWorker = promised(/(\d+) MiB for each of `SNAPSHOT_WORKERS`/) * 2 ** 20
const copiesOfRow = promised(/([\d.]+) times the largest row/)

/** The most that may be resident. */
export function memoryBound({ limitBytes, rowBytes = 0, tables = 0, workers = 0 }: MemoryLoad): number {
  return limitBytes + fixedBytes + copiesOfRow * rowBytes + bytesPerTable * tables + bytesPerWorker * workers
}

/** Fails where the running program has taken more. */
export async function assertMemoryBound(t: TestContext, { pid }: { pid: number }, load: MemoryLoad): Promise<void> {
  const [peak, bound] = [await peakMemory(pid), memoryBound(load)]
  const told = `peak ${Math.round(peak / 2 ** 20)} MiB of ${Math.round(bound / 2 ** 20)} MiB`
  t.diagnostic(told)
  assert.ok(peak <= bound, told)
}

function promised(number: RegExp): number {
  const found = number.exec(page)?.[1]
  if (found === undefined) throw new Error(`docs/memory.md no longer says ${number.source}`)
  return Number(found)
}
