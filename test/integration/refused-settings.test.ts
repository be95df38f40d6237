// Settings and stores that cannot be used: each is refused with one line that names them and says what to do, in seconds,
// and nothing is created on the way.
import assert from 'node:assert/strict'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { assertRefused, footprint, type Refusal } from '../support/refusal.js'
import { makeRig, type Env, type Rig } from '../support/rig.js'
import { startService } from '../support/service.js'

interface BadSettings extends Refusal {
  readonly name: string
  readonly env: Env
}

/** Nothing listens there: a connection would be noticed. */
const NOBODY = 'postgres://someone:planted-password@127.0.0.1:1/nothing'

const settings: readonly BadSettings[] = [
  {
    name: 'nothing is set',
    env: {},
    code: 2,
    says: [/PG_CONN_STRING/, /S3_BUCKET_NAME/, /LAKE_DIR/, /--help/],
  },
  {
    name: 'a misspelt variable',
    env: { PG_CONN_STRING: NOBODY, LAKE_DIR: '/tmp', FLUSH_INTERVALL: '10s' },
    code: 2,
    says: [/FLUSH_INTERVALL/, /FLUSH_INTERVAL\b/],
  },
  {
    name: 'a bucket and a folder at once',
    env: { PG_CONN_STRING: NOBODY, LAKE_DIR: '/tmp', S3_BUCKET_NAME: 'lake' },
    code: 2,
    says: [/LAKE_DIR/, /S3_BUCKET_NAME/],
  },
  {
    name: 'many wrong values at once, every one of them named',
    env: {
      PG_CONN_STRING: 'postgres://someone:planted-password@127.0.0.1:99999/nothing',
      PG_SLOT: 'Not A Slot',
      TABLES: 'orders',
      LAKE_DIR: 's3://lake',
      NAMESPACE: '/absolute',
      FLUSH_INTERVAL: '10 parsecs',
      FLUSH_BYTES: '-1',
      MEMORY_LIMIT: '1KiB',
      UPLOAD_CONCURRENCY: 'many',
      ZSTD_LEVEL: '23',
      SNAPSHOT: 'sometimes',
      LOG_LEVEL: 'loud',
      HTTP_ADDR: 'nowhere',
    },
    code: 2,
    says: [
      /13 settings are wrong/,
      /PG_CONN_STRING.*port/,
      /PG_SLOT.*Not A Slot/,
      /TABLES.*orders/,
      /LAKE_DIR.*s3:/,
      /NAMESPACE.*absolute/,
      /FLUSH_INTERVAL.*parsecs/,
      /FLUSH_BYTES.*-1/,
      /MEMORY_LIMIT.*1KiB/,
      /UPLOAD_CONCURRENCY.*many/,
      /ZSTD_LEVEL.*23/,
      /SNAPSHOT.*sometimes/,
      /LOG_LEVEL.*loud/,
      /HTTP_ADDR.*nowhere/,
    ],
  },
]

describe('settings are refused before any connection', { concurrency: 2 }, () => {
  for (const { name, env, ...refusal } of settings) {
    test(name, async (t) => {
      const service = startService(t, env)
      await assertRefused(service, refusal)
      assert.doesNotMatch(JSON.stringify(service.lines), /planted-password/)
    })
  }

  for (const [name, args, says] of [
    ['a verb that is not there', ['begin'], /there is no verb "begin"/],
    ['an option that is not there', ['start', '--fast'], /--fast/],
    ['a word too many', ['start', 'now'], /start takes no "now"/],
    ['an option of another verb', ['init', '--publication'], /--publication belongs to drop/],
  ] as const) {
    test(name, async (t) => {
      await assertRefused(startService(t, { PG_CONN_STRING: NOBODY, LAKE_DIR: '/tmp' }, args), {
        code: 2,
        says: [says, /--help/],
      })
    })
  }
})

interface BadStore extends Refusal {
  readonly name: string
  /** What is wrong, for the program alone. */
  readonly spoil: (rig: Rig, t: TestContext) => Env | Promise<Env>
  readonly lake: 'bucket' | 'folder'
}

const stores: readonly BadStore[] = [
  {
    name: 'a bucket that is not there',
    lake: 'bucket',
    spoil: () => ({ S3_BUCKET_NAME: 'no-such-bucket-anywhere' }),
    code: 2,
    says: [/no-such-bucket-anywhere/, /S3_BUCKET_NAME/],
  },
  {
    name: 'an access key that is not known',
    lake: 'bucket',
    spoil: () => ({ AWS_ACCESS_KEY_ID: 'NOTAKEY' }),
    code: 2,
    says: [/AWS_ACCESS_KEY_ID/],
  },
  {
    name: 'a wrong secret',
    lake: 'bucket',
    spoil: () => ({ AWS_SECRET_ACCESS_KEY: 'planted-secret' }),
    code: 2,
    says: [/AWS_SECRET_ACCESS_KEY/],
  },
  {
    name: 'an endpoint where nothing listens',
    lake: 'bucket',
    spoil: () => ({ AWS_ENDPOINT: 'http://127.0.0.1:1' }),
    code: 5,
    says: [/http:\/\/127\.0\.0\.1:1\b/, /AWS_ENDPOINT/, /tried for \d+ s/],
  },
  {
    name: 'LAKE_DIR is a file',
    lake: 'folder',
    spoil: async (_, t) => {
      const file = join(await emptyFolder(t), 'file')
      await writeFile(file, '')
      return { LAKE_DIR: file }
    },
    code: 2,
    says: [/LAKE_DIR \S+\/file is not a folder/],
  },
  {
    name: 'LAKE_DIR lies below a file',
    lake: 'folder',
    spoil: async (_, t) => {
      const file = join(await emptyFolder(t), 'file')
      await writeFile(file, '')
      return { LAKE_DIR: join(file, 'lake') }
    },
    code: 2,
    says: [/LAKE_DIR/, /\/file\/lake/],
  },
  {
    name: 'LAKE_DIR whose parent is not there',
    lake: 'folder',
    spoil: async (_, t) => ({ LAKE_DIR: join(await emptyFolder(t), 'not', 'mounted') }),
    code: 2,
    says: [/LAKE_DIR \S+\/not\/mounted is not a folder/, /mkdir -p/],
  },
  {
    name: 'LAKE_DIR that may not be written',
    lake: 'folder',
    spoil: async (_, t) => ({ LAKE_DIR: await readOnlyFolder(t) }),
    code: 2,
    says: [/LAKE_DIR/, /write/],
  },
]

describe('G6: stores are refused, with nothing created', { concurrency: 2 }, () => {
  for (const { name, spoil, lake, ...refusal } of stores) {
    test(name, async (t) => {
      const rig = await makeRig(t, { lake })
      const before = await footprint(rig)
      const service = rig.start(await spoil(rig, t))
      await assertRefused(service, refusal)
      assert.doesNotMatch(JSON.stringify(service.lines), /planted-secret/)
      assert.deepEqual(await footprint(rig), before)
    })
  }
})

async function emptyFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'wal-cake-refused-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** Rights do not hold for root; the kernel's own file system takes no folders from anybody. */
async function readOnlyFolder(t: TestContext): Promise<string> {
  if (process.getuid?.() === 0) return '/sys/kernel'
  const folder = join(await emptyFolder(t), 'read-only')
  await mkdir(folder)
  await chmod(folder, 0o555)
  return folder
}
