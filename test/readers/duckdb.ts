// DuckDB by its package for Node.
import {
  DuckDBBlobValue,
  DuckDBInstance,
  type DuckDBListType,
  DuckDBListValue,
  DuckDBTypeId,
  type DuckDBConnection,
  type DuckDBType,
  type DuckDBValue,
} from '@duckdb/node-api'
import type { Answer, Cell, Reader, Request } from './reader.js'

export const duckdb: Reader = {
  name: 'DuckDB',
  prepare: () => Promise.resolve(undefined),
  read: async (requests) => {
    const instance = await DuckDBInstance.create(':memory:', { threads: '2' })
    const connection = await instance.connect()
    try {
      await connection.run("SET TimeZone = 'UTC'")
      const answers: Answer[] = []
      for (const request of requests) answers.push(await answer(connection, request))
      return answers
    } finally {
      connection.closeSync()
      instance.closeSync()
    }
  },
}

async function answer(connection: DuckDBConnection, { snippet, columns }: Request): Promise<Answer> {
  const names = columns.map((column) => `"${column.replaceAll('"', '""')}"`)
  try {
    const sql = `SELECT ${names.join(', ')} FROM (${snippet.replace(/;\s*$/, '')}) ORDER BY _lsn, _seq`
    const found = await connection.runAndReadAll(sql)
    const types = found.columnTypes()
    return { rows: found.getRows().map((row) => row.map((value, k) => cellOf(value, types[k]!))) }
  } catch (error) {
    return { refused: String(error) }
  }
}

function cellOf(value: DuckDBValue, type: DuckDBType): Cell {
  if (value === null || typeof value === 'string') return value
  if (value instanceof DuckDBListValue)
    return value.items.map((item) => cellOf(item, (type as DuckDBListType).valueType))
  if (value instanceof DuckDBBlobValue) return `\\x${Buffer.from(value.bytes).toString('hex')}`
  if (typeof value === 'number' && floats.includes(type.typeId)) return value
  return value.toString().replace(/^(.*) \(BC\)(.*)$/, '$1$2 BC')
}

const floats = [DuckDBTypeId.FLOAT, DuckDBTypeId.DOUBLE]
