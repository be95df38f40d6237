// Where the compressed pages of one file lie until it is stored: copied together into memory lent from the pool, so that all
// of it is counted, and goes back at once. Only a huge page stays where compression has left it.
import type { BufferPool, ByteMeter } from '../buffer-pool.js'
import { collectGarbage, noteYoungGarbage } from '../../model/native-memory.js'

const FIRST_BYTES = 1 << 10
const LARGEST_BYTES = 1 << 20
/** What a page takes besides its bytes: its place in the indexes, bounds, pieces. */
const PAGE_OVERHEAD_BYTES = 1 << 10
/** Copying a page above this would hold too much of it twice. */
const HUGE_BYTES = 8 << 20

export class PageShelf {
  readonly #pool: BufferPool
  readonly #meter: ByteMeter
  readonly #boards: Buffer[] = []
  #used = 0
  /** What is held besides the boards. */
  #otherBytes = 0
  #hugePages = 0

  constructor(pool: BufferPool, meter: ByteMeter) {
    this.#pool = pool
    this.#meter = meter
  }

  /** The same bytes, in pieces, until release(). */
  keep(page: Buffer): readonly Buffer[] {
    const huge = page.length > HUGE_BYTES
    const otherBytes = PAGE_OVERHEAD_BYTES + (huge ? page.length : 0)
    this.#otherBytes += otherBytes
    this.#meter(otherBytes)
    if (huge) this.#hugePages++
    return huge ? [page] : this.#copy(page)
  }

  /** Nothing uses what was kept any more. */
  release(): void {
    for (const board of this.#boards.splice(0)) this.#pool.give(board)
    this.#meter(-this.#otherBytes)
    this.#otherBytes = 0
    if (this.#hugePages > 0) setImmediate(collectGarbage)
    this.#hugePages = 0
  }

  #copy(page: Buffer): readonly Buffer[] {
    const pieces: Buffer[] = []
    for (let at = 0; at < page.length;) {
      const board = this.#boardWithRoom()
      const length = Math.min(page.length - at, board.length - this.#used)
      const piece = board.subarray(this.#used, this.#used + length)
      page.copy(piece, 0, at, at + length)
      pieces.push(piece)
      this.#used += length
      at += length
    }
    noteYoungGarbage(page.length)
    return pieces
  }

  /** Small at first: a table with a row or two fills no more. */
  #boardWithRoom(): Buffer {
    const last = this.#boards.at(-1)
    if (last !== undefined && this.#used < last.length) return last
    const board = this.#pool.take(last === undefined ? FIRST_BYTES : Math.min(last.length * 4, LARGEST_BYTES))
    this.#boards.push(board)
    this.#used = 0
    return board
  }
}
