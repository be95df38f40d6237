// How fast backlogs are drained, as ratios to pg_recvlogical writing the same backlog of the same server to /dev/null. Both
// start from copies of one slot, take turns, and the medians count; absolute times of a shared machine prove nothing.
// `./run.sh bench backlog [PART OF A CASE'S NAME …]`.
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { startPostgres, type PostgresServer } from '../cmd/wal-cake/demo/postgres-server.js'
import { hasOpenssl, makeCertificate, switchTlsOn } from '../test/support/certificate.js'
import { bucketEnv, makeBucket } from '../test/support/lake-bucket.js'
import { S3Server } from '../test/support/s3-server.js'
import { startStore, type TestStore } from '../test/support/s3-stores.js'
import { backlogCases, type BacklogCase } from './backlog-cases.js'
import { findClientProgram } from './client-programs.js'
import { drainIntoLake, throwAway, withSlot, type Drain } from './drain.js'
import type { Figure } from './figures.js'
import { bucketPlace, folderPlace } from './lake-place.js'
import { median, walPosition } from './measuring.js'

const ROUNDS = 3
/** Unit of the speeds. */
export const RECVLOGICAL = 'x pg_recvlogical'

/** Server, and how its links are made. */
interface Lab {
  readonly server: PostgresServer
  readonly admin: pg.Client
  readonly socketFolder: string
  readonly recvlogical: string
  readonly store: TestStore | undefined
}

/** Of the cases whose name has one of the words; of all where there is none. */
export async function backlog(words: readonly string[]): Promise<readonly Figure[]> {
  const chosen = backlogCases.filter(({ name }) => words.length === 0 || words.some((word) => name.includes(word)))
  const folder = await mkdtemp(join(tmpdir(), 'wal-cake-bench-'))
  // The server may run as another user.
  await chmod(folder, 0o777)
  const server = await startPostgres({
    settings: { max_wal_size: '8GB', unix_socket_directories: folder, max_locks_per_transaction: 1024 },
  })
  const admin = new pg.Client(server.url)
  await admin.connect()
  const store = chosen.some(({ bucket }) => bucket) ? await startStore() : undefined
  const lab = { server, admin, socketFolder: folder, recvlogical: await findClientProgram('pg_recvlogical'), store }
  try {
    if (chosen.some(({ link }) => link === 'tls')) await encrypt(lab)
    const figures: Figure[] = []
    for (const one of chosen) figures.push(...(await inDatabase(lab, one)))
    return figures
  } finally {
    await store?.stop()
    await admin.end()
    await server.stop('immediate')
    await rm(folder, { recursive: true })
  }
}

async function encrypt({ server, socketFolder }: Lab): Promise<void> {
  if (!(await hasOpenssl())) throw new Error('TLS needs a certificate, and this machine has no openssl to make one')
  await switchTlsOn(server, await makeCertificate(socketFolder, 'localhost'))
}

/** A database for each case: decoding skips what the others have written. */
async function inDatabase(lab: Lab, one: BacklogCase): Promise<readonly Figure[]> {
  const database = `bench_${process.hrtime.bigint()}`
  await lab.admin.query(`CREATE DATABASE ${database}`)
  const url = new URL(lab.server.url)
  url.pathname = database
  const client = new pg.Client(url.href)
  await client.connect()
  try {
    await client.query(one.tables)
    if (one.before !== undefined) await client.query(one.before)
    await client.query("SELECT pg_create_logical_replication_slot($1, 'pgoutput')", [database])
    for (const statement of one.load) await client.query(statement)
    const backlog = { slot: database, end: await walPosition(client), link: linkOf(lab, one, url) }
    const figures = await rounds(lab, client, one, backlog)
    return one.bucket === true ? [...figures, ...(await requestsOf(client, one, backlog))] : figures
  } finally {
    await client.query('SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = $1', [
      database,
    ])
    await client.end()
    await lab.admin.query(`DROP DATABASE ${database}`)
  }
}

function linkOf({ server, socketFolder }: Lab, { link }: BacklogCase, url: URL): string {
  const password = decodeURIComponent(url.password)
  const database = url.pathname.slice(1)
  if (link === 'unix')
    return `host=${socketFolder} port=${server.port} user=postgres dbname=${database} password='${password}'`
  // A server that has TLS would be asked for it by default.
  url.searchParams.set('sslmode', link === 'tls' ? 'require' : 'disable')
  return url.href
}

interface Drained extends Drain {
  /** Of Parquet. */
  readonly bytes: number
}

interface Backlog {
  readonly slot: string
  readonly end: string
  readonly link: string
}

async function rounds(lab: Lab, client: pg.Client, one: BacklogCase, backlog: Backlog): Promise<readonly Figure[]> {
  const baseline: number[] = []
  const drains: Drained[] = []
  const { slot, end, link } = backlog
  for (let round = 1; round <= ROUNDS; round++) {
    baseline.push(await withSlot(client, slot, (copy) => throwAway(lab.recvlogical, link, copy, end)))
    drains.push(await withSlot(client, slot, (copy) => drainOnce(lab, client, one, { slot: copy, end, link })))
    const rate = (seconds: number): string => `${Math.round(one.rows / seconds / 1000)} k rows/s`
    process.stderr.write(
      `${one.name}, round ${round}: pg_recvlogical ${rate(baseline.at(-1)!)}, wal-cake ${rate(drains.at(-1)!.seconds)}\n`,
    )
  }
  const middle = (of: (drain: Drained) => number): number => median(drains.map(of))
  const figure = { bench: 'backlog', subject: one.name }
  const seconds = middle((drain) => drain.seconds)
  const decoding = await decodeInProcess(client, backlog.slot)
  return [
    { ...figure, measure: 'speed', value: median(baseline) / seconds, unit: RECVLOGICAL, least: one.least },
    { ...figure, measure: 'speed', value: decoding / seconds, unit: 'x decoding in the server' },
    { ...figure, measure: 'rate', value: one.rows / seconds / 1000, unit: 'k rows/s' },
    {
      ...figure,
      measure: 'CPU',
      value: middle((drain) => drain.cpuSeconds) / (one.rows / 1e6),
      unit: 's per million rows',
    },
    { ...figure, measure: 'peak', value: Math.max(...drains.map((drain) => drain.peakBytes)) / 2 ** 20, unit: 'MiB' },
    { ...figure, measure: 'size', value: middle((drain) => drain.bytes) / one.rows, unit: 'bytes a row' },
  ]
}

/** In seconds: what the server takes for its part alone, without sending anything. */
async function decodeInProcess(client: pg.Client, slot: string): Promise<number> {
  const started = performance.now()
  await client.query(
    `SELECT count(*) FROM pg_logical_slot_peek_binary_changes($1, NULL, NULL,
       'proto_version', '1', 'publication_names', 'bench', 'binary', 'true')`,
    [slot],
  )
  return (performance.now() - started) / 1000
}

async function drainOnce(lab: Lab, client: pg.Client, one: BacklogCase, backlog: Backlog): Promise<Drained> {
  const place = one.bucket === true ? await bucketPlace(lab.store!) : await folderPlace()
  try {
    const { slot, end, link } = backlog
    const drain = await drainIntoLake(client, link, slot, end, place.env)
    const { rows, bytes } = await place.written()
    if (rows !== one.rows) throw new Error(`${one.name}: ${rows} rows of ${one.rows} are in the lake`)
    return { ...drain, bytes }
  } finally {
    await place.remove()
  }
}

/** What a backlog costs at a store: counted by one that keeps a log. */
async function requestsOf(
  client: pg.Client,
  one: BacklogCase,
  { slot, end, link }: Backlog,
): Promise<readonly Figure[]> {
  const store = await S3Server.start()
  const bucket = { endpoint: store.endpoint, ...store.keys, region: 'us-east-1', bucket: 'bench' }
  await makeBucket(bucket)
  try {
    await withSlot(client, slot, (copy) => drainIntoLake(client, link, copy, end, bucketEnv(bucket)))
    const figure = { bench: 'backlog', subject: one.name }
    const sent = store.log.reduce((sum, { receivedBytes }) => sum + receivedBytes, 0)
    return [
      { ...figure, measure: 'requests to the store', value: store.log.length, unit: '' },
      { ...figure, measure: 'sent to the store', value: sent / 1e6, unit: 'MB' },
    ]
  } finally {
    await store.stop()
  }
}
