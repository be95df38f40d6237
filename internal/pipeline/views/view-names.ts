// What the views are called. Tables of different schemas, and those whose names an engine cannot tell apart, never share one.

export interface ViewNames {
  /** Undefined where views of the engine have no schema. */
  readonly schema: string | undefined
  readonly state: string
  readonly log: string
  readonly asOf: string
}

export interface NamingRule {
  /** A name as the engine takes it. */
  readonly fit: (name: string) => string
  /** Views are in no schema, so that the schema's name goes before theirs. */
  readonly flat: boolean
  /** A name of ours in each schema. */
  readonly reserved?: string
}

interface Named {
  readonly schema: string
  readonly table: string
}

/** In the order of the tables. The state has the name of its table wherever it can; a name that is taken gets a number. */
export function nameViews(tables: readonly Named[], { fit, flat, reserved }: NamingRule): ViewNames[] {
  const schemas = new Map<string, string>()
  const takenSchemas = new Set<string>()
  for (const { schema } of tables) if (!schemas.has(schema)) schemas.set(schema, distinct(fit(schema), takenSchemas))
  const taken = new Map<string, Set<string>>()
  const of = ({ schema }: Named): { name: string; taken: Set<string> } => {
    const name = schemas.get(schema)!
    const scope = flat ? '' : name
    const names = taken.get(scope) ?? new Set(reserved === undefined ? [] : [reserved])
    taken.set(scope, names)
    return { name, taken: names }
  }
  const states = tables.map((table) => {
    const { name, taken } = of(table)
    return distinct(flat ? `${name}_${fit(table.table)}` : fit(table.table), taken)
  })
  return tables.map((table, k) => {
    const { name, taken } = of(table)
    const state = states[k]!
    const [log, asOf] = [distinct(`${state}_log`, taken), distinct(`${state}_as_of`, taken)]
    return { schema: flat ? undefined : name, state, log, asOf }
  })
}

function distinct(wanted: string, taken: Set<string>): string {
  let name = wanted
  for (let n = 2; taken.has(name.toLowerCase()); n++) name = `${wanted}__${n}`
  taken.add(name.toLowerCase())
  return name
}
