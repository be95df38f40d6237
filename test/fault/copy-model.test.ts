// Copies of existing rows by exhaustion (docs/decisions/0011-copies.md): a table that changes, moves its rows, is truncated or
// rewritten, the stream beside it, writers that die, lose a link or sleep through their fencing, in every order. And each rule
// broken, to see that it is needed. Whether the lake is the table is judged by the readers' rule, large values that were not sent
// included.
//
// The product's own: what is left to read (piecesLeft), the way of a copy (wayOfCopy, isSuperseded), what is asked for when
// (TableCopy), what a batch joins and in which order it is completed (joinCopies, finishCopy), what is given up (isLeftOver), what
// counts as copied (CopyTotals), the names of staged files (copyKey, parseCopyKey).
//
// Not modelled: names and types of columns, and tables that get others; partitions; servers that read no ranges of pages; rows of
// tables without a key that are updated or deleted (REPLICA IDENTITY FULL); a gap that was repaired; several tables; several files
// of one piece; stores that lose what was staged. A batch of the stream, and the start of a writer, are one step each, and a writer
// that was cut off does nothing more for the stream: protocol-model.test.ts takes these apart. Reading a piece and staging it are one step, which
// as far as anybody can see they are. A staged file that nobody can plan any more is left out of the state.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { story } from '../support/exploration.js'
import { variants } from './copying/broken-variants.js'
import { explore } from './copying/exploration.js'
import { rulesOfProduct } from './copying/rules.js'
import { scenarios, type ScenarioName } from './copying/scenarios.js'

describe('G4 G5 G7: copies of existing rows, in every order of steps and faults', () => {
  for (const name of Object.keys(scenarios) as ScenarioName[])
    test(name, async (t) => {
      const found = await explore(rulesOfProduct, scenarios[name])
      assert.ok(found.violation === undefined, story(found))
      t.diagnostic(`${found.states} states`)
    })
})

describe('a broken rule of copies is found out', () => {
  for (const { name, broken, scenario, violates } of variants)
    test(`${violates.slice(0, violates.indexOf(':'))}: ${name}`, async (t) => {
      const found = await explore({ ...rulesOfProduct, ...broken }, scenarios[scenario], violates)
      assert.equal(found.violation?.kind, violates, story(found))
      t.diagnostic(`${found.states} states until ${story(found)}`)
    })
})
