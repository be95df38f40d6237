// One direction of a proxied connection: takes bytes from one socket, gives them to the other, under the conditions of a bad
// network. Holds so little itself that a slow reader is felt by the sender.
import type { Socket } from 'node:net'

/**
 * `hold`: what is sent waits, as behind a network that retransmits; with the light everything arrives, late. The sender is
 * stopped once the buffers of the kernel are full. `swallow`: what is sent is taken and thrown away, so the sender notices
 * nothing; a link that has lost bytes is reset when the light comes back. Neither lets an end know that the other has gone.
 */
export type Darkness = 'hold' | 'swallow'

export interface Conditions {
  readonly darkness: Darkness | undefined
  readonly bytesPerSecond: number | undefined
  readonly delayMs: number
}

export const goodConditions: Conditions = { darkness: undefined, bytesPerSecond: undefined, delayMs: 0 }

/** Most bytes taken and not yet given on; a link of long delay has more on its way. */
const HELD_BYTES = 64 * 1024
const HELD_BYTES_OF_DELAY = 4 * 1024 * 1024
/** A throttled pipe gives on what these many milliseconds allow, and then waits for as long. */
const SLICE_MS = 20
/** Of what the client says first. */
const OPENING_BYTES = 512

export class ProxyPipe {
  /** Given on so far. */
  bytes = 0
  /** Its first bytes. */
  opening = ''
  /** Bytes, or the end, were swallowed: what follows could not be understood. */
  lossy = false
  readonly #from: Socket
  readonly #to: Socket
  #conditions: Conditions
  readonly #queue: { what: Buffer | 'end' | 'reset'; dueMs: number }[] = []
  #heldBytes = 0
  #notBeforeMs = 0
  #running = false
  #stopped = false
  #wake: () => void = () => undefined

  constructor(from: Socket, to: Socket, conditions: Conditions) {
    this.#from = from
    this.#to = to
    this.#conditions = conditions
    from.on('data', (chunk) => this.#take(chunk))
    from.on('end', () => this.#take('end'))
    from.on('error', () => this.#take('reset'))
    to.on('drain', () => this.#wake())
    to.on('close', () => this.#wake())
    from.resume()
  }

  get conditions(): Conditions {
    return this.#conditions
  }

  change(change: Partial<Conditions>): void {
    this.#conditions = { ...this.#conditions, ...change }
    this.#wake()
    void this.#run()
  }

  /** Gives on nothing more. */
  stop(): void {
    this.#stopped = true
    this.#queue.length = 0
    this.#wake()
    // What is left unread would turn an orderly end into a reset.
    this.#from.resume()
  }

  #take(what: Buffer | 'end' | 'reset'): void {
    if (this.#stopped) return
    if (typeof what !== 'string') {
      if (this.opening.length < OPENING_BYTES) this.opening += what.toString('latin1', 0, OPENING_BYTES)
      this.#heldBytes += what.length
      if (this.#full) this.#from.pause()
    }
    this.#queue.push({ what, dueMs: performance.now() + this.#conditions.delayMs })
    void this.#run()
  }

  async #run(): Promise<void> {
    if (this.#running) return
    this.#running = true
    for (let next = this.#queue[0]; next !== undefined; next = this.#queue[0]) {
      const { darkness, bytesPerSecond } = this.#conditions
      if (darkness === 'hold') break
      const waitMs = Math.max(next.dueMs, bytesPerSecond === undefined ? 0 : this.#notBeforeMs) - performance.now()
      if (darkness === 'swallow') this.#swallow()
      else if (waitMs > 0) await this.#woken(waitMs)
      else if (this.#to.writableNeedDrain && !this.#to.destroyed) await this.#woken()
      else this.#give(next.what, bytesPerSecond)
    }
    this.#running = false
  }

  #give(what: Buffer | 'end' | 'reset', bytesPerSecond = Infinity): void {
    const next = this.#queue.shift()!
    if (what === 'reset') reset(this.#to)
    if (what === 'end') this.#to.end()
    if (typeof what === 'string') return
    const length = Math.min(what.length, Math.max(1, Math.ceil((bytesPerSecond * SLICE_MS) / 1000)))
    if (length < what.length) this.#queue.unshift({ what: what.subarray(length), dueMs: next.dueMs })
    this.#notBeforeMs = performance.now() + (length / bytesPerSecond) * 1000
    this.bytes += length
    this.#to.write(what.subarray(0, length))
    this.#release(length)
  }

  #swallow(): void {
    const { what } = this.#queue.shift()!
    this.lossy = true
    if (typeof what !== 'string') this.#release(what.length)
  }

  get #full(): boolean {
    return this.#heldBytes >= (this.#conditions.delayMs > 0 ? HELD_BYTES_OF_DELAY : HELD_BYTES)
  }

  #release(bytes: number): void {
    this.#heldBytes -= bytes
    if (!this.#full) this.#from.resume()
  }

  /** Resolves after `ms`, or when something has changed. */
  async #woken(ms?: number): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve
      if (ms !== undefined) setTimeout(resolve, ms)
    })
  }
}

/** Node never closes a socket that is reset while its end is on its way, and so the process would never end. */
export function reset(socket: Socket): void {
  if (socket.writableEnded) socket.destroy()
  else socket.resetAndDestroy()
}
