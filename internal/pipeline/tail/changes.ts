// The changes of one commit in the order in which they happened, read from its files: several tables side by side, a row group of each at
// a time.
import type { Commit, DataFile as ListedFile } from '../../model/batch-record.js'
import type { Lsn } from '../../model/lsn.js'
import { isAfter, type TableSchema } from '../../model/table-schema.js'
import { Failure } from '../../model/failure.js'
import type { ObjectStore } from '../../storage/object-store.js'
import { readVersions, type SchemaVersion } from '../../storage/schema-registry.js'
import { DataFile, type StoredColumn } from '../reading/data-file.js'
import { filesByTable, tableKey } from '../reading/files-by-table.js'
import { logRows, type LogRows } from '../reading/log-rows.js'

export interface ChangedValue {
  readonly name: string
  /** In PostgreSQL's text form; null for NULL. */
  readonly text: string | null
  /** How it is written in JSON. */
  readonly kind: 'boolean' | 'number' | 'text'
}

export interface Change {
  readonly schema: string
  readonly table: string
  readonly op: 'I' | 'U' | 'D' | 'T' | 'S'
  readonly lsn: Lsn
  readonly seq: number
  readonly xid: bigint | undefined
  readonly commitMicros: bigint
  /** The new row, or of a copied one the row; without the values that were not sent. */
  readonly after: readonly ChangedValue[] | undefined
  /** The old row where it is whole, or its key. */
  readonly before: readonly ChangedValue[] | undefined
  /** Columns whose value was not sent, because it was not changed. */
  readonly unchanged: readonly string[]
}

/** The version of the table's schema that a file has, read once. */
export class KnownSchemas {
  readonly #store: ObjectStore
  readonly #slot: string
  readonly #known = new Map<string, readonly SchemaVersion[]>()

  constructor(store: ObjectStore, slot: string) {
    this.#store = store
    this.#slot = slot
  }

  /** Throws Failure `unsafe` where it is not recorded: it is before its files are. */
  async of({ key, schema, table, schemaVersion }: ListedFile): Promise<TableSchema> {
    const name = tableKey({ schema, table })
    const find = (): TableSchema | undefined =>
      this.#known.get(name)?.find(({ number }) => number === schemaVersion)?.schema
    if (find() === undefined) this.#known.set(name, await readVersions(this.#store, this.#slot, { schema, table }))
    const found = find()
    if (found === undefined)
      throw new Failure('unsafe', `version ${schemaVersion} of ${schema}.${table} is not recorded, and ${key} has it`)
    return found
  }
}

/** `takes`: which of the tables. Throws Failure `unsafe` where a file is gone or cannot be read. */
export async function* changesOf(
  commit: Commit,
  store: ObjectStore,
  schemas: KnownSchemas,
  takes: (schema: string, table: string) => boolean,
): AsyncGenerator<Change> {
  const byTable = filesByTable(commit.files.filter(({ schema, table }) => takes(schema, table)))
  const heads: { change: Change; rest: AsyncGenerator<Change> }[] = []
  for (const files of byTable.values()) {
    const rest = changesOfFiles(files, store, schemas)
    const next = await rest.next()
    if (next.done !== true) heads.push({ change: next.value, rest })
  }
  while (heads.length > 0) {
    let first = 0
    for (let k = 1; k < heads.length; k++) if (isAfter(heads[first]!.change, heads[k]!.change)) first = k
    const head = heads[first]!
    yield head.change
    const next = await head.rest.next()
    if (next.done === true) heads.splice(first, 1)
    else head.change = next.value
  }
}

async function* changesOfFiles(
  files: readonly ListedFile[],
  store: ObjectStore,
  schemas: KnownSchemas,
): AsyncGenerator<Change> {
  for (const listed of files) {
    const content = await store.get(listed.key)
    if (content === undefined) throw new Failure('unsafe', `${listed.key} is in the log and not in the store`)
    const schema = await schemas.of(listed)
    const file = new DataFile(listed.key, content)
    const columns = schema.columns.map((column) => describe(column, file))
    for await (const rows of logRows(file, columns))
      for (let row = 0; row < rows.count; row++) yield changeOf(schema, columns, rows, row)
  }
}

type Described = ReturnType<typeof describe>

function describe({ name, lakeName, type, typmod, key }: TableSchema['columns'][number], file: DataFile) {
  const stored = file.columns.find((column) => column.name === lakeName)
  // A type of the database's own has no name here that says what it is made of.
  const known = type.includes('.') ? 'bytea' : type
  return { name, lakeName, type: known, typmod, key, kind: kindOf(stored) }
}

function kindOf(column: StoredColumn | undefined): ChangedValue['kind'] {
  if (column === undefined || column.list) return 'text'
  const { type, logical_type: logical } = column.leaf
  if (type === 'BOOLEAN') return 'boolean'
  if (type === 'FLOAT' || type === 'DOUBLE') return 'number'
  const whole = logical === undefined || logical.type === 'INTEGER'
  return whole && (type === 'INT32' || type === 'INT64') ? 'number' : 'text'
}

function changeOf({ schema, table }: TableSchema, columns: readonly Described[], rows: LogRows, row: number): Change {
  const op = rows.op(row) as Change['op']
  const old = rows.before(row)
  const all = columns.map((_, k) => k)
  const sent = all.filter((k) => !rows.isUnchanged(row, k))
  const value = (k: number, text: string | Uint8Array | undefined): ChangedValue => ({
    name: columns[k]!.name,
    kind: columns[k]!.kind,
    text: text === undefined ? null : typeof text === 'string' ? text : Buffer.from(text).toString('utf8'),
  })
  const values = (places: readonly number[]): ChangedValue[] => places.map((k) => value(k, rows.text(row, k)))
  const hasRow = op !== 'D' && op !== 'T'
  const key = op === 'D' ? values(all.filter((k) => columns[k]!.key)) : undefined
  return {
    ...{ schema, table, op, lsn: rows.lsn(row), seq: rows.seq(row), xid: rows.xid(row) },
    commitMicros: rows.commitMicros(row),
    after: hasRow ? values(sent) : undefined,
    before: old === undefined ? key : all.map((k) => value(k, old(k))),
    unchanged:
      hasRow && sent.length < all.length ? all.filter((k) => !sent.includes(k)).map((k) => columns[k]!.name) : [],
  }
}
