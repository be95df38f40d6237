// A connection's socket, taken over from the driver once it is authenticated and idle: cuts what the server sends into protocol
// messages (https://www.postgresql.org/docs/current/protocol-message-formats.html), ranges of one receive buffer. Reads only as
// fast as they are taken: what is not read waits in the server.
import type { Socket } from 'node:net'
import type pg from 'pg'
import { BadBytes } from '../model/bad-bytes.js'
import type { Pause } from '../model/change-sink.js'
import { asFailure, type Failure } from '../model/failure.js'
import { noteYoungGarbage, releaseMemory } from '../model/native-memory.js'
import { linkFailure } from './connection.js'

const INITIAL_BUFFER_BYTES = 256 * 1024
/** A buffer that one large row made bigger than this is given back once it is empty. */
const KEEP_BUFFER_BYTES = 4 * 1024 * 1024
/** More than one read of a socket brings. */
const READ_BYTES = 64 * 1024
/** The server builds no message larger than this (MaxAllocSize); a length beyond it is no length. */
const LONGEST_MESSAGE = 0x3fff_ffff + 5
const SOCKET_EVENTS = ['data', 'error', 'close', 'end', 'drain', 'readable'] as const

const tag = (letter: string): number => letter.charCodeAt(0)
/** Kinds of the server's messages. */
export const COPY_BOTH = tag('W')
export const COPY_OUT = tag('H')
export const COPY_DATA = tag('d')
export const COPY_DONE = tag('c')
export const COMMAND_COMPLETE = tag('C')
export const ERROR = tag('E')
export const NOTICE = tag('N')
export const PARAMETER_STATUS = tag('S')
export const READY = tag('Z')

/** Takes one CopyData payload, `buffer[start, end)`, valid only during the call. */
export type PayloadHandler = (buffer: Buffer, start: number, end: number) => Pause

export interface MessageHandler {
  /** Takes one message: its kind, and its content `buffer[start, end)`, valid only during the call. */
  readonly message: (kind: number, buffer: Buffer, start: number, end: number) => Pause
  /** Called after each read whose messages were taken, with its bytes. */
  readonly taken?: (bytes: number) => void
  /** Called once, when the link broke or a message was not accepted: the socket is destroyed. */
  readonly failed: (failure: Failure) => void
}

export class MessageSocket {
  readonly socket: Socket
  readonly #handler: MessageHandler
  readonly #drivers: ReadonlyMap<string, readonly ((...args: unknown[]) => void)[]>
  #buffer: Buffer = Buffer.allocUnsafeSlow(INITIAL_BUFFER_BYTES)
  #from = 0
  #to = 0
  #waiting = false
  #ended = false
  /** Bytes read from the socket since it was taken over. */
  bytesRead = 0

  /** Sends `first`, a whole message, and reads from then on. `link`: what the connection is called in failures. */
  constructor(client: pg.Client, link: string, first: Buffer, handler: MessageHandler) {
    this.socket = (client as unknown as { connection: { stream: Socket } }).connection.stream
    this.#handler = handler
    this.socket.pause()
    this.#drivers = takeListeners(this.socket)
    this.socket.on('data', (chunk: Buffer) => this.#take(chunk))
    this.socket.on('error', (error) => this.#fail(linkFailure(`${link} broke: ${error.message}`, error)))
    this.socket.on('close', () => this.#fail(linkFailure(`the server closed ${link}`)))
    // One that has died before says nothing any more.
    if (this.socket.destroyed) queueMicrotask(() => this.#fail(linkFailure(`${link} is gone`)))
    else this.socket.write(first)
    this.socket.resume()
  }

  /** True while a message is being waited for, so that silence of the server proves nothing. */
  get paused(): boolean {
    return this.#waiting
  }

  /** True once nothing is taken any more. */
  get ended(): boolean {
    return this.#ended
  }

  /** Takes no further message. */
  end(): void {
    this.#ended = true
  }

  /** Gives the socket back to the driver, between two commands: nothing may be left in the buffer. */
  giveBack(): void {
    this.#ended = true
    for (const event of SOCKET_EVENTS) this.socket.removeAllListeners(event)
    for (const [event, listeners] of this.#drivers) for (const listener of listeners) this.socket.on(event, listener)
    this.socket.resume()
  }

  /** `at`: where the message begins in the buffer. It is told as a byte of all that came: what is behind it is gone. */
  badMessage(kind: number, at: number, problem: string): Failure {
    const name = `message 0x${kind.toString(16).padStart(2, '0')} from the server`
    return new BadBytes(this.bytesRead - (this.#to - at), `${name}: ${problem}`)
  }

  #take(chunk: Buffer): void {
    try {
      this.#reserve(chunk.length)
    } catch (error) {
      this.#fail(asFailure(error))
      return
    }
    chunk.copy(this.#buffer, this.#to)
    this.#to += chunk.length
    this.bytesRead += chunk.length
    noteYoungGarbage(chunk.length)
    if (this.#waiting) return
    this.#drain()
    if (!this.paused && !this.#ended) this.#handler.taken?.(chunk.length)
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
      throw this.badMessage(this.#buffer[this.#from]!, this.#from, `${bytes} bytes are no length`)
    return bytes
  }

  #drain(): void {
    try {
      while (!this.#ended && this.#to - this.#from >= 5) {
        const at = this.#from
        const end = at + this.#messageBytes()
        if (end > this.#to) return
        this.#from = end
        const pause = this.#handler.message(this.#buffer[at]!, this.#buffer, at + 5, end)
        this.#shrink()
        if (pause !== undefined) {
          this.#waitFor(pause)
          return
        }
      }
    } catch (error) {
      this.#fail(asFailure(error))
    }
  }

  #waitFor(pause: Promise<void>): void {
    this.#waiting = true
    this.socket.pause()
    pause.then(
      () => {
        this.#waiting = false
        if (this.#ended) return
        this.#drain()
        if (!this.paused) this.socket.resume()
      },
      (error: unknown) => {
        this.#waiting = false
        this.#fail(asFailure(error))
      },
    )
  }

  #fail(failure: Failure): void {
    if (this.#ended) return
    this.#ended = true
    this.socket.destroy()
    this.#handler.failed(failure)
  }
}

/** Takes the driver's listeners off the socket. */
function takeListeners(socket: Socket): ReadonlyMap<string, readonly ((...args: unknown[]) => void)[]> {
  const taken = new Map<string, readonly ((...args: unknown[]) => void)[]>()
  for (const event of SOCKET_EVENTS) {
    taken.set(event, socket.listeners(event) as ((...args: unknown[]) => void)[])
    socket.removeAllListeners(event)
  }
  return taken
}

/** A message of the frontend. */
export function message(kind: string, payload: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(5 + payload.length)
  bytes.write(kind, 0, 'latin1')
  bytes.writeUInt32BE(4 + payload.length, 1)
  payload.copy(bytes, 5)
  return bytes
}

/** A simple query. */
export function query(command: string): Buffer {
  return message('Q', Buffer.from(`${command}\0`))
}

/** Fields of an ErrorResponse by their letter (https://www.postgresql.org/docs/current/protocol-error-fields.html). */
export function errorFields(buffer: Buffer, start: number, end: number): ReadonlyMap<string, string> {
  const fields = new Map<string, string>()
  for (let at = start; at < end && buffer[at] !== 0;) {
    const stop = buffer.indexOf(0, at + 1)
    if (stop < 0 || stop >= end) break
    fields.set(String.fromCharCode(buffer[at]!), buffer.toString('utf8', at + 1, stop))
    at = stop + 1
  }
  return fields
}
