// Asks the process that holds the slot to copy a table again. What can be wrong with a request is found out here, by the server, before
// it is left in the store.
import type pg from 'pg'
import { TableFilter, type TableName } from '../../config/table-filter.js'
import { Failure } from '../../model/failure.js'
import { connect, queryFailure, sqlState } from '../../replication/connection.js'
import { publishedTables, sourceTable, type SourceTable } from '../../replication/copy-source.js'
import { inspectServer } from '../../replication/server.js'
import { CommitLog, noLake } from '../../storage/commit-log.js'
import { CopyRequests, newRequestId } from '../../storage/copy-requests.js'
import type { ObjectStore } from '../../storage/object-store.js'
import type { SessionSettings } from '../session.js'
import { signatureOf } from './request-signature.js'
import { unfit } from './table-copy.js'

export interface WishedCopy {
  /** `schema.table`, as in TABLES. */
  readonly table: string
  /** A condition in SQL: only these rows. */
  readonly where?: string
}

/** Leaves the request and returns its id. Throws Failure where it could not be carried out. */
export async function askForCopy(
  { target, slot, publication, tables }: SessionSettings,
  store: ObjectStore,
  { table, where }: WishedCopy,
): Promise<string> {
  const name = nameOf(table)
  if ((await new CommitLog(store, slot).readIdentity()) === undefined)
    throw noLake(store, slot, 'Start the service first: it copies existing rows by itself unless SNAPSHOT=never.')
  const control = await connect(target, 'control')
  try {
    const published = (await publishedTables(control, publication)).find(
      (other) => other.schema === name.schema && other.table === name.table,
    )
    if (published === undefined || !tables.matches(name.schema, name.table))
      throw new Failure('config', `${name.schema}.${name.table} is not streamed`, {
        hint: `Add it to the publication ${publication}, and check TABLES. Of partitioned tables the root is named.`,
      })
    if (where !== undefined) {
      const { version } = await inspectServer(control)
      const source = await sourceTable(control, publication, published.oid, version)
      if (source?.hasKey !== true) throw unfit(name, 'without a key they could not take the place of earlier ones')
      // As a statement of the extended protocol, behind which no other one is run.
      await tryCondition(source, where, (text) => control.query({ text, queryMode: 'extended' } as pg.QueryConfig))
    }
    const request = { id: newRequestId(new Date()), ...name, ...(where === undefined ? {} : { where }) }
    const signature = where === undefined ? undefined : await signatureOf(request, slot, passwordOf(target.password))
    await new CopyRequests(store, slot).add({ ...request, ...(signature === undefined ? {} : { signature }) })
    // Otherwise it is found a little later.
    await control.query('SELECT pg_notify($1, $2)', [slot, request.id])
    return request.id
  } catch (error) {
    throw queryFailure(error)
  } finally {
    void control.end().catch(() => undefined)
  }
}

function nameOf(text: string): TableName {
  const names = namesOf(text)
  if (names.length === 1) return names[0]!
  throw new Failure('config', `cannot be read as one schema.table: ${text}`, {
    hint: 'Such as public.orders; a name with dots, commas, blanks or asterisks goes in double quotes.',
  })
}

function namesOf(text: string): readonly TableName[] {
  try {
    const filter = new TableFilter(text)
    return filter.isExact ? filter.exactNames : []
  } catch {
    return []
  }
}

async function tryCondition(
  { sources, relation }: SourceTable,
  where: string,
  query: (statement: string) => Promise<unknown>,
): Promise<void> {
  const from = sources[0]?.name
  if (from === undefined) return
  try {
    await query(`EXPLAIN SELECT FROM ONLY ${from} WHERE (${where}\n)`)
  } catch (error) {
    if (sqlState(error) === undefined) throw error
    throw new Failure('config', `the condition is refused by the server: ${(error as Error).message}`, {
      hint: `It is what stands behind WHERE in a SELECT from ${relation.schema}.${relation.name}.`,
      cause: error,
    })
  }
}

function passwordOf(password: string | undefined): string {
  if (password !== undefined && password !== '') return password
  throw new Failure('config', 'a condition has to be signed, and there is no password to sign it with', {
    hint: 'Give the service and this command the same password in PG_CONN_STRING, also where the server does not ask for one.',
  })
}
