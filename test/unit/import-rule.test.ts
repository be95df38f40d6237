// The rules that hold for the whole source tree: who may import whom, who may read the environment, how long a file may
// be. Reads sources only; run in the repository's root.
import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { cruise, type ICruiseResult, type IForbiddenRuleType } from 'dependency-cruiser'

/** What each layer imports of ours, besides itself. Nobody imports pipeline but cmd, test and bench. */
const layers: Readonly<Record<string, readonly string[]>> = {
  model: [],
  observability: ['model'],
  config: ['model', 'observability/redact'],
  replication: ['model'],
  transform: ['model'],
  storage: ['model'],
  snapshot: ['model', 'transform'],
}

/** Files over the limit, with the reason why they stay whole. */
const longFiles: Readonly<Record<string, string>> = {
  'internal/config/variables.ts': 'one table, a row for each variable',
}
const MAX_LINES = 350

const rules: IForbiddenRuleType[] = [
  ...Object.entries(layers).map(([layer, allowed]): IForbiddenRuleType => {
    const own = [layer, ...allowed].map((name) => `^internal/${name}[/.]`)
    return {
      name: layer,
      from: { path: `^internal/${layer}/` },
      to: { path: '^(internal|cmd|test|bench)/', pathNot: own },
    }
  }),
  { name: 'pipeline', from: { path: '^internal/pipeline/' }, to: { path: '^(cmd|test|bench)/' } },
  {
    name: 'known folder',
    from: {},
    to: { path: '^internal/', pathNot: `^internal/(${[...Object.keys(layers), 'pipeline'].join('|')})/` },
  },
  { name: 'no test code', from: { path: '^cmd/' }, to: { path: '^(test|bench)/' } },
  // The demo and the build use packages that are there for development only, and no installation of the service has them.
  {
    name: 'demo',
    from: { path: '^(internal|cmd)/', pathNot: '^cmd/wal-cake/demo' },
    to: { path: '^cmd/wal-cake/demo' },
  },
  {
    name: 'development package',
    from: { path: '^(internal|cmd)/', pathNot: '^cmd/wal-cake/(demo|bundle\\.ts$)' },
    to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['type-only'] },
  },
  // Types vanish when compiled; everything else would be loaded in an order that nobody chose.
  { name: 'circle', from: {}, to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } } },
]

/** Every import under `folders` that breaks a rule, as `rule: from -> to`. */
async function violations(root: string, folders: string[]): Promise<string[]> {
  const { output } = await cruise(folders, {
    baseDir: root,
    validate: true,
    ruleSet: { forbidden: rules.map((rule) => ({ ...rule, severity: 'error' })) },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
  })
  const { summary, modules } = output as ICruiseResult
  assert.ok(modules.length > 0, 'nothing was read')
  return summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} -> ${to}`)
}

async function sources(...folders: string[]): Promise<string[]> {
  const entries = await Promise.all(folders.map((folder) => readdir(folder, { recursive: true, withFileTypes: true })))
  const files = entries.flat().filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
  return files.map((entry) => join(entry.parentPath, entry.name)).sort()
}

test('no import breaks the rule', async () => {
  assert.deepEqual(await violations(process.cwd(), ['internal', 'cmd']), [])
})

const cases = [
  { rule: 'model', from: 'internal/model/a.ts', to: 'internal/observability/b.ts' },
  { rule: 'replication', from: 'internal/replication/a.ts', to: 'internal/transform/b.ts' },
  { rule: 'transform', from: 'internal/transform/deep/a.ts', to: 'internal/storage/b.ts' },
  { rule: 'storage', from: 'internal/storage/a.ts', to: 'internal/pipeline/b.ts' },
  { rule: 'snapshot', from: 'internal/snapshot/a.ts', to: 'internal/replication/b.ts' },
  { rule: 'config', from: 'internal/config/a.ts', to: 'internal/observability/logger.ts' },
  { rule: 'observability', from: 'internal/observability/a.ts', to: 'internal/config/b.ts' },
  { rule: 'pipeline', from: 'internal/pipeline/a.ts', to: 'cmd/b.ts' },
  { rule: 'known folder', from: 'internal/pipeline/a.ts', to: 'internal/helpers/b.ts' },
  { rule: 'no test code', from: 'cmd/a.ts', to: 'test/b.ts' },
  { rule: 'demo', from: 'cmd/wal-cake/a.ts', to: 'cmd/wal-cake/demo/b.ts' },
  { rule: undefined, from: 'internal/config/a.ts', to: 'internal/observability/redact.ts' },
  { rule: undefined, from: 'internal/snapshot/a.ts', to: 'internal/transform/b.ts' },
  { rule: undefined, from: 'internal/pipeline/a.ts', to: 'internal/storage/b.ts' },
  { rule: undefined, from: 'cmd/wal-cake/a.ts', to: 'internal/pipeline/b.ts' },
]

for (const { rule, from, to } of cases) {
  test(`${from} -> ${to} ${rule === undefined ? 'is right' : `breaks: ${rule}`}`, async (t) => {
    const root = await sourceTree({ [from]: importOf(from, to), [to]: 'export const b = 1\n' })
    t.after(() => rm(root, { recursive: true }))
    assert.deepEqual(
      await violations(root, ['internal', 'cmd', 'test']),
      rule === undefined ? [] : [`${rule}: ${from} -> ${to}`],
    )
  })
}

test('a circle is found, and one of types alone is none', async (t) => {
  const [a, b, c] = ['internal/storage/a.ts', 'internal/storage/b.ts', 'internal/storage/c.ts'] as const
  const root = await sourceTree({
    [a]: importOf(a, b),
    [b]: `${importOf(b, a)}${importOf(b, c)}`,
    [c]: `import type { b } from './b.js'\nexport type C = typeof b\n`,
  })
  t.after(() => rm(root, { recursive: true }))
  assert.deepEqual(await violations(root, ['internal']), [`circle: ${a} -> ${b}`])
})

test('a package that is there for development only is found, but for its types', async (t) => {
  const root = await sourceTree({
    'internal/storage/a.ts': `import dev from 'dev'\nexport const a = dev\n`,
    'internal/storage/b.ts': `import type dev from 'dev'\nexport type B = typeof dev\n`,
    'cmd/wal-cake/demo.ts': `import dev from 'dev'\nexport const a = dev\n`,
    'node_modules/dev/package.json': '{ "name": "dev", "version": "1.0.0", "main": "index.js" }\n',
    'node_modules/dev/index.js': 'module.exports = 1\n',
    'package.json': '{ "type": "module", "devDependencies": { "dev": "1.0.0" } }\n',
  })
  t.after(() => rm(root, { recursive: true }))
  const broken = await violations(root, ['internal', 'cmd'])
  assert.deepEqual(broken, ['development package: internal/storage/a.ts -> node_modules/dev/index.js'])
})

test('no layer reads the environment but config', async () => {
  const readers: string[] = []
  for (const path of await sources('internal')) {
    if (path.startsWith(join('internal', 'config'))) continue
    if (/process\s*(\.|\?\.)\s*env|process\[|env\b[^\n]*from 'node:process'/.test(await readFile(path, 'utf8')))
      readers.push(path)
  }
  assert.deepEqual(readers, [])
})

test(`a file has at most ${MAX_LINES} lines, or a reason`, async () => {
  const tooLong: string[] = []
  for (const path of await sources('internal', 'cmd')) {
    const lines = (await readFile(path, 'utf8')).split('\n').length - 1
    if (lines > MAX_LINES && !Object.hasOwn(longFiles, path)) tooLong.push(`${path}: ${lines}`)
  }
  assert.deepEqual(tooLong, [])
})

test('a file opens with what it owns', async () => {
  const silent: string[] = []
  for (const path of await sources('internal', 'cmd', 'test')) {
    const text = (await readFile(path, 'utf8')).replace(/^#!.*\n/, '')
    if (!text.startsWith('// ')) silent.push(path)
  }
  assert.deepEqual(silent, [])
})

async function sourceTree(files: Readonly<Record<string, string>>): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'wal-cake-imports-'))
  for (const folder of ['internal', 'cmd', 'test']) await mkdir(join(root, folder), { recursive: true })
  for (const [path, text] of Object.entries({ 'package.json': '{ "type": "module" }\n', ...files })) {
    await mkdir(join(root, dirname(path)), { recursive: true })
    await writeFile(join(root, path), text)
  }
  return root
}

function importOf(from: string, to: string): string {
  const up = '../'.repeat(from.split('/').length - 1)
  return `import * as x from '${up}${to.replace(/\.ts$/, '.js')}'\nexport const b = x\n`
}
