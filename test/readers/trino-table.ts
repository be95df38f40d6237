// The table of a lake as Trino has to be told of it: the statement of docs/readers.md, with the columns that all recorded
// versions of the table have together, each with the type of the page's rule.
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'

/** As the schema records have it, such as `LIST INT32 int32`. */
export type RecordedType = string

/** Types by what is recorded, the wider one of two that unite last: a line of the page's rule each. */
export type TypeRule = ReadonlyMap<RecordedType, string>

/** The columns of all versions of the table, in the order of their coming, each with the widest type that it ever had. */
export function uniteVersions(
  versions: readonly (readonly (readonly [name: string, type: RecordedType])[])[],
  rule: TypeRule,
): Map<string, RecordedType> {
  const columns = new Map<string, RecordedType>()
  for (const [name, type] of versions.flat()) columns.set(name, wider(columns.get(name) ?? type, type, rule))
  return columns
}

function wider(a: RecordedType, b: RecordedType, rule: TypeRule): RecordedType {
  const order = [...rule.keys()]
  const place = (type: RecordedType) => order.indexOf(general(type)) * 100 + Number(precision.exec(type)?.[1] ?? 0)
  return place(b) > place(a) ? b : a
}

const precision = /\((\d+),/

/** As the page's rule has it. */
function general(type: RecordedType): string {
  return type.replace(/^LIST /, '').replace(/\(.*\)/, '(p,s)')
}

export function trinoType(type: RecordedType, rule: TypeRule): string {
  const found = rule.get(general(type))
  if (found === undefined) throw new Error(`docs/readers.md: nothing on columns of type ${type}`)
  const whole = found.replace('(p,s)', /\(.*\)/.exec(type)?.[0] ?? '')
  return type.startsWith('LIST ') ? `array(${whole})` : whole
}

/** Of the table in this directory of a lake, oldest first. */
export async function recordedVersions(folder: string): Promise<[name: string, type: RecordedType][][]> {
  const records = join(folder, '..', '..', '..', '_wal_cake')
  const versions: [string, RecordedType][][] = []
  for (const slot of await readdir(records)) {
    const ofTable = join(records, slot, 'schemas', `public.${basename(folder)}`)
    if (!existsSync(ofTable)) continue
    for (const file of (await readdir(ofTable)).sort()) {
      const { columns } = JSON.parse(await readFile(join(ofTable, file), 'utf8')) as {
        columns: readonly { lake_name: string; parquet: RecordedType }[]
      }
      versions.push(columns.map(({ lake_name: name, parquet }) => [name, parquet]))
    }
  }
  return versions
}

/**
 * The page's statement for a table with these columns instead of those of its example, which stand before `_op`. What the
 * lake adds is called otherwise where a column has its name.
 */
export function statementFor(
  example: string,
  table: string,
  columns: ReadonlyMap<string, RecordedType>,
  rule: TypeRule,
): string {
  const free = (name: string): string => (columns.has(name) ? free(name === 'dt' ? 'dt_commit' : `_${name}`) : name)
  const [head = '', ...lines] = example.split('\n')
  const own = [...columns].map(([name, type]) => `  ${quoted(name)} ${trinoType(type, rule)},`)
  const ours = lines
    .slice(lines.findIndex((line) => line.startsWith('  "_op"')))
    .map((line) =>
      line.replace(/(["'])(_[a-z_]+|dt)\1/g, (_, quote: string, name: string) => quote + free(name) + quote),
    )
  return [head.replace('"orders"', () => quoted(table)), ...own, ...ours].join('\n')
}

export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
