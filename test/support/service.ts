// The real program as a child process: its JSON log as values, its signals, its exit. Waits are bounded and name what was
// logged last; a child that a test leaves behind is killed when the test ends.
import { spawn, type ChildProcess } from 'node:child_process'
import { tmpdir } from 'node:os'
import { createInterface } from 'node:readline'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { nodeFlags, programFile } from '../../cmd/wal-cake/program.js'
import { eventually, type Patience } from './eventually.js'

export { eventually, type Patience } from './eventually.js'

/** A line of the program's log; `msg` is the event. Output that is no JSON has only `msg`. */
export interface LogLine {
  readonly level?: string
  readonly time?: string
  readonly msg?: string
  readonly [field: string]: unknown
}

export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** A message (the whole of it, or a pattern), or a question about a line. */
export type LineMatch = string | RegExp | ((line: LogLine) => boolean)

const SHOWN_LINES = 25
const EXIT_LIMIT_MS = 60_000

export class Service {
  /** Standard output and standard error, in the order in which they came. */
  readonly lines: LogLine[] = []
  readonly exited: Promise<Exit>
  readonly #child: ChildProcess
  #exit: Exit | undefined

  /** Use startService(). */
  constructor(child: ChildProcess) {
    this.#child = child
    for (const stream of [child.stdout, child.stderr]) {
      if (stream !== null) createInterface({ input: stream }).on('line', (text) => this.lines.push(parseLine(text)))
    }
    this.exited = new Promise((resolve) => {
      child.once('error', (error) => this.lines.push({ level: 'fatal', msg: error.message }))
      // `close`, not `exit`: then its whole output has been read.
      child.once('close', (code, signal) => {
        this.#exit = { code, signal }
        resolve(this.#exit)
      })
    })
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw this.#report('the program did not start')
    return this.#child.pid
  }

  get running(): boolean {
    return this.#exit === undefined
  }

  /** Every line so far that matches. */
  logged(match: LineMatch): LogLine[] {
    return this.lines.filter((line) => matches(line, match))
  }

  /** The `count`th matching line, which may be there already. Fails at once when the program ends without it. */
  waitForLog(match: LineMatch, { count = 1, ...patience }: Patience & { count?: number } = {}): Promise<LogLine> {
    return this.waitFor(String(match), () => this.logged(match)[count - 1], patience)
  }

  /** As eventually(), but fails at once when the program has ended, and shows its log. `what` is for the message. */
  async waitFor<T>(
    what: string,
    fn: () => T | Promise<T>,
    patience: Patience = {},
  ): Promise<Exclude<T, false | undefined>> {
    const attempt = async (): Promise<{ readonly value?: T } | undefined> => {
      // Asked before fn(), so that what was logged last still counts.
      const ended = this.#exit !== undefined
      const value = await fn()
      if (value !== undefined && value !== false) return { value }
      return ended ? {} : undefined
    }
    const { value } = await eventually(attempt, patience).catch((cause: unknown) => {
      throw this.#report(`waited for ${what}: ${cause instanceof Error ? cause.message : String(cause)}`, cause)
    })
    if (value === undefined) throw this.#report(`the program ended before ${what}`)
    return value as Exclude<T, false | undefined>
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** Its exit; fails when it still runs after `timeoutMs` (60 s). */
  async waitForExit({ timeoutMs = EXIT_LIMIT_MS }: { timeoutMs?: number } = {}): Promise<Exit> {
    return eventually(() => this.#exit, { timeoutMs }).catch(() => {
      throw this.#report(`still running after ${timeoutMs} ms`)
    })
  }

  /** SIGTERM, and its exit code. */
  async stop(patience: { timeoutMs?: number } = {}): Promise<number | null> {
    this.signal('SIGTERM')
    return (await this.waitForExit(patience)).code
  }

  /** SIGKILL, as a crash would end it. */
  async kill(): Promise<void> {
    this.signal('SIGKILL')
    await this.exited
  }

  #report(message: string, cause?: unknown): Error {
    const shown = this.lines.slice(-SHOWN_LINES).map((line) => `  ${JSON.stringify(line)}`)
    const state = this.#exit === undefined ? '' : ` (exit ${this.#exit.code ?? this.#exit.signal ?? '?'})`
    return new Error([`${message}${state}; its log ends:`, ...shown].join('\n'), { cause })
  }
}

/**
 * Starts `wal-cake start`, or another verb with `args`. The program gets `env` and nothing of the test's own environment
 * but the PATH; health endpoint off, JSON log at level debug, unless `env` says otherwise. `entry`: another way into it.
 */
export function startService(
  t: TestContext,
  env: Readonly<Record<string, string>>,
  args: readonly string[] = ['start'],
  entry = programFile,
): Service {
  const child = spawn(process.execPath, [...nodeFlags, entry, ...args], {
    // A folder without an .env of somebody's.
    cwd: fileURLToPath(new URL('.', import.meta.url)),
    env: {
      PATH: process.env.PATH,
      TMPDIR: tmpdir(),
      UV_THREADPOOL_SIZE: '2',
      HTTP_ADDR: '',
      LOG_LEVEL: 'debug',
      LOG_FORMAT: 'json',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const service = new Service(child)
  // The test process itself may be ended from outside or by a failure.
  const onExit = () => service.signal('SIGKILL')
  process.once('exit', onExit)
  void service.exited.then(() => process.off('exit', onExit))
  t.after(async () => {
    if (service.running) await service.kill()
  })
  return service
}

/** Runs a verb to its end: `runVerb(t, ['init'], env)`. */
export async function runVerb(
  t: TestContext,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  limit: { timeoutMs?: number } = {},
): Promise<{ code: number | null; output: string; service: Service }> {
  const service = startService(t, env, args)
  const { code } = await service.waitForExit(limit)
  return { code, output: service.lines.map((line) => line.msg ?? '').join('\n'), service }
}

function parseLine(text: string): LogLine {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null) return value as LogLine
  } catch {
    // Plain text, such as a help screen or a stack.
  }
  return { msg: text }
}

function matches(line: LogLine, match: LineMatch): boolean {
  if (typeof match === 'function') return match(line)
  if (line.msg === undefined) return false
  return typeof match === 'string' ? line.msg === match : match.test(line.msg)
}
