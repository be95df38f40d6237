// The versions of each table's schema, recorded with the position they hold from. A version's number must come out the same
// in a replay, so it is found by position, never by "the newest one".
import { Failure } from '../model/failure.js'
import { formatLsn, parseLsn, type Lsn } from '../model/lsn.js'
import type { StreamPosition, TableSchema } from '../model/table-schema.js'
import { LAKE_FORMAT } from './record-reader.js'
import { schemaKey, schemasPrefix } from './keys.js'
import type { ObjectStore } from './object-store.js'

interface Version {
  readonly number: number
  readonly from: StreamPosition
  readonly shape: string
}

type TableName = Pick<TableSchema, 'schema' | 'table'>

export interface RegisteredSchema {
  readonly version: number
  /** Resolves when the version is recorded; no file of it may become visible before. */
  readonly recorded: Promise<void>
}

export class SchemaRegistry {
  readonly #store: ObjectStore
  readonly #slot: string
  /** Folders that had versions when the registry was opened. */
  readonly #present = new Set<string>()
  readonly #versions = new Map<string, Version[]>()

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
  register(schema: TableSchema, position: StreamPosition): RegisteredSchema | Promise<RegisteredSchema> {
    const folder = folderOf(this.#key(schema, 1))
    const known = this.#versions.get(folder)
    if (known !== undefined) return this.#match(known, schema, position)
    if (!this.#present.has(folder)) {
      const none: Version[] = []
      this.#versions.set(folder, none)
      return this.#match(none, schema, position)
    }
    return this.#load(schema).then((versions) => {
      this.#versions.set(folder, versions)
      return this.#match(versions, schema, position)
    })
  }

  /** The newest version that holds at or before `lsn`. */
  async newestAt(schema: string, table: string, lsn: Lsn): Promise<number> {
    const versions = await this.#load({ schema, table })
    return versions.findLast((version) => version.from.lsn <= lsn)?.number ?? 1
  }

  #match(versions: Version[], schema: TableSchema, position: StreamPosition): RegisteredSchema {
    const shape = JSON.stringify(shapeOf(schema))
    const held = versions.findLast((version) => !isAfter(version.from, position))
    if (held?.shape === shape) return { version: held.number, recorded: Promise.resolve() }
    const number = Math.max(0, ...versions.map((version) => version.number)) + 1
    versions.push({ number, from: position, shape })
    versions.sort((a, b) => (isAfter(a.from, b.from) ? 1 : -1))
    const recorded = this.#record(schema, number, position, shape)
    recorded.catch(() => undefined) // whoever uploads a file of this version is told
    return { version: number, recorded }
  }

  async #record(schema: TableSchema, number: number, from: StreamPosition, shape: string): Promise<void> {
    const key = this.#key(schema, number)
    const record = {
      format: LAKE_FORMAT,
      version: number,
      from_lsn: formatLsn(from.lsn),
      from_seq: from.seq,
      ...shapeOf(schema),
    }
    const content = Buffer.from(`${JSON.stringify(record, undefined, 1)}\n`, 'utf8')
    if ((await this.#store.put(key, [content], { ifAbsent: true, role: 'log' })) === 'created') return
    const standing = decodeVersion(key, (await this.#store.get(key)) ?? Buffer.alloc(0))
    if (standing.shape !== shape)
      throw new Failure('fenced', `another writer has recorded another schema at ${key}`, {
        hint: 'Two services write the same tables into this lake. Stop one of them.',
      })
  }

  async #load(schema: TableName): Promise<Version[]> {
    const versions: Version[] = []
    for await (const { key } of this.#store.list(`${folderOf(this.#key(schema, 1))}/`)) {
      const bytes = await this.#store.get(key)
      if (bytes !== undefined) versions.push(decodeVersion(key, bytes))
    }
    return versions.sort((a, b) => (isAfter(a.from, b.from) ? 1 : -1))
  }

  #key(schema: TableName, version: number): string {
    return schemaKey(this.#slot, schema.schema, schema.table, version)
  }
}

function folderOf(key: string): string {
  return key.slice(0, key.lastIndexOf('/'))
}

function isAfter(a: StreamPosition, b: StreamPosition): boolean {
  return a.lsn > b.lsn || (a.lsn === b.lsn && a.seq > b.seq)
}

function shapeOf(schema: TableSchema): Record<string, unknown> {
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
    })),
  }
}

function decodeVersion(key: string, bytes: Buffer): Version {
  try {
    const { format, version, from_lsn, from_seq, ...shape } = JSON.parse(bytes.toString('utf8')) as Record<
      string,
      unknown
    >
    if (
      format !== LAKE_FORMAT ||
      typeof version !== 'number' ||
      typeof from_lsn !== 'string' ||
      typeof from_seq !== 'number'
    )
      throw new TypeError('a field is missing')
    return { number: version, from: { lsn: parseLsn(from_lsn), seq: from_seq }, shape: JSON.stringify(shape) }
  } catch (cause) {
    throw new Failure('unsafe', `${key} is damaged and cannot be read`, {
      hint: 'Restore this object from a backup or an older version of it.',
      cause,
    })
  }
}
