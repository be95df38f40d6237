// docs/guarantees.md names the tests that prove each promise: they have to be there, and every promise has to have some.
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'node:test'

const compiledRoot = fileURLToPath(new URL('../../..', import.meta.url))
const root = existsSync(join(compiledRoot, 'docs')) ? compiledRoot : process.cwd()
const page = await readFile(join(root, 'docs/guarantees.md'), 'utf8')

for (let number = 1; number <= 11; number++)
  test(`docs/guarantees.md: G${number} is stated, and tests that carry its number are named`, () => {
    const section = new RegExp(`^## G${number} .*?(?=^## )`, 'ms').exec(page)?.[0] ?? ''
    const proofs = [...section.matchAll(/^- `(test\/[^`]+)`: "([^"]+)"$/gm)]
    assert.ok(proofs.length > 0, 'no test is named')
    assert.ok(
      proofs.some(([, , title]) => new RegExp(`\\bG${number}\\b`).test(title!)),
      'none carries its number',
    )
  })

test('docs/guarantees.md: every test that is named is there', async () => {
  const named = [...page.matchAll(/^- `(test\/[^`]+)`: "([^"]+)"$/gm)]
  assert.ok(named.length > 30)
  for (const [, path, title] of named) {
    const source = await readFile(join(root, path!), 'utf8')
    assert.ok(source.includes(title!), `${path!} has no test ${title!}`)
  }
})
