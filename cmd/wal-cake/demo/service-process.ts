// The real service as the demo's child process, configured as a user would: by environment variables. Reads along in its
// log for the progress line; knows nothing of what it does inside.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { nodeFlags, programFile } from '../program.js'

/** What the service has told in its log so far. */
export interface ServiceProgress {
  streaming: boolean
  changes: number
  files: number
  bytes: number
}

const KEPT_LINES = 20

export class ServiceProcess {
  readonly progress: ServiceProgress = { streaming: false, changes: 0, files: 0, bytes: 0 }
  readonly #child: ChildProcess
  readonly #ended: Promise<unknown[]>
  readonly #lastLines: string[] = []

  /** `folder` is the lake, and the working directory: another folder's `.env` is none of the demo's business. */
  constructor(folder: string, variables: Readonly<Record<string, string>>) {
    const { PATH, HOME, TMPDIR } = process.env
    const inherited = Object.entries({ PATH, HOME, TMPDIR }).filter(([, value]) => value !== undefined)
    this.#child = spawn(process.execPath, [...nodeFlags, programFile, 'start'], {
      cwd: folder,
      env: { ...Object.fromEntries(inherited), LOG_FORMAT: 'json', LAKE_DIR: folder, ...variables },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#ended = once(this.#child, 'close')
    process.once('exit', () => this.#child.kill('SIGKILL'))
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      if (stream !== null) createInterface({ input: stream }).on('line', (line) => this.#read(line))
    }
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** The end of its log, for when something went wrong. */
  get log(): string {
    return this.#lastLines.join('\n')
  }

  /** Sends SIGTERM, SIGKILL after `limitMs`, and gives its exit code, or the name of the signal that ended it. */
  async stop(limitMs: number): Promise<number | string> {
    this.#child.kill('SIGTERM')
    const force = setTimeout(() => this.#child.kill('SIGKILL'), limitMs)
    const [code, signal] = (await this.#ended) as [number | null, string | null]
    clearTimeout(force)
    return code ?? signal ?? '?'
  }

  #read(line: string): void {
    this.#lastLines.push(line)
    if (this.#lastLines.length > KEPT_LINES) this.#lastLines.shift()
    if (!line.startsWith('{')) return
    const event = JSON.parse(line) as { msg?: string; rows?: number; files?: number; bytes?: number }
    if (event.msg === 'streaming') this.progress.streaming = true
    if (event.msg !== 'batch committed') return
    this.progress.changes += event.rows ?? 0
    this.progress.files += event.files ?? 0
    this.progress.bytes += event.bytes ?? 0
  }
}
