// A TCP proxy on loopback between the program and any server (PostgreSQL, S3), with the faults of a network on demand: cut,
// refused, dark, slow, late. Knows nothing of what it carries.
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { eventually } from './eventually.js'
import { goodConditions, ProxyPipe, reset, type Conditions, type Darkness } from './proxy-pipe.js'

export type Direction = 'toServer' | 'toClient'

const both: readonly Direction[] = ['toServer', 'toClient']

/** What happens on the way: of a TcpProxy to every link, open or to come; of a ProxyLink to that one. */
abstract class Network {
  protected abstract change(directions: readonly Direction[], change: Partial<Conditions>): void

  /** Nothing passes in these directions and nothing is closed; a new connection is taken, and then hears nothing. */
  dark(directions: readonly Direction[] = both, kind: Darkness = 'hold'): void {
    this.change(directions, { darkness: kind })
  }

  /** Ends the darkness in every direction. */
  light(): void {
    this.change(both, { darkness: undefined })
  }

  /** At most so many bytes a second pass, and the sender feels it; undefined: as many as there are. */
  throttle(bytesPerSecond: number | undefined, directions: readonly Direction[] = both): void {
    this.change(directions, { bytesPerSecond })
  }

  /** What is sent from now on arrives so much later, in each direction, at the same rate. */
  delay(delayMs: number): void {
    this.change(both, { delayMs })
  }
}

export interface Target {
  readonly host: string
  readonly port: number
}

export class TcpProxy extends Network {
  /** Accepted so far. */
  connections = 0
  readonly host = '127.0.0.1'
  readonly #target: Target
  readonly #links = new Set<ProxyLink>()
  readonly #conditions = { toServer: goodConditions, toClient: goodConditions }
  readonly #bytesOfClosed = { toServer: 0, toClient: 0 }
  #server: Server | undefined
  #port = 0

  private constructor(target: Target) {
    super()
    this.#target = target
  }

  /** `target`: a host and a port, or a URL with both. Ends with the test. */
  static async start(t: TestContext, target: Target | string): Promise<TcpProxy> {
    const { hostname, port } = new URL(typeof target === 'string' ? target : `tcp://${target.host}:${target.port}`)
    const proxy = new TcpProxy({ host: hostname, port: Number(port) })
    await proxy.accept()
    t.after(() => proxy.stop())
    return proxy
  }

  get port(): number {
    return this.#port
  }

  /** The same URL by way of the proxy. */
  through(url: string): string {
    const changed = new URL(url)
    changed.hostname = this.host
    changed.port = String(this.port)
    return changed.href
  }

  /** That are open, the oldest first. */
  get links(): readonly ProxyLink[] {
    return [...this.#links]
  }

  /** Given on so far, all links together. */
  get bytes(): Readonly<Record<Direction, number>> {
    const sum = (direction: Direction): number =>
      this.links.reduce((bytes, link) => bytes + link.bytes[direction], this.#bytesOfClosed[direction])
    return { toServer: sum('toServer'), toClient: sum('toClient') }
  }

  /** Closes open links, all or those that match, as ProxyLink.cut() does. Returns how many. */
  cut(how: 'reset' | 'end' = 'reset', which: (link: ProxyLink) => boolean = () => true): number {
    const chosen = this.links.filter(which)
    for (const link of chosen) link.cut(how)
    return chosen.length
  }

  /** New connections meet a closed port; open links stay. */
  refuse(): void {
    this.#server?.close()
    this.#server = undefined
  }

  /** Takes new connections again, on the same port. */
  async accept(): Promise<void> {
    // Meanwhile another process may have the port for a moment, as the near end of a connection of its own.
    this.#server ??= await eventually(() => this.#listen())
    this.#port = (this.#server.address() as AddressInfo).port
  }

  stop(): void {
    this.refuse()
    this.cut()
  }

  protected change(directions: readonly Direction[], change: Partial<Conditions>): void {
    for (const direction of directions) this.#conditions[direction] = { ...this.#conditions[direction], ...change }
    for (const link of this.links) link.change(directions, change)
  }

  async #listen(): Promise<Server> {
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (client) => {
      this.connections++
      const link = new ProxyLink(client, this.#target, this.#conditions, () => {
        this.#links.delete(link)
        for (const direction of both) this.#bytesOfClosed[direction] += link.bytes[direction]
      })
      this.#links.add(link)
    })
    server.listen(this.#port, this.host)
    await once(server, 'listening')
    return server
  }
}

/** A client's connection and the one that was made to the server for it. */
export class ProxyLink extends Network {
  readonly #pipes: Readonly<Record<Direction, ProxyPipe>>
  readonly #sockets: readonly Socket[]

  /** Made by the proxy. */
  constructor(client: Socket, target: Target, conditions: Record<Direction, Conditions>, onClosed: () => void) {
    super()
    const server = connect({ ...target, allowHalfOpen: true, noDelay: true })
    this.#pipes = {
      toServer: new ProxyPipe(client, server, conditions.toServer),
      toClient: new ProxyPipe(server, client, conditions.toClient),
    }
    this.#sockets = [client, server]
    let open = this.#sockets.length
    for (const socket of this.#sockets)
      socket.once('close', () => {
        if (--open === 0) onClosed()
      })
  }

  /** Given on so far. */
  get bytes(): Readonly<Record<Direction, number>> {
    return { toServer: this.#pipes.toServer.bytes, toClient: this.#pipes.toClient.bytes }
  }

  /** What the client has said first, as Latin-1: tells one kind of connection from another. */
  get opening(): string {
    return this.#pipes.toServer.opening
  }

  /** Closes both ends: with a reset, or in order, behind what has been given on. */
  cut(how: 'reset' | 'end' = 'reset'): void {
    for (const direction of both) this.#pipes[direction].stop()
    for (const socket of this.#sockets) {
      if (how === 'reset') reset(socket)
      else socket.end(() => socket.destroy())
    }
  }

  /** The client's end is reset; the server is told nothing, and hears nothing more. As when a router forgets a connection. */
  forget(): void {
    this.dark()
    reset(this.#sockets[0]!)
  }

  /** For TcpProxy. */
  change(directions: readonly Direction[], change: Partial<Conditions>): void {
    for (const direction of directions) this.#pipes[direction].change(change)
    const lost = both.some((direction) => {
      const { lossy, conditions } = this.#pipes[direction]
      return lossy && conditions.darkness === undefined
    })
    if (lost) this.cut('reset')
  }
}
