// Tables that change while they are streamed: each change in the middle of a transaction and between two rows of a batch, and
// again in a replay. Every directory stays one table for a reader that unites files by name, with every value where it was.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test, type TestContext } from 'node:test'
import { auditLog } from '../support/log-audit.js'
import { RequestHold } from '../support/request-hold.js'
import { makeRig, type Rig } from '../support/rig.js'
import { S3Server } from '../support/s3-server.js'
import { auditSchemas } from '../support/schema-audit.js'
import {
  furtherSchemaChanges,
  inPlace,
  schemaChanges,
  type KnownCell,
  type SchemaChange,
} from '../support/schema-change-cases.js'

const changes = [...schemaChanges, ...furtherSchemaChanges]

/** All in one transaction, or each statement in one of its own, all of which are a few batches. */
const ways = [
  { name: 'in mid-transaction', whole: true, replayed: false },
  { name: 'between two transactions of a batch', whole: false, replayed: false },
  { name: 'in mid-transaction, and the batch is replayed', whole: true, replayed: true },
]

for (const { name, whole, replayed } of ways)
  test(`G4 G7: schemas change ${name}`, async (t) => {
    const server = await S3Server.start()
    t.after(() => server.stop())
    const rig = await makeRig(t, { lake: server })
    for (const [k, { table }] of changes.entries()) await rig.source.query(inPlace(`CREATE TABLE t (${table})`, k))
    const service = await rig.stream({ FLUSH_INTERVAL: whole ? '500ms' : '5s' })
    const hold = replayed ? new RequestHold(t, server, { key: /\/data\//, pass: 6 }) : undefined
    for (const [k, { work }] of changes.entries()) {
      const statements = whole ? [`BEGIN; ${work}; COMMIT`] : work.split(';')
      for (const statement of statements) await rig.source.query(inPlace(statement, k))
    }
    let last = service
    if (hold !== undefined) {
      await hold.reached()
      await service.kill()
      hold.forget()
      last = await rig.stream()
    }
    await rig.caughtUp(last)
    assert.equal(await last.stop(), 0)

    const { files } = await auditLog(rig.lake, rig.slot)
    await auditSchemas(rig.lake, rig.slot, files)
    await rig.lake.noDoubles()
    for (const [k, change] of changes.entries()) await t.test(change.name, () => holds(rig, `c${k}`, change))
    await rig.dropSlot()
  })

async function holds({ lake }: Rig, table: string, { columns, rows }: SchemaChange): Promise<void> {
  const found = await lake.query(
    `SELECT ${columns.map((column) => `"${column}"::VARCHAR AS "${column}"`).join(', ')}
       FROM ${lake.from(`public.${table}`)} ORDER BY _lsn, _seq`,
  )
  assert.deepEqual(
    found.map((row) => columns.map((column) => row[column])),
    rows.map((row) => row.map(asDuckText)),
  )
}

function asDuckText(value: KnownCell): string | null {
  if (value === null) return null
  return typeof value === 'object' ? `[${value.map((element) => element ?? 'NULL').join(', ')}]` : String(value)
}

test('what the stream does not tell is recorded: a likely rename, and the table that one had been before', async (t: TestContext) => {
  const rig = await makeRig(t, { lake: 'folder' })
  await rig.source.query('CREATE SCHEMA other; CREATE TABLE a (id int PRIMARY KEY, old text)')
  const service = await rig.stream()
  await rig.source.query(
    `INSERT INTO a VALUES (1, 'x'); ALTER TABLE a RENAME old TO new; INSERT INTO a VALUES (2, 'y')`,
  )
  await rig.source.query('ALTER TABLE a RENAME TO b; INSERT INTO b VALUES (3)')
  await rig.source.query('ALTER TABLE b SET SCHEMA other; INSERT INTO other.b VALUES (4)')
  await rig.caughtUp(service)
  assert.equal(await service.stop(), 0)
  const version = async (table: string, number: number) =>
    JSON.parse(await readFile(rig.lake.path(`_wal_cake/${rig.slot}/schemas/${table}/00000${number}.json`), 'utf8')) as {
      relation_oid: number
      columns: { name: string; likely_renamed_from?: string }[]
    }
  const [first, second] = [await version('public.a', 1), await version('public.a', 2)]
  assert.equal(second.columns[1]?.name, 'new')
  assert.equal(second.columns[1].likely_renamed_from, 'old')
  for (const table of ['public.b', 'other.b']) assert.equal((await version(table, 1)).relation_oid, first.relation_oid)
  assert.deepEqual(
    (await rig.lake.rows('other.b')).map(({ id }) => Number(id)),
    [4],
  )
  await rig.dropSlot()
})
