// Whoever starts the program starts it with the same flags of the engine.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { nodeFlags } from '../../cmd/wal-cake/program.js'

const root = new URL('../../../', import.meta.url)
const flags = nodeFlags.join(' ')

for (const [file, start] of [
  ['run.sh', `exec node ${flags} "dist/$program"`],
  ['cmd/wal-cake/launch.cts', `#!/usr/bin/env -S node ${flags}\n`],
  [
    'deploy/Dockerfile',
    `ENTRYPOINT ${JSON.stringify(['node', ...nodeFlags, 'dist/bundle/wal-cake/launch.cjs']).replaceAll(',', ', ')}\n`,
  ],
] as const) {
  test(`${file} starts the program with ${flags}`, async () => {
    assert.ok((await readFile(new URL(file, root), 'utf8')).includes(start))
  })
}
