// What must hold in every state, and at the end.
import type { Violation as Found } from '../../support/exploration.js'
import { byPosition, currentState, type Row } from '../../support/current-state.js'
import type { Source } from './source.js'
import { TABLE } from './model.js'
import { ids, type Entry, type File, type World } from './world.js'

export const STUCK = 'G11: never comes to its end'

export type ViolationKind =
  | 'G4: a row is in two files'
  | 'G4: a commit without its files'
  | 'G4: what was there is superseded, and its rows are not there'
  | 'G4: the lake is not the table'
  | 'G5: a planned file is given up'
  | 'G7: a large value is lost'
  | typeof STUCK

export type Violation = Found<ViolationKind>

export class Checks {
  readonly #source: Source
  /** Many states share a bucket. */
  readonly #seen = new Map<string, Violation | undefined>()

  constructor(source: Source) {
    this.#source = source
  }

  of(world: World): Violation | undefined {
    const { log, staged, visible } = world
    const done = this.done(world)
    const key = `${ids(log)};${ids(staged)};${ids(visible)};${done}`
    if (!this.#seen.has(key)) this.#seen.set(key, this.#ofBucket(world, done))
    return this.#seen.get(key)
  }

  /** Everything is copied and streamed. */
  done({ folded, log, answered }: World): boolean {
    const copied = answered && folded.totals.isFinished(TABLE)
    return copied && folded.landed === this.#source.length && log.length === 0
  }

  #ofBucket({ log, staged, visible }: World, done: boolean): Violation | undefined {
    return rowsOnce(visible) ?? plansWhole(log, staged, visible) ?? (done ? this.#isTable(visible) : undefined)
  }

  #isTable(visible: readonly File[]): Violation | undefined {
    const log = visible.flatMap(({ rows }) => rows)
    const actual = this.#source.hasKey ? currentState(log, ['key']) : sinceTruncation(log)
    const expected = this.#source.rows(this.#source.length).map(({ key, small, large }) => ({ key, small, large }))
    if (text(actual) === text(expected)) return undefined
    const small = (row: Row): Row => ({ key: row.key, small: row.small })
    const kind =
      text(actual.map(small)) === text(expected.map(small))
        ? 'G7: a large value is lost'
        : 'G4: the lake is not the table'
    return { kind, text: `${text(actual)} and not ${text(expected)}` }
  }
}

/** Of a table without a key: the rows that came after the last T. */
function sinceTruncation(log: readonly Row[]): Row[] {
  const ordered = [...log].sort(byPosition)
  return ordered
    .slice(ordered.findLastIndex(({ _op }) => _op === 'T') + 1)
    .map(({ key, small, large }) => ({ key, small, large }))
}

function text(rows: readonly Row[]): string {
  return rows
    .map(({ key, small, large }) => JSON.stringify([key, small, large]))
    .sort()
    .join(' ')
}

function rowsOnce(visible: readonly File[]): Violation | undefined {
  const seen = new Map<string, File>()
  for (const file of visible)
    for (const { _lsn, _seq } of file.rows) {
      const position = `(${String(_lsn)}, ${String(_seq)})`
      const other = seen.get(position)
      if (other !== undefined)
        return { kind: 'G4: a row is in two files', text: `${position} is in ${other.key} and in ${file.key}` }
      seen.set(position, file)
    }
  return undefined
}

function plansWhole(log: readonly Entry[], staged: readonly File[], visible: readonly File[]): Violation | undefined {
  for (const { copy } of log) {
    const files = copy?.files ?? []
    const missing = files.filter((file) => !visible.includes(file))
    const superseding = files.find(
      ({ supersedes, lsn }, k) => supersedes && visible.includes(files[k]!) && missing.some((file) => file.lsn === lsn),
    )
    if (superseding !== undefined)
      return {
        kind: 'G4: what was there is superseded, and its rows are not there',
        text: `${superseding.key} is visible and ${missing[0]!.key} is not`,
      }
    const gone = missing.find((file) => !staged.includes(file))
    if (gone !== undefined) return { kind: 'G5: a planned file is given up', text: gone.key }
  }
  return undefined
}
