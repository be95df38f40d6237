// Kinds of tables with what is done to them and what the lake then holds: many of them share one stream, because a start of
// the program costs more than they do.
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { assertRows, type ExpectedRows } from './expected-rows.js'
import { auditLog } from './log-audit.js'
import type { Env, Rig } from './rig.js'

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

export async function major({ source }: Rig): Promise<number> {
  const [row] = await source.query<{ version: string }>(`SELECT current_setting('server_version_num') AS version`)
  return Math.floor(Number(row!.version) / 10_000)
}

/** Streams those that the server knows, and looks at each in a test of its own. */
export async function streamKinds(t: TestContext, rig: Rig, kinds: readonly TableKind[], env: Env = {}): Promise<void> {
  const version = await major(rig)
  const known = kinds.filter(({ since = 0 }) => since <= version)
  for (const { made } of known) await rig.source.query(made)
  const service = await rig.stream(env)
  for (const { work } of known) for (const statement of work) await rig.source.query(statement)
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
}
