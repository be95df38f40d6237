// Types of the lake's columns as the schema records name them (`LIST INT32 int32`), which of two is the wider one, and
// which casts lose nothing. Pure functions.
import { Failure } from '../../model/failure.js'

const kinds = [
  ...['bool', 'int16', 'int32', 'int64', 'float', 'double', 'decimal'],
  ...['string', 'bytes', 'date', 'timestamp', 'timestamptz'],
] as const
export type ColumnKind = (typeof kinds)[number]

export interface ColumnType {
  readonly kind: ColumnKind
  /** Of a decimal; 0 otherwise. */
  readonly precision: number
  readonly scale: number
  readonly list: boolean
}

export const text: ColumnType = { kind: 'string', precision: 0, scale: 0, list: false }

const metaKinds: Readonly<Record<string, ColumnKind>> = {
  ...{ _lsn: 'int64', _seq: 'int64', _xid: 'int64', _commit_ts: 'timestamptz', dt: 'date' },
}

/** Of a column of ours; `dt` stands for that of the path. */
export function metaType(name: string): ColumnType {
  return { ...text, kind: metaKinds[name] ?? 'string' }
}

/** Throws Failure `unsafe` for a text that this version does not write. */
export function parseColumnType(recorded: string): ColumnType {
  const [, list, physical = '', logical, precision, scale] =
    /^(LIST )?(\w+)(?: (\w+)(?:\((\d+),(\d+)\))?)?$/.exec(recorded) ?? []
  const name = (logical ?? (physical === 'BOOLEAN' ? 'bool' : physical)).toLowerCase()
  const kind = kinds.find((known) => known === name)
  if (kind === undefined) throw new Failure('unsafe', `a schema record names a type that is not known: ${recorded}`)
  return { kind, precision: Number(precision ?? 0), scale: Number(scale ?? 0), list: list !== undefined }
}

export function sameType(a: ColumnType, b: ColumnType): boolean {
  return a.kind === b.kind && a.list === b.list && a.precision === b.precision && a.scale === b.scale
}

/** Both are of one column of the lake, where the later one holds the earlier one's values or the other way round. */
export function wider(a: ColumnType, b: ColumnType): ColumnType {
  const rank = ({ kind, precision }: ColumnType): number => kinds.indexOf(kind) * 100 + precision
  return rank(b) > rank(a) ? b : a
}

/** Digits before the decimal point that every value of an integer type fits. */
const digits: Partial<Record<ColumnKind, number>> = { int16: 5, int32: 10, int64: 19 }
const steps: Partial<Record<ColumnKind, readonly ColumnKind[]>> = {
  int16: ['int32', 'int64', 'float', 'double'],
  int32: ['int64', 'double'],
  float: ['double'],
}

/** Every value of `from` is one of `to`, under the same text. */
export function castsExactly(from: ColumnType, to: ColumnType): boolean {
  if (from.list || to.list)
    return from.list && to.list && castsExactly({ ...from, list: false }, { ...to, list: false })
  if (from.kind === 'decimal' && to.kind === 'decimal')
    return to.scale >= from.scale && to.precision - to.scale >= from.precision - from.scale
  if (from.kind === to.kind) return true
  if (to.kind === 'decimal') return (digits[from.kind] ?? Infinity) <= to.precision - to.scale
  return steps[from.kind]?.includes(to.kind) === true
}

/** Types of PostgreSQL whose values are too short to be kept outside of the row, though they are texts in the lake. */
const short = new Set(
  'uuid name money time timetz interval tid pg_lsn macaddr macaddr8 point line lseg box circle'.split(' '),
)

/** PostgreSQL may leave such a value out of an update that does not change it. */
export function canBeUnsent({ kind, precision, list }: ColumnType, pgType: string): boolean {
  if (list || kind === 'bytes') return true
  return kind === 'decimal' ? precision > 18 : kind === 'string' && !short.has(pgType)
}

/** Values of such a column may stand in `_raw`. */
export function canBeRaw({ kind, list }: ColumnType, pgType: string): boolean {
  return list || ['decimal', 'date', 'timestamp', 'timestamptz'].includes(kind) || pgType === 'xid8'
}
