// The rows of a data file, in order, each with what happened and the text of its columns.
import { DataFile, type StoredValues } from './data-file.js'
import { textOfColumn, type ColumnType, type ValueText } from './value-text.js'

/** A column that is wanted of each row. */
export interface WantedColumn extends ColumnType {
  /** Name in this file; undefined where the file's version of the table does not have it. */
  readonly lakeName: string | undefined
}

/** Of rows of one file, that are asked for by their place. */
export interface LogRows {
  readonly count: number
  /** I, U, D, T or S. */
  op(row: number): string
  lsn(row: number): bigint
  seq(row: number): number
  /** Undefined in a row that was copied. */
  xid(row: number): bigint | undefined
  /** Microseconds since 1970, UTC. */
  commitMicros(row: number): bigint
  /** Wanted column `k` was not sent, because it was not changed. */
  isUnchanged(row: number, k: number): boolean
  /** Undefined for NULL. */
  text(row: number, k: number): ValueText | undefined
  /** The old row: the text of wanted column `k`, undefined for NULL. Undefined where the whole old row is not there. */
  before(row: number): ((k: number) => string | undefined) | undefined
}

/** Row group by row group. */
export async function* logRows(file: DataFile, wanted: readonly WantedColumn[]): AsyncGenerator<LogRows> {
  const meta = file.metaNames
  const stored = new Map(file.columns.map((column) => [column.name, column]))
  const columns = wanted.map((column) => {
    const found = column.lakeName === undefined ? undefined : stored.get(column.lakeName)
    return { name: found?.name, text: found === undefined ? undefined : textOfColumn(found, column) }
  })
  const names = new Set([...meta, ...columns.flatMap(({ name }) => name ?? [])])
  for await (const group of file.groups([...names])) {
    const [ops, lsns, seqs, xids, times, unchanged, befores, raws] = meta.map((name) => group.get(name)!) as [
      StoredValues,
      ...StoredValues[],
    ] &
      Record<1 | 2 | 3 | 4 | 5 | 6 | 7, StoredValues>
    const values = columns.map(({ name }) => (name === undefined ? undefined : group.get(name)))
    yield {
      count: ops.length,
      op: (row) => textOf(ops[row])!,
      lsn: (row) => lsns[row] as bigint,
      seq: (row) => Number(seqs[row] as bigint),
      xid: (row) => (xids[row] as bigint | null) ?? undefined,
      commitMicros: (row) => times[row] as bigint,
      isUnchanged: (row, k) => {
        const note = textOf(unchanged[row])
        const { name } = columns[k]!
        return note !== undefined && name !== undefined && (JSON.parse(note) as string[]).includes(name)
      },
      text: (row, k) => {
        const value = values[k]?.[row] ?? null
        if (value !== null) return columns[k]!.text!(value)
        const raw = textOf(raws[row])
        const { name } = columns[k]!
        return raw === undefined || name === undefined ? undefined : (JSON.parse(raw) as Record<string, string>)[name]
      },
      before: (row) => {
        const note = textOf(befores[row])
        if (note === undefined) return undefined
        const old = JSON.parse(note) as Record<string, string | null>
        return (k) => {
          const { name } = columns[k]!
          return name === undefined ? undefined : (old[name] ?? undefined)
        }
      },
    }
  }
}

function textOf(value: unknown): string | undefined {
  return value === null || value === undefined ? undefined : Buffer.from(value as Uint8Array).toString('utf8')
}
