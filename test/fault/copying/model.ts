// What all parts of the model go by, and the records they make: one object for each that is equal.
import type { CopyProgress, PlannedCopy } from '../../../internal/model/batch-record.js'
import { copyKey } from '../../../internal/storage/keys.js'
import { CopyTotals } from '../../../internal/storage/copy-totals.js'
import type * as Explored from '../../support/exploration.js'
import type { Row } from '../../support/current-state.js'
import type { ViolationKind } from './checks.js'
import { Product } from './product.js'
import type { Rules } from './rules.js'
import { OID, Source } from './source.js'
import {
  Numbers,
  ids,
  withWriter,
  type Copy,
  type Entry,
  type File,
  type Folded,
  type Layout,
  type Scenario,
  type Version,
  type World,
  type Writer,
} from './world.js'

export type Step = Explored.Step<World, ViolationKind>

/** Of the table that had the name before. */
const EARLIER_OID = 10
export const TABLE = { schema: 's', table: 't', relationOid: OID }

export class Model {
  readonly rules: Rules
  readonly scenario: Scenario
  readonly source: Source
  readonly product: Product
  readonly #files = new Numbers<File>()
  readonly #fileByKey = new Map<string, File>()
  readonly #copies = new Numbers<Copy>()
  readonly #entries = new Numbers<Entry>()
  readonly #layouts = new Numbers<Layout>()
  readonly #folded = new Numbers<Folded>()
  readonly #after = new Map<string, Folded>()
  readonly nothing: Copy

  constructor(rules: Rules, scenario: Scenario) {
    this.rules = rules
    this.scenario = scenario
    this.source = new Source(scenario)
    this.product = new Product(rules)
    this.nothing = this.copy({ files: [], pieces: [], finished: [] })
  }

  first(): World {
    const { replaced, asked, deaths, links, cuts } = this.scenario
    const begun = replaced === true || asked !== undefined
    const rows = replaced === true ? [leftOver('of another table')] : this.#wrongRows()
    const totals = new CopyTotals()
    if (asked !== undefined) totals.add({ pieces: [], finished: [{ ...TABLE, lsn: 1n }] })
    return {
      ...{ committed: 0, wal: 8, lsns: [], log: [], staged: [], counted: [], deaths, links, cuts },
      ...{ folded: this.#fold(totals, 0, 0n), answered: asked === undefined },
      visible: begun ? [this.file({ key: 'earlier', rows, supersedes: false, run: undefined, lsn: 1n })] : [],
      versions: begun ? [{ from: 1n, oid: replaced === true ? EARLIER_OID : OID }] : [],
      writers: [undefined, undefined],
    }
  }

  /** What a lake has where it has gone wrong: of the rows that will be asked for, or of all and some more. */
  #wrongRows(): Row[] {
    const { asked } = this.scenario
    const rows = this.source.rows(0).map(({ key, small, large }, k): Row => {
      const wrong = asked === 'whole' || asked?.includes(key) === true
      const values = wrong ? { small: 9, large: 'gone wrong' } : { small, large }
      return { _op: 'S', _lsn: 1n, _seq: k + 1, key, ...values }
    })
    return asked === 'whole' ? [leftOver('not in the table'), ...rows] : rows
  }

  /** Of these keys rows are copied; undefined for all. */
  get chosenKeys(): readonly number[] | undefined {
    const { asked } = this.scenario
    return asked === 'whole' ? undefined : asked
  }

  file(fields: Omit<File, 'id'>): File {
    const { key, rows, supersedes } = fields
    return this.#files.of(`${key} ${supersedes} ${text(rows)}`, (id) => ({ id, ...fields }))
  }

  copiedFile(run: number, lsn: bigint, part: number, rows: readonly Row[], supersedes: boolean): File {
    const key = copyKey({
      ...{ schema: 's', table: 't', dateColumn: 'dt', date: '2020-01-01', slot: 's', lsn, part },
      run: String(run).padStart(12, '0'),
    })
    const file = this.file({ key, rows, supersedes, run, lsn })
    this.#fileByKey.set(String(file.id), file)
    return file
  }

  copy(planned: PlannedCopy): Copy {
    return this.#copies.of(text(planned), (id) => ({
      ...{ id, planned },
      files: planned.files.map(({ receipt }) => this.#fileByKey.get(receipt)!),
    }))
  }

  entry(fields: Omit<Entry, 'id'>): Entry {
    const { copy, run, landed, endLsn, copied } = fields
    const key = `${copy?.id ?? ''} ${run} ${landed} ${endLsn} ${copied?.id ?? ''}`
    return this.#entries.of(key, (id) => ({ id, ...fields }))
  }

  committed(entry: Entry, copied: CopyProgress): Entry {
    return this.entry({ ...entry, copied: this.copy({ files: [], ...copied }) })
  }

  layout(options: Layout['options']): Layout {
    const { pieces, whole, supersedes, table, xmin } = options
    return this.#layouts.of(text([pieces, whole, supersedes, table, xmin]), (id) => ({ id, options }))
  }

  /** What is copied, as one knows it who knows so much of the log. */
  totals({ folded, log, counted }: World, known: number): CopyTotals {
    if (known === 0 && counted.length === 0) return folded.totals
    const totals = new CopyTotals()
    totals.add(folded.totals.progress)
    for (const { copied } of log.slice(0, known)) totals.add(copied!.planned)
    for (const { planned } of counted) totals.add(planned)
    return totals
  }

  /** The same state, without what makes no difference any more: batches that all know, staged files that nobody can plan. */
  tidy(world: World): World {
    const { writers, log } = world
    const open = log.findIndex(({ copied }) => copied === undefined)
    const length = Math.min(open < 0 ? log.length : open, ...writers.map((writer) => writer?.known ?? Infinity))
    const live = new Set<File>()
    for (const { copy } of log) for (const file of copy?.files ?? []) live.add(file)
    for (const writer of writers) {
      for (const { copy } of writer?.waiting ?? []) for (const file of copy.files) live.add(file)
      for (const told of writer?.reading?.told ?? []) if ('part' in told && told.file !== undefined) live.add(told.file)
    }
    const staged = world.staged.filter((file) => live.has(file))
    if (length === 0) return { ...world, staged }
    return {
      ...{ ...world, staged },
      folded: this.#foldedAfter(world, length),
      log: log.slice(length),
      writers: [without(writers[0], length), without(writers[1], length)],
    }
  }

  #foldedAfter(world: World, batches: number): Folded {
    const key = `${world.folded.id} ${ids(world.log.slice(0, batches))}`
    let folded = this.#after.get(key)
    if (folded === undefined) {
      const { landed, endLsn } = world.log[batches - 1]!
      folded = this.#fold(this.totals({ ...world, counted: [] }, batches), landed, endLsn)
      this.#after.set(key, folded)
    }
    return folded
  }

  #fold(totals: CopyTotals, landed: number, endLsn: bigint): Folded {
    return this.#folded.of(text([totals.progress, landed, endLsn]), (id) => ({ id, totals, landed, endLsn }))
  }
}

function leftOver(large: string): Row {
  return { _op: 'I', _lsn: 1n, _seq: 0, key: 9, small: 9, large }
}

function without(writer: Writer | undefined, batches: number): Writer | undefined {
  if (writer === undefined) return undefined
  const { stood, known, next } = writer
  return { ...writer, stood: Math.max(0, stood - batches), known: known - batches, next: next - batches }
}

/** The schema's version that holds at a position. */
export function heldAt(versions: readonly Version[], position: bigint): Version | undefined {
  return versions.findLast(({ from }) => from <= position)
}

export function withVersion(versions: readonly Version[], position: bigint): readonly Version[] {
  if (heldAt(versions, position)?.oid === OID) return versions
  return [...versions, { from: position, oid: OID }].sort((a, b) => (a.from < b.from ? -1 : 1))
}

/** A plan stands where the writer was about to put its own: it reads the log again. */
export function taken(world: World, index: 0 | 1, label: string): Step {
  return { label: `${label}: taken, starts again`, fault: false, world: withWriter(world, index, undefined) }
}

/** A plan of its own stands. */
export function won(writer: Writer): Writer {
  return writer.givesUp === 'not yet' ? { ...writer, givesUp: 'due' } : writer
}

function text(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? `${part}n` : part))
}
