// Settings of hidden columns that change between a planned batch and its replay: the batch is neither finished in clear nor made
// another one. The start is refused until it runs with the settings of the plan.
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { after, before, test } from 'node:test'
import { copied, copying } from '../support/copies.js'
import { auditLog, type CommitRecord } from '../support/log-audit.js'
import { assertNowhere } from '../support/planted.js'
import { RequestHold } from '../support/request-hold.js'
import { makeRig, type Env, type Rig } from '../support/rig.js'
import { S3Server } from '../support/s3-server.js'
import { runVerb } from '../support/service.js'

const PLANTED = 'pl4nted'
const ROWS = 300
/** Small files, so that a batch has several. */
const parts: Env = { TARGET_FILE_BYTES: '4KiB', UPLOAD_CONCURRENCY: '1' }
const salt = { HASH_SALT: 'a salt that is l0ng enough' }
const hashed: Env = { HASH_COLUMNS: 'public.a.secret', ...salt }
const excluded: Env = { EXCLUDE_COLUMNS: 'public.a.secret' }

let server: S3Server
before(async () => void (server = await S3Server.start()))
after(() => server.stop())

for (const [what, planned, others] of [
  ['in clear', {}, [[hashed, /with HASH_COLUMNS="",/] as const, [excluded, /with EXCLUDE_COLUMNS="",/] as const]],
  [
    'hashed',
    hashed,
    [
      [{}, /HASH_COLUMNS="public\.a\.secret" and the HASH_SALT of then/] as const,
      [{ ...hashed, HASH_SALT: 'another salt as long' }, /with the HASH_SALT of then/] as const,
    ],
  ],
  ['left out', excluded, [[{}, /EXCLUDE_COLUMNS="public\.a\.secret"/] as const]],
] as const)
  test(`G4: a batch is planned ${what}, and the settings of columns change before it is whole`, async (t) => {
    const rig = await makeRig(t, { lake: server })
    await rig.source.query('CREATE TABLE a (id int PRIMARY KEY, secret text)')
    const first = await rig.stream({ ...parts, ...planned })
    await rig.caughtUp(first)
    const hold = new RequestHold(t, server, { key: /\/data\/public\/a\//, pass: 2 })
    await insert(rig, 0)
    await hold.reached()
    await first.kill()
    hold.forget()
    const then = await rig.lake.keys()

    for (const [env, message] of others) {
      const { code, output, service } = await runVerb(t, ['start'], { ...rig.env, ...parts, ...env })
      assert.equal(code, 3)
      assert.match(output, message)
      assert.match(JSON.stringify(service.lines), /Start once more with these settings/)
      assert.deepEqual(await rig.lake.keys(), then, 'it has written nothing')
    }
    const second = await rig.stream({ ...parts, ...planned })
    assert.equal(second.logged('streaming')[0]?.replaying, 1)
    await rig.caughtUp(second)
    assert.equal(await second.stop(), 0)
    for (const key of then.filter((key) => key.startsWith('data/')))
      assert.ok((await rig.lake.keys()).includes(key), `${key} is still there`)
    // From then on others may hold.
    const third = await rig.stream({ ...parts, ...others[0][0] })
    await insert(rig, ROWS)
    await rig.caughtUp(third)
    assert.equal(await third.stop(), 0)
    await auditLog(rig.lake, rig.slot)
    assert.equal((await rig.lake.noDoubles())['public.a'], 2 * ROWS)
    const names = columnsOf(planned, others[0][0])
    const rows = await rig.lake.rows('public.a')
    for (const [k, env] of [planned, others[0][0]].entries())
      for (const row of rows.filter(({ id }) => Number(id) > k * ROWS && Number(id) <= (k + 1) * ROWS)) {
        const value = valueUnder(env, Number(row.id))
        const found = Object.entries(row).filter(([name, value]) => name.startsWith('secret') && value !== null)
        assert.deepEqual(found, value === undefined ? [] : [[names[k], value]])
      }
    await rig.dropSlot()
  })

test('a copy is planned in clear, and its column is hashed before it is visible', async (t) => {
  const rig = await makeRig(t, { lake: server })
  await rig.source.query('CREATE TABLE a (id int PRIMARY KEY, secret text)')
  await insert(rig, 0)
  const hold = new RequestHold(t, server, { key: /\.plan\.json$/, body: /"kind":"copy"/, done: true })
  const first = await rig.stream(copying)
  await hold.reached()
  await first.kill()
  hold.forget()
  const { code, output } = await runVerb(t, ['start'], { ...rig.env, ...copying, ...hashed })
  assert.equal(code, 3)
  assert.match(output, /was planned with HASH_COLUMNS=""/)
  assert.deepEqual(await rig.lake.files('public.a'), [])
  const second = await rig.stream(copying)
  await copied(rig, second, ['a'])
  assert.equal(await second.stop(), 0)
  assert.equal((await rig.lake.noDoubles())['public.a'], ROWS)
  await rig.dropSlot()
})

test('G4: a batch of hashes is replayed under the same settings, file by file the same', async (t) => {
  const commits: string[][] = []
  for (const killed of [false, true]) {
    const rig = await makeRig(t, { lake: server })
    await rig.source.query('CREATE TABLE a (id int PRIMARY KEY, secret text, other text)')
    const env = { ...parts, ...hashed, EXCLUDE_COLUMNS: '*.*.other' }
    const first = await rig.stream(env)
    await rig.caughtUp(first)
    const hold = killed ? new RequestHold(t, server, { key: /\/data\/public\/a\//, pass: 2 }) : undefined
    await rig.source.query(
      `INSERT INTO a SELECT g, '${PLANTED}' || g, repeat('${PLANTED}', g) FROM generate_series(1, ${ROWS}) g`,
    )
    if (killed) {
      await hold!.reached()
      await first.kill()
      hold!.forget()
    }
    const last = killed ? await rig.stream(env) : first
    await rig.caughtUp(last)
    assert.equal(await last.stop(), 0)
    const audit = await auditLog(rig.lake, rig.slot)
    commits.push(partsOf(audit.commits))
    for (const key of (await rig.lake.keys()).filter((key) => key.endsWith('.plan.json'))) {
      const plan = JSON.parse(await readFile(rig.lake.path(key), 'utf8')) as CommitRecord
      const { columns } = plan.cut as { columns: Record<string, string> }
      assert.deepEqual([columns.exclude, columns.hash], ['*.*.other', 'public.a.secret'])
      assert.match(columns.salt_fingerprint!, /^[0-9a-f]{16}$/)
    }
    await assertNowhere(rig.lake, [...first.lines, ...last.lines], [PLANTED, salt.HASH_SALT])
    await rig.dropSlot()
  }
  assert.ok(commits[0]!.length > 2)
  assert.deepEqual(commits[1], commits[0])
})

function insert({ source }: Rig, after: number): Promise<unknown> {
  return source.query(
    `INSERT INTO a SELECT ${after} + g, '${PLANTED} ' || ${after} + g FROM generate_series(1, ${ROWS}) g`,
  )
}

/** The lake's columns that hold the secret under the one settings and then under the other. */
function columnsOf(first: Env, then: Env): [string, string] {
  const kind = (env: Env): string => (env.HASH_COLUMNS === undefined ? 'text' : 'hashed')
  const kept = first.EXCLUDE_COLUMNS !== undefined || kind(first) === kind(then)
  return ['secret', kept ? 'secret' : `secret__${kind(then)}`]
}

function valueUnder(env: Env, id: number): string | undefined {
  if (env.EXCLUDE_COLUMNS !== undefined) return undefined
  const text = `${PLANTED} ${id}`
  return env.HASH_COLUMNS === undefined ? text : createHmac('sha256', env.HASH_SALT!).update(text).digest('hex')
}

function partsOf(commits: readonly CommitRecord[]): string[] {
  const files = commits.flatMap(({ files }) => files).filter(({ table }) => table === 'a')
  return files.map(({ key, rows }) => `${/-(\d+)\.parquet$/.exec(key)![1]!}: ${rows}`).sort()
}
