// What the log says of copies, for tests that wait for them and look at what came of them.
import assert from 'node:assert/strict'
import { auditLog, type CommitRecord, type CopiedTable } from './log-audit.js'
import type { Rig } from './rig.js'
import type { Patience, Service } from './service.js'
import { assertStateIsTable } from './table-state.js'
import { readLakeRows } from './wal-oracle.js'

/** For a rig whose rows are to be copied. */
export const copying = { SNAPSHOT: 'initial' }

/** Every table that was copied to its end, in the order in which the log says so; again where it was copied again. */
export async function finishedCopies({ lake, slot }: Rig): Promise<CopiedTable[]> {
  const commits = (await lake.commits(slot)) as unknown as CommitRecord[]
  return commits.flatMap(({ copied }) => copied?.finished ?? [])
}

/** Resolves when the log says that these tables of the schema `public`, as they are in the source now, are copied. */
export async function copied(
  rig: Rig,
  service: Service,
  tables: readonly string[],
  patience?: Patience,
): Promise<void> {
  const now = await rig.source.query<{ name: string; oid: number }>(
    `SELECT relname AS name, oid::int8::float8 AS oid FROM pg_class
      WHERE relnamespace = 'public'::regnamespace AND relname = ANY ($1)`,
    [tables],
  )
  assert.equal(now.length, tables.length, 'all of them are there')
  await service.waitFor(
    `${tables.join(', ')} to be copied`,
    async () => {
      const finished = await finishedCopies(rig)
      return now.every(({ name, oid }) => finished.some((copy) => copy.table === name && copy.relation_oid === oid))
    },
    { timeoutMs: 60_000, everyMs: 100, ...patience },
  )
}

/** Waits until everything is in the lake, stops the service, and looks at the log. */
export async function endInOrder(rig: Rig, service: Service): Promise<void> {
  await rig.caughtUp(service)
  assert.equal(await service.stop(), 0)
  await auditLog(rig.lake, rig.slot)
  await rig.lake.noDoubles()
}

/** The lake's state of these tables of the schema `public` is the tables. Gives the number of rows. */
export async function assertTables(rig: Rig, tables: readonly string[]): Promise<number> {
  const rows = await readLakeRows(rig.lake)
  let count = 0
  for (const name of tables) {
    const columns = await rig.source.query<{ name: string; key: boolean }>(
      `SELECT attname::text AS name, EXISTS (SELECT FROM pg_index WHERE indrelid = attrelid AND indisprimary AND attnum = ANY (indkey)) AS key
         FROM pg_attribute WHERE attrelid = format('public.%I', $1::text)::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
        ORDER BY attnum`,
      [name],
    )
    const key = columns.filter(({ key }) => key).map(({ name }) => name)
    const table = { table: `public.${name}`, key, columns: columns.map(({ name }) => name) }
    count += await assertStateIsTable(rig.source, rows, table)
  }
  return count
}
