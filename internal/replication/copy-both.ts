// The wire under a replication stream: START_REPLICATION on a connection of its own, CopyData payloads in and out, and the end
// in order.
import type pg from 'pg'
import { Failure } from '../model/failure.js'
import type { Pause } from '../model/change-sink.js'
import { linkFailure } from './connection.js'
import {
  COMMAND_COMPLETE,
  COPY_BOTH,
  COPY_DATA,
  COPY_DONE,
  ERROR,
  errorFields,
  message,
  MessageSocket,
  NOTICE,
  PARAMETER_STATUS,
  query,
  READY,
  type PayloadHandler,
} from './message-socket.js'
import type { ReadPacer } from './read-pacer.js'

export class CopyBoth {
  readonly #link: MessageSocket
  readonly #handle: PayloadHandler
  readonly #pacer: ReadPacer
  readonly #admit: () => Pause
  #copying = false
  #turnBytes = 0
  #begun: () => void = () => undefined
  #settle!: { resolve: () => void; reject: (error: Failure) => void }
  /** Resolves when the server has accepted the command and was admitted. */
  readonly started = new Promise<void>((resolve) => (this.#begun = resolve))
  /** Resolves when the server has ended the stream, rejects when the link broke or a payload was not accepted. */
  readonly done: Promise<void>

  /**
   * Sends START_REPLICATION on a connection that is authenticated and idle; the connection is this object's from then on.
   * `admit` is called when the server has accepted the command, before any payload is taken.
   */
  constructor(client: pg.Client, command: string, handle: PayloadHandler, pacer: ReadPacer, admit?: () => Pause) {
    this.#handle = handle
    this.#pacer = pacer
    this.#admit = admit ?? (() => undefined)
    this.done = new Promise((resolve, reject) => (this.#settle = { resolve, reject }))
    this.done.catch(() => undefined) // whoever waits for it is told; nobody waiting must not end the process
    this.#link = new MessageSocket(client, 'the replication connection', query(command), {
      message: (kind, buffer, start, end) => this.#message(kind, buffer, start, end),
      taken: (bytes) => this.#pace(bytes),
      failed: (failure) => this.#settle.reject(failure),
    })
  }

  /** Bytes read from the socket since the start. */
  get bytesRead(): number {
    return this.#link.bytesRead
  }

  /** True while a payload is being waited for, so that silence of the server proves nothing. */
  get paused(): boolean {
    return this.#link.paused
  }

  /** Sends one CopyData message. */
  send(payload: Buffer): void {
    const { socket, ended } = this.#link
    if (!ended && socket.writable) socket.write(message('d', payload))
  }

  /** Ends the stream in order: everything sent before arrives first. Resolves when the socket is closed. */
  async close(timeoutMs: number): Promise<void> {
    const { socket } = this.#link
    this.#link.end()
    this.#settle.resolve()
    socket.removeAllListeners('data')
    socket.resume()
    if (socket.destroyed) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => socket.destroy(), timeoutMs)
      socket.once('close', () => {
        clearTimeout(timer)
        resolve()
      })
      socket.write(message('c', Buffer.alloc(0)))
      socket.end(message('X', Buffer.alloc(0)))
    })
  }

  destroy(): void {
    this.#link.end()
    this.#settle.resolve()
    this.#link.socket.destroy()
  }

  /**
   * Lets small packets pile up in the kernel for a moment instead of waking up for each. Judged once a turn of the event
   * loop: under TLS one read of the socket comes as many chunks, one for each record, and the server sends one a change.
   */
  #pace(bytes: number): void {
    this.#turnBytes += bytes
    if (this.#turnBytes > bytes) return
    setImmediate(() => {
      const delayMs = this.#pacer.delayAfter(this.#turnBytes)
      this.#turnBytes = 0
      if (delayMs === 0 || this.paused || this.#link.ended) return
      this.#link.socket.pause()
      setTimeout(() => {
        if (!this.paused) this.#link.socket.resume()
      }, delayMs)
    })
  }

  #message(kind: number, buffer: Buffer, start: number, end: number): Pause {
    switch (kind) {
      case COPY_DATA:
        return this.#handle(buffer, start, end)
      case COPY_BOTH:
        this.#copying = true
        return this.#admitted()
      case ERROR:
        throw serverFailure(buffer, start, end, this.#copying)
      case COPY_DONE:
        throw linkFailure('the server ended the replication stream')
      case NOTICE:
      case PARAMETER_STATUS:
      case COMMAND_COMPLETE:
      case READY:
        return undefined
      default:
        throw this.#link.badMessage(kind, start - 5, 'no message of a replication stream')
    }
  }

  #admitted(): Pause {
    const pause = this.#admit()
    if (pause === undefined) this.#begun()
    return pause?.then(this.#begun)
  }
}

/** An ErrorResponse as a failure (https://www.postgresql.org/docs/current/protocol-error-fields.html). */
function serverFailure(buffer: Buffer, start: number, end: number, copying: boolean): Failure {
  const fields = errorFields(buffer, start, end)
  const code = fields.get('C') ?? ''
  // Of a row filter that fails on a row, what the server says may quote a value.
  const said = copying && code.startsWith('22') ? 'an error in a row; its log says which' : fields.get('M')
  const text = `${said ?? 'no message'} (SQLSTATE ${code})`
  if (code === '55006') return new Failure('slot_busy', `another connection holds the slot: ${text}`)
  if (code === '57P01' || code === '57P02' || code === '57P03' || code.startsWith('08') || code === '53300')
    return linkFailure(`the server ended the replication stream: ${text}`)
  if (/requested WAL segment .* has already been removed|can no longer (get changes|be accessed)/i.test(text))
    return new Failure('unsafe', `the slot is lost, its WAL is gone: ${text}`)
  // A type whose binary form the server finds out while it sends that it does not have: of an array, within a row.
  if (copying && code === '42883') return new Failure('needs_text', `the server has a type only in text: ${text}`)
  // Before the stream runs, what the server says of the command itself will not pass: syntax, names, rights, the slot's state.
  const final = !copying && /^(0A|22|42|55)/.test(code)
  return new Failure(final ? 'unsafe' : 'link', `the server refused the replication stream: ${text}`)
}
