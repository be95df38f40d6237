// A copy can be watched from wherever the lake can be read, in the metrics and in the log; and it is no faster than it may be.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertTables, copied, copying, endInOrder } from '../support/copies.js'
import { eventually } from '../support/eventually.js'
import { healthProbe } from '../support/health.js'
import { makeRig, type Rig } from '../support/rig.js'

const ROWS = 6000
const RATE = 1 << 20

interface Status {
  readonly lsn: string | null
  readonly copy: {
    readonly running: boolean
    readonly tables_left: number
    readonly tables_copied: number
    readonly rows: number
    readonly rows_expected: number
    readonly bytes: number
    readonly seconds_left: number | null
    readonly tables: readonly { table: string; rows: number; rows_expected: number }[]
  } | null
  readonly tables: readonly { table: string; rows: number; files: number; copied: boolean }[]
}

async function statusOf(rig: Rig): Promise<Status> {
  const asking = rig.start({}, ['status', '--json'])
  assert.equal((await asking.waitForExit()).code, 0)
  return asking.lines[0] as unknown as Status
}

test('a copy tells how far it is, and is no faster than SNAPSHOT_RATE', async (t) => {
  const rig = await makeRig(t, { lake: 'folder' })
  // A kilobyte each, which does not compress.
  const fill = (table: string): string => `CREATE TABLE ${table} (id int PRIMARY KEY, v text);
    INSERT INTO ${table} SELECT k, (SELECT string_agg(md5(k::text || n), '') FROM generate_series(1, 32) n) FROM generate_series(1, ${ROWS}) k;`
  await rig.source.query(
    `${fill('known')} ${fill('unknown')} ALTER TABLE unknown SET (autovacuum_enabled = false);
     CREATE PUBLICATION wal_cake_pub FOR TABLE known, unknown, marks`,
  )
  await rig.source.query('ANALYZE known')
  assert.equal((await rig.start(copying, ['init']).waitForExit()).code, 0)
  assert.equal((await statusOf(rig)).copy, null)
  const health = await healthProbe()
  const beganMs = performance.now()
  const service = await rig.stream({
    ...{ ...copying, SNAPSHOT_RATE: '1MiB', SNAPSHOT_WORKERS: '2', TARGET_FILE_BYTES: '1MiB' },
    ...health.env,
  })
  // The first report knows what the server remembers, a later one what the pages had.
  const early = await eventually(async () => (await statusOf(rig)).copy ?? undefined)
  assert.ok(early.running)
  const watching = rig.start({}, ['snapshot'])
  assert.ok(early.rows_expected >= ROWS && early.rows_expected <= 1.5 * ROWS, JSON.stringify(early))
  const halfway = await service.waitFor(
    'half of the table that the server knows nothing of',
    async () => {
      const { copy } = await statusOf(rig)
      return copy?.tables.some(({ table, rows }) => table === 'unknown' && rows > ROWS / 2) === true ? copy : undefined
    },
    { timeoutMs: 60_000 },
  )
  assert.ok(halfway.tables_left >= 1 && halfway.rows < 2 * ROWS, JSON.stringify(halfway))
  for (const { table, rows, rows_expected: expected } of halfway.tables) {
    assert.ok(rows > 0 && rows <= expected, JSON.stringify(halfway))
    assert.ok(Math.abs(expected - ROWS) < ROWS / 4, `${table}: ${expected} rows expected`)
  }
  assert.ok(halfway.seconds_left !== null && halfway.seconds_left > 0 && halfway.seconds_left < 60)
  const metrics = await health.metrics()
  assert.match(metrics, /^wal_cake_copy_tables_left\{slot="\w+"\} [123]$/m)
  assert.match(metrics, /^wal_cake_copy_table_rows\{slot="\w+",schema="public",table="(un)?known"\} \d+$/m)
  assert.match(metrics, /^wal_cake_copy_seconds_left\{slot="\w+"\} \d+$/m)

  await copied(rig, service, ['known', 'unknown', 'marks'])
  const seconds = (performance.now() - beganMs) / 1000
  const done = await eventually(async () => {
    const status = await statusOf(rig)
    return status.copy?.tables_left === 0 ? status : undefined
  })
  assert.equal(done.copy?.rows, 2 * ROWS)
  assert.equal(done.copy.rows_expected, 2 * ROWS)
  assert.equal(done.copy.running, false)
  // The last of it may come at once.
  assert.ok(seconds > (done.copy.bytes - (2 << 20)) / RATE, `${done.copy.bytes} bytes in ${seconds} s`)
  assert.deepEqual(
    done.tables.filter(({ table }) => table !== 'marks').map(({ table, rows, copied }) => ({ table, rows, copied })),
    ['known', 'unknown'].map((table) => ({ table, rows: ROWS, copied: true })),
  )
  assert.equal((await watching.waitForExit()).code, 0)
  assert.equal(
    watching.logged(/of about .* rows\/s/).length >= 1,
    true,
    'a line now and then where there is no terminal',
  )
  assert.equal(service.logged('copying existing rows: under way').length >= 1, true)
  await endInOrder(rig, service)
  assert.equal(await assertTables(rig, ['known', 'unknown']), 2 * ROWS)
  await rig.dropSlot()
})

test('status of what is not there, and for people', async (t) => {
  const rig = await makeRig(t, { lake: 'folder' })
  const text = async (): Promise<string> => {
    const asking = rig.start({}, ['status'])
    assert.equal((await asking.waitForExit()).code, 0)
    return asking.lines.map(({ msg }) => msg).join('\n')
  }
  assert.match(await text(), /^service +HTTP_ADDR is empty: .*\nNo lake of the slot/)
  await rig.source.query('CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 10)')
  const service = await rig.stream(copying)
  await copied(rig, service, ['t', 'marks'])
  await endInOrder(rig, service)
  const shown = await text()
  assert.match(shown, /^lake +.*, slot s_\w+ of database/m)
  assert.match(shown, /^durable +batch \d+, up to [0-9A-F]+\/[0-9A-F]+; last transaction \d+ s ago$/m)
  assert.match(shown, /^copy +done: 2 of 2 tables, 1\d of about 1\d rows/m)
  assert.match(shown, /^public\.t +10 +1 +.*B +yes$/m)
  await rig.dropSlot()
})
