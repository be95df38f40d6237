// One state of the model: the server, the bucket, two writers, and what faults are left. Immutable; every state has a string
// that is the same for equal states.
import type { PlannedCopy } from '../../../internal/model/batch-record.js'
import type { CopyTotals } from '../../../internal/storage/copy-totals.js'
import type { TableCopyOptions } from '../../../internal/pipeline/copying/table-copy.js'
import type { Row } from '../../support/current-state.js'
import type { TableScript } from './source.js'

export interface Scenario extends TableScript {
  readonly deaths: number
  /** Links of a copy that break: the writer begins it again. */
  readonly links: number
  /** Replication connections that are cut and do not notice. */
  readonly cuts: number
  /** The lake has rows of a table that had this name. */
  readonly replaced?: true
  /** The lake has the table, but not right, and somebody asks for it, or for the rows with these keys. */
  readonly asked?: 'whole' | readonly number[]
}

/** Equal ones are one object, by whose number a state names them. */
export interface Numbered {
  readonly id: number
}

export interface File extends Numbered {
  readonly key: string
  readonly rows: readonly Row[]
  readonly supersedes: boolean
  /** Session that staged it, and the snapshot's position; of the stream's own files neither. */
  readonly run: number | undefined
  readonly lsn: bigint
}

export interface Copy extends Numbered {
  readonly planned: PlannedCopy
  readonly files: readonly File[]
}

/** A batch of the log: its plan, and its commit. */
export interface Entry extends Numbered {
  /** Undefined for what the stream brings. */
  readonly copy: Copy | undefined
  /** Session that planned it. */
  readonly run: number
  /** Whole transactions of the stream up to there. */
  readonly landed: number
  readonly endLsn: bigint
  /** What its commit counts as copied; undefined while there is no commit. */
  readonly copied: Copy | undefined
}

/** The beginning of the log, as far as every writer knows it to be durable. */
export interface Folded extends Numbered {
  readonly totals: CopyTotals
  readonly landed: number
  readonly endLsn: bigint
}

/** What stands in the log of the schemas: from which position on the name means which table. */
export interface Version {
  readonly from: bigint
  readonly oid: number
}

export interface Snapshot {
  readonly seen: number
  readonly point: bigint
}

/** The table under a snapshot, laid out. */
export interface Layout extends Numbered {
  readonly options: Omit<TableCopyOptions, 'commit'>
}

/** What the table's copy was told: a part is staged, a request of its own is committed. */
export type Told =
  { readonly part: number; readonly file: File | undefined } | { readonly request: number; readonly copied: Copy }

export interface Reading {
  readonly snapshot: Snapshot
  readonly layout: Layout | undefined
  readonly told: readonly Told[]
  /** Requests that it has made. */
  readonly asked: number
  /** It was found changed: nothing more is read. */
  readonly failed: boolean
}

/** What waits for a plan: of which snapshot, which of its requests. */
export interface Request {
  readonly point: bigint
  readonly index: number
  readonly copy: Copy
}

export interface Writer {
  /** Number of its session. */
  readonly run: number
  /** Somebody else may take the slot. */
  readonly cut: boolean
  /** End of what was durable when it started. */
  readonly began: bigint
  // Of batches, counted from the first that is not folded:
  /** So many had a plan when it started. */
  readonly stood: number
  /** So many it knows to be durable. */
  readonly known: number
  /** Number of its next plan. */
  readonly next: number
  readonly waiting: readonly Request[]
  /** In the plan that is being finished. */
  readonly planned: readonly Request[]
  readonly givesUp: 'not yet' | 'due' | 'done'
  readonly reading: Reading | undefined
}

export interface World {
  readonly committed: number
  /** Where the server's log ends. */
  readonly wal: number
  /** Of the transactions that have committed. */
  readonly lsns: readonly number[]
  readonly folded: Folded
  /** After that. */
  readonly log: readonly Entry[]
  /** What somebody may still plan, or has. */
  readonly staged: readonly File[]
  readonly visible: readonly File[]
  readonly versions: readonly Version[]
  /** Counted before any commit says so: only where that rule is broken. */
  readonly counted: readonly Copy[]
  /** Nobody asks for a copy, or it is had. */
  readonly answered: boolean
  readonly writers: readonly [Writer | undefined, Writer | undefined]
  readonly deaths: number
  readonly links: number
  readonly cuts: number
}

/** WAL positions are aligned to this. */
export const ALIGNED = 8

/** Where the log stands after so many batches. */
export function placeAfter(
  { folded, log }: World,
  known: number,
): { readonly landed: number; readonly endLsn: bigint } {
  return known === 0 ? folded : log[known - 1]!
}

export function withWriter(world: World, index: 0 | 1, writer: Writer | undefined): World {
  return { ...world, writers: index === 0 ? [writer, world.writers[1]] : [world.writers[0], writer] }
}

export function sorted<T extends Numbered>(records: readonly T[]): T[] {
  return [...records].sort((a, b) => a.id - b.id)
}

export class Numbers<T extends Numbered> {
  readonly #known = new Map<string, T>()

  of(key: string, make: (id: number) => T): T {
    let record = this.#known.get(key)
    if (record === undefined) this.#known.set(key, (record = make(this.#known.size + 1)))
    return record
  }
}

export function keyOfWorld(world: World): string {
  const { committed, wal, lsns, log, staged, visible, versions, counted, answered, writers, deaths, links, cuts } =
    world
  const head = `${answered ? '' : '?'}${committed} ${wal} ${lsns.join()} ${deaths} ${links} ${cuts}`
  const bucket = `${world.folded.id} ${ids(log)};${ids(staged)};${ids(visible)};${versions.map(({ from, oid }) => `${from}:${oid}`).join()};${ids(counted)}`
  return `${head}|${bucket}|${keyOfWriter(writers[0])}|${keyOfWriter(writers[1])}`
}

function keyOfWriter(writer: Writer | undefined): string {
  if (writer === undefined) return ''
  const { run, cut, began, stood, known, next, waiting, planned, givesUp, reading } = writer
  return `${run}${cut ? '-' : '+'}${began} ${stood} ${known} ${next} ${requests(waiting)} ${requests(planned)} ${givesUp} ${keyOfReading(reading)}`
}

function keyOfReading(reading: Reading | undefined): string {
  if (reading === undefined) return ''
  const { snapshot, layout, told, asked, failed } = reading
  return `${snapshot.seen}@${snapshot.point} ${layout?.id ?? ''} ${told.map(keyOfTold).join()} ${asked}${failed ? '!' : ''}`
}

export function keyOfTold(told: Told): string {
  return 'part' in told ? `${told.part}=${told.file?.id ?? ''}` : `c${told.request}=${told.copied.id}`
}

function requests(list: readonly Request[]): string {
  return list.map(({ point, index, copy }) => `${point}/${index}/${copy.id}`).join()
}

export function ids(records: readonly Numbered[]): string {
  return records.map(({ id }) => id).join()
}
