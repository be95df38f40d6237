// Writes what is generated from the table of variables: .env.example, docs/configuration.md and the README's table.
// With --check it writes nothing and exits 1 naming each file that is out of date. Run it in the repository's root.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { renderConfigurationPage, renderEnvExample, renderReadmeTable } from '../../internal/config/render.js'

const begin = '<!-- configuration:begin -->\n'
const end = '<!-- configuration:end -->'

/** The generated files under `root` whose text is not what it should be, with what it should be. */
export function staleFiles(root: string): Map<string, string> {
  const wanted = new Map([
    ['.env.example', renderEnvExample()],
    ['docs/configuration.md', renderConfigurationPage()],
  ])
  const readme = withTable(read(join(root, 'README.md')) ?? '')
  if (readme !== undefined) wanted.set('README.md', readme)
  return new Map([...wanted].filter(([path, text]) => read(join(root, path)) !== text))
}

/** The README with its table renewed; undefined when it has no markers. */
function withTable(readme: string): string | undefined {
  const from = readme.indexOf(begin)
  const to = readme.indexOf(end, from)
  if (from === -1 || to === -1) return undefined
  return `${readme.slice(0, from)}${begin}${renderReadmeTable()}${readme.slice(to)}`
}

function read(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined
}

function main(root: string, checkOnly: boolean): void {
  for (const [path, text] of staleFiles(root)) {
    if (checkOnly) {
      console.error(`${path} is out of date: run node dist/cmd/wal-cake/generate-docs.js`)
      process.exitCode = 1
      continue
    }
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
    console.log(`wrote ${path}`)
  }
}

if (process.argv[1]?.endsWith('generate-docs.js') === true) main(process.cwd(), process.argv.includes('--check'))
