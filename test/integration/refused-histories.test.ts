// Slots, publications and lakes that are not ours or not whole: the program refuses to run where rows would be missing or
// mixed, names what is missing and the way out, and touches nothing.
import assert from 'node:assert/strict'
import { cp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { testDatabase } from '../support/postgres.js'
import { assertRefused, footprint, type Refusal } from '../support/refusal.js'
import { RequestHold } from '../support/request-hold.js'
import { makeRig, type Env, type Rig } from '../support/rig.js'
import { S3Server } from '../support/s3-server.js'

interface BadHistory {
  readonly name: string
  /** Makes it bad, and says what is to be said about it. */
  readonly spoil: (rig: Rig) => Promise<Refusal>
  readonly env?: Env
}

const emptyLake: readonly BadHistory[] = [
  {
    name: 'a slot of another output plugin',
    spoil: async ({ source, slot }) => {
      await source.query(`SELECT pg_create_logical_replication_slot($1, 'test_decoding')`, [slot])
      return { code: 3, says: [new RegExp(`slot ${slot}`), /test_decoding, not pgoutput/, /PG_SLOT/] }
    },
  },
  {
    name: 'a physical slot',
    spoil: async ({ source, slot }) => {
      await source.query(`SELECT pg_create_physical_replication_slot($1)`, [slot])
      return { code: 3, says: [new RegExp(`slot ${slot}`), /physical/, /PG_SLOT/] }
    },
  },
  {
    name: 'a table without replica identity, when the publication has to be created',
    spoil: async ({ source }) => {
      await source.query('CREATE TABLE keyless (a int)')
      return {
        code: 3,
        says: [/publishing keyless/, /UPDATE and DELETE/, /ALTER TABLE keyless REPLICA IDENTITY FULL/, /TABLES/],
      }
    },
  },
  {
    name: 'several tables without replica identity, one of them by a setting',
    spoil: async ({ source }) => {
      await source.query(`CREATE TABLE "Keyless Too" (a int); CREATE TABLE nothing_set (a int PRIMARY KEY);
        ALTER TABLE nothing_set REPLICA IDENTITY NOTHING; CREATE TABLE fine (a int); ALTER TABLE fine REPLICA IDENTITY FULL`)
      return { code: 3, says: [/publishing "Keyless Too", nothing_set would/] }
    },
  },
]

const usedLake: readonly BadHistory[] = [
  {
    name: 'the slot is ahead of the lake',
    spoil: async ({ source, slot }) => {
      await source.query('INSERT INTO marks DEFAULT VALUES')
      await source.query('SELECT pg_replication_slot_advance($1, pg_current_wal_lsn())', [slot])
      return {
        code: 3,
        says: [
          new RegExp(`slot ${slot} stands at [0-9A-F]+/[0-9A-F]+`),
          /lake ends at [0-9A-F]+\/[0-9A-F]+/,
          /missing: [0-9A-F]+\/[0-9A-F]+ to [0-9A-F]+\/[0-9A-F]+/,
          /repair --yes/,
        ],
      }
    },
  },
  {
    name: 'the slot is gone',
    spoil: async (rig) => {
      await rig.dropSlot()
      return {
        code: 3,
        says: [
          new RegExp(`slot ${rig.slot} is gone`),
          /lake ends at [0-9A-F]+\/[0-9A-F]+/,
          /missing: /,
          /repair --yes/,
        ],
      }
    },
  },
  {
    name: 'the publication is gone',
    spoil: async ({ source }) => {
      await source.query('DROP PUBLICATION wal_cake_pub')
      return { code: 3, says: [/publication wal_cake_pub is gone/, /CREATE PUBLICATION "wal_cake_pub"/] }
    },
  },
]

/** What is wrong with these lies in the lake alone. */
const changedLake: readonly BadHistory[] = [
  {
    name: 'the lake was written from another cluster',
    spoil: async (rig) => {
      await editJson(rig, 'identity.json', (identity) => ({ ...identity, system_identifier: '7000000000000000001' }))
      return { code: 3, says: [/7000000000000000001/, /cluster/, /PG_CONN_STRING/, /NAMESPACE/] }
    },
  },
  {
    name: 'the lake was written from another database',
    spoil: async (rig) => {
      await editJson(rig, 'identity.json', (identity) => ({ ...identity, database: 'elsewhere' }))
      return { code: 3, says: [/database elsewhere/, /PG_CONN_STRING/, /NAMESPACE/] }
    },
  },
  {
    name: 'the identity of the lake is gone',
    spoil: async (rig) => {
      await rm(rig.lake.path(`_wal_cake/${rig.slot}/identity.json`))
      return { code: 3, says: [/no identity\.json/, /NAMESPACE/] }
    },
  },
  {
    name: 'a newer version wrote the identity',
    spoil: async (rig) => {
      await editJson(rig, 'identity.json', (identity) => ({ ...identity, format: 2 }))
      return { code: 3, says: [/newer version/, /identity\.json has format 2/] }
    },
  },
  {
    name: 'a newer version wrote the last commit',
    spoil: async (rig) => {
      await editJson(rig, await lastCommit(rig), (commit) => ({ ...commit, format: 2 }))
      return { code: 3, says: [/newer version/, /commit\.json has format 2/] }
    },
  },
  {
    name: 'the last commit was cut',
    spoil: async (rig) => {
      await editText(rig, await lastCommit(rig), (text) => text.slice(0, text.length / 2))
      return { code: 3, says: [/commit\.json is damaged/, /Restore/] }
    },
  },
  {
    name: 'the last commit lacks a field',
    spoil: async (rig) => {
      await editJson(rig, await lastCommit(rig), ({ end_lsn, ...commit }) => ({ ...commit, was: end_lsn }))
      return { code: 3, says: [/commit\.json is damaged: its end_lsn/, /Restore/] }
    },
  },
  {
    name: 'the last commit is no object',
    spoil: async (rig) => {
      await editText(rig, await lastCommit(rig), () => 'null')
      return { code: 3, says: [/commit\.json is damaged/, /Restore/] }
    },
  },
  {
    name: 'a commit was deleted from the log',
    spoil: async (rig) => {
      await rm(rig.lake.path(`_wal_cake/${rig.slot}/log/000000000001.commit.json`))
      return { code: 3, says: [/log has a hole/, /Restore/] }
    },
  },
]

describe('G6: refused, with nothing created or moved', { concurrency: 2 }, () => {
  for (const { name, spoil, env = {} } of emptyLake) {
    test(name, async (t) => {
      const rig = await makeRig(t, { lake: 'folder' })
      const refusal = await spoil(rig)
      const before = await footprint(rig)
      await assertRefused(rig.start(env), refusal)
      assert.deepEqual(await footprint(rig), before)
      await rig.dropSlot()
    })
  }

  test('a slot of another database', async (t) => {
    const other = await testDatabase(t)
    const rig = await makeRig(t, { lake: 'folder' })
    await other.query(`SELECT pg_create_logical_replication_slot($1, 'pgoutput')`, [rig.slot])
    const before = await footprint(rig)
    await assertRefused(rig.start(), {
      code: 3,
      says: [new RegExp(`slot ${rig.slot} belongs to the database ${other.name}`), /PG_SLOT/],
    })
    assert.deepEqual(await footprint(rig), before)
  })

  for (const { name, spoil } of usedLake) {
    test(name, async (t) => {
      const rig = await makeRig(t, { lake: 'folder' })
      await commitBatches(rig)
      const refusal = await spoil(rig)
      const before = await footprint(rig)
      // A change that waits must not be let through either.
      await rig.source.query('INSERT INTO marks DEFAULT VALUES')
      await assertRefused(rig.start(), refusal)
      assert.deepEqual(await footprint(rig), before)
      await rig.dropSlot()
    })
  }

  test('a lake that somebody has changed', async (t) => {
    const rig = await makeRig(t, { lake: 'folder' })
    await commitBatches(rig)
    const whole = `${rig.folder!}.whole`
    await cp(rig.folder!, whole, { recursive: true })
    t.after(() => rm(whole, { recursive: true }))
    for (const { name, spoil } of changedLake)
      await t.test(name, async () => {
        await rm(join(rig.folder!, 'default'), { recursive: true })
        await cp(whole, rig.folder!, { recursive: true })
        const refusal = await spoil(rig)
        const before = await footprint(rig)
        await rig.source.query('INSERT INTO marks DEFAULT VALUES')
        await assertRefused(rig.start(), refusal)
        assert.deepEqual(await footprint(rig), before)
      })
    await rig.dropSlot()
  })
})

describe('G5: another writer has committed the batch', () => {
  let server: S3Server
  before(async () => void (server = await S3Server.start()))
  after(() => server.stop())

  for (const other of ['other', 'the same'] as const) {
    test(`with ${other} contents`, async (t) => {
      const rig = await makeRig(t, { lake: server })
      const service = await rig.stream()
      await rig.caughtUp(service)
      // Our commit waits in the wire while that of the other writer arrives.
      const hold = new RequestHold(t, server, { key: /\.commit\.json$/, body: /"kind":"changes"/ })
      await rig.source.query('INSERT INTO marks DEFAULT VALUES')
      await hold.reached()
      const held = await rig.confirmed()
      const mine = JSON.parse(String(hold.bodies[0])) as Record<string, unknown>
      const files = mine.files as readonly Record<string, unknown>[]
      const theirs = other === 'other' ? { files: files.map((file) => ({ ...file, rows: 7 })), rows: 7 } : {}
      hold.pass()
      await putObject(rig, hold.held[0]!, JSON.stringify({ ...mine, writer: 'somebody-else', ...theirs }))
      hold.letGo()
      if (other === 'other') {
        await assertRefused(service, {
          code: 4,
          says: [/another writer has committed batch \d+/, /commit\.json/, /Stop one/],
        })
        assert.equal(await rig.confirmed(), held, 'the slot has not moved')
      } else {
        await rig.caughtUp(service)
        assert.equal(await service.stop(), 0)
      }
      await rig.dropSlot()
    })
  }
})

/** A lake with three batches of changes. */
async function commitBatches(rig: Rig): Promise<void> {
  const service = await rig.stream()
  for (let batch = 0; batch < 3; batch++) await rig.caughtUp(service)
  assert.equal(await service.stop(), 0)
}

async function lastCommit(rig: Rig): Promise<string> {
  const keys = await rig.lake.keys(`_wal_cake/${rig.slot}/log/`)
  return `log/${keys
    .filter((key) => key.endsWith('.commit.json'))
    .at(-1)!
    .split('/')
    .at(-1)!}`
}

async function editText(rig: Rig, name: string, change: (text: string) => string): Promise<void> {
  const path = rig.lake.path(`_wal_cake/${rig.slot}/${name}`)
  await writeFile(path, change(await readFile(path, 'utf8')))
}

type Json = Readonly<Record<string, unknown>>

function editJson(rig: Rig, name: string, change: (record: Json) => Json): Promise<void> {
  return editText(rig, name, (text) => JSON.stringify(change(JSON.parse(text) as Json)))
}

async function putObject(rig: Rig, key: string, body: string): Promise<void> {
  const { endpoint, region, bucket, ...credentials } = rig.bucket!
  const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true })
  try {
    await client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body }))
  } finally {
    client.destroy()
  }
}
