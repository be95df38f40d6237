// Footer, column index and offset index of a file with nothing interpreted: bounds as the bytes that stand in the file.
// Fields by their numbers in https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift.
import { deserializeTCompactProtocol } from 'hyparquet/src/thrift.js'

export interface PageFacts {
  readonly firstRow: number
  readonly rows: number
  /** Absent where the chunk has no column index. */
  readonly index?: { readonly nullPage: boolean; readonly nulls: number; readonly min: Buffer; readonly max: Buffer }
  /** As its header says. */
  readonly slots: number
  readonly dictionaryEncoded: boolean
  readonly uncompressedBytes: number
}

export interface ChunkFacts {
  readonly hasDictionary: boolean
  readonly encodings: readonly number[]
  readonly slots: number
  readonly nulls: number
  readonly min: Buffer | undefined
  readonly max: Buffer | undefined
  readonly pages: readonly PageFacts[]
  readonly compressedBytes: number
}

export interface GroupFacts {
  readonly rows: number
  readonly chunks: readonly ChunkFacts[]
}

export const RLE_DICTIONARY = 8

export function factsOf(file: Buffer): GroupFacts[] {
  const length = file.readUInt32LE(file.length - 8)
  return structAt(file, file.length - 8 - length)
    .structs(4)
    .map((group) => {
      const rows = group.number(3)
      return { rows, chunks: group.structs(1).map((chunk) => chunkFacts(file, chunk, rows)) }
    })
}

function chunkFacts(file: Buffer, chunk: Struct, groupRows: number): ChunkFacts {
  const metadata = chunk.struct(3)
  const statistics = metadata.struct(12)
  return {
    hasDictionary: metadata.has(11),
    encodings: metadata.list(2) as number[],
    slots: metadata.number(5),
    nulls: statistics.number(3),
    min: statistics.has(6) ? statistics.bytes(6) : undefined,
    max: statistics.has(5) ? statistics.bytes(5) : undefined,
    pages: pagesOf(file, chunk, groupRows),
    compressedBytes: metadata.number(7),
  }
}

function pagesOf(file: Buffer, chunk: Struct, groupRows: number): PageFacts[] {
  const locations = structAt(file, chunk.number(4)).structs(1)
  const index = chunk.has(6) ? structAt(file, chunk.number(6)) : undefined
  return locations.map((location, k) => {
    const firstRow = location.number(3)
    const page = structAt(file, location.number(1))
    const header = page.struct(5)
    return {
      firstRow,
      rows: (locations[k + 1]?.number(3) ?? groupRows) - firstRow,
      slots: header.number(1),
      dictionaryEncoded: header.number(2) === RLE_DICTIONARY,
      uncompressedBytes: page.number(2),
      ...(index === undefined
        ? {}
        : {
            index: {
              nullPage: index.list(1)[k] as boolean,
              nulls: Number(index.list(5)[k]),
              min: Buffer.from(index.list(2)[k] as Uint8Array),
              max: Buffer.from(index.list(3)[k] as Uint8Array),
            },
          }),
    }
  })
}

function structAt(file: Buffer, at: number): Struct {
  const view = new DataView(file.buffer, file.byteOffset + at, file.length - at)
  return new Struct(deserializeTCompactProtocol({ view, offset: 0 }))
}

class Struct {
  readonly #fields: Readonly<Record<string, unknown>>

  constructor(fields: Readonly<Record<string, unknown>>) {
    this.#fields = fields
  }

  has(id: number): boolean {
    return this.#fields[`field_${id}`] !== undefined
  }

  number(id: number): number {
    return Number(this.#fields[`field_${id}`])
  }

  bytes(id: number): Buffer {
    return Buffer.from(this.#fields[`field_${id}`] as Uint8Array)
  }

  list(id: number): readonly unknown[] {
    return this.#fields[`field_${id}`] as readonly unknown[]
  }

  struct(id: number): Struct {
    return new Struct(this.#fields[`field_${id}`] as Record<string, unknown>)
  }

  structs(id: number): Struct[] {
    return this.list(id).map((fields) => new Struct(fields as Record<string, unknown>))
  }
}
