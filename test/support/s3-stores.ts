// Where a test gets an S3 service from: a configured one, versitygw or MinIO if they are here or can be installed, else
// the test suite's own server. Starts processes on loopback only, and ends them by their process id.
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { constants } from 'node:fs'
import { access, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { homedir, tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { freePort } from '../../cmd/wal-cake/demo/postgres-server.js'
import { S3Server } from './s3-server.js'

export interface TestStore {
  /** For reports: which store a test ran on. */
  readonly name: string
  readonly endpoint: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly region: string
  makeBucket(name: string): Promise<void>
  stop(): Promise<void>
}

export interface StoreSource {
  readonly name: string
  start(): Promise<TestStore>
}

/** The first store that can be had. */
export async function startStore(): Promise<TestStore> {
  const [source] = await availableRealStores()
  return source === undefined ? startOwnServer() : source.start()
}

/**
 * Stores of other makers that can be started here, in the order in which they are preferred. Where none is but Go is,
 * installs versitygw, which takes some minutes once.
 */
export async function availableRealStores(): Promise<StoreSource[]> {
  const configured = configuredStore()
  if (configured !== undefined) return [configured]
  const found: StoreSource[] = []
  for (const { name, args, environment } of programs) {
    const path = await findProgram(name)
    if (path !== undefined) found.push({ name, start: () => startProgram(name, path, args, environment) })
  }
  if (found.length > 0) return found
  const versitygw = programs[0]
  const path = await installVersitygw()
  if (path === undefined) return []
  return [{ name: versitygw.name, start: () => startProgram(versitygw.name, path, versitygw.args, noEnvironment) }]
}

export async function startOwnServer(): Promise<TestStore> {
  const server = await S3Server.start()
  return testStore('own server', server.endpoint, 'us-east-1', server.keys, () => server.stop())
}

function configuredStore(): StoreSource | undefined {
  const { TEST_S3_ENDPOINT: endpoint, AWS_REGION: region = 'us-east-1' } = process.env
  const { TEST_S3_ACCESS_KEY_ID: accessKeyId, TEST_S3_SECRET_ACCESS_KEY: secretAccessKey } = process.env
  if (endpoint === undefined) return undefined
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    throw new Error('TEST_S3_ENDPOINT needs TEST_S3_ACCESS_KEY_ID and TEST_S3_SECRET_ACCESS_KEY')
  }
  const name = `TEST_S3_ENDPOINT ${endpoint}`
  const start = () => Promise.resolve(testStore(name, endpoint, region, { accessKeyId, secretAccessKey }))
  return { name, start }
}

interface Keys {
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

const keys: Keys = { accessKeyId: 'TESTKEY', secretAccessKey: 'test-secret-key' }
const noEnvironment = {}

const programs = [
  {
    name: 'versitygw',
    args: (port: number, folder: string) => [
      ...['--access', keys.accessKeyId, '--secret', keys.secretAccessKey, '--region', 'us-east-1'],
      ...['--port', `127.0.0.1:${port}`, '--quiet', 'posix', folder],
    ],
    environment: noEnvironment,
  },
  {
    name: 'minio',
    args: (port: number, folder: string) => ['server', '--quiet', '--address', `127.0.0.1:${port}`, folder],
    environment: { MINIO_ROOT_USER: keys.accessKeyId, MINIO_ROOT_PASSWORD: keys.secretAccessKey },
  },
] as const

function testStore(
  name: string,
  endpoint: string,
  region: string,
  { accessKeyId, secretAccessKey }: Keys,
  end: () => Promise<void> = () => Promise.resolve(),
): TestStore {
  const credentials = { accessKeyId, secretAccessKey }
  const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true })
  return {
    name,
    endpoint,
    accessKeyId,
    secretAccessKey,
    region,
    makeBucket: async (bucket) => {
      await client.send(new CreateBucketCommand({ Bucket: bucket }))
    },
    stop: async () => {
      client.destroy()
      await end()
    },
  }
}

async function startProgram(
  name: string,
  path: string,
  args: (port: number, folder: string) => string[],
  environment: Readonly<Record<string, string>>,
): Promise<TestStore> {
  const folder = await mkdtemp(join(tmpdir(), `wal-cake-${name}-`))
  // Another process may take the port before this one has it.
  for (let attempt = 1; ; attempt++) {
    const port = await freePort()
    const child = spawn(path, args(port, folder), { stdio: 'ignore', env: { ...process.env, ...environment } })
    const kill = () => child.kill('SIGKILL')
    process.once('exit', kill)
    const end = async () => {
      process.off('exit', kill)
      await endProcess(child)
      await rm(folder, { recursive: true, force: true })
    }
    if (await answers(child, port)) return testStore(name, `http://127.0.0.1:${port}`, 'us-east-1', keys, end)
    await endProcess(child)
    if (attempt === 3) {
      await end()
      throw new Error(`${path} does not start`)
    }
    process.off('exit', kill)
  }
}

async function endProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGKILL')
  await once(child, 'exit')
}

const START_LIMIT_MS = 30_000

/** Whether the process takes connections before it ends or the time is up. */
async function answers(child: ChildProcess, port: number): Promise<boolean> {
  const deadline = Date.now() + START_LIMIT_MS
  while (child.exitCode === null && child.signalCode === null && Date.now() < deadline) {
    const socket = connect(port, '127.0.0.1')
    const connected = await once(socket, 'connect').then(
      () => true,
      () => false,
    )
    socket.destroy()
    if (connected) return true
    await delay(20)
  }
  return false
}

/** In the PATH, in Go's folder, or in our cache. */
async function findProgram(name: string): Promise<string | undefined> {
  const go = await run('go', ['env', 'GOPATH'])
  const folders = [...(process.env.PATH ?? '').split(delimiter), join(go ?? join(homedir(), 'go'), 'bin'), cache]
  for (const folder of folders) {
    const path = join(folder, name)
    const executable = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    )
    if (folder !== '' && executable) return path
  }
  return undefined
}

const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'wal-cake', 'bin')

async function installVersitygw(): Promise<string | undefined> {
  const [, major, minor] = /go(\d+)\.(\d+)/.exec((await run('go', ['version'])) ?? '') ?? []
  if (!(Number(major) > 1 || Number(minor) >= 25)) return undefined
  await mkdir(cache, { recursive: true })
  const module = 'github.com/versity/versitygw/cmd/versitygw@v1.8.0'
  const installed = await run('go', ['install', module], { GOBIN: cache })
  return installed === undefined ? undefined : join(cache, 'versitygw')
}

const INSTALL_LIMIT_MS = 15 * 60_000

/** What the program prints, or undefined where it is not there or fails. */
async function run(
  program: string,
  args: string[],
  environment: Readonly<Record<string, string>> = noEnvironment,
): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)(program, args, {
      env: { ...process.env, ...environment },
      timeout: INSTALL_LIMIT_MS,
    })
    return stdout.trim()
  } catch {
    return undefined
  }
}
