// The rows of a data file, in order, each with what happened and the text of its columns.
import { DataFile, type StoredValues } from './data-file.js'
import { textOfColumn, type ColumnType, type ValueText } from './value-text.js'

/** A column that is wanted of each row. */
export interface WantedColumn extends ColumnType {
  /** Name in this file; undefined where the file's version of the table does not have it. */
  readonly lakeName: string | undefined
}

/** What is said of each row beside its columns: the last ones of a file, whatever they are called, in the order of docs/lake.md. */
const META = { op: 0, lsn: 1, seq: 2, xid: 3, commitTs: 4, unchanged: 5, before: 6, raw: 7 } as const

/** Of rows of one file, that are asked for by their place: what happened, without their columns. */
export interface LogNotes {
  readonly count: number
  /** I, U, D, T or S. */
  op(row: number): string
  lsn(row: number): bigint
  seq(row: number): number
  /** Names in the file of the columns whose value was not sent. */
  unchanged(row: number): readonly string[]
}

export interface LogRows extends LogNotes {
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

/** Row group by row group, and much less to read than all of it. */
export async function* logNotes(file: DataFile): AsyncGenerator<LogNotes> {
  const names = file.metaNames
  const wanted = [META.op, META.lsn, META.seq, META.unchanged].map((k) => names[k]!)
  for await (const group of file.groups(wanted)) yield notesOf(group, names)
}

function notesOf(group: ReadonlyMap<string, StoredValues>, names: readonly string[]): LogNotes {
  const column = (k: number): StoredValues => group.get(names[k]!)!
  const [ops, lsns, seqs, unchanged] = [column(META.op), column(META.lsn), column(META.seq), column(META.unchanged)]
  return {
    count: ops.length,
    op: (row) => textOf(ops[row])!,
    lsn: (row) => lsns[row] as bigint,
    seq: (row) => Number(seqs[row]),
    unchanged: (row) => {
      const note = textOf(unchanged[row])
      return note === undefined ? [] : (JSON.parse(note) as string[])
    },
  }
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
    const notes = notesOf(group, meta)
    const [xids, times, befores, raws] = [META.xid, META.commitTs, META.before, META.raw].map((k) =>
      group.get(meta[k]!)!,
    ) as [StoredValues, StoredValues, StoredValues, StoredValues]
    const values = columns.map(({ name }) => (name === undefined ? undefined : group.get(name)))
    yield {
      ...notes,
      xid: (row) => (xids[row] as bigint | null) ?? undefined,
      commitMicros: (row) => times[row] as bigint,
      isUnchanged: (row, k) => {
        const { name } = columns[k]!
        return name !== undefined && notes.unchanged(row).includes(name)
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
