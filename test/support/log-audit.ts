// Reads a slot's log as contract.md describes it and holds it against the data files: an unbroken chain, every file
// listed exactly once with the rows, bytes and checksum it has, and checkpoints that say the same. Shares nothing with the program.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { Lake } from './lake.js'
import { lsn } from './lsn-text.js'

export interface ListedFile {
  readonly key: string
  readonly schema: string
  readonly table: string
  readonly schema_version: number
  readonly rows: number
  readonly bytes: number
  readonly sha256: string
}

export interface PlanRecord {
  readonly format: number
  readonly batch: number
  readonly kind: 'changes' | 'idle' | 'gap' | 'copy'
  readonly from_lsn: string
  readonly to_lsn: string
  readonly cut: Readonly<Record<string, unknown>>
  readonly writer: string
  readonly writer_version: string
}

export interface CommitRecord extends PlanRecord {
  readonly end_lsn: string
  readonly transactions: number
  readonly rows: number
  readonly first_commit_ts: string | null
  readonly last_commit_ts: string | null
  readonly gap?: { readonly reason: string; readonly missing_from: string; readonly recorded_at: string }
  readonly copied?: { readonly pieces: readonly CopiedPiece[]; readonly finished: readonly CopiedTable[] }
  readonly files: readonly ListedFile[]
}

export interface CopiedTable {
  readonly schema: string
  readonly table: string
  readonly relation_oid: number
  readonly lsn: string
}

export interface CopiedPiece extends CopiedTable {
  readonly source_oid: number
  readonly from_page: number
  readonly to_page: number
}

interface Totals {
  readonly rows: number
  readonly files: number
  readonly bytes: number
}

interface TableTotals extends Totals {
  readonly schema: string
  readonly table: string
}

interface QuietStretch {
  readonly from_lsn: string
  to_lsn: string
  readonly tables: unknown
  readonly exclude_tables: unknown
}

interface CheckpointRecord extends Totals {
  readonly format: number
  readonly batch: number
  readonly end_lsn: string
  readonly transactions: number
  readonly last_transaction: { readonly commit_lsn: string; readonly commit_ts: string } | null
  readonly quiet: readonly QuietStretch[]
  readonly gaps: readonly { readonly batch: number }[]
  readonly copies: { readonly pieces: readonly CopiedPiece[]; readonly finished: readonly CopiedTable[] }
  readonly tables: readonly TableTotals[]
}

export interface AuditedLog {
  readonly commits: readonly CommitRecord[]
  readonly files: readonly ListedFile[]
  /** Rows of all files. */
  readonly rows: number
}

/** Fails where the log does not hold. The writer has ended, so nothing may be open. */
export async function auditLog(lake: Lake, slot: string): Promise<AuditedLog> {
  const keys = await lake.keys()
  const prefix = `_wal_cake/${slot}/log/`
  const records = keys.filter((key) => key.startsWith(prefix)).map((key) => key.slice(prefix.length))
  const commits = await readRecords<CommitRecord>(lake, prefix, records, 'commit')
  const plans = await readRecords<PlanRecord>(lake, prefix, records, 'plan')
  assert.equal(records.length, commits.length + plans.length, 'the log holds plans and commits, and nothing else')
  assert.equal(plans.length, commits.length, 'every plan has its commit')
  checkChain(plans, commits)
  const files = commits.flatMap((commit) => commit.files)
  checkListing(keys, files)
  for (const commit of commits) checkCommit(commit, slot)
  await checkFiles(lake, files)
  await checkCheckpoints(lake, slot, keys, commits)
  return { commits, files, rows: files.reduce((sum, file) => sum + file.rows, 0) }
}

/** The object that readers may look at for the newest commit is that commit, once the writer has stopped in order. */
export async function assertHeadIsNewest(lake: Lake, slot: string, { commits }: AuditedLog): Promise<void> {
  await lake.keys()
  const head = JSON.parse(await readFile(lake.path(`_wal_cake/${slot}/head.json`), 'utf8')) as CommitRecord
  assert.equal(head.batch, commits.at(-1)?.batch, 'head.json is the newest commit')
}

async function readRecords<R extends PlanRecord>(
  lake: Lake,
  prefix: string,
  names: readonly string[],
  kind: 'plan' | 'commit',
): Promise<R[]> {
  const ofKind = names.filter((name) => name.endsWith(`.${kind}.json`)).sort()
  return Promise.all(
    ofKind.map(async (name, index) => {
      const record = JSON.parse(await readFile(lake.path(prefix + name), 'utf8')) as R
      assert.equal(record.batch, index, `${name} is number ${index} of its kind`)
      assert.match(name, new RegExp(`^0*${index}\\.${kind}\\.json$`))
      return record
    }),
  )
}

function checkChain(plans: readonly PlanRecord[], commits: readonly CommitRecord[]): void {
  for (const [index, commit] of commits.entries()) {
    const what = `commit ${index}`
    const { batch, kind, from_lsn, to_lsn, cut } = plans[index]!
    const same = {
      batch: commit.batch,
      kind: commit.kind,
      from_lsn: commit.from_lsn,
      to_lsn: commit.to_lsn,
      cut: commit.cut,
    }
    assert.deepEqual(same, { batch, kind, from_lsn, to_lsn, cut }, `${what} is what was planned`)
    if (index > 0)
      assert.equal(commit.from_lsn, commits[index - 1]!.end_lsn, `${what} begins where the one before ends`)
    assert.ok(lsn(commit.from_lsn) <= lsn(commit.to_lsn), `${what}: from ≤ to`)
    assert.ok(lsn(commit.to_lsn) <= lsn(commit.end_lsn), `${what}: to ≤ end`)
    if (kind === 'copy') assert.equal(commit.from_lsn, commit.end_lsn, `${what} has no place in the stream`)
    if (kind === 'idle') assert.deepEqual([commit.files, commit.rows], [[], 0], `${what} is idle`)
  }
}

function checkListing(keys: readonly string[], files: readonly ListedFile[]): void {
  const listed = files.map((file) => file.key).sort()
  assert.equal(new Set(listed).size, listed.length, 'no file is listed twice')
  const stored = keys.filter((key) => key.startsWith('data/'))
  assert.deepEqual(listed, stored, 'the listed files are the files under data/')
  const others = keys.filter((key) => !key.startsWith('data/') && !key.startsWith('_wal_cake/'))
  assert.deepEqual(others, [], 'nothing lies outside data/ and _wal_cake/')
}

function checkCommit(commit: CommitRecord, slot: string): void {
  const rows = commit.files.reduce((sum, file) => sum + file.rows, 0)
  assert.equal(commit.rows, rows, `commit ${commit.batch}: its rows are those of its files`)
  const [from, to] = [commit.from_lsn, commit.to_lsn].map((text) =>
    lsn(text).toString(16).toUpperCase().padStart(16, '0'),
  )
  const file =
    commit.kind === 'copy' ? 'copy-[0-9A-F]{16}-[0-9a-f]{12}-\\d{6,}' : `0*${commit.batch}-${from}-${to}-\\d+`
  const name = new RegExp(`/dt(_commit)?=\\d{4}-\\d\\d-\\d\\d/${slot}-${file}\\.parquet$`)
  for (const { key } of commit.files) assert.match(key, name)
}

/** Each checkpoint is what the commits up to it come to. */
async function checkCheckpoints(
  lake: Lake,
  slot: string,
  keys: readonly string[],
  commits: readonly CommitRecord[],
): Promise<void> {
  const prefix = `_wal_cake/${slot}/checkpoint/`
  for (const key of keys.filter((key) => key.startsWith(prefix))) {
    const checkpoint = JSON.parse(await readFile(lake.path(key), 'utf8')) as CheckpointRecord
    assert.match(key.slice(prefix.length), new RegExp(`^0*${checkpoint.batch}\\.json$`))
    const folded = commits.slice(0, checkpoint.batch + 1)
    const last = folded.findLast(({ transactions }) => transactions > 0)
    const files = folded.flatMap((commit) => commit.files)
    assert.deepEqual(
      {
        ...checkpoint,
        gaps: checkpoint.gaps.map(({ batch }) => batch),
        copies: byName(checkpoint.copies.finished),
        tables: byName(checkpoint.tables),
      },
      {
        format: folded.at(-1)?.format,
        batch: folded.length - 1,
        end_lsn: folded.at(-1)?.end_lsn,
        transactions: sum(folded.map(({ transactions }) => transactions)),
        ...totalsOf(files),
        last_transaction: last === undefined ? null : { commit_lsn: last.to_lsn, commit_ts: last.last_commit_ts },
        quiet: quietOf(folded),
        gaps: folded.filter(({ gap }) => gap !== undefined).map(({ batch }) => batch),
        copies: byName(finishedOf(folded)),
        tables: tablesOf(files),
      },
      key,
    )
  }
}

/** The tables that were copied whole since the last gap, each with its last copy. */
function finishedOf(commits: readonly CommitRecord[]): CopiedTable[] {
  const since = commits.slice(commits.findLastIndex(({ gap }) => gap !== undefined) + 1)
  const finished = since.flatMap(({ copied }) => copied?.finished ?? [])
  return [...new Map(finished.map((table) => [JSON.stringify([table.schema, table.table]), table])).values()]
}

/** The idle positions at the end, as one stretch for each setting of the filters. */
function quietOf(commits: readonly CommitRecord[]): QuietStretch[] {
  const placed = commits.filter(({ kind }) => kind !== 'copy')
  const idle = placed.slice(placed.findLastIndex(({ kind }) => kind !== 'idle') + 1)
  const stretches: QuietStretch[] = []
  for (const { from_lsn, end_lsn, cut } of idle) {
    const { tables, exclude_tables } = cut
    const last = stretches.at(-1)
    if (last !== undefined && last.tables === tables && last.exclude_tables === exclude_tables) last.to_lsn = end_lsn
    else stretches.push({ from_lsn, to_lsn: end_lsn, tables, exclude_tables })
  }
  return stretches
}

function tablesOf(files: readonly ListedFile[]): TableTotals[] {
  const names = new Map(files.map(({ schema, table }) => [JSON.stringify([schema, table]), { schema, table }]))
  const tables = [...names.values()].map(({ schema, table }) => ({
    schema,
    table,
    ...totalsOf(files.filter((file) => file.schema === schema && file.table === table)),
  }))
  return byName(tables)
}

function totalsOf(files: readonly ListedFile[]): Totals {
  return { rows: sum(files.map(({ rows }) => rows)), files: files.length, bytes: sum(files.map(({ bytes }) => bytes)) }
}

function byName<T extends { schema: string; table: string }>(tables: readonly T[]): T[] {
  const name = ({ schema, table }: T): string => JSON.stringify([schema, table])
  return [...tables].sort((a, b) => (name(a) < name(b) ? -1 : 1))
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

/** Rows by DuckDB from the footers, bytes and checksum from the content. */
async function checkFiles(lake: Lake, files: readonly ListedFile[]): Promise<void> {
  if (files.length === 0) return
  for (const file of files) {
    const content = await readFile(lake.path(file.key))
    const actual = { bytes: content.length, sha256: createHash('sha256').update(content).digest('hex') }
    assert.deepEqual(actual, { bytes: file.bytes, sha256: file.sha256 }, file.key)
  }
  const paths = files.map((file) => `'${lake.path(file.key).replaceAll("'", "''")}'`)
  const found = await lake.query(`SELECT file_name, num_rows FROM parquet_file_metadata([${paths.join(', ')}])`)
  const rowsOf = new Map(found.map((row) => [row.file_name, Number(row.num_rows)]))
  for (const file of files) assert.equal(rowsOf.get(lake.path(file.key)), file.rows, `rows of ${file.key}`)
}
