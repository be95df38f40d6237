// `./run.sh bench [NAME [WORD …]] [--json FILE]`: the benchmarks, whose speeds are ratios to a baseline of the same run. Without a
// name: how fast backlogs are drained, and how soon changes are in the lake.
import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { backlog } from './backlog.js'
import { copy } from './copy.js'
import { holds, tableOf, type Figure } from './figures.js'
import { freshness } from './freshness.js'
import { growth } from './growth.js'
import { memory } from './memory.js'
import { writers } from './writers.js'

type Bench = (words: readonly string[]) => Promise<readonly Figure[]>

const benches: Readonly<Record<string, Bench>> = { backlog, freshness, writers, copy, growth, memory }
const usual = ['backlog', 'freshness']

const { values, positionals } = parseArgs({ allowPositionals: true, options: { json: { type: 'string' } } })
const [name, ...words] = positionals
const chosen = name === undefined ? usual : [name]
const unknown = chosen.find((one) => benches[one] === undefined)
if (unknown !== undefined) {
  process.stderr.write(`there is no bench ${unknown}: ${Object.keys(benches).join(', ')}\n`)
  process.exit(2)
}
const figures: Figure[] = []
for (const one of chosen) figures.push(...(await benches[one]!(words)))
process.stdout.write(tableOf(figures))
if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(figures, undefined, 2)}\n`)
process.exitCode = figures.every(holds) ? 0 : 1
