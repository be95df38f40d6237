// Two readers that share no code with the writer, hyparquet and DuckDB, brought to one form of value so that they can be
// compared with what was written: bytes and texts as hexadecimal, 64 bits and decimals as bigint.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  DuckDBBlobValue,
  DuckDBDateValue,
  DuckDBDecimalValue,
  DuckDBInstance,
  DuckDBListValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  type DuckDBConnection,
  type DuckDBValue,
} from '@duckdb/node-api'
import { parquetMetadata, parquetReadObjects, type FileMetaData } from 'hyparquet'
import type { LeafType } from '../../internal/model/lake-column.js'
import type { Cell, Scalar } from './parquet-columns.js'
import { compressors } from './zstd-pages.js'

export type Plain = boolean | number | bigint | string | null | readonly Plain[]
export type PlainRow = Readonly<Record<string, Plain>>

/** A cell that was written, in the form in which the readers give it back. */
export function plainOf(type: LeafType, cell: Cell): Plain {
  if (cell === null) return null
  if (Array.isArray(cell)) return (cell as readonly (Scalar | null)[]).map((element) => plainOf(type, element))
  if (Buffer.isBuffer(cell)) return cell.toString('hex')
  return type.physical === 'FLOAT' ? Math.fround(cell as number) : (cell as Scalar as Plain)
}

export interface PhysicalColumn {
  readonly name: string
  readonly type: Pick<LeafType, 'physical'>
}

function arrayBufferOf(bytes: Buffer): ArrayBuffer {
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer
}

export function footerOf(bytes: Buffer): FileMetaData {
  return parquetMetadata(arrayBufferOf(bytes))
}

/** The rows with every leaf as its physical type says: no annotation is followed, nothing is rounded. */
export async function readWithHyparquet(bytes: Buffer, columns: readonly PhysicalColumn[]): Promise<PlainRow[]> {
  const metadata = footerOf(bytes)
  for (const element of metadata.schema) {
    if (element.num_children !== undefined) continue
    delete element.converted_type
    delete element.logical_type
  }
  const rows = await parquetReadObjects({ file: arrayBufferOf(bytes), metadata, compressors, utf8: false })
  const types = new Map(columns.map(({ name, type }) => [name, type]))
  return rows.map((row) =>
    Object.fromEntries(Object.entries(row).map(([name, value]) => [name, physicalValue(types.get(name)!, value)])),
  )
}

function physicalValue(type: Pick<LeafType, 'physical'>, value: unknown): Plain {
  if (value === null || value === undefined) return null
  if (Array.isArray(value)) return value.map((element) => physicalValue(type, element))
  if (!(value instanceof Uint8Array)) return value as Plain
  const hex = Buffer.from(value).toString('hex')
  return type.physical === 'FIXED16' ? BigInt.asIntN(128, BigInt(`0x${hex}`)) : hex
}

/** DuckDB over files in a folder of its own. */
export class DuckReader {
  readonly #connection: DuckDBConnection
  readonly #instance: DuckDBInstance
  readonly #folder: string
  #files = 0

  private constructor(instance: DuckDBInstance, connection: DuckDBConnection, folder: string) {
    this.#instance = instance
    this.#connection = connection
    this.#folder = folder
  }

  static async open(): Promise<DuckReader> {
    const instance = await DuckDBInstance.create(':memory:', { threads: '1' })
    const folder = await mkdtemp(join(tmpdir(), 'wal-cake-parquet-'))
    return new DuckReader(instance, await instance.connect(), folder)
  }

  async close(): Promise<void> {
    this.#connection.closeSync()
    this.#instance.closeSync()
    await rm(this.#folder, { recursive: true })
  }

  /** The path of a file with these bytes. */
  async file(bytes: Buffer): Promise<string> {
    const path = join(this.#folder, `${this.#files++}.parquet`)
    await writeFile(path, bytes)
    return path
  }

  async rows(bytes: Buffer): Promise<PlainRow[]> {
    return this.query(`SELECT * FROM read_parquet('${await this.file(bytes)}')`)
  }

  async query(sql: string): Promise<PlainRow[]> {
    const reader = await this.#connection.runAndReadAll(sql)
    const names = reader.columnNames()
    return reader.getRows().map((row) => Object.fromEntries(row.map((value, k) => [names[k]!, duckValue(value)])))
  }
}

function duckValue(value: DuckDBValue): Plain {
  if (value instanceof DuckDBListValue) return value.items.map(duckValue)
  if (value instanceof DuckDBBlobValue) return Buffer.from(value.bytes).toString('hex')
  if (value instanceof DuckDBDateValue) return value.days
  if (value instanceof DuckDBTimestampValue || value instanceof DuckDBTimestampTZValue) return value.micros
  if (value instanceof DuckDBDecimalValue) return value.value
  if (typeof value === 'string') return Buffer.from(value, 'utf8').toString('hex')
  return value as Plain
}

/** DuckDB gives texts as hexadecimal, like bytes: the text again. */
export function textOf(hex: Plain | undefined): string {
  return Buffer.from(hex as string, 'hex').toString('utf8')
}
