// The thread pool has a thread for each core, in whatever way the program is started.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { programFile } from '../../cmd/wal-cake/program.js'

const run = promisify(execFile)
const nineCores = fileURLToPath(new URL('../support/nine-cores.cjs', import.meta.url))

async function threads(env: Readonly<Record<string, string>>): Promise<number> {
  const { stdout } = await run(process.execPath, ['--require', nineCores, programFile, '--version'], { env })
  return Number(/^threads: (\d+)$/m.exec(stdout)?.[1])
}

test('the thread pool has as many threads as the machine has cores, or as UV_THREADPOOL_SIZE says', async () => {
  const withOne = await threads({ UV_THREADPOOL_SIZE: '1' })
  assert.equal((await threads({ UV_THREADPOOL_SIZE: '5' })) - withOne, 4)
  assert.equal((await threads({})) - withOne, 8)
})
