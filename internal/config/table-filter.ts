// Which tables are streamed: TABLES and EXCLUDE_TABLES, read once. Names are compared as the catalogue has them;
// nothing is folded to lower case, so that `public.Users` means the table that is called so.
import type { FilterSettings } from '../model/batch-record.js'
import { Failure } from '../model/failure.js'

export interface TableName {
  readonly schema: string
  readonly table: string
}

/** A name cut at its wildcards: one piece, no wildcard. */
type NamePattern = readonly string[]

interface TablePattern {
  readonly schema: NamePattern
  readonly table: NamePattern
  readonly matches: (name: TableName) => boolean
}

export class TableFilter {
  /** Both lists as configured, for records that must name the filter in force. */
  readonly tables: string
  readonly excludeTables: string
  /** Every table is named in full: TABLES is set and has no wildcard. */
  readonly isExact: boolean
  /** The tables that TABLES names in full and EXCLUDE_TABLES does not take away. */
  readonly exactNames: readonly TableName[]
  readonly #include: readonly TablePattern[]
  readonly #exclude: readonly TablePattern[]

  /** Throws Failure `config` saying which item of which list cannot be read. */
  constructor(tables = '', excludeTables = '') {
    this.tables = tables
    this.excludeTables = excludeTables
    this.#include = parsePatterns(tables)
    this.#exclude = parsePatterns(excludeTables)
    const exact = this.#include.filter(({ schema, table }) => schema.length === 1 && table.length === 1)
    this.isExact = exact.length > 0 && exact.length === this.#include.length
    this.exactNames = exact
      .map(({ schema, table }) => ({ schema: schema[0]!, table: table[0]! }))
      .filter((name) => this.matches(name.schema, name.table))
  }

  /** The filter that a record of the log names: mostly this one, but the settings may have changed since. */
  writtenAs({ tables, excludeTables }: FilterSettings): TableFilter {
    const unchanged = tables === this.tables && excludeTables === this.excludeTables
    return unchanged ? this : new TableFilter(tables, excludeTables)
  }

  matches(schema: string, table: string): boolean {
    const name = { schema, table }
    if (this.#exclude.some((pattern) => pattern.matches(name))) return false
    return this.#include.length === 0 || this.#include.some((pattern) => pattern.matches(name))
  }
}

/** One `schema.table`, each half made of runs in double quotes and runs without special characters. */
const listItem = /\s*((?:"(?:[^"]|"")+"|[^\s".,])+)\.((?:"(?:[^"]|"")+"|[^\s".,])+)\s*(?:,|$)/y

/** Throws Failure `config` at the first item that is not `schema.table`. */
function parsePatterns(list: string): TablePattern[] {
  const patterns: TablePattern[] = []
  for (let at = 0; list.slice(at).trim() !== '';) {
    listItem.lastIndex = at
    const match = listItem.exec(list)
    if (match === null) {
      throw new Failure('config', `cannot be read as schema.table from ${JSON.stringify(list.slice(at).trim())} on`)
    }
    const schema = namePattern(match[1]!)
    const table = namePattern(match[2]!)
    const [schemaRule, tableRule] = [rule(schema), rule(table)]
    patterns.push({ schema, table, matches: (name) => schemaRule.test(name.schema) && tableRule.test(name.table) })
    at = listItem.lastIndex
  }
  return patterns
}

function namePattern(text: string): NamePattern {
  const pieces = ['']
  for (const [token, quoted] of text.matchAll(/"((?:[^"]|"")+)"|\*|[^"*]+/g)) {
    if (token === '*') pieces.push('')
    else pieces.push(`${pieces.pop()!}${quoted?.replaceAll('""', '"') ?? token}`)
  }
  return pieces
}

function rule(pattern: NamePattern): RegExp {
  const literal = (piece: string): string => piece.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')
  return new RegExp(`^${pattern.map(literal).join('.*')}$`, 's')
}
