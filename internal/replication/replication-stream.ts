// A running logical replication stream: START_REPLICATION, XLogData to the decoder, keepalives answered, status updates
// with received and durable told apart (G1), and a watch on both directions of the link.
import type pg from 'pg'
import { BadBytes } from '../model/bad-bytes.js'
import type { ChangeSink, Pause } from '../model/change-sink.js'
import { Failure } from '../model/failure.js'
import { formatLsn, maxLsn, type Lsn } from '../model/lsn.js'
import { linkFailure } from './connection.js'
import { CopyBoth } from './copy-both.js'
import { judgeSilence, livenessTimings, type LinkPatience, type LivenessTimings } from './liveness.js'
import { PgoutputDecoder } from './pgoutput-decoder.js'
import { ReadPacer } from './read-pacer.js'
import { StatusUpdate } from './status-update.js'

const KEEPALIVE_BYTES = 18
/** Kind, position of the message, end of the WAL, time of sending. */
const XLOG_DATA_HEAD_BYTES = 25

export interface StreamOptions {
  readonly slot: string
  readonly publication: string
  /**
   * Transactions whose commit record is here or later are asked for, and what comes before is acknowledged; the slot's own
   * position wins where that is later.
   */
  readonly startLsn: Lsn
  /** Called once the slot is ours, before anything of the stream is taken. */
  readonly checkSlot: (asked: Lsn) => Pause
  readonly binary: boolean
  readonly walSenderTimeoutMs: number
  readonly unixSocket: boolean
  /** Of all streams one after the other. */
  readonly patience: LinkPatience
}

export class ReplicationStream {
  readonly #copy: CopyBoth
  readonly #decoder: PgoutputDecoder
  readonly #sink: ChangeSink
  readonly #status = new StatusUpdate()
  readonly #timings: LivenessTimings
  readonly #patience: LinkPatience
  readonly #timer: NodeJS.Timeout
  #received: Lsn
  #durable: Lsn
  #bytesAtLastLook = 0
  #lastHeardMs = performance.now()
  #lastStatusMs = performance.now()
  #fail: (failure: Failure) => void = () => undefined
  /** Rejects when the stream has broken; resolves after close(). */
  readonly done: Promise<void>

  /** `client`: a replication connection of its own, taken over. */
  constructor(client: pg.Client, options: StreamOptions, sink: ChangeSink) {
    this.#sink = sink
    // The server drops what it knows of us on a flush position of zero, so the first status already has one.
    this.#received = this.#durable = options.startLsn
    this.#decoder = new PgoutputDecoder(sink)
    this.#timings = livenessTimings(options.walSenderTimeoutMs, options.patience.factor)
    this.#patience = options.patience
    this.#copy = new CopyBoth(
      client,
      startCommand(options),
      (buffer, start, end) => this.#payload(buffer, start, end),
      new ReadPacer(options.unixSocket),
      () => options.checkSlot(options.startLsn),
    )
    const watched = new Promise<void>((_, reject) => (this.#fail = reject))
    this.done = Promise.race([this.#copy.done, watched]).catch((error: unknown) => {
      throw error instanceof BadBytes ? this.#broken(`byte ${error.at} of the stream, ${error.message}`) : error
    })
    this.done.catch(() => undefined)
    this.#timer = setInterval(() => setImmediate(() => this.#watch()), Math.min(1_000, this.#timings.statusEveryMs))
  }

  /** Newest position known to have arrived whole: an end of a transaction, or a keepalive between two. */
  get received(): Lsn {
    return this.#received
  }

  /** Resolves when the server has accepted to stream. */
  get started(): Promise<void> {
    return this.#copy.started
  }

  get bytesRead(): number {
    return this.#copy.bytesRead
  }

  /** True while it waits until more may be taken in. */
  get paused(): boolean {
    return this.#copy.paused
  }

  /** Silence after which the link counts as dead. */
  get deadAfterMs(): number {
    return this.#timings.deadAfterMs
  }

  /** What was last told to the server as flushed. */
  get acked(): Lsn {
    return this.#status.flushed
  }

  get inTransaction(): boolean {
    return this.#decoder.inTransaction
  }

  /** Acknowledges everything up to `durable`. */
  acknowledge(durable: Lsn): void {
    this.#durable = maxLsn(this.#durable, durable)
    this.#sendStatus(false)
  }

  /** The server answers with a keepalive: where it is, which an idle one seldom says unasked. */
  ask(): void {
    this.#sendStatus(true)
  }

  /** Last status, CopyDone, and the connection is gone. */
  async close(timeoutMs: number): Promise<void> {
    clearInterval(this.#timer)
    this.#sendStatus(false)
    await this.#copy.close(timeoutMs)
  }

  destroy(): void {
    clearInterval(this.#timer)
    this.#copy.destroy()
  }

  #payload(buffer: Buffer, start: number, end: number): Pause {
    switch (start < end ? buffer[start] : undefined) {
      case 0x77: // w: XLogData
        return this.#decoder.decode(buffer, start + XLOG_DATA_HEAD_BYTES, end, start + 1)
      case 0x6b: // k: primary keepalive
        if (end - start !== KEEPALIVE_BYTES) throw this.#broken(`keepalive of ${end - start} bytes`)
        return this.#keepalive(buffer.readBigUInt64BE(start + 1), buffer[start + 17] === 1)
      default:
        throw this.#broken(start < end ? `byte 0, unknown message 0x${buffer[start]!.toString(16)}` : 'empty message')
    }
  }

  /** No message that could be placed in a transaction. */
  #broken(problem: string): Failure {
    return new Failure('protocol', `replication stream: ${problem}, after ${formatLsn(this.#received)}`)
  }

  #keepalive(position: Lsn, replyRequested: boolean): Pause {
    const between = !this.#decoder.inTransaction
    if (between) this.#received = maxLsn(this.#received, position)
    const pause = between ? this.#sink.keepalive(position, replyRequested) : undefined
    if (replyRequested) this.#sendStatus(false)
    return pause
  }

  /** Called by the sink's owner when a transaction has arrived whole. */
  noteReceived(endLsn: Lsn): void {
    this.#received = maxLsn(this.#received, endLsn)
  }

  #sendStatus(requestReply: boolean): void {
    this.#lastStatusMs = performance.now()
    this.#copy.send(this.#status.encode(this.#received, this.#durable, requestReply, Date.now()))
  }

  #watch(): void {
    const now = performance.now()
    if (this.#copy.bytesRead !== this.#bytesAtLastLook || this.#copy.paused) {
      this.#bytesAtLastLook = this.#copy.bytesRead
      this.#lastHeardMs = now
    }
    const verdict = judgeSilence(now - this.#lastHeardMs, !this.#copy.paused, this.#timings)
    if (verdict === 'dead') {
      this.#patience.gaveUp()
      this.#fail(linkFailure(`nothing came from the server for ${Math.round((now - this.#lastHeardMs) / 1000)} s`))
      this.#copy.destroy()
    } else if (verdict === 'ask' || now - this.#lastStatusMs >= this.#timings.statusEveryMs)
      this.#sendStatus(verdict === 'ask')
  }
}

function startCommand(options: StreamOptions): string {
  // The list of publications is parsed as identifiers, so an unquoted name would be folded to lower case.
  const publication = `"${options.publication.replaceAll('"', '""')}"`.replaceAll("'", "''")
  const binary = options.binary ? ", binary 'true'" : ''
  return `START_REPLICATION SLOT "${options.slot}" LOGICAL ${formatLsn(options.startLsn)} (proto_version '1', publication_names '${publication}'${binary})`
}
