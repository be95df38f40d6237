// Every table of the lake is one table for every reader, whatever its schema went through, and every value is right: by the
// snippets of docs/readers.md, which says of each reader what it refuses and what it shows otherwise. Nothing else may differ.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { inspect, isDeepStrictEqual } from 'node:util'
import { readers } from './all.js'
import { lakeUnderTest, type ReadCase } from './lake-under-test.js'
import { plain, readersPage, type ReadersPage } from './page.js'
import type { Answer, Cell } from './reader.js'

for (const reader of readers)
  test(`G8: ${reader.name} reads every table and every type as docs/readers.md says`, async (t) => {
    const missing = await reader.prepare()
    if (missing !== undefined) {
      t.diagnostic(`${reader.name} is not tested: ${missing}`)
      t.skip(missing)
      return
    }
    const [{ folder, cases }, page] = await Promise.all([lakeUnderTest(t), readersPage()])
    const requests = cases.map(({ table, columns, bytes, instants }) => {
      const directory = join(folder, table)
      return { table, folder: directory, snippet: page.snippet(reader.name, directory), columns, bytes, instants }
    })
    const answers = await reader.read(requests)
    assert.equal(answers.length, cases.length)
    const said = saidOf(page, reader.name)
    const differences = cases.flatMap(({ name, rows }, k) => {
      const found = outcome(answers[k]!)
      const expected = said.expected(name, rows, found)
      return isDeepStrictEqual(found, expected) ? [] : [{ read: name, found, expected }]
    })
    assert.ok(differences.length === 0, inspect(differences, { depth: 5, maxArrayLength: null, breakLength: 160 }))
    assert.deepEqual(said.unseen(), [], 'alterations that were not seen')
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

/** What the page says of a reader. */
function saidOf(page: ReadersPage, reader: string) {
  const refusals = page.refusals.filter((refusal) => refusal.reader === reader)
  const unseen = new Set(page.alterations.filter((alteration) => alteration.reader === reader))
  const alterations = [...unseen]
  return {
    /** The known rows, altered or refused as the page says. An error with the page's text in it is as expected. */
    expected: (read: string, rows: ReadCase['rows'], found: Outcome): Outcome => {
      const refusal = refusals.find((refusal) => refusal.read === plain(read))
      if (refusal !== undefined)
        return typeof found === 'string' && plain(found).includes(refusal.error)
          ? found
          : `an error with: ${refusal.error}`
      return rows.map((row, y) =>
        row.map((cell, x) => {
          const expected = textOf(cell)
          const shown = typeof found === 'string' ? undefined : found[y]?.[x]
          const alteration = alterations.find(
            (line) =>
              line.read === plain(read) && line.expected === plain(expected) && line.shown === plain(shown ?? ''),
          )
          if (alteration === undefined || shown === undefined) return expected
          unseen.delete(alteration)
          return shown
        }),
      )
    },
    /** Alterations that no row showed. */
    unseen: () => [...unseen],
  }
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
