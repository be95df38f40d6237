// Which tables are streamed: TABLES and EXCLUDE_TABLES, read once. Names are compared as the catalogue has them;
// nothing is folded to lower case, so that `public.Users` means the table that is called so.
import type { FilterSettings } from '../model/batch-record.js'
import { parseNamePatterns, type NamePattern } from './name-patterns.js'

export interface TableName {
  readonly schema: string
  readonly table: string
}

export class TableFilter {
  /** Both lists as configured, for records that must name the filter in force. */
  readonly tables: string
  readonly excludeTables: string
  /** Every table is named in full: TABLES is set and has no wildcard. */
  readonly isExact: boolean
  /** The tables that TABLES names in full and EXCLUDE_TABLES does not take away. */
  readonly exactNames: readonly TableName[]
  readonly #include: readonly NamePattern[]
  readonly #exclude: readonly NamePattern[]

  /** Throws Failure `config` saying which item of which list cannot be read. */
  constructor(tables = '', excludeTables = '') {
    this.tables = tables
    this.excludeTables = excludeTables
    this.#include = parseNamePatterns(tables, 'schema.table')
    this.#exclude = parseNamePatterns(excludeTables, 'schema.table')
    this.isExact = this.#include.length > 0 && this.#include.every(({ exact }) => exact !== undefined)
    this.exactNames = this.#include
      .flatMap(({ exact }) => (exact === undefined ? [] : [{ schema: exact[0]!, table: exact[1]! }]))
      .filter((name) => this.matches(name.schema, name.table))
  }

  /** Both lists as patterns of SQL's LIKE; all tables are included where the first is empty. */
  get likePatterns(): Readonly<Record<'include' | 'exclude', readonly TableName[]>> {
    const like = ({ like: [schema, table] }: NamePattern): TableName => ({ schema: schema!, table: table! })
    return { include: this.#include.map(like), exclude: this.#exclude.map(like) }
  }

  /** The filter that a record of the log names: mostly this one, but the settings may have changed since. */
  writtenAs({ tables, excludeTables }: FilterSettings): TableFilter {
    const unchanged = tables === this.tables && excludeTables === this.excludeTables
    return unchanged ? this : new TableFilter(tables, excludeTables)
  }

  matches(schema: string, table: string): boolean {
    if (this.#exclude.some((pattern) => pattern.matches(schema, table))) return false
    return this.#include.length === 0 || this.#include.some((pattern) => pattern.matches(schema, table))
  }
}
