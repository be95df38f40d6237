// Carries out the faults of a run. Those that last do so behind the run's back, so that others, and writes, fall into them;
// they have all ended when settle() resolves.
import { setTimeout as delay } from 'node:timers/promises'
import type { AckWatch } from '../../support/ack-watch.js'
import { POINT_REACHED, type Break, type BreakPoint } from '../../support/breaking.js'
import { eventually } from '../../support/eventually.js'
import type { PostgresServer } from '../../support/postgres.js'
import type { Rig } from '../../support/rig.js'
import type { FaultAction, FaultRule } from '../../support/s3-faults.js'
import type { S3Server } from '../../support/s3-server.js'
import type { Direction, TcpProxy } from '../../support/tcp-proxy.js'
import type { Fleet } from './fleet.js'
import type { FaultKind, Step } from './steps.js'
import type { Totals } from './totals.js'

type Fault = Step & { readonly do: 'fault' }

export interface FaultTargets {
  readonly rig: Rig
  readonly server: PostgresServer
  readonly fleet: Fleet
  /** Does not look while the server is away. */
  readonly ackWatch: AckWatch
  /** Between the program and the server. */
  readonly link: TcpProxy
  /** Between the program and the store, where that is reached over a network. */
  readonly storeLink: TcpProxy | undefined
  /** The program's own way into the store. */
  readonly store: S3Server | undefined
  readonly totals: Totals
}

/** Between two kills in a row: the second one comes while the first is being recovered from, or just after. */
const RECOVERING_MS = 700
/** How long a process may take to come to the point at which it breaks. */
const POINT_MS = 4_000
/** From this version on an orderly shutdown saves where each slot stands. */
const SAVES_SLOTS = 17
/** The program gives a request up when nothing has moved for half a minute. */
const HUNG_MS = 31_000

export class Faults {
  readonly #targets: FaultTargets
  readonly #lasting = new Set<Promise<void>>()
  /** One thing at a time is done to the server. */
  #server: Promise<void> = Promise.resolve()
  #lastEndMs = -Infinity
  #hangsUntilMs = -Infinity
  readonly #causes: Readonly<Record<FaultKind, (ms: number, n: number) => unknown>> = {
    kill: (_, n) => this.#kill(n),
    killTwice: async (ms, n) => {
      await this.#kill(n)
      this.#targets.fleet.start()
      await delay(ms % RECOVERING_MS)
      await this.#kill(n)
    },
    dieAt: (_, n) => this.#dieAt(n),
    sleepAt: (ms, n) => this.#sleepAt(ms, n),
    term: (_, n) => this.#terminate(n),
    deploy: async (ms) => {
      await this.#second(ms)
      await this.#terminate(0)
    },
    deployKilled: async (ms) => {
      await this.#second(ms)
      await this.#kill(0)
    },
    overtake: (ms, n) => this.#overtake(ms, n),
    pause: (ms, n) => this.#pause(ms, n),
    endWalsender: () => this.#endBackends(`backend_type = 'walsender'`),
    endControl: () => this.#endBackends(`backend_type <> 'walsender'`),
    endBoth: () => this.#endBackends('true'),
    restartFast: () => this.#serverAway(0, 'fast'),
    restartImmediate: () => this.#serverAway(0, 'immediate'),
    serverAway: (ms, n) => this.#serverAway(ms, n % 2 === 0 ? 'fast' : 'immediate'),
    linkCut: (_, n) => this.#targets.link.cut(n % 2 === 0 ? 'reset' : 'end'),
    linkDark: (ms, n) => this.#dark(this.#targets.link, 'hold', ms, n),
    linkSwallows: (ms, n) => this.#dark(this.#targets.link, 'swallow', ms, n),
    linkSlow: (ms, n) => this.#slow(this.#targets.link, ms, n),
    storeCut: (_, n) => this.#targets.storeLink?.cut(n % 2 === 0 ? 'reset' : 'end'),
    storeDark: (ms, n) => this.#dark(this.#targets.storeLink, 'hold', ms, n),
    storeSwallows: (ms, n) => this.#dark(this.#targets.storeLink, 'swallow', ms, n),
    storeSlow: (ms, n) => this.#slow(this.#targets.storeLink, ms, n),
    storeErrors: (ms, n) => this.#storeErrors(ms, n),
    storeHangs: (ms, n) => this.#storeHangs(ms, n),
  }

  constructor(targets: FaultTargets) {
    this.#targets = targets
  }

  async cause({ kind, ms, n }: Fault): Promise<void> {
    const { fleet, totals } = this.#targets
    totals.add('faults')
    totals.add(`fault ${kind}`)
    await this.#causes[kind](ms, n)
    if (fleet.working.length === 0) fleet.start()
  }

  /** Asks the server for something that no transaction of the run is about, once it is there. */
  onServer(sql: string): void {
    this.#serverFault(async () => {
      await this.#targets.rig.source.query(sql)
    })
  }

  /** Whether one that lasts has been at work since then. */
  troubledSince(ms: number): boolean {
    return this.#lasting.size > 0 || Math.max(this.#lastEndMs, this.#hangsUntilMs) >= ms
  }

  /** Rejects with what went wrong in causing them. */
  async settle(): Promise<void> {
    while (this.#lasting.size > 0) await Promise.all(this.#lasting)
  }

  async #kill(n: number): Promise<void> {
    const { fleet } = this.#targets
    await fleet.kill(fleet.choose(n))
  }

  /** A process that dies by itself at an exact point takes the place of one that is killed. */
  async #dieAt(n: number): Promise<void> {
    await this.#kill(n)
    const mortal = this.#targets.fleet.startBreaking(this.#breakOf(n))
    await soon(() => !mortal.running)
  }

  /** One that falls asleep there, and wakes up when another may have taken its place. */
  async #sleepAt(ms: number, n: number): Promise<void> {
    await this.#kill(n)
    const { fleet } = this.#targets
    const sleeper = fleet.startBreaking({ ...this.#breakOf(n), asleep: true })
    const asleep = (): boolean => sleeper.logged(POINT_REACHED).length > 0
    await soon(() => asleep() || !sleeper.running)
    // It must not fall asleep when nobody waits to wake it.
    if (!asleep()) return fleet.kill(sleeper)
    if (n % 3 > 0) {
      await this.#second(ms)
      this.#endBackends(`backend_type = 'walsender'`)
    }
    this.#lasts(ms, () => fleet.wake(sleeper))
  }

  #breakOf(n: number): Break {
    const possible = this.#targets.rig.folder === undefined ? points : [...points, ...pointsOfFolder]
    const at = possible[n % possible.length]!
    return { at, pass: at.endsWith('data') ? Math.floor(n / possible.length) % 3 : 0 }
  }

  async #terminate(n: number): Promise<void> {
    const { fleet } = this.#targets
    const began = performance.now()
    await fleet.terminate(fleet.choose(n), () => this.troubledSince(began))
  }

  /** Another process beside the first, for so long already. */
  async #second(ms: number): Promise<void> {
    const { fleet } = this.#targets
    if (fleet.working.length < 2) fleet.start()
    await delay(ms)
  }

  #pause(ms: number, n: number): void {
    const { fleet } = this.#targets
    const service = fleet.choose(n)
    fleet.sleep(service)
    this.#lasts(ms, () => fleet.wake(service))
  }

  /** A process sleeps, another takes its place by force, and the first wakes up beside it. */
  async #overtake(ms: number, n: number): Promise<void> {
    const { fleet } = this.#targets
    const sleeper = fleet.choose(n)
    fleet.sleep(sleeper)
    await this.#second(ms)
    this.#endBackends(`backend_type = 'walsender'`)
    await delay(n % RECOVERING_MS)
    fleet.wake(sleeper)
    if (n % 3 === 0) await fleet.kill(sleeper)
    if (n % 3 === 1) await this.#terminate(fleet.working.indexOf(sleeper))
  }

  #endBackends(which: string): void {
    this.onServer(`SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                    WHERE application_name = 'wal-cake' AND datname = current_database() AND ${which}`)
  }

  #serverAway(ms: number, mode: 'fast' | 'immediate'): void {
    const { server, ackWatch } = this.#targets
    const outage = async (): Promise<void> => {
      await server.down(mode)
      await delay(ms)
      await server.up()
    }
    // Older servers keep, also in an orderly shutdown, only what moves a slot's start in the log.
    const keepsSlots = mode === 'fast' && parseInt(server.version) >= SAVES_SLOTS
    this.#serverFault(() => ackWatch.lookAway(keepsSlots ? 'shutdown' : 'crash', outage))
  }

  #dark(proxy: TcpProxy | undefined, kind: 'hold' | 'swallow', ms: number, n: number): void {
    proxy?.dark(directionsOf(n), kind)
    this.#lasts(ms, () => proxy?.light())
  }

  #slow(proxy: TcpProxy | undefined, ms: number, n: number): void {
    proxy?.throttle(32 * 1024 * (1 + (n % 16)), directionsOf(n))
    this.#lasts(ms, () => proxy?.throttle(undefined))
  }

  #storeErrors(ms: number, n: number): void {
    const { store } = this.#targets
    const action = storeActions[n % storeActions.length]!
    const which = storeRequests[Math.floor(n / storeActions.length) % storeRequests.length]!
    const added = store?.faults.add({ ...which, count: n % 4 === 0 ? 3 : Infinity, action })
    this.#lasts(ms, () => added?.remove())
  }

  #storeHangs(ms: number, n: number): void {
    const { store } = this.#targets
    const added = store?.faults.add({ count: 1 + (n % 3), action: { do: n % 2 === 0 ? 'hang' : 'hangBody' } })
    this.#lasts(ms, () => added?.remove())
    this.#hangsUntilMs = performance.now() + ms + HUNG_MS
  }

  #serverFault(cause: () => Promise<void>): void {
    this.#server = this.#server.then(cause)
    this.#track(this.#server)
  }

  #lasts(ms: number, end: () => void): void {
    this.#track(delay(ms).then(end))
  }

  #track(fault: Promise<void>): void {
    const tracked = fault.then(() => {
      this.#lasting.delete(tracked)
      this.#lastEndMs = performance.now()
    })
    // Told by settle().
    tracked.catch(() => undefined)
    this.#lasting.add(tracked)
  }
}

const points: readonly BreakPoint[] = [
  ...(['closed', 'before plan', 'after plan', 'before data', 'after data', 'after data', 'after data'] as const),
  ...(['before commit', 'before commit', 'after commit', 'before ack', 'after ack', 'before head'] as const),
]
const pointsOfFolder: readonly BreakPoint[] = ['inside plan', 'inside data', 'inside commit']

/** Waits for what ought to come, but not for long: the machine or a fault may be in its way. */
async function soon(come: () => boolean): Promise<void> {
  await eventually(come, { timeoutMs: POINT_MS }).catch(() => undefined)
}

function directionsOf(n: number): readonly Direction[] {
  return ([['toServer', 'toClient'], ['toServer'], ['toClient']] as const)[n % 3]!
}

const storeActions: readonly FaultAction[] = [
  { do: 'answer', status: 500, code: 'InternalError' },
  { do: 'answer', status: 503, code: 'SlowDown' },
  { do: 'answer', status: 502, code: '', body: '<html>Bad Gateway</html>' },
  { do: 'reset' },
  { do: 'loseAnswer' },
  { do: 'answerLate', ms: 250 },
  { do: 'delay', ms: 150 },
]

const storeRequests: readonly Omit<FaultRule, 'action'>[] = [
  {},
  { method: 'PUT' },
  { method: 'GET' },
  { key: /\.plan\.json$/ },
  { key: /\.commit\.json$/ },
  { key: /\.parquet$/ },
  { method: 'POST' },
]
