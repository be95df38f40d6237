// Column buffers: a leaf's values and what tells which rows have one. Four kinds, for four patterns of presence: plain
// columns, lists, columns that are nearly always NULL, and columns that hardly change from row to row. A page is sealed
// only between two rows, so a value that turns out not to fit can still be taken back.
import { encodeLevels, encodeValidity, HybridEncoder, withLength } from './hybrid.js'
import { Levels, Positions } from './growing-array.js'
import { BytesValues, Int64Values, PAGE_ROWS, type Intake, type LeafValues } from './leaf-values.js'
import type { PageValues } from './page-values.js'

/** A closed page, before dictionary encoding and compression. */
export interface RawPage {
  /** Rows that begin in this page. */
  readonly rows: number
  /** Entries in the levels: `num_values` of the page header. */
  readonly slots: number
  readonly nulls: number
  /** Repetition and definition levels as they stand in a V1 page. */
  readonly levels: Buffer
  /** PLAIN values; whoever takes the page releases them. */
  readonly values: PageValues
  /** Values in `values`. */
  readonly count: number
  /** Where the column keeps runs: value k of `values` stands for `runs[k]` rows. */
  readonly runs?: Int32Array
}

export interface ColumnBuffer {
  /** Row `row` of the row group has no value here. Rows come in order; a sparse column need not be told. */
  appendNull(row: number): void
  readonly full: boolean
  /** Memory of the open page. */
  readonly openBytes: number
  /** Closes the page before row `rowEnd` of the row group; undefined where it covers no row. */
  seal(rowEnd: number): RawPage | undefined
  /** Forgets what is open and gives all memory back. */
  discard(): void
  /** The next row group begins: rows count from 0 again. Every page must have been sealed. */
  restart(): void
}

/** A column with a value in most rows: remembers where there is none. */
export class ScalarColumn<Leaf extends LeafValues> implements ColumnBuffer {
  readonly leaf: Leaf
  readonly #nulls: Positions
  #firstRow = 0

  constructor(leaf: Leaf) {
    this.leaf = leaf
    this.#nulls = new Positions(leaf.intake.pool)
  }

  get full(): boolean {
    return this.leaf.full || this.#nulls.length >= PAGE_ROWS
  }

  get openBytes(): number {
    return this.leaf.openBytes + this.#nulls.bytes
  }

  appendNull(row: number): void {
    this.#nulls.push(row - this.#firstRow)
    if (this.#nulls.length === PAGE_ROWS) this.leaf.intake.sealDue = true
  }

  seal(rowEnd: number): RawPage | undefined {
    const rows = rowEnd - this.#firstRow
    if (rows === 0) return undefined
    const nulls = this.#nulls.length
    const levels = encodeValidity(rows, this.#nulls.at, nulls)
    const { count } = this.leaf
    this.#firstRow = rowEnd
    this.#nulls.clear()
    return { rows, slots: rows, nulls, levels, values: this.leaf.take(), count }
  }

  discard(): void {
    this.leaf.discard()
    this.#nulls.release()
    this.#firstRow = 0
  }

  restart(): void {
    this.#firstRow = 0
  }
}

/** What a list's element counts for where files are cut, beside the bytes of a text. */
const ELEMENT_BYTES = 8

/** A LIST column of three levels; definition levels: 0 no list, 1 empty list, 2 NULL element, 3 element. */
export class ListColumn<Leaf extends LeafValues> implements ColumnBuffer {
  readonly leaf: Leaf
  readonly #repetition: Levels
  readonly #definition: Levels
  #nulls = 0
  #firstRow = 0
  #listSlot = 0
  #listCount = 0

  constructor(leaf: Leaf) {
    this.leaf = leaf
    this.#repetition = new Levels(leaf.intake.pool)
    this.#definition = new Levels(leaf.intake.pool)
  }

  get full(): boolean {
    return this.leaf.full || this.#slots >= PAGE_ROWS
  }

  get openBytes(): number {
    return this.leaf.openBytes + this.#repetition.bytes + this.#definition.bytes
  }

  appendNull(_row: number): void {
    this.#slot(0, 0)
  }

  /** Makes room at once for a long list, of so many bytes where values stand behind their length. */
  reserve(elements: number, bytes: number): void {
    this.leaf.reserve(elements, bytes)
    this.#repetition.reserve(elements)
    this.#definition.reserve(elements)
  }

  /** A list follows: elements by push() on the leaf and element(), then endList(), or dropList() to take all back. */
  beginList(): void {
    this.#listSlot = this.#slots
    this.#listCount = this.leaf.count
  }

  /** Notes one element; where `present`, its value has been or will be pushed to the leaf. */
  element(present: boolean): void {
    this.#slot(this.#slots === this.#listSlot ? 0 : 1, present ? 3 : 2)
    this.leaf.intake.variableBytes += ELEMENT_BYTES
  }

  endList(): void {
    if (this.#slots === this.#listSlot) this.#slot(0, 1)
  }

  dropList(): void {
    this.leaf.intake.variableBytes -= (this.#slots - this.#listSlot) * ELEMENT_BYTES
    for (let k = this.#listSlot; k < this.#slots; k++) if (this.#definition.at[k]! < 3) this.#nulls--
    this.#repetition.length = this.#definition.length = this.#listSlot
    this.leaf.rewindTo(this.#listCount)
  }

  seal(rowEnd: number): RawPage | undefined {
    const rows = rowEnd - this.#firstRow
    if (rows === 0) return undefined
    const slots = this.#slots
    const levels = Buffer.concat([
      encodeLevels(this.#repetition.at, slots, 1),
      encodeLevels(this.#definition.at, slots, 3),
    ])
    const nulls = this.#nulls
    const { count } = this.leaf
    this.#firstRow = rowEnd
    this.#repetition.clear()
    this.#definition.clear()
    this.#nulls = 0
    return { rows, slots, nulls, levels, values: this.leaf.take(), count }
  }

  discard(): void {
    this.leaf.discard()
    this.#repetition.release()
    this.#definition.release()
    this.#nulls = 0
    this.#firstRow = 0
  }

  restart(): void {
    this.#firstRow = 0
  }

  get #slots(): number {
    return this.#definition.length
  }

  #slot(repetition: number, definition: number): void {
    this.#repetition.push(repetition)
    this.#definition.push(definition)
    if (definition < 3) this.#nulls++
    if (this.#slots === PAGE_ROWS) this.leaf.intake.sealDue = true
  }
}

/** A text column that is NULL in most rows: remembers only the rows that have a value, and costs nothing else. */
export class SparseColumn implements ColumnBuffer {
  readonly leaf: BytesValues
  readonly #present: Positions
  #firstRow = 0

  constructor(intake: Intake) {
    this.leaf = new BytesValues(intake)
    this.#present = new Positions(intake.pool)
  }

  get full(): boolean {
    return this.leaf.full
  }

  get openBytes(): number {
    return this.leaf.openBytes + this.#present.bytes
  }

  /** Row `row` has a value, which the caller gives to the leaf now. */
  present(row: number): BytesValues {
    this.#present.push(row - this.#firstRow)
    return this.leaf
  }

  appendNull(_row: number): void {
    // A row without a value is the rule here, and costs nothing.
  }

  seal(rowEnd: number): RawPage | undefined {
    const rows = rowEnd - this.#firstRow
    if (rows === 0) return undefined
    const { count } = this.leaf
    const levels = this.#levels(rows)
    this.#firstRow = rowEnd
    this.#present.clear()
    return { rows, slots: rows, nulls: rows - count, levels, values: this.leaf.take(), count }
  }

  discard(): void {
    this.leaf.discard()
    this.#present.release()
    this.#firstRow = 0
  }

  restart(): void {
    this.#firstRow = 0
  }

  #levels(rows: number): Buffer {
    if (this.#present.length === 0 || this.#present.length === rows)
      return encodeValidity(rows, this.#present.at, rows - this.#present.length)
    const levels = new Uint8Array(rows)
    for (let k = 0; k < this.#present.length; k++) levels[this.#present.at[k]!] = 1
    return encodeLevels(levels, rows, 1)
  }
}

/**
 * A column whose value stays the same over many rows: only changes cost anything. After a page was sealed every run
 * has ended, so the next row has to begin one.
 */
export class RunColumn<Leaf extends Int64Values | BytesValues> implements ColumnBuffer {
  readonly leaf: Leaf
  /** First row of each run; even with NULL runs among them `leaf` holds the values of the others in order. */
  readonly #starts: Positions
  readonly #nullRuns: Positions
  #firstRow = 0

  constructor(leaf: Leaf) {
    this.leaf = leaf
    this.#starts = new Positions(leaf.intake.pool)
    this.#nullRuns = new Positions(leaf.intake.pool)
  }

  get full(): boolean {
    return this.leaf.full
  }

  get openBytes(): number {
    return this.leaf.openBytes + this.#starts.bytes + this.#nullRuns.bytes
  }

  /** From row `row` on the column has the value that the caller pushes to the leaf now. */
  beginRun(row: number): Leaf {
    this.#starts.push(row - this.#firstRow)
    return this.leaf
  }

  /** From row `row` on the column is NULL. */
  appendNull(row: number): void {
    this.#nullRuns.push(this.#starts.length)
    this.#starts.push(row - this.#firstRow)
  }

  seal(rowEnd: number): RawPage | undefined {
    const rows = rowEnd - this.#firstRow
    if (rows === 0) return undefined
    const { count } = this.leaf
    const runs = new Int32Array(count)
    const levels = new HybridEncoder(1, 4, 0)
    let nulls = 0
    let nextNull = 0
    let value = 0
    let presentRows = 0
    for (let k = 0; k < this.#starts.length; k++) {
      const length = (k + 1 < this.#starts.length ? this.#starts.at[k + 1]! : rows) - this.#starts.at[k]!
      if (nextNull < this.#nullRuns.length && this.#nullRuns.at[nextNull] === k) {
        levels.run(1, presentRows)
        levels.run(0, length)
        presentRows = 0
        nulls += length
        nextNull++
      } else {
        runs[value++] = length
        presentRows += length
      }
    }
    levels.run(1, presentRows)
    this.#firstRow = rowEnd
    this.#starts.clear()
    this.#nullRuns.clear()
    return { rows, slots: rows, nulls, levels: withLength(levels.bytes()), values: this.leaf.take(), count, runs }
  }

  discard(): void {
    this.leaf.discard()
    this.#starts.release()
    this.#nullRuns.release()
    this.#firstRow = 0
  }

  restart(): void {
    this.#firstRow = 0
  }
}
