// The log folded, as the product folds it, and as a checkpoint has it: one number for each content that is equal, so that a
// state can name it.
import type { Commit } from '../../../internal/model/batch-record.js'
import { LogTotals } from '../../../internal/storage/log-totals.js'
import { idOf } from './records.js'

/** Number of a content; 0 is that of an empty log. */
export type Folded = number
export const NOTHING: Folded = 0

const contents = [new LogTotals().encode()]
const batches = [new LogTotals().batch]
const numbers = new Map<string, Folded>([[contents[0]!.toString(), NOTHING]])
const known = new Map<string, Folded>()

/** The last batch that is folded in. */
export function lastBatchOf(folded: Folded): number {
  return batches[folded]!
}

function totalsOf(folded: Folded): LogTotals {
  return folded === NOTHING ? new LogTotals() : LogTotals.decode('checkpoint', contents[folded]!)
}

/** Throws Failure `unsafe` where the commit does not follow. */
export function foldIn(folded: Folded, commit: Commit): Folded {
  const step = `${folded} ${idOf(commit)}`
  let after = known.get(step)
  if (after === undefined) {
    const totals = totalsOf(folded)
    totals.add(commit)
    known.set(step, (after = numberOf(totals)))
  }
  return after
}

function numberOf(totals: LogTotals): Folded {
  const content = totals.encode()
  const text = content.toString()
  let number = numbers.get(text)
  if (number === undefined) {
    numbers.set(text, (number = contents.length))
    contents.push(content)
    // Of what a reader makes of it, and once: states ask for it by the hundred thousand.
    batches.push(totalsOf(number).batch)
  }
  return number
}
