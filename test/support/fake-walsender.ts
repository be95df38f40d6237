// The server's side of a replication connection on a real loopback socket, for tests that decide every byte of it: reads
// what the client sends as protocol messages, and sends what it is told to.
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import type pg from 'pg'
import { cString, int16, int32, int8, letter, primaryKeepalive, xlogData } from './pgoutput-messages.js'

export interface ClientMessage {
  readonly kind: string
  readonly payload: Buffer
}

/** What the client has said of its positions. */
export interface Status {
  readonly received: bigint
  readonly flushed: bigint
  readonly applied: bigint
  /** Microseconds since 1970. */
  readonly clockMicros: bigint
  readonly replyRequested: boolean
}

const POSTGRES_EPOCH = BigInt(Date.UTC(2000, 0, 1)) * 1000n

export class FakeWalsender {
  readonly #server: Server
  readonly #links: WalsenderLink[] = []

  private constructor(server: Server) {
    this.#server = server
  }

  static async listen(): Promise<FakeWalsender> {
    const server = createServer({ pauseOnConnect: false, noDelay: true })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new FakeWalsender(server)
  }

  /** A connection that is authenticated and idle, from both sides. */
  async connect(): Promise<{ client: pg.Client; socket: Socket; link: WalsenderLink }> {
    const accepted = once(this.#server, 'connection')
    const socket = connect((this.#server.address() as AddressInfo).port, '127.0.0.1')
    socket.setNoDelay(true)
    const [serverSide] = (await accepted) as [Socket]
    await once(socket, 'connect')
    const link = new WalsenderLink(serverSide)
    this.#links.push(link)
    return { client: { connection: { stream: socket } } as unknown as pg.Client, socket, link }
  }

  close(): void {
    for (const link of this.#links) link.socket.destroy()
    this.#server.close()
  }
}

export class WalsenderLink {
  readonly socket: Socket
  readonly messages: ClientMessage[] = []
  /** The client has ended its side. */
  ended = false
  #pending = Buffer.alloc(0)
  #waiting: (() => void)[] = []

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (chunk) => this.#take(chunk))
    socket.on('end', () => {
      this.ended = true
      this.#wake()
    })
    socket.on('error', () => undefined)
  }

  write(bytes: Buffer): void {
    this.socket.write(bytes)
  }

  send(kind: string, payload: Buffer): void {
    this.write(serverMessage(kind, payload))
  }

  copyBoth(): void {
    this.send('W', Buffer.concat([int8(0), int16(0)]))
  }

  copyData(payload: Buffer): void {
    this.send('d', payload)
  }

  xlog(message: Buffer): void {
    this.copyData(xlogData(0n, message))
  }

  keepalive(position: bigint, replyRequested: boolean): void {
    this.copyData(primaryKeepalive(position, replyRequested))
  }

  error(sqlState: string, message: string): void {
    this.send('E', errorFields(sqlState, message))
  }

  /** Waits until the client has sent a message for which `wanted` holds, and takes out all up to it. */
  async next(wanted: (message: ClientMessage) => boolean): Promise<ClientMessage> {
    for (;;) {
      const at = this.messages.findIndex(wanted)
      if (at >= 0) return this.messages.splice(0, at + 1).at(-1)!
      if (this.ended) throw new Error('the client has ended the connection')
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
  }

  async nextStatus(wanted: (status: Status) => boolean = () => true): Promise<Status> {
    const message = await this.next(
      ({ kind, payload }) => kind === 'd' && payload[0] === 0x72 && wanted(statusOf(payload)),
    )
    return statusOf(message.payload)
  }

  #take(chunk: Buffer): void {
    this.#pending = Buffer.concat([this.#pending, chunk])
    for (;;) {
      if (this.#pending.length < 5) break
      const end = 1 + this.#pending.readUInt32BE(1)
      if (this.#pending.length < end) break
      this.messages.push({ kind: this.#pending.toString('latin1', 0, 1), payload: this.#pending.subarray(5, end) })
      this.#pending = this.#pending.subarray(end)
    }
    this.#wake()
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}

export function serverMessage(kind: string, payload: Buffer): Buffer {
  return Buffer.concat([letter(kind), int32(payload.length + 4), payload])
}

export function errorFields(sqlState: string, message: string): Buffer {
  return Buffer.concat([cString('SFATAL'), cString(`C${sqlState}`), cString(`M${message}`), int8(0)])
}

export function statusOf(payload: Buffer): Status {
  return {
    received: payload.readBigUInt64BE(1),
    flushed: payload.readBigUInt64BE(9),
    applied: payload.readBigUInt64BE(17),
    clockMicros: payload.readBigInt64BE(25) + POSTGRES_EPOCH,
    replyRequested: payload[33] === 1,
  }
}
