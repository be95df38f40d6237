// From binary to text in the middle of a stream: a type comes up that is only known in text, in a batch that is planned and of
// which part is stored. The stream goes on in text from the last durable position, and every row is there once.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { auditLog } from '../support/log-audit.js'
import { RequestHold } from '../support/request-hold.js'
import { makeRig, type Rig } from '../support/rig.js'
import { S3Server } from '../support/s3-server.js'
import { unlessSoaking } from '../support/soak.js'
import { major } from '../support/table-kind.js'

let server: S3Server
before(async () => void (server = await S3Server.start()))
after(() => server.stop())

/** Many files, and less memory than the transaction takes, so that it is planned before it has arrived. */
const PARTS = { FLUSH_BYTES: '2MiB', TARGET_FILE_BYTES: '1MiB', MEMORY_LIMIT: '16MiB' }
const ROWS = 20_000

const cases = [
  ['the program goes on by itself', false, false],
  ['the program is killed, and the table is gone when it asks', true, true],
  // Between them the two have all that it has.
  ...unlessSoaking([], [['the program is killed', false, true] as const]),
] as const

for (const [what, dropped, killed] of cases)
  test(`G4: a type only known in text comes up in a planned batch: ${what}`, async (t) => {
    const rig = await makeRig(t, { lake: server })
    if ((await major(rig)) < 14) return
    await createRows(rig)
    const first = await rig.stream(PARTS)
    assert.equal(first.logged('streaming')[0]?.mode, 'binary')
    const hold = new RequestHold(t, server, { key: /\/data\/public\/a\//, pass: 3 })
    await rig.source.query(`DO $$ BEGIN
      ${insertRows(1)}; CREATE TABLE met (id int PRIMARY KEY, v tsvector); INSERT INTO met VALUES (1, 'cat');
      ${insertRows(ROWS + 1)}; ${dropped ? 'DROP TABLE met;' : ''} END $$`)
    await hold.reached(1, { timeoutMs: 60_000 })
    assert.deepEqual(first.logged('will try again'), [], 'the type is still to come')
    hold.letGo()
    const { err } = await first.waitForLog('will try again', { timeoutMs: 60_000 })
    assert.equal((err as { kind: string }).kind, 'needs_text')
    if (killed) await first.kill()
    const last = killed ? await rig.stream(PARTS) : first
    await rig.caughtUp(last)
    assert.equal(await last.stop(), 0)
    const inText = last.logged((line) => line.msg === 'streaming' && line.mode === 'text')
    assert.deepEqual(
      inText.map(({ replaying }) => replaying),
      [1],
    )
    await assertWhole(rig, `'cat'`)
  })

/** The server has no binary form of aclitem itself, and ends the stream when it comes to an array of them. */
for (const [type, value, printed] of [
  ['tsvector', 'cat', `'cat'`],
  ['aclitem[]', '{=r/pg_monitor}', ['=r/pg_monitor']],
] as const)
  for (const dropped of [false, true])
    test(`G4: ${type} comes up in an open batch${dropped ? ', and its table is gone when it is asked for' : ''}`, async (t) => {
      const rig = await makeRig(t, { lake: server })
      await createRows(rig)
      const service = await rig.stream()
      await rig.source.query(`DO $$ BEGIN
        ${insertRows(1, 100)}; CREATE TABLE met (id int PRIMARY KEY, v ${type}); INSERT INTO met VALUES (1, '${value}');
        ${insertRows(101, 100)}; ${dropped ? 'DROP TABLE met;' : ''} END $$`)
      await rig.caughtUp(service)
      assert.equal(await service.stop(), 0)
      assert.equal(service.logged('streaming').at(-1)?.mode, 'text')
      await assertWhole(rig, printed)
    })

async function createRows({ source }: Rig): Promise<void> {
  await source.query(
    'CREATE TABLE a (id int PRIMARY KEY, note bytea, amount numeric(12,2), moment timestamptz, f float8)',
  )
}

/** With what each mode writes another way: values of every form, and those that go to `_raw`. */
function insertRows(from: number, rows = ROWS): string {
  return `INSERT INTO a SELECT g, (SELECT string_agg(sha512((g * 16 + k)::text::bytea), '') FROM generate_series(1, 15) AS k),
      CASE WHEN g % 7 = 0 THEN 'NaN' ELSE g / 7.0 END,
      CASE WHEN g % 11 = 0 THEN 'infinity' ELSE '2024-02-29 12:00:00+00'::timestamptz + g * '0.000001 s'::interval END, g / 3.0
    FROM generate_series(${from}, ${from + rows - 1}) AS g`
}

async function assertWhole({ lake, source, slot }: Rig, met: string | readonly string[]): Promise<void> {
  await auditLog(lake, slot)
  await lake.noDoubles()
  const order = `string_agg(concat_ws('|', id, md5(note), amount, raw_amount, moment, raw_moment, f), ';' ORDER BY id)`
  const [table] = await source.query(`SELECT count(*)::text AS rows, md5(${order}) AS digest FROM (
    SELECT id, note, CASE WHEN amount <> 'NaN' THEN amount::text END AS amount, CASE amount WHEN 'NaN' THEN 'NaN' END AS raw_amount,
      CASE WHEN isfinite(moment) THEN (extract(epoch FROM moment) * 1000000)::int8 END AS moment,
      CASE WHEN NOT isfinite(moment) THEN 'infinity' END AS raw_moment, (f * 3)::numeric(20, 3)::text AS f FROM a) AS a`)
  await lake.files('public.a')
  const [found] = await lake.query(`SELECT count(*)::VARCHAR AS rows, md5(${order}) AS digest FROM (
    SELECT id, note, amount::VARCHAR AS amount, _raw ->> 'amount' AS raw_amount, epoch_us(moment) AS moment, _raw ->> 'moment' AS raw_moment,
      (f * 3)::DECIMAL(20, 3)::VARCHAR AS f FROM ${lake.from('public.a')})`)
  assert.deepEqual(found, table)
  assert.deepEqual(
    (await lake.rows('public.met')).map(({ v }) => v),
    [met],
  )
}
