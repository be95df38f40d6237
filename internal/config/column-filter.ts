// Which columns do not reach the lake, or not in clear: EXCLUDE_COLUMNS and HASH_COLUMNS, read once, written like TABLES with a
// third part for the column.
import type { ColumnRule } from '../model/column-rule.js'
import { parseNamePatterns, type NamePattern } from './name-patterns.js'

export interface ColumnName {
  readonly schema: string
  readonly table: string
  readonly column: string
}

export type ColumnVariable = 'EXCLUDE_COLUMNS' | 'HASH_COLUMNS'

export class ColumnFilter {
  /** Both lists as configured, for records that must name the settings in force. */
  readonly excludeColumns: string
  readonly hashColumns: string
  readonly #exclude: readonly NamePattern[]
  readonly #hash: readonly NamePattern[]

  /** Throws Failure `config` saying which item of which list cannot be read. */
  constructor(excludeColumns = '', hashColumns = '') {
    this.excludeColumns = excludeColumns
    this.hashColumns = hashColumns
    this.#exclude = parseNamePatterns(excludeColumns, 'schema.table.column')
    this.#hash = parseNamePatterns(hashColumns, 'schema.table.column')
  }

  /** Every column reaches the lake in clear. */
  get isEmpty(): boolean {
    return this.#exclude.length === 0 && this.#hash.length === 0
  }

  /** Of a column that both lists have, the safer one. */
  ruleOf(column: ColumnName): ColumnRule {
    if (has(this.#exclude, column)) return 'excluded'
    return has(this.#hash, column) ? 'hashed' : 'clear'
  }

  isInBoth(column: ColumnName): boolean {
    return has(this.#exclude, column) && has(this.#hash, column)
  }

  /** Items without a wildcard that the other list has too, as they are written. */
  get exactInBoth(): readonly string[] {
    return [...this.#exclude, ...this.#hash].flatMap(({ exact, text }) => {
      if (exact === undefined) return []
      const [schema, table, column] = exact
      return this.isInBoth({ schema: schema!, table: table!, column: column! }) ? [text] : []
    })
  }

  /** Items that none of `columns` matches. */
  itemsWithout(columns: readonly ColumnName[]): { readonly variable: ColumnVariable; readonly item: string }[] {
    const lists = [
      ['EXCLUDE_COLUMNS', this.#exclude],
      ['HASH_COLUMNS', this.#hash],
    ] as const
    return lists.flatMap(([variable, patterns]) =>
      patterns
        .filter((pattern) => !columns.some((column) => has([pattern], column)))
        .map(({ text }) => ({ variable, item: text })),
    )
  }
}

function has(patterns: readonly NamePattern[], { schema, table, column }: ColumnName): boolean {
  return patterns.some((pattern) => pattern.matches(schema, table, column))
}
