// One column of one row group: takes closed pages, encodes them with a dictionary where that pays, has them compressed on
// the thread pool and shelves the compressed bytes until the file is stored.
import type { LakeColumn } from '../../model/lake-column.js'
import type { BufferPool, ByteMeter } from '../buffer-pool.js'
import type { Compress } from '../zstd.js'
import type { RawPage } from './column-buffers.js'
import { Dictionary } from './dictionary.js'
import { bitWidthOf, HybridEncoder } from './hybrid.js'
import type { PageShelf } from './page-shelf.js'
import { HEAD_BYTES, PageValues } from './page-values.js'
import { mergeMinMax, minMaxOf, type MinMax } from './page-statistics.js'

export interface EncodedPage {
  readonly rows: number
  readonly slots: number
  readonly nulls: number
  readonly dictionaryEncoded: boolean
  readonly bounds: MinMax | undefined
  readonly uncompressedBytes: number
  /** In pieces. */
  readonly compressed: readonly Buffer[]
}

export interface EncodedChunk {
  readonly column: LakeColumn
  readonly dictionary?: Pick<EncodedPage, 'uncompressedBytes' | 'compressed'> & { readonly entries: number }
  readonly pages: readonly EncodedPage[]
  readonly slots: number
  readonly nulls: number
  readonly bounds: MinMax | undefined
}

/** Where chunks get memory and compression, and what they tell of the memory that is not from the pool. */
export interface ChunkContext {
  readonly pool: BufferPool
  readonly compress: Compress
  readonly meter: ByteMeter
  /** A page is being compressed, after which less memory is held; (-1) it has been. */
  readonly leaving: (delta: 1 | -1) => void
}

/** Fewer values in a chunk's first page are not worth a dictionary. */
const LEAST_DICTIONARY_VALUES = 8
/** What compression makes of a page as large as this is counted before it is there. */
const LARGE_PAGE_BYTES = 4 << 20

/** Bytes of a PLAIN value; 0 where it stands behind its length; undefined where no dictionary is tried. */
function dictionaryWidth(column: LakeColumn): number | undefined {
  switch (column.type.physical) {
    case 'BOOLEAN':
      return undefined
    case 'INT32':
    case 'FLOAT':
      return 4
    case 'INT64':
    case 'DOUBLE':
      return 8
    case 'FIXED16':
      return 16
    case 'BYTE_ARRAY':
      return 0
    default:
      return column.type satisfies never
  }
}

export class ColumnChunk {
  readonly #column: LakeColumn
  readonly #context: ChunkContext
  readonly #shelf: PageShelf
  readonly #pages: Promise<EncodedPage>[] = []
  #dictionary: Dictionary | undefined
  #dictionaryOpen = true
  /** Some page has indices into it. */
  #dictionaryUsed = false
  /** For pages without a dictionary. */
  readonly #compressPlain: Compress

  constructor(column: LakeColumn, context: ChunkContext, shelf: PageShelf) {
    this.#column = column
    this.#context = context
    this.#shelf = shelf
    const isText = column.type.physical === 'BYTE_ARRAY'
    this.#compressPlain = isText ? asSmallAsAtLevel1(context.compress) : context.compress
  }

  /** Encodes the page now and has it compressed in the background; takes over its memory. */
  add(page: RawPage): void {
    const bounds = minMaxOf(this.#column.type, page.values, page.count)
    const indices = this.#indicesOf(page)
    const body = indices === undefined ? plainBody(page, this.#context.pool) : this.#indexBody(page, indices)
    const { rows, slots, nulls } = page
    const uncompressedBytes = body.bytes.length
    const dictionaryEncoded = indices !== undefined
    const compress = dictionaryEncoded ? this.#context.compress : this.#compressPlain
    const encoded = this.#compress(body, compress).then((compressed) => {
      return { rows, slots, nulls, dictionaryEncoded, bounds, uncompressedBytes, compressed }
    })
    encoded.catch(() => undefined) // finish() reports it
    this.#pages.push(encoded)
  }

  /** Everything compressed. Rejects where compression failed. */
  async finish(): Promise<EncodedChunk> {
    const dictionary = await this.#finishDictionary()
    const pages = await Promise.all(this.#pages)
    const withValues = pages.filter((page) => page.slots > page.nulls).map((page) => page.bounds)
    // One page whose values have no bounds leaves the chunk without.
    const known = withValues.filter((bounds) => bounds !== undefined)
    const bounds = known.length < withValues.length ? undefined : mergeMinMax(this.#column.type, known)
    return {
      column: this.#column,
      ...(dictionary === undefined ? {} : { dictionary }),
      pages,
      slots: pages.reduce((sum, page) => sum + page.slots, 0),
      nulls: pages.reduce((sum, page) => sum + page.nulls, 0),
      bounds,
    }
  }

  /** Waits for the compression under way and gives back all memory that is not on the shelf. */
  async discard(): Promise<void> {
    this.#dictionary?.release()
    await Promise.allSettled(this.#pages)
  }

  /** Dictionary indices of the page's values, or undefined where the page is to be PLAIN. */
  #indicesOf(page: RawPage): Uint16Array | undefined {
    // A page of NULLs has no index, and must not ask for a dictionary that may never be written.
    if (!this.#dictionaryOpen || page.count === 0) return undefined
    const represented = page.slots - page.nulls
    const indices = this.#openDictionary(represented)?.encode(page.values, page.count, represented)
    if (indices !== undefined) {
      this.#dictionaryUsed = true
      return page.runs === undefined ? indices : expandIndices(indices, page.runs, represented)
    }
    this.#dictionaryOpen = false
    if (this.#dictionaryUsed) this.#dictionary!.close()
    else {
      this.#dictionary?.release()
      this.#dictionary = undefined
    }
    return undefined
  }

  #openDictionary(values: number): Dictionary | undefined {
    if (this.#dictionary !== undefined) return this.#dictionary
    const width = dictionaryWidth(this.#column)
    if (width === undefined || values < LEAST_DICTIONARY_VALUES) return undefined
    return (this.#dictionary = new Dictionary(width, this.#context.pool))
  }

  #indexBody(page: RawPage, indices: Uint16Array): PageBody {
    page.values.release()
    const bitWidth = Math.max(1, bitWidthOf(this.#dictionary!.entries - 1))
    const encoder = new HybridEncoder(bitWidth, page.levels.length + 1, indices.length)
    encoder.values(indices, indices.length)
    const bytes = encoder.bytes()
    page.levels.copy(bytes)
    bytes[page.levels.length] = bitWidth
    return { bytes }
  }

  async #compress(body: PageBody, compress: Compress): Promise<readonly Buffer[]> {
    const { meter, leaving } = this.#context
    const ahead = body.bytes.length > LARGE_PAGE_BYTES ? body.bytes.length : 0
    meter(ahead)
    leaving(1)
    try {
      return this.#shelf.keep(await compress(body.bytes))
    } finally {
      body.owner?.release()
      meter(-ahead)
      leaving(-1)
    }
  }

  async #finishDictionary(): Promise<EncodedChunk['dictionary']> {
    const entries = this.#dictionary?.entries ?? 0
    this.#dictionary?.close()
    const owner = this.#dictionary?.takeValues()
    if (owner === undefined) return undefined
    const bytes = owner.buffer.subarray(HEAD_BYTES, owner.used)
    return {
      entries,
      uncompressedBytes: bytes.length,
      compressed: await this.#compress({ bytes, owner }, this.#context.compress),
    }
  }
}

/**
 * Tries the second page at level 1 as well, and stays with that where it makes no more bytes: short matches that a higher level
 * finds in random digits cost more than they save, and half of the time (docs/decisions/0014-level-1-for-random-texts.md).
 * A chunk of one page is not worth it, and of a large page two outcomes would be held at once.
 */
function asSmallAsAtLevel1(compress: Compress): Compress {
  let pages = 0
  let level1: Promise<boolean> | undefined
  return async (page) => {
    if (level1 !== undefined) return compress(page, await level1)
    if (page.length > LARGE_PAGE_BYTES || pages++ === 0) return compress(page)
    const tried = Promise.all([compress(page, true), compress(page)])
    level1 = tried.then(
      ([fastest, asked]) => fastest.length <= asked.length,
      () => false,
    )
    const [fastest, asked] = await tried
    return (await level1) ? fastest : asked
  }
}

/** The uncompressed bytes of a V1 data page and the memory that they lie in, where it is lent. */
interface PageBody {
  readonly bytes: Buffer
  readonly owner?: PageValues
}

/** Levels, then PLAIN values; in place where the levels fit into the head of the values' buffer. */
function plainBody(page: RawPage, pool: BufferPool): PageBody {
  const values = page.runs === undefined ? page.values : expandValues(page.values, page.runs, pool)
  const { levels } = page
  if (levels.length <= HEAD_BYTES) {
    const start = HEAD_BYTES - levels.length
    levels.copy(values.buffer, start)
    return { bytes: values.buffer.subarray(start, values.used), owner: values }
  }
  const owner = new PageValues(pool, levels.length + values.used - HEAD_BYTES)
  levels.copy(owner.buffer)
  values.buffer.copy(owner.buffer, levels.length, HEAD_BYTES, values.used)
  const bytes = owner.buffer.subarray(0, levels.length + values.used - HEAD_BYTES)
  values.release()
  return { bytes, owner }
}

function expandIndices(indices: Uint16Array, runs: Int32Array, rows: number): Uint16Array {
  const expanded = new Uint16Array(rows)
  let at = 0
  for (let k = 0; k < runs.length; k++) expanded.fill(indices[k]!, at, (at += runs[k]!))
  return expanded
}

/** Each value as often as its run is long. Run columns hold 8-byte values or short texts. */
function expandValues(values: PageValues, runs: Int32Array, pool: BufferPool): PageValues {
  const expanded = new PageValues(pool, values.used)
  const single = runs.length === 0 ? 0 : (values.used - HEAD_BYTES) / runs.length
  let from = HEAD_BYTES
  for (let k = 0; k < runs.length; k++, from += single)
    for (let copies = runs[k]!; copies > 0; copies--) {
      if (expanded.used + single > expanded.buffer.length) expanded.grow(single)
      values.buffer.copy(expanded.buffer, expanded.used, from, from + single)
      expanded.used += single
    }
  values.release()
  return expanded
}
