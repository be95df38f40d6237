// One part of a copy on its way into the store: what the server sends of it becomes files, and each file is staged as soon as it is
// closed.
import { setImmediate as nextTurn } from 'node:timers/promises'
import pLimit from 'p-limit'
import type { StagedFile } from '../../model/batch-record.js'
import type { Pause } from '../../model/change-sink.js'
import { copyKey } from '../../storage/keys.js'
import type { ObjectStore } from '../../storage/object-store.js'
import { CopyRows } from '../../transform/copy-rows.js'
import type { ClosedFile } from '../../transform/open-file.js'
import type { FileTarget } from '../../transform/table-writer.js'
import type { TransactionStamp } from '../../transform/transaction-stamp.js'
import type { MemoryGate } from '../memory-gate.js'
import type { RateLimit } from './rate-limit.js'
import type { PieceOfTable, TableCopy } from './table-copy.js'

/**
 * Each time this many bytes have come memory is looked at, and the stream and the committer get their turn: a socket that is always
 * full would be read on for megabytes.
 */
const LOOK_EVERY_BYTES = 64 << 10
/** Where memory is short, open pages are compressed each time this many bytes have come. */
const SEAL_EVERY_BYTES = 4 << 20

export interface PartFilesContext {
  readonly slot: string
  /** Twelve hexadecimal digits by chance. */
  readonly run: string
  readonly store: ObjectStore
  readonly gate: MemoryGate
  readonly files: FileTarget
  readonly targetFileBytes: number
  readonly memoryLimitBytes: number
  readonly workers: number
  /** Absent: as fast as it goes. */
  readonly rateLimit?: RateLimit
}

export class PartFiles {
  readonly #context: PartFilesContext
  readonly #copy: TableCopy
  readonly #rows: CopyRows
  readonly #staged: Promise<StagedFile>[] = []
  /** One of its files goes up at a time: what a store holds of each beside its pages is not counted. */
  readonly #oneByOne = pLimit(1)
  readonly #nextPart: () => number
  readonly #received: (rows: number, bytes: number) => void
  #bytes = 0
  #told = { rows: 0, bytes: 0 }
  #sealedAt = 0
  #lookAt = LOOK_EVERY_BYTES
  #waits = false

  /** `nextPart`: numbers the files of the run. `received`: what has come since it was told last. */
  constructor(
    context: PartFilesContext,
    stamp: TransactionStamp,
    { copy, piece, supersedes }: PieceOfTable,
    { nextPart, received }: { nextPart: () => number; received: (rows: number, bytes: number) => void },
  ) {
    this.#context = context
    this.#copy = copy
    this.#nextPart = nextPart
    this.#received = received
    this.#rows = new CopyRows({
      ...{ layout: copy.layout, stamp, target: context.files, targetFileBytes: context.targetFileBytes },
      seqFrom: piece?.seqFrom ?? 0,
      onFile: (file) => {
        const stage = this.#stage(file, supersedes && this.#staged.length === 0)
        stage.catch(() => undefined) // told by finish()
        this.#staged.push(stage)
      },
    })
    if (supersedes) this.#rows.supersede()
  }

  /** Takes one payload, and waits where memory is full. */
  readonly take = (buffer: Buffer, start: number, end: number): Pause => {
    this.#rows.take(buffer, start, end)
    this.#bytes += end - start
    return this.#bytes < this.#lookAt ? undefined : this.#look()
  }

  /** Bytes so far; undefined while it waits for memory or for the rate. */
  get taken(): number | undefined {
    return this.#waits ? undefined : this.#bytes
  }

  /** No more comes. The files, once all are staged. */
  finish(): Promise<StagedFile[]> {
    this.#tell()
    this.#rows.close()
    return Promise.all(this.#staged)
  }

  /** Drops what is open. Resolves when its memory is back. */
  async discard(): Promise<void> {
    await this.#rows.discard()
    await Promise.allSettled(this.#staged)
  }

  #look(): Pause {
    const { gate, memoryLimitBytes, rateLimit, workers } = this.#context
    const taken = this.#tell()
    const wait = rateLimit?.spend(taken)
    this.#lookAt = this.#bytes + LOOK_EVERY_BYTES
    // Only a file that is closed leaves memory: values outside of the pages make a part larger than its pages are.
    if (gate.short && this.#rows.openBytes >= memoryLimitBytes / workers) this.#rows.close()
    else if (gate.short && this.#bytes - this.#sealedAt >= SEAL_EVERY_BYTES) {
      this.#sealedAt = this.#bytes
      this.#rows.sealPages()
    }
    const waiting = gate.room() ?? wait
    if (waiting === undefined) return nextTurn()
    this.#waits = true
    return waiting.finally(() => (this.#waits = false))
  }

  /** Returns the bytes since it was told last. */
  #tell(): number {
    const now = { rows: this.#rows.rows, bytes: this.#bytes }
    const bytes = now.bytes - this.#told.bytes
    this.#received(now.rows - this.#told.rows, bytes)
    this.#told = now
    return bytes
  }

  async #stage(file: ClosedFile, supersedes: boolean): Promise<StagedFile> {
    const { gate } = this.#context
    gate.leaving(1)
    try {
      return await this.#oneByOne(() => this.#store(file, supersedes))
    } finally {
      gate.leaving(-1)
    }
  }

  async #store(file: ClosedFile, supersedes: boolean): Promise<StagedFile> {
    const { slot, run, store } = this.#context
    const { table, version } = this.#copy
    const { dateColumn } = file.layout
    const key = copyKey({ ...table, dateColumn, date: file.date, slot, run, part: this.#nextPart() })
    const content = await file.content()
    const { parts, bytes, rows, sha256 } = content
    try {
      await version.recorded
      const receipt = await store.stage(key, parts, { sha256, role: 'data' })
      const { schema, table: name } = table
      return {
        ...{ key, schema, table: name, schemaVersion: version.version, rows, bytes, sha256 },
        ...{ receipt, supersedes },
      }
    } finally {
      content.release()
    }
  }
}
