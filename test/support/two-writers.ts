// Two processes on one slot and lake, one of which falls asleep at a named point and wakes long after the other has taken
// over: who has written what into the log, and what the one that slept does then.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import type { TestContext } from 'node:test'
import { reached, startBreaking, type Break } from './breaking.js'
import { eventually } from './eventually.js'
import type { Env, Rig } from './rig.js'
import type { LogLine, Service } from './service.js'
import type { WatchedLake } from './watched-lake.js'

/** The two need not be configured alike. */
export const FIRST: Env = { ZSTD_LEVEL: '1', FLUSH_BYTES: '64MiB' }
export const SECOND: Env = { ZSTD_LEVEL: '9', FLUSH_BYTES: '1MiB', TARGET_FILE_BYTES: '2KiB' }
/** Batches that the one who took over puts into the lake before the other wakes. */
const BATCHES_MEANWHILE = 3

/** Of the failure that a line tells of. */
export const kindOf = (line: LogLine): string | undefined => (line.err as { kind?: string } | undefined)?.kind

export const isBusy = (line: LogLine): boolean => kindOf(line) === 'slot_busy'

/** Starts a process that falls asleep there. Resolves when it streams. */
export async function streamToSleep(t: TestContext, rig: Rig, point: Break, env: Env = {}): Promise<Service> {
  const service = startBreaking(t, rig, { ...point, asleep: true }, env)
  await service.waitForLog('streaming')
  return service
}

/** Resolves when it sleeps. */
export async function asleep(service: Service, point: Break): Promise<void> {
  await reached(service, point)
  await eventually(async () => (await readFile(`/proc/${service.pid}/stat`, 'utf8')).includes(' T '))
}

/** Ends the connection of whoever holds the slot, as a server does that has not heard of it for long. */
export async function cutOff(rig: Rig): Promise<void> {
  await rig.source.query('SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = $1', [
    rig.slot,
  ])
}

/** Every record of the log with the session that wrote it. */
export async function writers(rig: Rig): Promise<Map<string, string>> {
  const records = (await rig.lake.keys(`_wal_cake/${rig.slot}/log/`)).map(async (key) => {
    const { writer } = JSON.parse(await readFile(rig.lake.path(key), 'utf8')) as { writer: string }
    return [key, writer] as const
  })
  return new Map(await Promise.all(records))
}

export function wake(service: Service): void {
  service.signal('SIGCONT')
}

/** Wakes it. It finds the slot taken and waits; what comes into the log meanwhile is the holder's alone. */
export async function assertFenced(rig: Rig, sleeper: Service): Promise<void> {
  const before = await writers(rig)
  const linesBefore = sleeper.lines.length
  wake(sleeper)
  const busy = await sleeper.waitFor('the slot to be busy for it', () => sleeper.lines.slice(linesBefore).find(isBusy))
  assert.match(JSON.stringify(busy), new RegExp(`slot ${rig.slot} is held by process \\d+`))
  await assertOnlyAddedTo(rig, before)
}

/** What came into the log since is by the one who wrote it last. */
export async function assertOnlyAddedTo(rig: Rig, before: ReadonlyMap<string, string>): Promise<void> {
  const holder = [...before.values()].at(-1)
  for (const [key, writer] of await writers(rig))
    if (!before.has(key)) assert.equal(writer, holder, `${key} was written after the other woke`)
}

/** Starts the other one, which finds the slot taken. */
export async function startWaiting(rig: Rig): Promise<Service> {
  const second = rig.start(SECOND)
  await second.waitForLog(isBusy)
  return second
}

/** The one who has waited streams and puts some batches into the lake. */
export async function takesOver(watched: WatchedLake, second: Service): Promise<void> {
  await second.waitForLog('streaming')
  await goesOn(watched, second)
}

export async function goesOn(watched: WatchedLake, holder: Service): Promise<void> {
  for (let batch = 0; batch < BATCHES_MEANWHILE; batch++) {
    await watched.write()
    await watched.rig.caughtUp(holder)
  }
}

/** The holder ends, and the one that waits takes its turn. */
export async function handsBack(watched: WatchedLake, holder: Service, waiting: Service): Promise<void> {
  const before = waiting.logged('streaming').length
  await watched.write()
  await watched.rig.caughtUp(holder)
  assert.equal(await holder.stop(), 0)
  await waiting.waitForLog('streaming', { count: before + 1 })
  await watched.write()
  await watched.endsWhole(waiting)
}
