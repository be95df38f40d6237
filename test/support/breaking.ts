// Starts the program so that it dies (SIGKILL) or falls asleep (SIGSTOP) by itself at a named point. The points are in
// breaking-main.ts; what the lake must hold at each is in the tests.
import { fileURLToPath } from 'node:url'
import type { TestContext } from 'node:test'
import type { Env, Rig } from './rig.js'
import { startService, type LogLine, type Service } from './service.js'

/** Before the object or the thing is there, and after it is there and before anybody has seen the answer. */
type Around = 'before' | 'after'

export type BreakPoint =
  | `${Around} ${'identity' | 'publication' | 'slot' | 'schema' | 'head' | 'checkpoint'}`
  /** The batch has ended; nothing of it is written yet unless it was planned early. */
  | 'closed'
  | `${Around} ${'plan' | 'data' | 'commit' | 'ack'}`
  /** Folder: the temporary file is there and not linked. Bucket: a part is stored and the object is not completed. */
  | `inside ${'plan' | 'data' | 'commit' | 'checkpoint'}`
  | `${Around} idle ${'plan' | 'commit' | 'ack'}`
  /** Of rows that were there before. */
  | `${Around} ${'stage' | 'complete' | 'copy plan' | 'copy commit'}`

export interface Break {
  readonly at: BreakPoint
  /** So many times the point goes by first. */
  readonly pass?: number
  /** Batches before this one do not count. */
  readonly fromBatch?: number
  /** Falls asleep instead of dying, until SIGCONT. */
  readonly asleep?: boolean
}

export const POINT_REACHED = 'breaking point reached'

const program = fileURLToPath(new URL('./breaking-main.js', import.meta.url))

/** `start` of the rig's lake. */
export function startBreaking(
  t: TestContext,
  rig: Rig,
  { at, pass, fromBatch, asleep }: Break,
  env: Env = {},
): Service {
  const breaking: Record<string, string> = { BREAK_AT: at, BREAK_WITH: asleep === true ? 'SIGSTOP' : 'SIGKILL' }
  if (pass !== undefined) breaking.BREAK_PASS = String(pass)
  if (fromBatch !== undefined) breaking.BREAK_FROM_BATCH = String(fromBatch)
  return startService(t, { ...rig.env, ...env, ...breaking }, ['start'], program)
}

/** The line that it wrote last before it broke. */
export function reached(service: Service, point: Break): Promise<LogLine & { readonly batch?: number }> {
  const isPoint = (): LogLine | undefined => service.logged(POINT_REACHED)[0]
  return service.waitFor(`the point ${JSON.stringify(point)}`, isPoint, { timeoutMs: 60_000 })
}
