// Proves a lake against its source: the log is whole, the store holds what it lists and nothing else, and each table has the rows that the
// server has, at one position of its log. Only reads; the server keeps old row versions for as long as its snapshot is held.
import { setTimeout as delay } from 'node:timers/promises'
import type pg from 'pg'
import { TableFilter } from '../../config/table-filter.js'
import type { DataFile } from '../../model/batch-record.js'
import { Failure } from '../../model/failure.js'
import { formatLsn, type Lsn } from '../../model/lsn.js'
import { connect, queryFailure } from '../../replication/connection.js'
import { takeSnapshot, type CopySnapshot } from '../../replication/copy-snapshot.js'
import { publishedTables, sourceTable, type PublishedTable, type SourceTable } from '../../replication/copy-source.js'
import { readPublication } from '../../replication/publication.js'
import { inspectServer, placeOfServer, type ServerFacts } from '../../replication/server.js'
import { CommitLog, noLake, type LogState } from '../../storage/commit-log.js'
import type { ObjectStore } from '../../storage/object-store.js'
import { readVersions } from '../../storage/schema-registry.js'
import type { SessionSettings } from '../session.js'
import { someOf } from '../doctor/check.js'
import { filesByTable, tableKey } from '../reading/files-by-table.js'
import { readAhead } from './read-ahead.js'
import { problemOf } from './table-files.js'
import { verifyTable, type TableVerdict } from './verify-table.js'
import { listData, listingProblems, readWholeLog, type Progress } from './whole-log.js'

export interface VerifyRequest {
  readonly settings: SessionSettings
  readonly store: ObjectStore
  /** `schema.table`, as in TABLES; all where there are none. */
  readonly tables: readonly string[]
  /** Of each table some pages are read in the source, not all. */
  readonly sample: boolean
  readonly progress: (step: string, ...done: Parameters<Progress>) => void
}

export interface VerifiedTable {
  readonly schema: string
  readonly table: string
  /** Why it was not compared. */
  readonly skipped?: string
  readonly verdict?: TableVerdict
  /** All rows that it had before are in the lake. */
  readonly isCopied: boolean
}

export interface Verification {
  /** Everything that was committed before is compared. */
  readonly lsn: Lsn
  readonly batches: number
  readonly files: number
  readonly gaps: LogState['totals']['gaps']
  /** What is wrong with the log and the objects of the store, a line each. */
  readonly problems: readonly string[]
  readonly tables: readonly VerifiedTable[]
}

const LOOK_MS = 500
/** An idle service records its position once a minute. */
const NOTHING_CAME_MS = 180_000

/** Throws Failure `unsafe` where the lake is another database's, `gave_up` where it does not come as far as the server is. */
export async function verify(request: VerifyRequest): Promise<Verification> {
  const { settings, store } = request
  const filter = wantedTables(request)
  const log = new CommitLog(store, settings.slot)
  const control = await connect(settings.target, 'control')
  try {
    const facts = await inspectServer(control)
    await checkIdentity(request, log, facts)
    await checkNames(request, control, filter)
    const snapshot = await takeSnapshot({ target: settings.target, version: facts.version }, settings.slot)
    try {
      await untilLakeHas(snapshot.consistentPoint, log, request)
      return await compareAll(request, { control, facts, snapshot, log, filter })
    } finally {
      snapshot.release()
    }
  } catch (error) {
    throw queryFailure(error)
  } finally {
    void control.end().catch(() => undefined)
  }
}

function wantedTables({ tables, settings }: VerifyRequest): (table: PublishedTable) => boolean {
  const named = new TableFilter(tables.join(','))
  return ({ schema, table }) => settings.tables.matches(schema, table) && named.matches(schema, table)
}

async function checkIdentity({ settings, store }: VerifyRequest, log: CommitLog, facts: ServerFacts): Promise<void> {
  const identity = await log.readIdentity()
  if (identity === undefined) throw noLake(store, settings.slot)
  const replication = await connect(settings.target, 'replication')
  try {
    const { systemIdentifier } = await placeOfServer(replication, undefined)
    if (systemIdentifier !== identity.systemIdentifier || facts.database !== identity.database)
      throw new Failure('unsafe', `the lake at ${store.location} is of another server or database`, {
        hint: `It is of the database ${identity.database} of the cluster ${identity.systemIdentifier}; this is ${facts.database} of ${systemIdentifier}.`,
      })
  } finally {
    void replication.end().catch(() => undefined)
  }
}

async function checkNames(
  { settings: { publication }, tables }: VerifyRequest,
  control: pg.Client,
  filter: Source['filter'],
): Promise<void> {
  const published = await publishedTables(control, publication)
  if (tables.length === 0 || published.some(filter)) return
  const names = published.map(({ schema, table }) => `${schema}.${table}`)
  throw new Failure('config', `no such table is streamed: ${tables.join(', ')}`, {
    hint: `The publication ${publication} has ${someOf(names)}.`,
  })
}

async function untilLakeHas(position: Lsn, log: CommitLog, { progress, settings }: VerifyRequest): Promise<void> {
  let seen: Lsn | undefined
  let sinceMs = Date.now()
  for (;;) {
    const { lastCommit } = await log.recover()
    const end = lastCommit?.endLsn
    if (end !== undefined && end >= position) return
    if (end !== seen) sinceMs = Date.now()
    seen = end
    if (Date.now() - sinceMs > NOTHING_CAME_MS)
      throw new Failure(
        'gave_up',
        `the lake ends at ${end === undefined ? 'nothing' : formatLsn(end)} and does not come to ${formatLsn(position)}`,
        {
          hint: `Is the service running that streams the slot ${settings.slot}?`,
        },
      )
    progress(`waiting until the lake has ${formatLsn(position)}`, 0, 0)
    await delay(LOOK_MS)
  }
}

interface Source {
  readonly control: pg.Client
  readonly facts: ServerFacts
  readonly snapshot: CopySnapshot
  readonly log: CommitLog
  readonly filter: (table: PublishedTable) => boolean
}

async function compareAll(request: VerifyRequest, source: Source): Promise<Verification> {
  const { settings, store, progress } = request
  const { snapshot, log } = source
  progress('listing the data files', 0, 0)
  // First the store, then the log: a file is written after its plan.
  const listing = await listData(store, settings.slot)
  const { lastCommit, openPlans, totals } = await log.recover()
  const whole = await readWholeLog(log, lastCommit?.batch ?? -1, (...done) => progress('reading the log', ...done))
  const files = whole.commits.flatMap((commit) => commit.files)
  const problems = [...whole.problems, ...listingProblems(listing, files, openPlans)]
  const copied = new Set(totals.copies.progress.finished.map((table) => tableKey(table)))
  const filesOf = filesByTable(files)
  const read = { bytes: 0, of: files.reduce((sum, { bytes }) => sum + bytes, 0) }
  const onRead = (step: string, { bytes }: DataFile): void => progress(step, (read.bytes += bytes), read.of)

  const tables: VerifiedTable[] = []
  for await (const table of verifiedTables(request, source, filesOf, onRead)) {
    if (table.verdict !== undefined) {
      problems.push(...table.verdict.problems)
      filesOf.delete(tableKey(table))
    }
    tables.push({ ...table, isCopied: copied.has(tableKey(table)) })
  }
  if (request.tables.length === 0)
    for await (const { item, loaded } of readAhead([...filesOf.values()].flat(), (file) => problemOf(store, file))) {
      if (loaded !== undefined) problems.push(loaded)
      onRead('files of other tables', item)
    }
  return {
    ...{ lsn: snapshot.consistentPoint, batches: whole.commits.length, files: files.length, gaps: totals.gaps },
    ...{ problems, tables },
  }
}

async function* verifiedTables(
  { settings, store, sample }: VerifyRequest,
  { control, facts, snapshot, filter }: Source,
  filesOf: ReadonlyMap<string, readonly DataFile[]>,
  onRead: (step: string, file: DataFile) => void,
): AsyncGenerator<Omit<VerifiedTable, 'isCopied'>> {
  const client = await snapshot.connect()
  try {
    const published = await snapshot.read(client, () => publishedTables(client, settings.publication))
    const left = (await readPublication(control, settings.publication))?.missing ?? []
    for (const { schema, table, oid } of published.filter(filter)) {
      if (left.length > 0) {
        yield { schema, table, skipped: `the publication leaves out ${left.join(', ')}` }
        continue
      }
      const ask = (by: pg.Client): Promise<SourceTable | undefined> =>
        sourceTable(by, settings.publication, oid, facts.version)
      const versions = await readVersions(store, settings.slot, { schema, table })
      const found = await snapshot.read(client, async () => {
        const source = await ask(client)
        if (source === undefined) return undefined
        const verdict = await verifyTable(client, store, {
          ...{ source, versions, sample, until: snapshot.consistentPoint },
          files: filesOf.get(tableKey({ schema, table })) ?? [],
          encoding: facts.encoding === 'SQL_ASCII' ? 'SQL_ASCII' : 'UTF8',
          isClear: (column) => settings.columns.ruleOf({ schema, table, column }) === 'clear',
          read: (file) => onRead(`${schema}.${table}`, file),
        })
        return { source, verdict }
      })
      // A truncate or a rewrite takes rows away from every snapshot.
      const isChanged = JSON.stringify(found?.source) !== JSON.stringify(await ask(control))
      if (isChanged || found === undefined)
        yield { schema, table, skipped: 'it was truncated or changed by DDL meanwhile: verify it again' }
      else if (found.verdict === undefined) yield { schema, table, skipped: 'its key is hashed' }
      else yield { schema, table, verdict: found.verdict }
    }
  } finally {
    void client.end().catch(() => undefined)
  }
}
