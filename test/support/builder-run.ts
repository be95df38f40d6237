// A batch builder behind a decoder, fed with messages through one receive buffer that is overwritten after each, with a
// sink that keeps the batches. Pauses are waited for, as the wire does.
import assert from 'node:assert/strict'
import type { BatchSummary, CutParameters, Plan } from '../../internal/model/batch-record.js'
import type { Pause } from '../../internal/model/change-sink.js'
import type { TableSchema, StreamPosition } from '../../internal/model/table-schema.js'
import type { DescribeTable } from '../../internal/storage/schema-registry.js'
import { PgoutputDecoder } from '../../internal/replication/pgoutput-decoder.js'
import { BatchBuilder } from '../../internal/transform/batch-builder.js'
import type { Pressure } from '../../internal/transform/batch-cutter.js'
import type {
  BatchSink,
  BegunVersion,
  BuilderOptions,
  RegisteredVersion,
  RowCounts,
} from '../../internal/transform/batch-sink.js'
import { BufferPool } from '../../internal/transform/buffer-pool.js'
import type { ClosedFile, FileContent } from '../../internal/transform/open-file.js'
import { zstdAt } from '../../internal/transform/zstd.js'
import { builtinTypes } from './builtin-types.js'
import { readWithHyparquet, textOf, type Plain } from './parquet-readers.js'
import { encodeMessage, type Message } from './pgoutput-messages.js'

export interface RecordedFile {
  readonly file: ClosedFile
  readonly part: number
  readonly version: number
}

export interface RecordedBatch {
  /** Absent while the batch is open and not planned. */
  plan: { readonly fromLsn: bigint; readonly toLsn: bigint; readonly cut: CutParameters } | undefined
  readonly files: RecordedFile[]
  summary: BatchSummary | undefined
  counts: ReadonlyMap<string, RowCounts> | undefined
  reason: string | undefined
}

export const wideCut: CutParameters = {
  rollBytes: 1 << 30,
  targetFileBytes: 1 << 30,
  tables: '',
  excludeTables: '',
}

export class BuilderRun implements BatchSink {
  readonly builder: BatchBuilder
  readonly batches: RecordedBatch[] = [emptyBatch()]
  /** Every call on the sink in order, by name. */
  readonly calls: string[] = []
  readonly idles: { readonly position: bigint; readonly urgent: boolean }[] = []
  readonly received: bigint[] = []
  readonly registered: { readonly schema: TableSchema; readonly position: StreamPosition }[] = []
  /** Bytes that the meter counts as held. */
  heldBytes = 0
  nowMs = 0
  answerRoom: () => Pause = () => undefined
  answerMemoryShort: () => boolean = () => false
  answerBehind: () => boolean = () => false
  readonly #decoder: PgoutputDecoder
  #buffer = Buffer.alloc(1024)

  constructor(options: Partial<BuilderOptions> = {}) {
    const meter = (delta: number): void => void (this.heldBytes += delta)
    const context = { pool: new BufferPool(meter, 1 << 20), compress: zstdAt(1), meter, leaving: () => undefined }
    this.builder = new BatchBuilder(
      {
        durableLsn: 0n,
        openPlans: [],
        cut: wideCut,
        takes: () => true,
        hides: () => undefined,
        flushIntervalMs: Infinity,
        textColumns: 'string',
        typesOf: builtinTypes,
        register: (table, position, describe) => this.#register(table, position, describe),
        target: { context, createdBy: 'wal-cake version 0.0.0 (build 0)' },
        now: () => this.nowMs,
        onCommit: (endLsn) => void this.received.push(endLsn),
        onRelation: () => undefined,
        halted: new Promise(() => undefined),
        ...options,
      },
      this,
    )
    this.#decoder = new PgoutputDecoder(this.builder)
  }

  async feed(...messages: readonly Message[]): Promise<void> {
    for (const message of messages) await this.feedBytes(encodeMessage(message))
  }

  /** Hands on one message, at an odd place in a buffer that holds something else a moment later. */
  async feedBytes(message: Buffer): Promise<void> {
    const at = 7
    if (this.#buffer.length < at + message.length + 64) this.#buffer = Buffer.alloc((at + message.length + 64) * 2)
    this.#buffer.fill(0x74)
    message.copy(this.#buffer, at)
    const pause = this.#decoder.decode(this.#buffer, at, at + message.length)
    this.#buffer.fill(0xee)
    await pause
  }

  /** A keepalive between two transactions, which never makes the stream wait. */
  keepalive(position: bigint, urgent: boolean): void {
    assert.equal(this.builder.keepalive(position, urgent), undefined)
  }

  /** Batches that have ended. */
  get closed(): RecordedBatch[] {
    return this.batches.filter((batch) => batch.summary !== undefined)
  }

  started(): void {
    this.calls.push('started')
  }

  plan(fromLsn: bigint, toLsn: bigint, cut: CutParameters): void {
    this.calls.push('plan')
    this.#open.plan = { fromLsn, toLsn, cut }
  }

  file(file: ClosedFile, part: number, schema: RegisteredVersion): void {
    this.calls.push('file')
    this.#open.files.push({ file, part, version: schema.version })
  }

  end(summary: BatchSummary, counts: ReadonlyMap<string, RowCounts>, reason: string): void {
    this.calls.push('end')
    Object.assign(this.#open, { summary, counts, reason })
    this.batches.push(emptyBatch())
  }

  idle(position: bigint, urgent: boolean): void {
    this.calls.push('idle')
    this.idles.push({ position, urgent })
  }

  room(): Pause {
    return this.answerRoom()
  }

  pressure(): Pressure {
    return { memoryShort: this.answerMemoryShort(), behind: this.answerBehind() }
  }

  get #open(): RecordedBatch {
    return this.batches.at(-1)!
  }

  #register(
    table: Pick<TableSchema, 'schema' | 'table'>,
    position: StreamPosition,
    describe: DescribeTable,
  ): BegunVersion {
    const ofTable = this.registered.filter(
      ({ schema }) => schema.schema === table.schema && schema.table === table.table,
    )
    const earlier = ofTable.map(({ schema }) => schema)
    const schema = describe(earlier, [])
    this.registered.push({ schema, position })
    const replaces = earlier.length > 0 && earlier.at(-1)!.relationOid !== schema.relationOid
    return { version: this.registered.length, replaces, recorded: Promise.resolve() }
  }
}

function emptyBatch(): RecordedBatch {
  return { plan: undefined, files: [], summary: undefined, counts: undefined, reason: undefined }
}

/** As the log would hold it. */
export function planOf(batch: RecordedBatch, number: number): Plan {
  return { batch: number, kind: 'changes', ...batch.plan!, writer: 'earlier', writerVersion: '0.0.0' }
}

export function fileName({ file, part }: RecordedFile): string {
  const { relation, dateColumn } = file.layout
  return `${relation.schema}.${relation.name}/${dateColumn}=${file.date}/${part}`
}

export type Row = Readonly<Record<string, Plain>>

export function bytesOf(content: FileContent): Buffer {
  return Buffer.concat(content.parts)
}

/** The file's rows by an independent reader: texts as texts, bytes as hexadecimal, 64 bits as bigint. */
export async function rowsOf({ file }: RecordedFile, content?: FileContent): Promise<Row[]> {
  const columns = file.layout.fileColumns
  const texts = new Set(
    columns.filter(({ type }) => 'logical' in type && type.logical === 'string').map(({ name }) => name),
  )
  const rows = await readWithHyparquet(bytesOf(content ?? (await file.content())), columns)
  return rows.map((row) =>
    Object.fromEntries(
      Object.entries(row).map(([name, value]) => [name, texts.has(name) && value !== null ? textOf(value) : value]),
    ),
  )
}

/** Rows of all files of all batches that were planned or closed, in order. */
export async function allRows(batches: readonly RecordedBatch[]): Promise<Row[]> {
  const files = await Promise.all(batches.flatMap((batch) => batch.files).map((file) => rowsOf(file)))
  return files.flat()
}
