// Kinds of tables with what is done to them and what the lake then holds: many of them share one stream, because a start of
// the program costs more than they do.
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { assertRows, type ExpectedRows } from './expected-rows.js'
import { auditLog } from './log-audit.js'
import { RequestHold } from './request-hold.js'
import type { Env, Rig } from './rig.js'
import type { S3Server } from './s3-server.js'
import type { Service } from './service.js'

export interface TableKind {
  /** What is true of it. */
  readonly name: string
  /** Oldest major version of the server that knows it. */
  readonly since?: number
  /** Before the stream begins. */
  readonly made: string
  /** While it runs, one after the other; several statements in one are one transaction. */
  readonly work: readonly string[]
  readonly logs: readonly ExpectedRows[]
  /** Tables of which nothing is in the lake. */
  readonly absent?: readonly string[]
}

const FILES_BEFORE_KILL = 3

export async function major({ source }: Rig): Promise<number> {
  const [row] = await source.query<{ version: string }>(`SELECT current_setting('server_version_num') AS version`)
  return Math.floor(Number(row!.version) / 10_000)
}

/**
 * Streams those that the server knows, and looks at each in a test of its own. `store`: the one of the rig, where the program
 * is killed when some files are there and others are not, so that what it has planned is sent and written once more.
 */
export async function streamKinds(
  t: TestContext,
  rig: Rig,
  kinds: readonly TableKind[],
  { env = {}, store }: { env?: Env; store?: S3Server } = {},
): Promise<Service> {
  const version = await major(rig)
  const known = kinds.filter(({ since = 0 }) => since <= version)
  for (const { made } of known) await rig.source.query(made)
  let service = await rig.stream({ FLUSH_INTERVAL: '500ms', ...env })
  const hold = store === undefined ? undefined : new RequestHold(t, store, { key: /\/data\//, pass: FILES_BEFORE_KILL })
  for (const { work } of known) for (const statement of work) await rig.source.query(statement)
  if (hold !== undefined) {
    await hold.reached()
    await service.kill()
    hold.forget()
    service = await rig.stream(env)
    assert.ok(Number(service.logged('streaming')[0]?.replaying) > 0, 'something is replayed')
  }
  await rig.caughtUp(service)
  assert.equal(await service.stop(), 0)
  await auditLog(rig.lake, rig.slot)
  await rig.lake.noDoubles()
  const tables = await rig.lake.tables()
  for (const { name, logs, absent = [] } of known)
    await t.test(name, async () => {
      for (const log of logs) await assertRows(rig.lake, log)
      assert.deepEqual(
        absent.filter((table) => tables.includes(table)),
        [],
      )
    })
  await rig.dropSlot()
  return service
}
