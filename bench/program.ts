// The real program as a child process of a bench: when it logged what, and what the kernel has counted of it.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { nodeFlags, programFile } from '../cmd/wal-cake/program.js'

const LOOK_MS = 50

interface Wanted {
  readonly key: string
  readonly resolve: (atMs: number) => void
  readonly reject: (error: Error) => void
}

export class Program {
  readonly #child: ChildProcess
  readonly #exited: Promise<unknown>
  /** By message and table: when it came first, as performance.now() has it. */
  readonly #logged = new Map<string, number>()
  #wanted: Wanted[] = []
  readonly #sizes: number[] = []
  #timer: NodeJS.Timeout | undefined
  #cpuSeconds = 0
  #peakBytes = 0

  /** `start`, with nothing of our own environment but the PATH. */
  constructor(env: Readonly<Record<string, string>>) {
    const options = { env: { PATH: process.env.PATH, HTTP_ADDR: '', LOG_FORMAT: 'json', ...env } }
    this.#child = spawn(process.execPath, [...nodeFlags, programFile, 'start'], {
      ...options,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    this.#exited = once(this.#child, 'exit')
    createInterface({ input: this.#child.stdout! }).on('line', (line) => this.#take(line))
    void this.#exited.then(() => {
      for (const { key, reject } of this.#wanted) reject(new Error(`the program ended before it logged ${key}`))
    })
  }

  get ended(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null
  }

  /** When it logs this the first time, or did; of `schema.table` where one is given. */
  logged(message: string, table?: string): Promise<number> {
    const key = keyOf(message, table)
    const atMs = this.#logged.get(key)
    if (atMs !== undefined) return Promise.resolve(atMs)
    return new Promise((resolve, reject) => {
      if (this.ended) reject(new Error(`the program has ended and has not logged ${key}`))
      else this.#wanted.push({ key, resolve, reject })
    })
  }

  /** Notes its resident size and its CPU time from now on. */
  watch(): void {
    this.#timer = setInterval(() => void this.#look().catch(() => undefined), LOOK_MS)
  }

  /** While it was watched, up to the last look before its end: CPU time of all its threads, and the largest size. */
  get seen(): { readonly cpuSeconds: number; readonly peakBytes: number } {
    return { cpuSeconds: this.#cpuSeconds, peakBytes: this.#peakBytes }
  }

  /** Most bytes that were ever resident. */
  peak(): Promise<number> {
    return this.#status('VmHWM')
  }

  /** Bytes that it has read from anywhere. */
  async bytesRead(): Promise<number> {
    const text = await readFile(`/proc/${this.#child.pid}/io`, 'utf8')
    return Number(/^rchar: (\d+)$/m.exec(text)?.[1])
  }

  /** Bytes that are resident now. */
  size(): Promise<number> {
    return this.#status('VmRSS')
  }

  /** Highest resident size in each quarter of what was watched. */
  quarters(): number[] {
    const length = Math.ceil(this.#sizes.length / 4)
    return [0, 1, 2, 3].map((k) => Math.max(0, ...this.#sizes.slice(k * length, (k + 1) * length)))
  }

  async cpuSeconds(): Promise<number> {
    const fields = (await readFile(`/proc/${this.#child.pid}/stat`, 'utf8')).split(') ')[1]!.split(' ')
    return (Number(fields[11]) + Number(fields[12])) / 100
  }

  /** In order. */
  async stop(): Promise<void> {
    this.#child.kill('SIGTERM')
    await this.#exited
    clearInterval(this.#timer)
    if (this.#child.exitCode !== 0) throw new Error(`the program ended with code ${this.#child.exitCode}`)
  }

  /** At once, where it still runs. */
  async end(): Promise<void> {
    clearInterval(this.#timer)
    this.#child.kill('SIGKILL')
    await this.#exited
  }

  #take(line: string): void {
    const { msg, level, table } = JSON.parse(line) as { msg: string; level: string; table?: string }
    if (['warn', 'error', 'fatal'].includes(level)) process.stderr.write(`${line}\n`)
    for (const key of [keyOf(msg), keyOf(msg, table)]) {
      if (this.#logged.has(key)) continue
      this.#logged.set(key, performance.now())
      for (const wanted of this.#wanted.filter((wanted) => wanted.key === key)) wanted.resolve(this.#logged.get(key)!)
      this.#wanted = this.#wanted.filter((wanted) => wanted.key !== key)
    }
  }

  async #look(): Promise<void> {
    const [size, peak, cpu] = await Promise.all([this.size(), this.peak(), this.cpuSeconds()])
    if (size > 0) this.#sizes.push(size)
    this.#peakBytes = Math.max(this.#peakBytes, peak)
    this.#cpuSeconds = Math.max(this.#cpuSeconds, cpu)
  }

  async #status(field: string): Promise<number> {
    const text = await readFile(`/proc/${this.#child.pid}/status`, 'utf8').catch(() => '')
    return Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1] ?? 0) * 1024
  }
}

function keyOf(message: string, table?: string): string {
  return table === undefined ? message : `${message}: ${table}`
}
