// The demo, shortened: it is the first thing that anybody runs.
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const program = fileURLToPath(new URL('../../cmd/wal-cake/demo.js', import.meta.url))

/** The demo's lake and its temporary files, in a folder that goes with the test. */
async function place(t: TestContext): Promise<{ env: NodeJS.ProcessEnv; folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'wal-cake-demo-'))
  t.after(() => rm(folder, { recursive: true }))
  return { folder, env: { ...process.env, LAKE_DIR: join(folder, 'lake') } }
}

test('the demo ends by itself with a lake equal to its database, which can be queried on', async (t) => {
  const { env } = await place(t)
  const { stdout } = await promisify(execFile)(process.execPath, [program, '--seconds', '2'], { env })
  assert.match(stdout, /Every value of every row equals the database, and no change is there twice/)
  const rowsNow = /^orders +(?:[\d,]+ +){4}([\d,]+)/m.exec(stdout)?.[1]?.replaceAll(',', '')
  const answer = await promisify(execFile)(process.execPath, [program, 'query', 'SELECT count(*) FROM orders'], { env })
  assert.equal(answer.stdout.split('\n')[2]?.trim(), rowsNow)
})

test('the demo leaves a folder alone that is not its own', async (t) => {
  const { env, folder } = await place(t)
  await writeFile(join(folder, 'mine'), '')
  const run = promisify(execFile)(process.execPath, [program, '--seconds', '1'], { env: { ...env, LAKE_DIR: folder } })
  await assert.rejects(run, /is not empty/)
  assert.deepEqual(await readdir(folder), ['mine'])
})

test('an interrupted demo ends what it started', async (t) => {
  const { env } = await place(t)
  const child = spawn(process.execPath, [program, '--seconds', '60'], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => child.kill('SIGKILL'))
  let output = ''
  for await (const chunk of child.stdout) {
    output += String(chunk)
    if (output.includes('streaming')) break
  }
  const ended = once(child, 'exit')
  child.kill('SIGINT')
  assert.deepEqual(await ended, [130, null])
})
