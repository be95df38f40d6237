// Plans, commits and the lake's identity as JSON, and back. Reading checks every field.
import type {
  BatchKind,
  ColumnSettings,
  Commit,
  CutParameters,
  DataFile,
  Gap,
  GapReason,
  Plan,
  StagedFile,
} from '../model/batch-record.js'
import { formatMicros } from '../model/instant.js'
import { formatLsn } from '../model/lsn.js'
import { progressFields, progressOf } from './copy-records.js'
import { bytesOfRecord, RecordReader, type Json } from './record-reader.js'

export interface LakeIdentity {
  readonly systemIdentifier: string
  readonly database: string
  readonly slot: string
  readonly publication: string
  /** Rows that were there before the slot, or before their table was published, are copied. */
  readonly copies: boolean
}

const BATCH_KINDS: readonly BatchKind[] = ['changes', 'idle', 'gap', 'copy']
const GAP_REASONS: readonly GapReason[] = ['slot_missing', 'slot_lost', 'slot_ahead', 'other_timeline']

export function encodePlan(plan: Plan): Buffer {
  const { copy } = plan
  const files = copy?.files.map((file) => ({
    ...fileFields(file),
    receipt: file.receipt,
    supersedes: file.supersedes,
  }))
  return bytesOfRecord({
    ...planFields(plan),
    ...(copy === undefined ? {} : { copied: progressFields(copy), files }),
  })
}

export function encodeCommit(commit: Commit): Buffer {
  return bytesOfRecord({
    ...planFields(commit),
    end_lsn: formatLsn(commit.endLsn),
    timeline: commit.timeline,
    transactions: commit.transactions,
    rows: commit.rows,
    first_commit_ts: commit.firstCommitMicros === undefined ? null : formatMicros(commit.firstCommitMicros),
    last_commit_ts: commit.lastCommitMicros === undefined ? null : formatMicros(commit.lastCommitMicros),
    ...(commit.gap === undefined ? {} : { gap: gapFields(commit.gap) }),
    ...(commit.copied === undefined ? {} : { copied: progressFields(commit.copied) }),
    files: commit.files.map(fileFields),
  })
}

export function encodeIdentity(identity: LakeIdentity): Buffer {
  return bytesOfRecord({
    system_identifier: identity.systemIdentifier,
    database: identity.database,
    slot: identity.slot,
    publication: identity.publication,
    copies: identity.copies,
  })
}

/** Throws Failure `unsafe` naming `key`. */
export function decodePlan(key: string, bytes: Buffer): Plan {
  const reader = new RecordReader(key, bytes)
  const plan = planOf(reader)
  if (plan.kind !== 'copy') return plan
  const files = reader.list('files').map((file): StagedFile => ({
    ...dataFileOf(file),
    receipt: file.text('receipt'),
    supersedes: file.flag('supersedes'),
  }))
  return { ...plan, copy: { files, ...progressOf(reader.nested('copied')) } }
}

/** Throws Failure `unsafe` naming `key`. */
export function decodeCommit(key: string, bytes: Buffer): Commit {
  const reader = new RecordReader(key, bytes)
  return {
    ...planOf(reader),
    endLsn: reader.lsn('end_lsn'),
    timeline: reader.count('timeline'),
    transactions: reader.count('transactions'),
    rows: reader.count('rows'),
    ...(reader.has('first_commit_ts') ? { firstCommitMicros: reader.micros('first_commit_ts') } : {}),
    ...(reader.has('last_commit_ts') ? { lastCommitMicros: reader.micros('last_commit_ts') } : {}),
    ...(reader.has('gap') ? { gap: gapOf(reader.nested('gap')) } : {}),
    ...(reader.has('copied') ? { copied: progressOf(reader.nested('copied')) } : {}),
    files: reader.list('files').map(dataFileOf),
  }
}

/** Throws Failure `unsafe` naming `key`. */
export function decodeIdentity(key: string, bytes: Buffer): LakeIdentity {
  const reader = new RecordReader(key, bytes)
  reader.checkFormat()
  return {
    systemIdentifier: reader.text('system_identifier'),
    database: reader.text('database'),
    slot: reader.text('slot'),
    publication: reader.text('publication'),
    // Lakes that are older than copies have none.
    copies: reader.has('copies') && reader.flag('copies'),
  }
}

export function gapFields(gap: Gap): Json {
  return {
    reason: gap.reason,
    missing_from: formatLsn(gap.missingFrom),
    recorded_at: formatMicros(gap.recordedMicros),
  }
}

export function gapOf(reader: RecordReader): Gap {
  return {
    reason: reader.oneOf('reason', GAP_REASONS),
    missingFrom: reader.lsn('missing_from'),
    recordedMicros: reader.micros('recorded_at'),
  }
}

function planFields(plan: Omit<Plan, 'copy'>): Json {
  return {
    batch: plan.batch,
    kind: plan.kind,
    from_lsn: formatLsn(plan.fromLsn),
    to_lsn: formatLsn(plan.toLsn),
    cut: {
      roll_bytes: plan.cut.rollBytes,
      target_file_bytes: plan.cut.targetFileBytes,
      tables: plan.cut.tables,
      exclude_tables: plan.cut.excludeTables,
      ...columnFields(plan.cut),
    },
    writer: plan.writer,
    writer_version: plan.writerVersion,
  }
}

function planOf(reader: RecordReader): Plan {
  reader.checkFormat()
  return {
    batch: reader.count('batch'),
    kind: reader.oneOf('kind', BATCH_KINDS),
    fromLsn: reader.lsn('from_lsn'),
    toLsn: reader.lsn('to_lsn'),
    cut: cutOf(reader.nested('cut')),
    writer: reader.text('writer'),
    writerVersion: reader.text('writer_version'),
  }
}

function cutOf(reader: RecordReader): CutParameters {
  return {
    rollBytes: reader.count('roll_bytes'),
    targetFileBytes: reader.count('target_file_bytes'),
    tables: reader.text('tables'),
    excludeTables: reader.text('exclude_tables'),
    ...(reader.has('columns') ? { columns: columnsOf(reader.nested('columns')) } : {}),
  }
}

function columnFields({ columns }: CutParameters): Json {
  if (columns === undefined) return {}
  return {
    columns: {
      exclude: columns.excludeColumns,
      hash: columns.hashColumns,
      salt_fingerprint: columns.saltFingerprint,
    },
  }
}

function columnsOf(reader: RecordReader): ColumnSettings {
  return {
    excludeColumns: reader.text('exclude'),
    hashColumns: reader.text('hash'),
    saltFingerprint: reader.text('salt_fingerprint'),
  }
}

function fileFields(file: DataFile): Json {
  return {
    key: file.key,
    schema: file.schema,
    table: file.table,
    schema_version: file.schemaVersion,
    rows: file.rows,
    bytes: file.bytes,
    sha256: file.sha256,
  }
}

function dataFileOf(reader: RecordReader): DataFile {
  return {
    key: reader.text('key'),
    schema: reader.text('schema'),
    table: reader.text('table'),
    schemaVersion: reader.count('schema_version'),
    rows: reader.count('rows'),
    bytes: reader.count('bytes'),
    sha256: reader.text('sha256'),
  }
}
