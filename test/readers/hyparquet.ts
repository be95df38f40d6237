// hyparquet, which reads in JavaScript alone.
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { join } from 'node:path'
import { asyncBufferFromFile, parquetMetadataAsync, parquetSchema, type SchemaElement } from 'hyparquet'
import { dateText, timestampText } from './cells.js'
import type { Answer, Cell, Reader, Request } from './reader.js'

type Row = Readonly<Record<string, unknown>>

/** Within the repository, so that the snippets find the package. */
const modules = fileURLToPath(new URL('snippets/', import.meta.url))

export const hyparquet: Reader = {
  name: 'hyparquet',
  prepare: () => Promise.resolve(undefined),
  read: async (requests) => {
    const tables = new Map<string, Promise<readonly Row[]>>()
    await mkdir(modules, { recursive: true })
    const answers: Answer[] = []
    for (const request of requests) {
      const table = tables.get(request.snippet) ?? runSnippet(request.snippet, tables.size)
      tables.set(request.snippet, table)
      answers.push(
        await table.then((rows) => answer(rows, request)).catch((error: unknown) => ({ refused: String(error) })),
      )
    }
    await rm(modules, { recursive: true })
    return answers
  },
}

/** Its `table`. */
async function runSnippet(snippet: string, k: number): Promise<readonly Row[]> {
  const file = join(modules, `${k}.mjs`)
  await writeFile(file, `${snippet}\nexport { table }\n`)
  const { table } = (await import(pathToFileURL(file).href)) as { table: readonly Row[] }
  return table.toSorted((a, b) =>
    Number((a._lsn as bigint) - (b._lsn as bigint) || (a._seq as bigint) - (b._seq as bigint)),
  )
}

async function answer(rows: readonly Row[], { folder, columns }: Request): Promise<Answer> {
  const elements = await elementsOf(folder)
  return { rows: rows.map((row) => columns.map((column) => cellOf(row[column], elements.get(column)))) }
}

/** What the files say of each column, or of the elements of its list. */
async function elementsOf(folder: string): Promise<Map<string, SchemaElement>> {
  const elements = new Map<string, SchemaElement>()
  for (const name of (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.parquet'))) {
    const { schema } = await parquetMetadataAsync(await asyncBufferFromFile(join(folder, name)))
    for (const { element, children } of parquetSchema({ schema }).children)
      elements.set(element.name, children[0]?.children[0]?.element ?? element)
  }
  return elements
}

function cellOf(value: unknown, element: SchemaElement | undefined): Cell {
  if (value === null || value === undefined) return null
  if (Array.isArray(value)) return value.map((item) => cellOf(item, element))
  if (value instanceof Uint8Array) return `\\x${Buffer.from(value).toString('hex')}`
  const { logical_type: logical } = element ?? {}
  if (logical?.type === 'DATE') return dateText(value as number)
  if (logical?.type === 'TIMESTAMP') return timestampText(value as bigint, logical.isAdjustedToUTC ? '+00' : '')
  if (logical?.type === 'DECIMAL') return (value as number).toFixed(logical.scale)
  const isFloat = element?.type === 'FLOAT' || element?.type === 'DOUBLE'
  return isFloat ? (value as number) : (value as string | number | bigint | boolean).toString()
}
