// `./run.sh bench [NAME [WORD …]] [--json FILE] [--svg FILE]`: the benchmarks, whose speeds are ratios to a baseline of the same
// run. Without a name: how fast backlogs are drained, which the picture shows, and how soon changes are in the lake.
import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { backlog, RECVLOGICAL } from './backlog.js'
import { copy } from './copy.js'
import { holds, tableOf, type Figure } from './figures.js'
import { freshness } from './freshness.js'
import { growth } from './growth.js'
import { memory } from './memory.js'
import { pictureOf } from './picture.js'
import { writers } from './writers.js'

type Bench = (words: readonly string[]) => Promise<readonly Figure[]>

const benches: Readonly<Record<string, Bench>> = { backlog, freshness, writers, copy, growth, memory }
const usual = ['backlog', 'freshness']

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'string' }, svg: { type: 'string' } },
})
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
if (values.svg !== undefined) await writeFile(values.svg, picture(figures))
process.exitCode = figures.every(holds) ? 0 : 1

function picture(all: readonly Figure[]): string {
  const bars = all
    .filter(({ unit }) => unit === RECVLOGICAL)
    .map(({ subject, value }) => ({ label: subject, value, ours: true }))
  return pictureOf(
    [{ label: 'pg_recvlogical to /dev/null', value: 1 }, ...bars],
    'Draining a backlog into Parquet',
    'Each as a ratio to pg_recvlogical throwing away the same backlog, in the same run, on two cores that the server shares. More is faster.',
  )
}
