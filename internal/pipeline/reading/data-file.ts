// A data file as any reader sees it: by a library that shares no code with the writer. Values come as they are stored, because
// a reader's own types would round decimals and cut timestamps.
import { decompress } from 'fzstd'
import { parquetMetadata, parquetRead, parquetSchema, type FileMetaData, type SchemaElement } from 'hyparquet'
import { Failure } from '../../model/failure.js'

/** A column of a file; `leaf`: of a list the element. */
export interface StoredColumn {
  readonly name: string
  readonly leaf: SchemaElement
  readonly list: boolean
}

/** Values of a column, in order of the rows: null, or what Parquet stores, a list as an array. */
export type StoredValues = readonly unknown[]

const META_COLUMNS = 8

export class DataFile {
  readonly #content: Buffer
  readonly #metadata: FileMetaData
  readonly columns: readonly StoredColumn[]

  /** `content`: the whole file, named `key` in failures. Throws Failure `unsafe` where it cannot be read. */
  constructor(key: string, content: Buffer) {
    this.#content = content
    try {
      this.#metadata = parquetMetadata(arrayBufferOf(content, 0, content.length))
    } catch (cause) {
      throw new Failure('unsafe', `${key} is no Parquet file: ${String(cause)}`, { cause })
    }
    this.columns = parquetSchema(this.#metadata).children.map(({ element, children }) => {
      const leaf = children[0]?.children[0]?.element
      return { name: element.name, leaf: leaf ?? element, list: leaf !== undefined }
    })
  }

  get rows(): number {
    return Number(this.#metadata.num_rows)
  }

  /** The columns that every row has beside its table's, in the order of docs/lake.md: they are the last ones, whatever they are called. */
  get metaNames(): readonly string[] {
    return this.columns.slice(-META_COLUMNS).map(({ name }) => name)
  }

  /** Row group by row group, the columns of these names. */
  async *groups(names: readonly string[]): AsyncGenerator<ReadonlyMap<string, StoredValues>> {
    const metadata = asStored(this.#metadata)
    const file = {
      byteLength: this.#content.length,
      slice: (start: number, end = this.#content.length) => arrayBufferOf(this.#content, start, end),
    }
    let rowStart = 0
    for (const group of this.#metadata.row_groups) {
      const rows = Number(group.num_rows)
      const values = new Map(names.map((name) => [name, new Array<unknown>(rows).fill(null)]))
      const from = rowStart
      await parquetRead({
        ...{ file, metadata, columns: [...names], rowStart, rowEnd: rowStart + rows, utf8: false },
        compressors: { ZSTD: (input: Uint8Array, bytes: number) => decompress(input, new Uint8Array(bytes)) },
        onChunk: ({ columnName, columnData, rowStart: first }) => {
          const into = values.get(columnName)!
          for (let k = 0; k < columnData.length; k++) into[first - from + k] = columnData[k] ?? null
        },
      })
      yield values
      rowStart += rows
    }
  }
}

/** Without what would have the library convert values; a list stays a list. */
function asStored(metadata: FileMetaData): FileMetaData {
  const schema = metadata.schema.map((element) => {
    if (element.num_children !== undefined) return element
    const { converted_type: _, logical_type: __, ...stored } = element
    return stored
  })
  return { ...metadata, schema }
}

function arrayBufferOf(content: Buffer, start: number, end: number): ArrayBuffer {
  return content.buffer.slice(content.byteOffset + start, content.byteOffset + end) as ArrayBuffer
}
