// The versions of each table's schema, recorded with the position they hold from. A version's number must come out the same
// in a replay, so it is found by position, never by "the newest one".
import pLimit from 'p-limit'
import { Failure } from '../model/failure.js'
import { formatLsn, type Lsn } from '../model/lsn.js'
import type { ReplicaIdentity } from '../model/relation.js'
import { isAfter, type SchemaColumn, type StreamPosition, type TableSchema } from '../model/table-schema.js'
import { schemaKey, schemasPrefix } from './keys.js'
import type { ObjectStore } from './object-store.js'
import { LAKE_FORMAT, RecordReader, type Json } from './record-reader.js'

export interface SchemaVersion {
  readonly number: number
  readonly from: StreamPosition
  readonly schema: TableSchema
}

export type TableName = Pick<TableSchema, 'schema' | 'table'>

export interface RegisteredSchema {
  readonly version: number
  /** It begins exactly here, and what held before was another table of the same name: the rows of that one are gone. */
  readonly replaces: boolean
  /** Resolves when the version is recorded; no file of it may become visible before. */
  readonly recorded: Promise<void>
}

/** Makes a table's schema from the versions that hold up to then, oldest first. `later`: those that are known after it. */
export type DescribeTable = (earlier: readonly TableSchema[], later: readonly TableSchema[]) => TableSchema

/** Thousands of tables may come up in one transaction, and a store takes only so many requests. */
const WRITES_AT_ONCE = 8

const REPLICA_IDENTITIES: readonly ReplicaIdentity[] = ['d', 'n', 'f', 'i']

export class SchemaRegistry {
  readonly #store: ObjectStore
  readonly #slot: string
  /** Folders that had versions when the registry was opened. */
  readonly #present = new Set<string>()
  readonly #versions = new Map<string, SchemaVersion[]>()
  readonly #loading = new Map<string, Promise<SchemaVersion[]>>()
  readonly #writes = pLimit(WRITES_AT_ONCE)

  private constructor(store: ObjectStore, slot: string) {
    this.#store = store
    this.#slot = slot
  }

  /** Lists which tables have versions; their contents are read when the stream names them. */
  static async open(store: ObjectStore, slot: string): Promise<SchemaRegistry> {
    const registry = new SchemaRegistry(store, slot)
    for await (const { key } of store.list(schemasPrefix(slot))) registry.#present.add(folderOf(key))
    return registry
  }

  /** The version that holds at `position`, recorded now where it is new. */
  register(
    table: TableName,
    position: StreamPosition,
    describe: DescribeTable,
  ): RegisteredSchema | Promise<RegisteredSchema> {
    const folder = folderOf(this.#key(table, 1))
    const known = this.#versions.get(folder)
    if (known !== undefined) return this.#match(known, position, describe)
    if (!this.#present.has(folder)) {
      const none: SchemaVersion[] = []
      this.#versions.set(folder, none)
      return this.#match(none, position, describe)
    }
    return this.#loaded(folder, table).then((versions) => this.#match(versions, position, describe))
  }

  /** The newest version that holds at or before `lsn`. */
  async newestAt(table: TableName, lsn: Lsn): Promise<number> {
    const versions = await this.#load(table)
    return versions.findLast((version) => version.from.lsn <= lsn)?.number ?? 1
  }

  /** Where the oldest version begins, of a table that was registered. */
  beginning(table: TableName): Lsn | undefined {
    return this.#versions.get(folderOf(this.#key(table, 1)))?.[0]?.from.lsn
  }

  /** Once, whoever asks: each would go on with a list of its own. */
  #loaded(folder: string, table: TableName): Promise<SchemaVersion[]> {
    const loading =
      this.#loading.get(folder) ??
      this.#load(table)
        .then((versions) => {
          this.#versions.set(folder, versions)
          return versions
        })
        .finally(() => this.#loading.delete(folder))
    this.#loading.set(folder, loading)
    return loading
  }

  #match(versions: SchemaVersion[], position: StreamPosition, describe: DescribeTable): RegisteredSchema {
    const earlier = versions.filter((version) => !isAfter(version.from, position))
    const later = versions.filter((version) => isAfter(version.from, position))
    const schema = describe(
      earlier.map((version) => version.schema),
      later.map((version) => version.schema),
    )
    const last = earlier.at(-1)
    // Several begin at one position where a start with other columns that are hashed or left out came no further than an earlier one.
    const held = earlier.findLast(
      ({ from, schema: other }) => isSame(from, last!.from) && shapeText(other) === shapeText(schema),
    )
    const before = earlier.findLast(({ from }) => !isSame(from, position))
    if (held !== undefined)
      return {
        version: held.number,
        replaces: isSame(held.from, position) && replaces(held.schema, before?.schema),
        recorded: Promise.resolve(),
      }
    const number = Math.max(0, ...versions.map((version) => version.number)) + 1
    versions.push({ number, from: position, schema })
    versions.sort(byPosition)
    const recorded = this.#writes(() => this.#record(number, position, schema, last?.schema))
    recorded.catch(() => undefined) // whoever uploads a file of this version is told
    return { version: number, replaces: replaces(schema, before?.schema), recorded }
  }

  async #record(
    number: number,
    from: StreamPosition,
    schema: TableSchema,
    before: TableSchema | undefined,
  ): Promise<void> {
    const key = this.#key(schema, number)
    const record = {
      format: LAKE_FORMAT,
      version: number,
      from_lsn: formatLsn(from.lsn),
      from_seq: from.seq,
      ...fieldsOf(schema, likelyRenames(schema, before)),
    }
    const content = Buffer.from(`${JSON.stringify(record, undefined, 1)}\n`, 'utf8')
    if ((await this.#store.put(key, [content], { ifAbsent: true, role: 'log' })) === 'created') return
    const standing = decodeVersion(key, (await this.#store.get(key)) ?? Buffer.alloc(0))
    if (shapeText(standing.schema) !== shapeText(schema))
      throw new Failure('fenced', `another writer has recorded another schema at ${key}`, {
        hint: 'Two services write the same tables into this lake. Stop one of them.',
      })
  }

  async #load(table: TableName): Promise<SchemaVersion[]> {
    return readVersions(this.#store, this.#slot, table)
  }

  #key(table: TableName, version: number): string {
    return schemaKey(this.#slot, table.schema, table.table, version)
  }
}

/** Every version of every table that the slot has recorded, oldest first, tables in order of their names. */
export async function readSchemas(
  store: ObjectStore,
  slot: string,
): Promise<(TableName & { readonly versions: readonly SchemaVersion[] })[]> {
  const keys: string[] = []
  for await (const { key } of store.list(schemasPrefix(slot))) keys.push(key)
  const reads = pLimit(WRITES_AT_ONCE)
  const read = async (key: string): Promise<SchemaVersion[]> => {
    const bytes = await store.get(key)
    return bytes === undefined ? [] : [decodeVersion(key, bytes)]
  }
  const tables = new Map<string, SchemaVersion[]>()
  for (const version of (await Promise.all(keys.map((key) => reads(() => read(key))))).flat()) {
    const name = JSON.stringify([version.schema.schema, version.schema.table])
    tables.set(name, [...(tables.get(name) ?? []), version])
  }
  return [...tables.entries()]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, versions]) => ({
      ...{ schema: versions[0]!.schema.schema, table: versions[0]!.schema.table },
      versions: versions.sort(byPosition),
    }))
}

/** The versions of a table as recorded in the store, in order of their positions. */
export async function readVersions(
  store: ObjectStore,
  slot: string,
  { schema, table }: TableName,
): Promise<SchemaVersion[]> {
  const versions: SchemaVersion[] = []
  for await (const { key } of store.list(`${folderOf(schemaKey(slot, schema, table, 1))}/`)) {
    const bytes = await store.get(key)
    if (bytes !== undefined) versions.push(decodeVersion(key, bytes))
  }
  return versions.sort(byPosition)
}

function folderOf(key: string): string {
  return key.slice(0, key.lastIndexOf('/'))
}

function byPosition(a: SchemaVersion, b: SchemaVersion): number {
  if (isSame(a.from, b.from)) return a.number - b.number
  return isAfter(a.from, b.from) ? 1 : -1
}

function isSame(a: StreamPosition, b: StreamPosition): boolean {
  return a.lsn === b.lsn && a.seq === b.seq
}

function replaces(schema: TableSchema, before: TableSchema | undefined): boolean {
  return before !== undefined && before.relationOid !== schema.relationOid
}

/**
 * The stream does not tell of a renamed column. By its new name the old one, where the column at the same place has the
 * same type and each name is in one of the two versions only.
 */
function likelyRenames({ columns }: TableSchema, before: TableSchema | undefined): ReadonlyMap<string, string> {
  const renames = new Map<string, string>()
  const known = new Set(before?.columns.map(({ name }) => name))
  const names = new Set(columns.map(({ name }) => name))
  columns.forEach(({ name, type, typmod }, k) => {
    const old = before?.columns[k]
    if (old === undefined || known.has(name) || names.has(old.name)) return
    if (old.type === type && old.typmod === typmod) renames.set(name, old.name)
  })
  return renames
}

function shapeText(schema: TableSchema): string {
  return JSON.stringify(fieldsOf(schema))
}

function fieldsOf(schema: TableSchema, renames?: ReadonlyMap<string, string>): Json {
  return {
    schema: schema.schema,
    table: schema.table,
    relation_oid: schema.relationOid,
    replica_identity: schema.replicaIdentity,
    columns: schema.columns.map((column) => ({
      name: column.name,
      lake_name: column.lakeName,
      type: column.type,
      typmod: column.typmod,
      parquet: column.parquet,
      key: column.key,
      ...(column.hashed === undefined ? {} : { hashed: column.hashed }),
      ...(renames?.has(column.name) === true ? { likely_renamed_from: renames.get(column.name) } : {}),
    })),
  }
}

function decodeVersion(key: string, bytes: Buffer): SchemaVersion {
  const reader = new RecordReader(key, bytes)
  reader.checkFormat()
  return {
    number: reader.count('version'),
    from: { lsn: reader.lsn('from_lsn'), seq: reader.count('from_seq') },
    schema: {
      schema: reader.text('schema'),
      table: reader.text('table'),
      relationOid: reader.count('relation_oid'),
      replicaIdentity: reader.oneOf('replica_identity', REPLICA_IDENTITIES),
      columns: reader.list('columns').map(columnOf),
    },
  }
}

function columnOf(reader: RecordReader): SchemaColumn {
  return {
    name: reader.text('name'),
    lakeName: reader.text('lake_name'),
    type: reader.text('type'),
    typmod: reader.integer('typmod'),
    parquet: reader.text('parquet'),
    key: reader.flag('key'),
    ...(reader.has('likely_renamed_from') ? { likelyRenamedFrom: reader.text('likely_renamed_from') } : {}),
    ...(reader.has('hashed') ? { hashed: reader.text('hashed') } : {}),
  }
}
