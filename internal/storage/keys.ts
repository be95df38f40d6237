// The layout of the lake as pure functions: which key holds what, and what a key says about its object.
// Keys are relative to the namespace. They are a contract with readers: never change one without a new format version,
// and never let one depend on anything but the plan, the table, the date and the part.
import { createHash } from 'node:crypto'
import { lsnDigits, type Lsn } from '../model/lsn.js'

/** The most bytes that one segment of a key may have: the limit of a file name on every common file system. */
export const MAX_SEGMENT_BYTES = 255

/** Column that partitions a table: `dt`, or `dt_commit` where the table has a column of that name itself. */
export type DateColumn = 'dt' | 'dt_commit'

/** What every file's key says. */
interface FilePlace {
  readonly schema: string
  readonly table: string
  readonly dateColumn: DateColumn
  /** UTC date of the rows' commits, `YYYY-MM-DD`. */
  readonly date: string
  readonly slot: string
}

export interface DataFileName extends FilePlace {
  readonly batch: number
  readonly fromLsn: Lsn
  readonly toLsn: Lsn
  /** From 0, in the order in which the plan cuts. */
  readonly part: number
}

export const DATA_PREFIX = 'data/'

const BATCH_DIGITS = 12
const PART_DIGITS = 4
const VERSION_DIGITS = 6

/** Percent-encodes the UTF-8 bytes outside `[A-Za-z0-9_.-]`, and the names `.` and `..`, which a folder cannot hold. */
export function encodeName(name: string): string {
  if (name === '.' || name === '..') return name.replaceAll('.', '%2E')
  return name.replace(/[^A-Za-z0-9_.-]+/g, (run) =>
    Array.from(Buffer.from(run), (byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  )
}

/** The name that encodeName() turned into `segment`; undefined where it cannot have made it. */
export function decodeName(segment: string): string | undefined {
  let name
  try {
    name = decodeURIComponent(segment)
  } catch {
    return undefined
  }
  return encodeName(name) === segment ? name : undefined
}

export function dataKey(name: DataFileName): string {
  const { schema, table, dateColumn, date, slot, batch, fromLsn, toLsn, part } = name
  const file = [batchDigits(batch), lsnDigits(fromLsn), lsnDigits(toLsn), digits(part, PART_DIGITS)]
  return fileKey({ schema, table, dateColumn, date, slot }, file)
}

const DATA_KEY = filePattern('(\\d{12})-([0-9A-F]{16})-([0-9A-F]{16})-(\\d{4,})')

/** What a data file's key says; undefined for a key that is none. */
export function parseDataKey(key: string): DataFileName | undefined {
  const parsed = parseFileKey(key, DATA_KEY)
  if (parsed === undefined) return undefined
  const [batch, fromLsn, toLsn, part] = parsed.rest as [string, string, string, string]
  return {
    ...parsed.place,
    batch: Number(batch),
    fromLsn: BigInt(`0x${fromLsn}`),
    toLsn: BigInt(`0x${toLsn}`),
    part: Number(part),
  }
}

/** `date`: of the snapshot. */
export interface CopyFileName extends FilePlace {
  /** `_lsn` of its rows. */
  readonly lsn: Lsn
  /** Twelve hexadecimal digits by chance: of the process that wrote it. */
  readonly run: string
  /** From 0, counted by the run. */
  readonly part: number
}

const COPY_PART_DIGITS = 6

/** A file of copied rows. Its name says nothing of a batch: it is written before the batch has a number. */
export function copyKey({ schema, table, dateColumn, date, slot, lsn, run, part }: CopyFileName): string {
  const file = ['copy', lsnDigits(lsn), run, digits(part, COPY_PART_DIGITS)]
  return fileKey({ schema, table, dateColumn, date, slot }, file)
}

const COPY_KEY = filePattern('copy-([0-9A-F]{16})-([0-9a-f]{12})-(\\d{6,})')

/** What the key of a file of copied rows says; undefined for a key that is none. */
export function parseCopyKey(key: string): CopyFileName | undefined {
  const parsed = parseFileKey(key, COPY_KEY)
  if (parsed === undefined) return undefined
  const [lsn, run, part] = parsed.rest as [string, string, string]
  return { ...parsed.place, lsn: BigInt(`0x${lsn}`), run, part: Number(part) }
}

/** What all files of a table lie under. */
export function tableFolder(schema: string, table: string): string {
  return `${DATA_PREFIX}${encodeName(schema)}/${encodeName(table)}`
}

function fileKey({ schema, table, dateColumn, date, slot }: FilePlace, rest: readonly string[]): string {
  const file = [encodeName(slot), ...rest].join('-')
  return `${tableFolder(schema, table)}/${dateColumn}=${date}/${file}.parquet`
}

/** A key of fileKey() whose rest is like this. */
function filePattern(rest: string): RegExp {
  return new RegExp(`^data/([^/]+)/([^/]+)/(dt|dt_commit)=(\\d{4,}-\\d\\d-\\d\\d)/([^/]+)-${rest}\\.parquet$`)
}

/** What fileKey() made the key of: `rest` holds the pattern's further groups. */
function parseFileKey(key: string, pattern: RegExp): { place: FilePlace; rest: readonly string[] } | undefined {
  const match = pattern.exec(key)
  if (match === null) return undefined
  const [schema, table, slot] = [match[1]!, match[2]!, match[5]!].map(decodeName)
  if (schema === undefined || table === undefined || slot === undefined) return undefined
  const place = { schema, table, dateColumn: match[3] as DateColumn, date: match[4]!, slot }
  return { place, rest: match.slice(6) }
}

export function identityKey(slot: string): string {
  return `${slotPrefix(slot)}identity.json`
}

export function headKey(slot: string): string {
  return `${slotPrefix(slot)}head.json`
}

/** All plans and commits of a slot; in byte order a batch's commit comes before its plan. */
export function logPrefix(slot: string): string {
  return `${slotPrefix(slot)}log/`
}

export function planKey(slot: string, batch: number): string {
  return `${logPrefix(slot)}${batchDigits(batch)}.plan.json`
}

export function commitKey(slot: string, batch: number): string {
  return `${logPrefix(slot)}${batchDigits(batch)}.commit.json`
}

/** For a listing's `startAfter`: every record of batch `batch` and later sorts after it, every earlier one before. */
export function logStart(slot: string, batch: number): string {
  return `${logPrefix(slot)}${batchDigits(batch)}`
}

/** Which record of the log has this key; undefined for a key that is none. */
export function parseLogKey(slot: string, key: string): { batch: number; record: 'plan' | 'commit' } | undefined {
  const prefix = logPrefix(slot)
  if (!key.startsWith(prefix)) return undefined
  const match = /^(\d{12})\.(plan|commit)\.json$/.exec(key.slice(prefix.length))
  return match === null ? undefined : { batch: Number(match[1]), record: match[2] as 'plan' | 'commit' }
}

export function checkpointPrefix(slot: string): string {
  return `${slotPrefix(slot)}checkpoint/`
}

export function checkpointKey(slot: string, batch: number): string {
  return `${checkpointPrefix(slot)}${batchDigits(batch)}.json`
}

/** For a listing's `startAfter`: the checkpoints of batch `batch` and later sort after it, every earlier one before. */
export function checkpointStart(slot: string, batch: number): string {
  return `${checkpointPrefix(slot)}${batchDigits(batch)}`
}

/** The last batch that a checkpoint folds in; undefined for a key that is none. */
export function parseCheckpointKey(slot: string, key: string): number | undefined {
  const prefix = checkpointPrefix(slot)
  if (!key.startsWith(prefix)) return undefined
  const match = /^(\d{12})\.json$/.exec(key.slice(prefix.length))
  return match === null ? undefined : Number(match[1])
}

export function schemasPrefix(slot: string): string {
  return `${slotPrefix(slot)}schemas/`
}

/**
 * A version of a table's schema. A dot inside a name is encoded here, so that `a.b`.`c` and `a`.`b.c` differ. Two long
 * names that would not fit a segment together are cut and told apart by a hash; the record itself holds the names.
 */
export function schemaKey(slot: string, schema: string, table: string, version: number): string {
  const both = [schema, table].map((name) => encodeName(name).replaceAll('.', '%2E')).join('.')
  return `${schemasPrefix(slot)}${fitSegment(both)}/${digits(version, VERSION_DIGITS)}.json`
}

/** `~` never comes out of encodeName(), so a cut segment cannot equal a whole one. */
function fitSegment(segment: string): string {
  if (segment.length <= MAX_SEGMENT_BYTES) return segment
  const hash = createHash('sha256').update(segment).digest('hex').slice(0, 32)
  const cut = segment.slice(0, MAX_SEGMENT_BYTES - hash.length - 1).replace(/%[0-9A-F]?$/, '')
  return `${cut}~${hash}`
}

/** Requests to copy a table. */
export function requestsPrefix(slot: string): string {
  return `${slotPrefix(slot)}requests/`
}

export function requestKey(slot: string, id: string): string {
  return `${requestsPrefix(slot)}${id}.json`
}

/** The id of a request; undefined for a key that is none. */
export function parseRequestKey(slot: string, key: string): string | undefined {
  const prefix = requestsPrefix(slot)
  if (!key.startsWith(prefix)) return undefined
  return /^([0-9A-Za-z-]{1,64})\.json$/.exec(key.slice(prefix.length))?.[1]
}

export function answerKey(slot: string, id: string): string {
  return `${slotPrefix(slot)}answers/${id}.json`
}

/** How far the copies of existing rows are. */
export function copyReportKey(slot: string): string {
  return `${slotPrefix(slot)}copying.json`
}

/** Objects with which a store is tried, and which are taken away again. */
export function probePrefix(slot: string): string {
  return `${slotPrefix(slot)}probe/`
}

export function probeKey(slot: string, id: string): string {
  return `${probePrefix(slot)}${id}.json`
}

function slotPrefix(slot: string): string {
  return `_wal_cake/${encodeName(slot)}/`
}

function batchDigits(batch: number): string {
  const text = digits(batch, BATCH_DIGITS)
  // One digit more would sort before the batches it follows, and the log is read in key order.
  if (text.length > BATCH_DIGITS) throw new RangeError(`batch ${batch} has more than ${BATCH_DIGITS} digits`)
  return text
}

function digits(value: number, width: number): string {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`not a number for a key: ${value}`)
  return String(value).padStart(width, '0')
}
