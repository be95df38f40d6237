// The writers that ours is measured against, each given the rows as its interface wants them, which is made before its time
// begins. Both of JavaScript get the uid as 16 bytes, which is less work than the text that it is in our files.
import { createRequire } from 'node:module'
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api'
import type { SchemaElement } from 'hyparquet'
import { parquetWriteFile } from 'hyparquet-writer'
import { orderRows } from './order-rows.js'

const require = createRequire(import.meta.url)

interface ParquetjsWriter {
  appendRow(row: object): Promise<void>
  close(): Promise<void>
}

const parquetjs = require('parquetjs-lite') as {
  readonly ParquetSchema: new (fields: Readonly<Record<string, object>>) => object
  readonly ParquetWriter: { openFile(schema: object, path: string): Promise<ParquetjsWriter> }
}

/** Writes the file: what is measured. */
export type Write = (path: string) => Promise<void>

const snappy = { compression: 'SNAPPY' }
/** It has no decimals; the amount is a double. */
const parquetjsFields = {
  id: { type: 'INT64', ...snappy },
  customer_id: { type: 'INT32', ...snappy },
  status: { type: 'UTF8', ...snappy },
  amount: { type: 'DOUBLE', ...snappy },
  note: { type: 'UTF8', ...snappy },
  meta: { type: 'UTF8', ...snappy },
  uid: { type: 'FIXED_LEN_BYTE_ARRAY', typeLength: 16, ...snappy },
  paid: { type: 'BOOLEAN', ...snappy },
  price: { type: 'DOUBLE', ...snappy },
  created_at: { type: 'TIMESTAMP_MICROS', ...snappy },
}

export function parquetjsWrite(count: number): Write {
  const rows = Array.from(orderRows(count), ({ customerId, cents, createdAt, ...order }) => {
    return { ...order, customer_id: customerId, amount: cents / 100, created_at: createdAt }
  })
  return async (path) => {
    const writer = await parquetjs.ParquetWriter.openFile(new parquetjs.ParquetSchema(parquetjsFields), path)
    for (const row of rows) await writer.appendRow(row)
    await writer.close()
  }
}

const required = { repetition_type: 'REQUIRED' } as const
const hyparquetSchema: SchemaElement[] = [
  { name: 'root', num_children: 10 },
  { name: 'id', type: 'INT64', ...required },
  { name: 'customer_id', type: 'INT32', ...required },
  { name: 'status', type: 'BYTE_ARRAY', converted_type: 'UTF8', ...required },
  { name: 'amount', type: 'INT64', converted_type: 'DECIMAL', precision: 12, scale: 2, ...required },
  { name: 'note', type: 'BYTE_ARRAY', converted_type: 'UTF8', ...required },
  { name: 'meta', type: 'BYTE_ARRAY', converted_type: 'UTF8', ...required },
  { name: 'uid', type: 'FIXED_LEN_BYTE_ARRAY', type_length: 16, logical_type: { type: 'UUID' }, ...required },
  { name: 'paid', type: 'BOOLEAN', ...required },
  { name: 'price', type: 'DOUBLE', ...required },
  { name: 'created_at', type: 'INT64', converted_type: 'TIMESTAMP_MICROS', ...required },
]

export function hyparquetWrite(count: number): Write {
  const rows = [...orderRows(count)]
  const columnData = [
    { name: 'id', data: BigInt64Array.from(rows, ({ id }) => BigInt(id)) },
    { name: 'customer_id', data: Int32Array.from(rows, ({ customerId }) => customerId) },
    { name: 'status', data: rows.map(({ status }) => status) },
    { name: 'amount', data: BigInt64Array.from(rows, ({ cents }) => BigInt(cents)) },
    { name: 'note', data: rows.map(({ note }) => note) },
    { name: 'meta', data: rows.map(({ meta }) => meta) },
    { name: 'uid', data: rows.map(({ uid }) => uid) },
    { name: 'paid', data: rows.map(({ paid }) => paid) },
    { name: 'price', data: Float64Array.from(rows, ({ price }) => price) },
    { name: 'created_at', data: BigInt64Array.from(rows, ({ createdAt }) => createdAt) },
  ]
  return (filename) => {
    parquetWriteFile({ filename, columnData, schema: hyparquetSchema })
    return Promise.resolve()
  }
}

/** DuckDB with a table of all columns of our file, ours included, so that both write the same. */
export class DuckdbTable {
  readonly #instance: DuckDBInstance
  readonly #connection: DuckDBConnection

  private constructor(instance: DuckDBInstance, connection: DuckDBConnection) {
    this.#instance = instance
    this.#connection = connection
  }

  static async of(parquetPath: string): Promise<DuckdbTable> {
    const instance = await DuckDBInstance.create(':memory:')
    const connection = await instance.connect()
    await connection.run(`CREATE TABLE orders AS FROM read_parquet('${parquetPath}')`)
    return new DuckdbTable(instance, connection)
  }

  async write(path: string): Promise<void> {
    await this.#connection.run(`COPY orders TO '${path}' (FORMAT parquet, COMPRESSION zstd)`)
  }

  close(): void {
    this.#connection.closeSync()
    this.#instance.closeSync()
  }
}
