// Every link of the documentation leads somewhere: to a file of the repository, and to a heading of it.
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { dirname, join, normalize } from 'node:path'
import { test } from 'node:test'

async function pages(): Promise<string[]> {
  const found = await readdir('docs', { recursive: true })
  const top = await readdir('.')
  return [...found.map((name) => join('docs', name)), ...top].filter((name) => name.endsWith('.md'))
}

/** As GitHub makes them of headings. */
function anchorsOf(text: string): Set<string> {
  const headings = text.replace(/^```.*?^```/gms, '').matchAll(/^#+ (.*)$/gm)
  return new Set(
    Array.from(headings, ([, heading]) =>
      heading!
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .replace(/\s/g, '-'),
    ),
  )
}

test('no link of the documentation leads nowhere', async () => {
  const lost: string[] = []
  let links = 0
  for (const page of await pages()) {
    const text = await readFile(page, 'utf8')
    for (const [, target] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target!)) continue
      links++
      const [path, anchor] = target!.split('#') as [string, string?]
      const file = path === '' ? page : normalize(join(dirname(page), path))
      const isThere = existsSync(file) && (anchor === undefined || anchorsOf(await readFile(file, 'utf8')).has(anchor))
      if (!isThere) lost.push(`${page}: ${target}`)
    }
  }
  assert.deepEqual(lost, [])
  assert.ok(links > 50)
})

test('the README leads to every page and picture of the documentation', async () => {
  const readme = await readFile('README.md', 'utf8')
  const files = await readdir('docs')
  // The decisions are listed by a page of their own.
  assert.deepEqual(
    files.filter((name) => !readme.includes(`(docs/${name}`)),
    [],
  )
})

test('every alert has its section', async () => {
  const alerts = await readFile('deploy/prometheus/alerts.yaml', 'utf8')
  const sections = anchorsOf(await readFile('docs/operations.md', 'utf8'))
  const named = Array.from(alerts.matchAll(/operations\.md#([\w-]+)/g), ([, anchor]) => anchor!)
  assert.deepEqual(
    named.filter((anchor) => !sections.has(anchor)),
    [],
  )
  assert.equal(named.length, alerts.match(/^\s*- alert:/gm)?.length)
})
