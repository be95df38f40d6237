// What the queries for the current state have in common: the log up to a cut, with its columns joined, and the names of it all.
import type { Dialect } from './dialect.js'
import type { ViewColumn, ViewTable } from './table-description.js'

/** What of the log is looked at; both are SQL. */
export interface Cut {
  /** The LSN at which the newest commit ends. */
  readonly end?: string
  /** The last commit time. */
  readonly time?: string
}

/** The pieces that the queries share. Every name of ours begins with what no column of the table begins with. */
export class StateParts {
  readonly own: (name: string) => string
  readonly #prefix: string

  constructor(
    readonly table: ViewTable,
    readonly columns: readonly ViewColumn[],
    readonly dialect: Dialect,
    readonly log: string,
    readonly cut: Cut,
  ) {
    let prefix = 'x'
    const names = [...table.lakeColumns, ...table.columns].map(({ name }) => name.toLowerCase())
    while (names.some((name) => name.startsWith(prefix))) prefix += 'x'
    this.#prefix = prefix
    this.own = (name) => `${prefix}_${name}`
  }

  column(k: number): string {
    return `${this.#prefix}${k}`
  }

  get position(): string {
    return this.dialect.record([this.own('lsn'), this.own('seq')])
  }

  /** A column of the lake. */
  meta(name: keyof ViewTable['meta']): string {
    return this.dialect.identifier(this.table.meta[name])
  }

  /** The log up to the cut, columns joined; then what comes after the last truncate. */
  since(): string[] {
    const { own, dialect } = this
    const meta = ['op', 'lsn', 'seq', 'commit_ts', 'unchanged', 'before', 'raw'] as const
    const selected = [
      ...meta.map((name) => `${this.meta(`_${name}`)} AS ${own(name)}`),
      ...this.columns.map((column, k) => `${this.#joined(column)} AS ${this.column(k)}`),
    ]
    const none = dialect.record(['CAST(-1 AS BIGINT)', 'CAST(-1 AS BIGINT)'])
    return [
      `${own('log')} AS (\n  SELECT ${selected.join(',\n    ')}\n  FROM ${this.log}${this.#where()}\n)`,
      `${own('since')} AS (
  SELECT * FROM ${own('log')} WHERE ${own('op')} <> 'T'
    AND ${this.position} > coalesce((SELECT max(${this.position}) FROM ${own('log')} WHERE ${own('op')} = 'T'), ${none})
)`,
    ]
  }

  #joined({ sources, type }: ViewColumn): string {
    const { dialect } = this
    const casts = sources.map((source) => dialect.cast(dialect.identifier(source.name), source.type, type))
    return casts.length === 1 ? casts[0]! : dialect.firstOf(casts, type)
  }

  #where(): string {
    const { end, time } = this.cut
    const [op, lsn, seq, ts] = [this.meta('_op'), this.meta('_lsn'), this.meta('_seq'), this.meta('_commit_ts')]
    const conditions = [
      // A change belongs to the next commit where its record begins at the end of this one; a copy's position is its snapshot's.
      ...(end === undefined ? [] : [`${lsn} + CASE WHEN ${op} = 'S' OR ${seq} = -1 THEN 0 ELSE 1 END <= ${end}`]),
      ...(time === undefined ? [] : [`${ts} <= ${time}`]),
    ]
    return conditions.length === 0 ? '' : `\n  WHERE ${conditions.join('\n    AND ')}`
  }

  /** What stands in `_raw` of a column, in each of its columns of the lake that may have something there. */
  raws({ sources }: ViewColumn, raw = this.own('raw')): string[] {
    return sources.filter(({ isRaw }) => isRaw).map(({ name }) => this.dialect.field(raw, name))
  }

  /** A column of the old row, as the table's column is, and its text where no column can hold it. */
  old(column: ViewColumn): { value: string; raws: string[] } {
    const { dialect, own } = this
    const values: string[] = []
    const raws: string[] = []
    for (const { name, type, isRaw } of column.sources) {
      const field = dialect.field(own('before'), name)
      const beyond = `${field} IN ('infinity', '-infinity', 'Infinity', '-Infinity', 'NaN')`
      const kept = isRaw ? `CASE WHEN ${beyond} THEN NULL ELSE ${field} END` : field
      values.push(dialect.cast(dialect.parse(kept, type), type, column.type))
      if (isRaw) raws.push(`CASE WHEN ${beyond} THEN ${field} END`)
    }
    return { value: values.length === 1 ? values[0]! : dialect.firstOf(values, column.type), raws }
  }

  /** What a view shows: a column as SQL for each. */
  shown(value: (k: number) => string, row: (name: 'lsn' | 'seq' | 'commit_ts' | 'raw') => string): string {
    const { dialect } = this
    const meta = (['lsn', 'seq', 'commit_ts', 'raw'] as const).map((name) => `${row(name)} AS ${this.meta(`_${name}`)}`)
    return [...this.columns.map(({ name }, k) => `${value(k)} AS ${dialect.identifier(name)}`), ...meta].join(',\n  ')
  }

  with(parts: readonly string[], recursive = false): string {
    return `WITH ${recursive ? 'RECURSIVE ' : ''}${parts.join(', ')}`
  }
}
