// Which column of the lake holds a table's column: its own name, but for names that readers confuse, and for a type that
// the column of that name cannot take. One directory stays one table through every ALTER TABLE. Derived from the versions
// that hold before, so that a replay names alike.
import type { SchemaColumn, TableSchema } from '../model/table-schema.js'

/** A column of the table as it is now. */
export type NamedColumn = Pick<SchemaColumn, 'name' | 'type' | 'parquet' | 'hashed'> & {
  /** What tells types of one name apart, such as `10_2` of numeric(10,2); empty where nothing does. */
  readonly detail: string
}

export interface LakeNames {
  /** Of the columns, in order. */
  readonly columns: readonly string[]
  /** Of our own columns, in the order asked for. */
  readonly meta: readonly string[]
  readonly dateColumn: 'dt' | 'dt_commit'
}

/** `earlier`: the versions of the table's schema so far, oldest first, with or without the one that holds now. */
export function lakeNames(
  columns: readonly NamedColumn[],
  metaNames: readonly string[],
  earlier: readonly TableSchema[],
): LakeNames {
  const first = earlier[0]
  const owners = ownersOf(earlier)
  // What was ours, or the path's, in the first version stays so for as long as the table has a directory.
  const firstNames = new Set(
    first?.columns.map(({ lakeName }) => lower(lakeName)) ?? columns.map(({ name }) => lower(name)),
  )
  const dateColumn = firstNames.has('dt') ? 'dt_commit' : 'dt'
  const meta = metaNames.map((name) => underscored(name, firstNames))
  const reserved = new Set<string>(first === undefined ? [dateColumn] : [dateColumn, ...meta])
  const taken = new Set<string>()
  const named = columns.map((column) => {
    const lakeName = held(column, owners.get(column.name) ?? new Map(), taken) ?? fresh(column, owners, taken, reserved)
    taken.add(lower(lakeName))
    return lakeName
  })
  return { columns: named, meta, dateColumn }
}

/** By the table's own name of a column: the lake's columns that have held it, and as what. */
type Owners = ReadonlyMap<string, ReadonlyMap<string, ReadonlySet<string>>>

function ownersOf(earlier: readonly TableSchema[]): Owners {
  const owners = new Map<string, Map<string, Set<string>>>()
  for (const { lakeName, ...column } of earlier.flatMap(({ columns }) => columns)) {
    const { name } = column
    const columns = owners.get(name) ?? new Map<string, Set<string>>()
    owners.set(name, columns)
    columns.set(lakeName, (columns.get(lakeName) ?? new Set()).add(contentOf(column)))
  }
  return owners
}

/** The Parquet type; hashes are of no type but those under the same salt. */
function contentOf({ parquet, hashed }: Pick<NamedColumn, 'parquet' | 'hashed'>): string {
  return hashed === undefined ? parquet : `hashed ${hashed}`
}

/** A column that has held this one before and can take its type. */
function held(
  column: NamedColumn,
  own: ReadonlyMap<string, ReadonlySet<string>>,
  taken: ReadonlySet<string>,
): string | undefined {
  const content = contentOf(column)
  for (const [lakeName, contents] of own)
    if (!taken.has(lower(lakeName)) && (contents.has(content) || [...contents].every((one) => widens(one, content))))
      return lakeName
  return undefined
}

function fresh(column: NamedColumn, owners: Owners, taken: ReadonlySet<string>, reserved: ReadonlySet<string>): string {
  const { name } = column
  const wanted = owners.has(name) ? `${name}__${typeLabel(column)}` : name
  const used = new Set([...owners.values()].flatMap((columns) => [...columns.keys()].map(lower)))
  let distinct = wanted
  for (let n = 2; ; n++) {
    const folded = lower(distinct)
    if (!taken.has(folded) && !used.has(folded) && !reserved.has(folded)) return distinct
    distinct = `${wanted}__${n}`
  }
}

/** The user's column keeps the name, ours gets another underscore. */
function underscored(name: string, users: ReadonlySet<string>): string {
  let own = name
  while (users.has(own)) own = `_${own}`
  return own
}

/** For the name of a second column: `int4`, `numeric_10_2`, `int4_array`, `hashed`. */
function typeLabel({ type, detail, hashed }: NamedColumn): string {
  if (hashed !== undefined) return 'hashed'
  const name = type.slice(type.indexOf('.') + 1)
  const plain = name.startsWith('_') ? `${name.slice(1)}_array` : name
  return detail === '' ? plain : `${plain}_${detail}`
}

const steps = ['INT32 int16', 'INT32 int32', 'INT64 int64']

/** Every value of the one type is one of the other, and readers unite the two into the other. */
function widens(from: string, to: string): boolean {
  if (from === 'FLOAT') return to === 'DOUBLE'
  const [step, next] = [steps.indexOf(from), steps.indexOf(to)]
  if (step >= 0 || next >= 0) return step >= 0 && next > step
  const [before, after] = [from, to].map((text) => /^(\w+) decimal\((\d+),(\d+)\)$/.exec(text))
  if (!before || !after) return false
  return before[1] === after[1] && before[3] === after[3] && Number(after[2]) > Number(before[2])
}

function lower(name: string): string {
  return name.toLowerCase()
}
