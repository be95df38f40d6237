// The processes of one run: at least one is always at work, at most two. Started again as a supervisor would where they gave
// up for a reason; every other end that nobody asked for is what the run has found.
import type { TestContext } from 'node:test'
import { startBreaking, type Break } from '../../support/breaking.js'
import { eventually } from '../../support/eventually.js'
import type { Env, Rig } from '../../support/rig.js'
import type { Exit, Service } from '../../support/service.js'
import { settingsOf } from './settings.js'
import type { Totals } from './totals.js'

const LOG_LINES_SHOWN = 30
/** For its drain, which the program bounds itself, and more. */
const EXIT_LIMIT_MS = 60_000
/** The bounded wait of a start that meets a fault. */
const GAVE_UP = 5
const FENCED = 4

interface Member {
  readonly service: Service
  readonly number: number
  /** It dies, or falls asleep, by itself. */
  readonly breaks: boolean
  /** We have ended it, or told it to end. */
  dismissed: boolean
}

export interface FleetOptions {
  readonly t: TestContext
  readonly rig: Rig
  /** The way to the servers, on top of the rig's own. */
  readonly env: Env
  readonly totals: Totals
  readonly firstSettings: number
}

export class Fleet {
  readonly #options: FleetOptions
  readonly #members: Member[] = []
  #settings: number
  #problem: Error | undefined
  /** Two were at work at once, so that one may find itself fenced. */
  #overlapped = false
  /** No process is started any more. */
  #closing = false

  constructor(options: FleetOptions) {
    this.#options = options
    this.#settings = options.firstSettings
  }

  /** Throws what went wrong with a process since it was started. */
  check(): void {
    if (this.#problem !== undefined) throw this.#problem
  }

  start(): Service {
    return this.#take(this.#options.rig.start(this.#nextEnv()), false)
  }

  /** One that dies, or falls asleep, by itself. */
  startBreaking(point: Break): Service {
    const { t, rig } = this.#options
    return this.#take(startBreaking(t, rig, point, this.#nextEnv()), true)
  }

  /** Each start has other settings. */
  #nextEnv(): Env {
    return { ...this.#options.env, ...settingsOf(this.#settings++) }
  }

  #take(service: Service, breaks: boolean): Service {
    const member = { service, number: this.#members.length, breaks, dismissed: false }
    this.#members.push(member)
    this.#overlapped ||= this.#working.length > 1
    void service.exited.then((exit) => this.#ended(member, exit))
    return service
  }

  get working(): readonly Service[] {
    return this.#working.map(({ service }) => service)
  }

  get #working(): readonly Member[] {
    return this.#members.filter(({ service, dismissed }) => service.running && !dismissed)
  }

  /** The `n`th of those at work, the oldest first. */
  choose(n: number): Service {
    const working = this.#working
    return working.length === 0 ? this.start() : working[n % working.length]!.service
  }

  async kill(service: Service): Promise<void> {
    this.#memberOf(service).dismissed = true
    this.#options.totals.add('kills')
    await service.kill()
  }

  /** SIGTERM; must end with 0, which is true, or give up its bounded drain where `mayGiveUp`. */
  async terminate(service: Service, mayGiveUp: () => boolean): Promise<boolean> {
    const member = this.#memberOf(service)
    // It might fall asleep on its way out.
    if (member.breaks) {
      await this.kill(service)
      return false
    }
    this.wake(service)
    member.dismissed = true
    this.#options.totals.add('orderly stops')
    service.signal('SIGTERM')
    const { code, signal } = await service.waitForExit({ timeoutMs: EXIT_LIMIT_MS })
    // Nothing of it ran yet.
    const unborn = signal === 'SIGTERM' && service.lines.length === 0
    if (code !== 0 && !unborn && !(code === GAVE_UP && mayGiveUp()))
      this.#fail(service, `ended with ${code ?? signal} after SIGTERM`)
    this.check()
    return code === 0
  }

  sleep(service: Service): void {
    service.signal('SIGSTOP')
  }

  wake(service: Service): void {
    service.signal('SIGCONT')
  }

  wakeAll(): void {
    for (const { service } of this.#members) this.wake(service)
  }

  /** Resolves when `done` holds; fails as soon as a process ends that should not. */
  async until(what: string, done: () => Promise<boolean>, timeoutMs: number): Promise<void> {
    await eventually(
      async () => {
        if (this.#problem !== undefined) return this.#problem
        return (await done()) ? true : undefined
      },
      { timeoutMs, everyMs: 100 },
    ).catch((cause: unknown) => {
      this.#problem ??= new Error(`waited for ${what}: ${String(cause)}\n${this.logs()}`, { cause })
    })
    this.check()
  }

  /** No more than one process is left, and it streams. */
  async leaveOne(mayGiveUp: () => boolean): Promise<Service> {
    this.wakeAll()
    const [first = this.start(), ...others] = this.working
    for (const other of others) await this.terminate(other, mayGiveUp)
    // It may wait for up to half a minute before it tries again.
    if (lastState(first) === 'streaming' && !this.#memberOf(first).breaks) return first
    await this.terminate(first, mayGiveUp)
    return this.start()
  }

  /** Every process has ended, in order or not. */
  async close(): Promise<void> {
    this.#closing = true
    this.wakeAll()
    for (const member of this.#members) {
      if (!member.service.running) continue
      member.dismissed = true
      await member.service.kill()
    }
  }

  /** The ends of the logs, for a failure. */
  logs(): string {
    return this.#members
      .slice(-3)
      .map(({ service, number }) => {
        const lines = service.lines.slice(-LOG_LINES_SHOWN).map((line) => `  ${JSON.stringify(line)}`)
        return [`process ${number} (${service.running ? 'running' : 'ended'}), the end of its log:`, ...lines].join(
          '\n',
        )
      })
      .join('\n')
  }

  /** Lines of all processes with this message. */
  logged(message: string): readonly Readonly<Record<string, unknown>>[] {
    return this.#members.flatMap(({ service }) => service.logged(message))
  }

  #ended(member: Member, { code, signal }: Exit): void {
    if (member.dismissed) return
    const { totals } = this.#options
    const streamed = member.service.logged('streaming').length > 0
    if (member.breaks && signal === 'SIGKILL') totals.add('kills')
    else if (code === GAVE_UP && !streamed) totals.add('starts given up')
    else if (code === FENCED && this.#overlapped) totals.add('processes fenced')
    else this.#fail(member.service, `ended by itself with ${code ?? signal}`)
    if (!this.#closing && this.#problem === undefined && this.#working.length === 0) this.start()
  }

  #fail(service: Service, what: string): void {
    this.#problem ??= new Error(`process ${this.#memberOf(service).number} ${what}\n${this.logs()}`)
  }

  #memberOf(service: Service): Member {
    return this.#members.find((member) => member.service === service)!
  }
}

function lastState(service: Service): string | undefined {
  return service.logged(/^(streaming|will try again)$/).at(-1)?.msg
}
