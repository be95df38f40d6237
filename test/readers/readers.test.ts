// Every table of the lake is one table for every reader, whatever its schema went through, and every value is right: by the
// snippets of docs/readers.md, which says of each reader what it refuses and what it shows otherwise. Nothing else may differ.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { duckdb } from './duckdb.js'
import { lakeUnderTest, type ReadCase } from './lake-under-test.js'
import { plain, readersPage, type ReadersPage } from './page.js'
import type { Answer, Cell, Reader } from './reader.js'
import { trino } from './trino.js'

const readers: readonly Reader[] = [duckdb, trino]

for (const reader of readers)
  test(`G8: ${reader.name} reads every table and every type as docs/readers.md says`, async (t) => {
    const missing = await reader.prepare()
    if (missing !== undefined) {
      console.log(`${reader.name} is not tested: ${missing}`)
      t.skip(missing)
      return
    }
    const [{ folder, cases }, page] = await Promise.all([lakeUnderTest(t), readersPage()])
    const requests = cases.map(({ table, columns, bytes }) => {
      const directory = join(folder, table)
      return { table, folder: directory, snippet: page.snippet(reader.name, directory), columns, bytes }
    })
    const answers = await reader.read(requests)
    assert.equal(answers.length, cases.length)
    const differences = cases.flatMap((read, k) => {
      const found = outcome(answers[k]!)
      const expected = expectedOutcome(page, reader.name, read, found)
      return isDeepStrictEqual(found, expected) ? [] : [{ read: read.name, found, expected }]
    })
    assert.deepEqual(differences, [])
  })

test('docs/readers.md tells of no reader and of no read that is not tested', async (t) => {
  const [{ cases }, { refusals, alterations }] = await Promise.all([lakeUnderTest(t), readersPage()])
  const known = cases.map(({ name }) => plain(name))
  for (const { reader, read } of [...refusals, ...alterations]) {
    assert.ok(
      readers.some(({ name }) => name === reader),
      `reader ${reader}`,
    )
    assert.ok(known.includes(read), `${reader}: ${read}`)
  }
})

/** Its cells as texts, or the error's text. */
type Outcome = readonly (readonly string[])[] | string

function outcome(answer: Answer): Outcome {
  return 'refused' in answer ? answer.refused : answer.rows.map((row) => row.map(textOf))
}

/** What the page says, or else the known rows; an error that has the page's text in it is as expected. */
function expectedOutcome(page: ReadersPage, reader: string, read: ReadCase, found: Outcome): Outcome {
  const ofThis = (line: { reader: string; read: string }) => line.reader === reader && line.read === plain(read.name)
  const refusal = page.refusals.find(ofThis)
  if (refusal !== undefined)
    return typeof found === 'string' && plain(found).includes(refusal.error) ? found : `an error with: ${refusal.error}`
  const alterations = page.alterations.filter(ofThis)
  const shown = (text: string) => alterations.find(({ expected }) => expected === plain(text))?.shown ?? text
  return read.rows.map((row) => row.map((cell) => shown(textOf(cell))))
}

/** Different for different cells, on one line, and with what cannot be seen escaped. */
function textOf(cell: Cell): string {
  if (cell === null) return 'NULL'
  if (typeof cell === 'number') return Object.is(cell, -0) ? '-0' : String(cell)
  if (typeof cell === 'object')
    return `[${cell.map((item) => (typeof item === 'string' ? quoted(item) : textOf(item))).join(', ')}]`
  return cell === 'NULL' ? quoted(cell) : quoted(cell).slice(1, -1)
}

function quoted(text: string): string {
  return JSON.stringify(text).replaceAll('\ufeff', '\\ufeff')
}
