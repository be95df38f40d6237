// Trino, by tables that are declared as docs/readers.md says.
import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { sectionOf, tableOf } from './page.js'
import type { Answer, Cell, Reader, Request } from './reader.js'
import { Trino, trinoProgram, type JsonValue, type TrinoProgram } from './trino-server.js'
import { quoted, recordedVersions, statementFor, trinoType, uniteVersions, type TypeRule } from './trino-table.js'

let program: TrinoProgram | string

export const trino: Reader = {
  name: 'Trino',
  prepare: async () => {
    program = await trinoProgram()
    return typeof program === 'string' ? program : undefined
  },
  read: async (requests) => {
    const { properties, rule } = await trinoPage()
    const server = await Trino.start(program as TrinoProgram, properties)
    try {
      await server.query('CREATE SCHEMA lake.public')
      const tables = new Map<string, Promise<Table>>()
      const answers: Answer[] = []
      for (const request of requests) {
        const table = tables.get(request.folder) ?? declare(server, request, rule)
        tables.set(request.folder, table)
        answers.push(await answer(server, await table, request))
      }
      return answers
    } finally {
      await server.stop()
    }
  },
}

/** What the page's section has beside its statement: the catalogue's properties, and the types to declare. */
export async function trinoPage(): Promise<{ properties: string; rule: TypeRule }> {
  const section = sectionOf(await readFile(new URL('../../../docs/readers.md', import.meta.url), 'utf8'), 'Trino')
  const [, properties] = /```properties\n(.*?)```/s.exec(section) ?? []
  if (properties === undefined) throw new Error('docs/readers.md: no properties of the catalogue')
  const rule = tableOf(section).flatMap(([recorded = '', type = '']) =>
    recorded.split(', ').map((each) => [each, type] as const),
  )
  return { properties, rule: new Map(rule) }
}

/** Its columns with their types, those that are recorded and Trino's; or why Trino does not take it. */
type Table = ReadonlyMap<string, { readonly recorded: string; readonly type: string }> | string

async function declare(server: Trino, { folder, snippet }: Request, rule: TypeRule): Promise<Table> {
  const columns = uniteVersions(await recordedVersions(folder), rule)
  for (const name of columns.keys()) if (name.includes(',')) columns.delete(name)
  try {
    await server.query(statementFor(snippet, basename(folder), columns, rule).replace(/;\s*$/, ''))
    return new Map([...columns].map(([name, recorded]) => [name, { recorded, type: trinoType(recorded, rule) }]))
  } catch (error) {
    return String(error)
  }
}

async function answer(server: Trino, table: Table, { folder, columns }: Request): Promise<Answer> {
  if (typeof table === 'string') return { refused: table }
  const declared = columns.map((name) => table.get(name) ?? { recorded: 'BYTE_ARRAY string', type: 'varchar' })
  const selected = columns.map((name, k) => exactly(quoted(name), declared[k]!.type))
  try {
    const rows = await server.query(
      `SELECT ${selected.join(', ')} FROM lake.public.${quoted(basename(folder))} ORDER BY _lsn, _seq`,
    )
    return { rows: rows.map((row) => row.map((value, k) => cellOf(value, declared[k]!.recorded))) }
  } catch (error) {
    return { refused: String(error) }
  }
}

/** JSON's numbers lose digits of long integers here. */
function exactly(name: string, type: string): string {
  if (type === 'bigint') return `CAST(${name} AS varchar)`
  return type === 'array(bigint)' ? `CAST(${name} AS array(varchar))` : name
}

function cellOf(value: JsonValue, recorded: string): Cell {
  if (value === null) return null
  if (typeof value === 'object') return value.map((element) => cellOf(element, recorded.replace('LIST ', '')))
  if (recorded === 'FLOAT') return Math.fround(Number(value))
  if (recorded === 'DOUBLE') return Number(value)
  const text = String(value)
  if (recorded === 'BYTE_ARRAY bytes') return `\\x${Buffer.from(text, 'base64').toString('hex')}`
  const [kind] = / (date|timestamp|timestamptz)$/.exec(recorded) ?? []
  return kind === undefined ? text : timeText(text, kind === ' timestamptz' ? '+00' : '')
}

/** Trino has the years of ISO 8601, where 0 is 1 BC. */
function timeText(text: string, zone: string): string {
  const [, sign = '', year = '', rest = ''] = /^([+-]?)(\d+)(.*)$/.exec(text) ?? []
  const before = sign === '-' || Number(year) === 0
  const shown = String(before ? Number(year) + 1 : Number(year)).padStart(4, '0')
  return `${shown}${rest.replace(/(\.\d*?)0+$/, '$1').replace(/\.$/, '')}${zone}${before ? ' BC' : ''}`
}
