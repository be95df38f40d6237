// The rows that a table has according to the lake, by the rule of docs/lake.md: its change log carried out in order, with the copied rows
// in their place. Of each row only digests are kept.
import type { Lsn } from '../../model/lsn.js'
import { isAfter, type StreamPosition } from '../../model/table-schema.js'
import type { DataFile } from '../reading/data-file.js'
import type { LogRows } from '../reading/log-rows.js'
import type { ValueText } from '../reading/value-text.js'
import { groupsOf, partOf, type ComparedTable, type PartSum } from './compared-table.js'
import { KeyTable } from './key-table.js'
import { readAhead } from './read-ahead.js'
import { combined, DIGEST_BYTES, digestOf } from './row-digest.js'

/** A data file whose rows can be read, as often as one likes. */
export interface ReadableFile {
  readonly bytes: number
  /** Of copied rows the position of all of them. */
  readonly copiedAt: Lsn | undefined
  open(): Promise<DataFile>
  rows(file: DataFile): AsyncIterable<LogRows>
}

/** What of the log counts. */
export interface Span {
  /** The last truncate: rows up to it are gone. */
  readonly after: StreamPosition | undefined
  /** Excluded. */
  readonly until: Lsn
}

/** Calls `take` for each row in the order in which it happened, for those of a copy where the copy belongs. `files`: in order of the log. */
export async function inOrder(
  files: readonly ReadableFile[],
  { after, until }: Span,
  take: (rows: LogRows, row: number) => void,
): Promise<void> {
  const copies = files.filter(({ copiedAt }) => copiedAt !== undefined && copiedAt < until)
  copies.sort((a, b) => (a.copiedAt! < b.copiedAt! ? -1 : a.copiedAt! > b.copiedAt! ? 1 : 0))
  const counts = (rows: LogRows, row: number, lsn: Lsn): boolean =>
    lsn < until && rows.op(row) !== 'T' && (after === undefined || isAfter({ lsn, seq: rows.seq(row) }, after))
  const copied = readAhead(copies, (file) => file.open())
  let next = 0
  const takeCopiesBefore = async (lsn: Lsn): Promise<void> => {
    for (; next < copies.length && copies[next]!.copiedAt! < lsn; next++) {
      const file = await copied.next()
      if (file.done === true) return
      const { item, loaded } = file.value
      for await (const rows of item.rows(loaded))
        for (let row = 0; row < rows.count; row++) if (counts(rows, row, rows.lsn(row))) take(rows, row)
    }
  }
  const streamed = files.filter(({ copiedAt }) => copiedAt === undefined)
  for await (const { item, loaded } of readAhead(streamed, (file) => file.open()))
    for await (const rows of item.rows(loaded))
      for (let row = 0; row < rows.count; row++) {
        const lsn = rows.lsn(row)
        if (next < copies.length && copies[next]!.copiedAt! < lsn) await takeCopiesBefore(lsn)
        if (counts(rows, row, lsn)) take(rows, row)
      }
  await takeCopiesBefore(until)
}

/** Of a table with a key. */
export class KeyedState {
  readonly #key: readonly number[]
  readonly #groups: readonly (readonly number[])[]
  readonly #table: KeyTable
  /** A row that was deleted just now, and what is known of its late values: an update of the key is a D and then a U. */
  #moved: { readonly lsn: Lsn; readonly seq: number; readonly digests: Buffer } | undefined

  constructor(table: ComparedTable) {
    this.#key = table.key
    this.#groups = groupsOf(table)
    this.#table = new KeyTable(this.#groups.length)
  }

  take(rows: LogRows, row: number): void {
    const op = rows.op(row)
    const key = digestOf(this.#key.map((k) => rows.text(row, k)))
    if (op === 'D') {
      const old = this.#table.find(key)
      const digests = old >= 0 && this.#table.isPresent(old) ? Buffer.from(this.#table.digests(old)) : Buffer.alloc(0)
      this.#moved = { lsn: rows.lsn(row), seq: rows.seq(row), digests }
      if (old >= 0) this.#table.setPresent(old, false)
      return
    }
    const old = op === 'U' ? rows.before(row) : undefined
    if (old !== undefined) {
      const before = digestOf(this.#key.map((k) => old(k)))
      const ended = before.equals(key) ? -1 : this.#table.find(before)
      if (ended >= 0) this.#table.setPresent(ended, false)
    }
    const entry = this.#table.entry(key)
    const inherited = this.#table.isPresent(entry) ? this.#table.digests(entry) : this.#movedHere(rows, row)
    const digests = this.#table.digests(entry)
    this.#groups.forEach((group, place) => {
      const at = place * DIGEST_BYTES
      if (place > 0 && rows.isUnchanged(row, group[0]!)) {
        // What was never sent is like no value.
        if (inherited === undefined || inherited.length === 0) digests.fill(0, at, at + DIGEST_BYTES)
        else inherited.copy(digests, at, at, at + DIGEST_BYTES)
      } else digestOf(group.map((k) => rows.text(row, k))).copy(digests, at)
    })
    this.#table.setPresent(entry, true)
    this.#moved = undefined
  }

  #movedHere(rows: LogRows, row: number): Buffer | undefined {
    const moved = this.#moved
    return moved?.lsn === rows.lsn(row) && moved.seq + 1 === rows.seq(row) ? moved.digests : undefined
  }

  /** By the name of the part. */
  sums(): Map<string, PartSum> {
    const sums = new Map<string, PartSum>()
    for (let entry = 0; entry < this.#table.count; entry++) {
      if (!this.#table.isPresent(entry)) continue
      const part = partOf(this.#table.key(entry))
      const sum = sums.get(part) ?? { rows: 0, sum: 0n }
      sum.rows++
      sum.sum = BigInt.asUintN(64, sum.sum + combined(this.#table.digests(entry)))
      sums.set(part, sum)
    }
    return sums
  }

  /** Digest of the row with this key, undefined where there is none. */
  digest(key: Buffer): bigint | undefined {
    const entry = this.#table.find(key)
    return entry >= 0 && this.#table.isPresent(entry) ? combined(this.#table.digests(entry)) : undefined
  }

  /** Keys of the rows in these parts. */
  *keysOf(parts: ReadonlySet<string>): Generator<Buffer> {
    for (let entry = 0; entry < this.#table.count; entry++)
      if (this.#table.isPresent(entry) && parts.has(partOf(this.#table.key(entry)))) yield this.#table.key(entry)
  }
}

/** Of a table without a key: how many rows there are, and the sum of their digests, since rows in and out can be told of each change. */
export class CountedState {
  readonly #columns: readonly number[]
  readonly #sum: PartSum = { rows: 0, sum: 0n }

  constructor({ columns }: ComparedTable) {
    this.#columns = columns.map((_, k) => k)
  }

  take(rows: LogRows, row: number): void {
    const op = rows.op(row)
    const text = (k: number): ValueText | undefined => rows.text(row, k)
    if (op === 'D') this.#add(-1, text)
    else {
      const old = op === 'U' ? rows.before(row) : undefined
      if (old !== undefined) this.#add(-1, old)
      this.#add(1, text)
    }
  }

  #add(times: 1 | -1, text: (k: number) => ValueText | undefined): void {
    const digest = combined(digestOf(this.#columns.map(text)))
    this.#sum.rows += times
    this.#sum.sum = BigInt.asUintN(64, this.#sum.sum + BigInt(times) * digest)
  }

  sums(): Map<string, PartSum> {
    return new Map(this.#sum.rows === 0 && this.#sum.sum === 0n ? [] : [['', this.#sum]])
  }
}
