// The tables of a lake as its records and files tell of them. Reads the store and nothing else.
import { Failure } from '../../model/failure.js'
import { noLake } from '../../storage/commit-log.js'
import { encodeName, identityKey, tableFolder } from '../../storage/keys.js'
import type { ObjectStore } from '../../storage/object-store.js'
import { readSchemas } from '../../storage/schema-registry.js'
import { describeTable, type ViewTable } from './table-description.js'

export interface LakeTable {
  readonly description: ViewTable
  /** Relative to the namespace. */
  readonly folder: string
  /** The first date under which it has a file, `YYYY-MM-DD`. */
  readonly firstDate: string
}

/** Those that have a file, in order of their names. Throws Failure `config` where there is no lake, or nothing in it. */
export async function readLakeTables(store: ObjectStore, slot: string): Promise<LakeTable[]> {
  if ((await store.get(identityKey(slot), { lastBytes: 1 })) === undefined)
    throw noLake(
      store,
      slot,
      'Set PG_SLOT, NAMESPACE and LAKE_DIR or S3_BUCKET_NAME as they are set for the service that writes it.',
    )
  const tables: LakeTable[] = []
  for (const { schema, table, versions } of await readSchemas(store, slot)) {
    const folder = tableFolder(schema, table)
    const firstDate = await firstDateOf(store, folder, `${encodeName(slot)}-`)
    if (firstDate === undefined) continue
    tables.push({ description: describeTable(versions.map((version) => version.schema)), folder, firstDate })
  }
  if (tables.length === 0)
    throw new Failure('config', `the lake of the slot ${slot} at ${store.location} has no rows yet`, {
      hint: 'Views are made of tables that have files: run this again when the service has written some.',
    })
  return tables
}

async function firstDateOf(store: ObjectStore, folder: string, ofSlot: string): Promise<string | undefined> {
  for await (const { key } of store.list(`${folder}/`)) {
    const [, date, file] = /\/dt(?:_commit)?=([^/]+)\/([^/]+)$/.exec(key) ?? []
    if (date !== undefined && file?.startsWith(ofSlot) === true) return date
  }
  return undefined
}
