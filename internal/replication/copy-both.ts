// The wire under a replication stream: takes the socket over from the driver once it is authenticated, cuts it into
// protocol messages (https://www.postgresql.org/docs/current/protocol-message-formats.html) and hands CopyData payloads on
// as ranges of one receive buffer. Reads only as fast as the payloads are taken: what is not read waits in the server.
import type { Socket } from 'node:net'
import type pg from 'pg'
import { BadBytes } from '../model/bad-bytes.js'
import { asFailure, Failure } from '../model/failure.js'
import { noteYoungGarbage, releaseMemory } from '../model/native-memory.js'
import type { Pause } from '../model/change-sink.js'
import { linkFailure } from './connection.js'
import type { ReadPacer } from './read-pacer.js'

const INITIAL_BUFFER_BYTES = 256 * 1024
/** A buffer that one large row made bigger than this is given back once it is empty. */
const KEEP_BUFFER_BYTES = 4 * 1024 * 1024
/** More than one read of a socket brings. */
const READ_BYTES = 64 * 1024
/** The server builds no message larger than this (MaxAllocSize); a length beyond it is no length. */
const LONGEST_MESSAGE = 0x3fff_ffff + 5

const tag = (letter: string): number => letter.charCodeAt(0)
const COPY_BOTH = tag('W')
const COPY_DATA = tag('d')
const COPY_DONE = tag('c')
const COMMAND_COMPLETE = tag('C')
const ERROR = tag('E')
const NOTICE = tag('N')
const PARAMETER_STATUS = tag('S')
const READY = tag('Z')

/** Takes one CopyData payload, `buffer[start, end)`, valid only during the call. */
export type PayloadHandler = (buffer: Buffer, start: number, end: number) => Pause

export class CopyBoth {
  readonly #socket: Socket
  readonly #handle: PayloadHandler
  readonly #pacer: ReadPacer
  readonly #admit: () => Pause
  #buffer: Buffer = Buffer.allocUnsafeSlow(INITIAL_BUFFER_BYTES)
  #from = 0
  #to = 0
  #waiting = false
  #ended = false
  #copying = false
  #turnBytes = 0
  #begun: () => void = () => undefined
  #settle!: { resolve: () => void; reject: (error: Failure) => void }
  /** Resolves when the server has accepted the command and was admitted. */
  readonly started = new Promise<void>((resolve) => (this.#begun = resolve))
  /** Resolves when the server has ended the stream, rejects when the link broke or a payload was not accepted. */
  readonly done: Promise<void>
  /** Bytes read from the socket since the start. */
  bytesRead = 0

  /**
   * Sends START_REPLICATION on a connection that is authenticated and idle; the connection is this object's from then on.
   * `admit` is called when the server has accepted the command, before any payload is taken.
   */
  constructor(client: pg.Client, command: string, handle: PayloadHandler, pacer: ReadPacer, admit?: () => Pause) {
    this.#socket = takeSocket(client)
    this.#handle = handle
    this.#pacer = pacer
    this.#admit = admit ?? (() => undefined)
    this.done = new Promise((resolve, reject) => (this.#settle = { resolve, reject }))
    this.done.catch(() => undefined) // whoever waits for it is told; nobody waiting must not end the process
    this.#socket.on('data', (chunk: Buffer) => this.#take(chunk))
    this.#socket.on('error', (error) =>
      this.#fail(linkFailure(`the replication connection broke: ${error.message}`, error)),
    )
    this.#socket.on('close', () => this.#fail(linkFailure('the server closed the replication connection')))
    // One that has died before says nothing any more.
    if (this.#socket.destroyed) queueMicrotask(() => this.#fail(linkFailure('the replication connection is gone')))
    else this.#socket.write(message('Q', Buffer.from(`${command}\0`)))
    this.#socket.resume()
  }

  /** True while a payload is being waited for, so that silence of the server proves nothing. */
  get paused(): boolean {
    return this.#waiting
  }

  /** Sends one CopyData message. */
  send(payload: Buffer): void {
    if (!this.#ended && this.#socket.writable) this.#socket.write(message('d', payload))
  }

  /** Ends the stream in order: everything sent before arrives first. Resolves when the socket is closed. */
  async close(timeoutMs: number): Promise<void> {
    this.#ended = true
    this.#settle.resolve()
    this.#socket.removeAllListeners('data')
    this.#socket.resume()
    if (this.#socket.destroyed) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => this.#socket.destroy(), timeoutMs)
      this.#socket.once('close', () => {
        clearTimeout(timer)
        resolve()
      })
      this.#socket.write(message('c', Buffer.alloc(0)))
      this.#socket.end(message('X', Buffer.alloc(0)))
    })
  }

  destroy(): void {
    this.#ended = true
    this.#settle.resolve()
    this.#socket.destroy()
  }

  #take(chunk: Buffer): void {
    try {
      this.#reserve(chunk.length)
    } catch (error) {
      this.#failWith(error)
      return
    }
    chunk.copy(this.#buffer, this.#to)
    this.#to += chunk.length
    this.bytesRead += chunk.length
    noteYoungGarbage(chunk.length)
    if (this.#waiting) return
    this.#drain()
    if (!this.paused && !this.#ended) this.#pace(chunk.length)
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
      if (delayMs === 0 || this.#waiting || this.#ended) return
      this.#socket.pause()
      setTimeout(() => {
        if (!this.#waiting) this.#socket.resume()
      }, delayMs)
    })
  }

  /** Room for `bytes` more behind what is there. */
  #reserve(bytes: number): void {
    if (this.#from === this.#to) this.#from = this.#to = 0
    if (this.#to + bytes <= this.#buffer.length) return
    const held = this.#to - this.#from
    if (held + bytes > this.#buffer.length) {
      // A huge row is held as it is, and no more: with room for what one read brings of the message behind it.
      const needed = Math.max(held + bytes, this.#expected() + READ_BYTES)
      this.#moveTo(Buffer.allocUnsafeSlow(Math.max(needed, Math.min(this.#buffer.length * 2, KEEP_BUFFER_BYTES))))
    } else this.#moveTo(this.#buffer)
  }

  /** Gives a buffer back that a huge row has made large, as soon as that row is taken. */
  #shrink(): void {
    const held = this.#to - this.#from
    if (this.#buffer.length <= KEEP_BUFFER_BYTES || held > INITIAL_BUFFER_BYTES) return
    this.#moveTo(Buffer.allocUnsafeSlow(INITIAL_BUFFER_BYTES))
  }

  #moveTo(target: Buffer): void {
    const old = this.#buffer
    old.copy(target, 0, this.#from, this.#to)
    this.#to -= this.#from
    this.#from = 0
    this.#buffer = target
    if (target !== old && old.length > KEEP_BUFFER_BYTES) releaseMemory(old)
  }

  /** Whole length of the message that has begun to arrive, where its length is known. */
  #expected(): number {
    return this.#to - this.#from < 5 ? 0 : this.#messageBytes()
  }

  /** Whole length of the message that begins at `#from`. */
  #messageBytes(): number {
    const bytes = 1 + this.#buffer.readUInt32BE(this.#from + 1)
    if (bytes < 5 || bytes > LONGEST_MESSAGE)
      throw this.#badMessage(this.#buffer[this.#from]!, this.#from, `${bytes} bytes are no length`)
    return bytes
  }

  #drain(): void {
    try {
      while (!this.#ended && this.#to - this.#from >= 5) {
        const at = this.#from
        const end = at + this.#messageBytes()
        if (end > this.#to) return
        this.#from = end
        const pause = this.#message(this.#buffer[at]!, at + 5, end)
        this.#shrink()
        if (pause !== undefined) {
          this.#waitFor(pause)
          return
        }
      }
    } catch (error) {
      this.#failWith(error)
    }
  }

  #waitFor(pause: Promise<void>): void {
    this.#waiting = true
    this.#socket.pause()
    pause.then(
      () => {
        this.#waiting = false
        if (this.#ended) return
        this.#drain()
        if (!this.paused) this.#socket.resume()
      },
      (error: unknown) => {
        this.#waiting = false
        this.#failWith(error)
      },
    )
  }

  #message(kind: number, start: number, end: number): Pause {
    switch (kind) {
      case COPY_DATA:
        return this.#handle(this.#buffer, start, end)
      case COPY_BOTH:
        this.#copying = true
        return this.#admitted()
      case ERROR:
        throw serverFailure(this.#buffer, start, end, this.#copying)
      case COPY_DONE:
        this.#ended = true
        this.#settle.reject(linkFailure('the server ended the replication stream'))
        return undefined
      case NOTICE:
      case PARAMETER_STATUS:
      case COMMAND_COMPLETE:
      case READY:
        return undefined
      default:
        throw this.#badMessage(kind, start - 5, 'no message of a replication stream')
    }
  }

  /** `at`: where the message begins in the buffer. It is told as a byte of the whole stream: what is behind it is gone. */
  #badMessage(kind: number, at: number, problem: string): Failure {
    const name = `message 0x${kind.toString(16).padStart(2, '0')} from the server`
    return new BadBytes(this.bytesRead - (this.#to - at), `${name}: ${problem}`)
  }

  #admitted(): Pause {
    const pause = this.#admit()
    if (pause === undefined) this.#begun()
    return pause?.then(this.#begun)
  }

  #failWith(error: unknown): void {
    this.#fail(asFailure(error))
  }

  #fail(failure: Failure): void {
    if (this.#ended) return
    this.#ended = true
    this.#socket.destroy()
    this.#settle.reject(failure)
  }
}

/** The driver's socket, with the driver's listeners off it. */
function takeSocket(client: pg.Client): Socket {
  const { stream } = (client as unknown as { connection: { stream: Socket } }).connection
  stream.pause()
  for (const event of ['data', 'error', 'close', 'end', 'drain', 'readable']) stream.removeAllListeners(event)
  return stream
}

function message(kind: string, payload: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(5 + payload.length)
  bytes.write(kind, 0, 'latin1')
  bytes.writeUInt32BE(4 + payload.length, 1)
  payload.copy(bytes, 5)
  return bytes
}

/** An ErrorResponse as a failure (https://www.postgresql.org/docs/current/protocol-error-fields.html). */
function serverFailure(buffer: Buffer, start: number, end: number, copying: boolean): Failure {
  const fields = new Map<string, string>()
  for (let at = start; at < end && buffer[at] !== 0;) {
    const stop = buffer.indexOf(0, at + 1)
    if (stop < 0 || stop >= end) break
    fields.set(String.fromCharCode(buffer[at]!), buffer.toString('utf8', at + 1, stop))
    at = stop + 1
  }
  const code = fields.get('C') ?? ''
  const text = `${fields.get('M') ?? 'no message'} (SQLSTATE ${code})`
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
