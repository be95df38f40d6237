// One Parquet file: magic, row groups, page indexes, footer (https://parquet.apache.org/docs/file-format/). Chunks come in
// compressed; this knows offsets and headers only, and never looks at a value.
import type { LakeColumn } from '../../model/lake-column.js'
import type { EncodedChunk, EncodedPage } from './column-chunk.js'
import { indexBounds } from './index-bounds.js'
import { LONGEST_EXACT_BOUND, type MinMax } from './page-statistics.js'
import { leafPath, schemaElements } from './schema.js'
import { parquet, serialize } from './thrift.js'

const MAGIC = Buffer.from('PAR1')
/** Smaller pieces are put together: a file of few rows would be a hundred writes. */
const SMALL_BYTES = 8 << 10
const GATHERED_BYTES = 64 << 10

type CompressedPage = Pick<EncodedPage, 'uncompressedBytes' | 'compressed'>

interface ChunkIndexes {
  readonly metadata: Record<string, unknown>
  readonly columnIndex: object | undefined
  readonly offsetIndex: object
}

export class ParquetFileWriter {
  readonly #columns: readonly LakeColumn[]
  readonly #createdBy: string
  readonly #parts: Buffer[] = []
  /** Small pieces behind the parts. */
  #gathered: Buffer[] = [MAGIC]
  #gatheredBytes = MAGIC.length
  #bytes = MAGIC.length
  readonly #rowGroups: { chunks: ChunkIndexes[]; bytes: number; rows: number }[] = []

  constructor(columns: readonly LakeColumn[], createdBy: string) {
    this.#columns = columns
    this.#createdBy = createdBy
  }

  addRowGroup(chunks: readonly EncodedChunk[], rows: number): void {
    let uncompressed = 0
    const written = chunks.map((chunk) => {
      const result = this.#writeChunk(chunk)
      uncompressed += result.metadata.total_uncompressed_size as number
      return result
    })
    this.#rowGroups.push({ chunks: written, bytes: uncompressed, rows })
  }

  /** The whole file, as parts in order. */
  finish(): { parts: Buffer[]; bytes: number; rows: number } {
    const rowGroups = this.#writeIndexes()
    const rows = this.#rowGroups.reduce((sum, group) => sum + group.rows, 0)
    const order = new parquet.ColumnOrder({ TYPE_ORDER: new parquet.TypeDefinedOrder() })
    const footer = serialize(
      new parquet.FileMetaData({
        version: 1,
        schema: schemaElements(this.#columns),
        num_rows: rows,
        row_groups: rowGroups,
        created_by: this.#createdBy,
        column_orders: this.#columns.map(() => order),
      }),
    )
    const tail = Buffer.alloc(8)
    tail.writeUInt32LE(footer.length, 0)
    MAGIC.copy(tail, 4)
    this.#write(footer)
    this.#write(tail)
    this.#gather()
    return { parts: this.#parts, bytes: this.#bytes, rows }
  }

  #write(bytes: Buffer): void {
    this.#bytes += bytes.length
    if (bytes.length < SMALL_BYTES) {
      this.#gathered.push(bytes)
      this.#gatheredBytes += bytes.length
      if (this.#gatheredBytes >= GATHERED_BYTES) this.#gather()
    } else {
      this.#gather()
      this.#parts.push(bytes)
    }
  }

  #gather(): void {
    if (this.#gathered.length > 0) this.#parts.push(Buffer.concat(this.#gathered, this.#gatheredBytes))
    this.#gathered = []
    this.#gatheredBytes = 0
  }

  #writeChunk(chunk: EncodedChunk): ChunkIndexes {
    const start = this.#bytes
    let uncompressed = 0
    const writePage = (header: Record<string, unknown>, page: CompressedPage): number => {
      const compressedBytes = page.compressed.reduce((sum, piece) => sum + piece.length, 0)
      const headerBytes = serialize(
        new parquet.PageHeader({
          uncompressed_page_size: page.uncompressedBytes,
          compressed_page_size: compressedBytes,
          ...header,
        }),
      )
      this.#write(headerBytes)
      for (const piece of page.compressed) this.#write(piece)
      uncompressed += headerBytes.length + page.uncompressedBytes
      return headerBytes.length + compressedBytes
    }
    const { dictionary } = chunk
    if (dictionary !== undefined) writePage(dictionaryHeader(dictionary.entries), dictionary)
    const firstDataPage = this.#bytes
    let firstRow = 0
    const locations = chunk.pages.map((page) => {
      const offset = this.#bytes
      const size = writePage(dataHeader(page), page)
      const location = new parquet.PageLocation({
        offset,
        compressed_page_size: size,
        first_row_index: firstRow,
      })
      firstRow += page.rows
      return location
    })
    const { physical } = chunk.column.type
    return {
      metadata: {
        type: parquet.Type[physical === 'FIXED16' ? 'FIXED_LEN_BYTE_ARRAY' : physical],
        encodings: encodingsOf(chunk),
        path_in_schema: leafPath(chunk.column),
        codec: parquet.CompressionCodec.ZSTD,
        num_values: chunk.slots,
        total_uncompressed_size: uncompressed,
        total_compressed_size: this.#bytes - start,
        data_page_offset: firstDataPage,
        ...(dictionary === undefined ? {} : { dictionary_page_offset: start }),
        statistics: chunkStatistics(chunk.bounds, chunk.nulls),
      },
      columnIndex: columnIndexOf(chunk),
      offsetIndex: new parquet.OffsetIndex({ page_locations: locations }),
    }
  }

  /** Page indexes stand together behind the last row group: all column indexes, then all offset indexes. */
  #writeIndexes(): object[] {
    const place = (index: object | undefined): { at: number; length: number } | undefined => {
      if (index === undefined) return undefined
      const at = this.#bytes
      this.#write(serialize(index))
      return { at, length: this.#bytes - at }
    }
    const columnPlaces = this.#rowGroups.map((group) => group.chunks.map((chunk) => place(chunk.columnIndex)))
    const offsetPlaces = this.#rowGroups.map((group) => group.chunks.map((chunk) => place(chunk.offsetIndex)))
    return this.#rowGroups.map((group, g) => {
      const columns = group.chunks.map((chunk, c) => {
        const column = columnPlaces[g]![c]
        const offset = offsetPlaces[g]![c]!
        return new parquet.ColumnChunk({
          file_offset: chunk.metadata.dictionary_page_offset ?? chunk.metadata.data_page_offset,
          meta_data: new parquet.ColumnMetaData(chunk.metadata),
          offset_index_offset: offset.at,
          offset_index_length: offset.length,
          ...(column === undefined ? {} : { column_index_offset: column.at, column_index_length: column.length }),
        })
      })
      return new parquet.RowGroup({ columns, total_byte_size: group.bytes, num_rows: group.rows })
    })
  }
}

function dictionaryHeader(entries: number): Record<string, unknown> {
  return {
    type: parquet.PageType.DICTIONARY_PAGE,
    dictionary_page_header: new parquet.DictionaryPageHeader({ num_values: entries, encoding: parquet.Encoding.PLAIN }),
  }
}

function dataHeader(page: EncodedPage): Record<string, unknown> {
  return {
    type: parquet.PageType.DATA_PAGE,
    data_page_header: new parquet.DataPageHeader({
      num_values: page.slots,
      encoding: page.dictionaryEncoded ? parquet.Encoding.RLE_DICTIONARY : parquet.Encoding.PLAIN,
      definition_level_encoding: parquet.Encoding.RLE,
      repetition_level_encoding: parquet.Encoding.RLE,
    }),
  }
}

function encodingsOf(chunk: EncodedChunk): (number | undefined)[] {
  const encodings = [parquet.Encoding.RLE]
  if (chunk.dictionary !== undefined) encodings.push(parquet.Encoding.RLE_DICTIONARY)
  if (chunk.dictionary !== undefined || chunk.pages.some((page) => !page.dictionaryEncoded))
    encodings.push(parquet.Encoding.PLAIN)
  return encodings
}

function chunkStatistics(bounds: MinMax | undefined, nulls: number): object {
  const exact =
    bounds !== undefined && bounds.min.length <= LONGEST_EXACT_BOUND && bounds.max.length <= LONGEST_EXACT_BOUND
  return new parquet.Statistics({
    null_count: nulls,
    ...(exact ? { min_value: bounds.min, max_value: bounds.max } : {}),
  })
}

/** Undefined where some page has values but no bounds (a NaN among them): readers then look at every page. */
function columnIndexOf(chunk: EncodedChunk): object | undefined {
  const bounds = chunk.pages.map((page) =>
    page.slots === page.nulls ? 'null page' : indexBounds(chunk.column.type, page.bounds),
  )
  if (bounds.includes(undefined)) return undefined
  const known = bounds as (MinMax | 'null page')[]
  const empty = Buffer.alloc(0)
  return new parquet.ColumnIndex({
    null_pages: known.map((page) => page === 'null page'),
    min_values: known.map((page) => (page === 'null page' ? empty : page.min)),
    max_values: known.map((page) => (page === 'null page' ? empty : page.max)),
    boundary_order: parquet.BoundaryOrder.UNORDERED,
    null_counts: chunk.pages.map((page) => page.nulls),
  })
}
