// A real PostgreSQL of our own for the demo and the tests: on loopback, in a temporary folder, ended by its process id.
// Never used by the service. Durability is off: its data is thrown away with it.
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { chown, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { findPostgresPrograms, type PostgresPrograms } from './postgres-binaries.js'

type Settings = Readonly<Record<string, string | number>>

export interface PostgresOptions {
  /** Server settings on top of ours, such as `{ wal_sender_timeout: '2s' }`. */
  readonly settings?: Settings
  /** Of the superuser `postgres`, asked for with scram-sha-256; a random one when absent. */
  readonly password?: string
  /** Lets everybody on this machine in as superuser, without a password. */
  readonly trust?: boolean
  /** Folder of the server's programs, as nativeFolder() gives it; our own package's when absent. */
  readonly native?: string
}

/** `fast` ends sessions in order (SIGINT); `immediate` is a crash, recovered at the next start (SIGQUIT). */
export type StopMode = 'fast' | 'immediate'

const START_LIMIT_MS = 60_000
const STOP_LIMIT_MS = 20_000
const PORT_ATTEMPTS = 5

const ownSettings = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  wal_level: 'logical',
  max_wal_senders: 40,
  max_replication_slots: 60,
  max_connections: 120,
  shared_buffers: '64MB',
  fsync: 'off',
  full_page_writes: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
}

/** Starts a new, empty server. Throws Error with the end of the server's log when it does not come up. */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const programs = await findPostgresPrograms(options.native)
  const folder = await mkdtemp(join(tmpdir(), 'wal-cake-pg-'))
  const { uid, gid } = programs.account
  if (uid !== undefined && gid !== undefined) await chown(folder, uid, gid)
  try {
    const password = options.trust === true ? undefined : (options.password ?? randomBytes(12).toString('hex'))
    await initialise(programs, folder, password)
    return await firstStart(programs, folder, password, options.settings)
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    throw error
  }
}

async function initialise({ initdb, account }: PostgresPrograms, folder: string, password?: string): Promise<void> {
  const args = [`--pgdata=${join(folder, 'data')}`, '--username=postgres', '--encoding=UTF8', '--no-locale']
  args.push('--no-sync', `--auth=${password === undefined ? 'trust' : 'scram-sha-256'}`)
  if (password !== undefined) {
    const file = join(folder, 'password')
    await writeFile(file, password, { mode: 0o600 })
    if (account.uid !== undefined && account.gid !== undefined) await chown(file, account.uid, account.gid)
    args.push(`--pwfile=${file}`)
  }
  await promisify(execFile)(initdb, args, { ...account, cwd: folder, env: serverEnvironment() })
}

/** Another process may take a free port before the server has it. */
async function firstStart(
  programs: PostgresPrograms,
  folder: string,
  password: string | undefined,
  settings: Settings = {},
): Promise<PostgresServer> {
  for (let attempt = 1; ; attempt++) {
    const server = new PostgresServer(programs, folder, await freePort(), password, settings)
    try {
      await server.up()
      return server
    } catch (error) {
      const taken = error instanceof Error && error.message.includes('Address already in use')
      if (!taken || attempt === PORT_ATTEMPTS) throw error
    }
  }
}

export class PostgresServer {
  /** Of the database `postgres`, as its superuser. */
  readonly url: string
  readonly port: number
  /** Such as `18.4`. */
  readonly version: string
  readonly dataDir: string
  readonly #folder: string
  readonly #programs: PostgresPrograms
  readonly #settings: readonly string[]
  #process: ChildProcess | undefined
  /** What is left to do when the process ends without stop(): nothing asynchronous runs any more then. */
  readonly #onExit = () => {
    this.#process?.kill('SIGQUIT')
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 3 })
  }

  /** Use startPostgres(). */
  constructor(
    programs: PostgresPrograms,
    folder: string,
    port: number,
    password: string | undefined,
    settings: Settings,
  ) {
    this.#programs = programs
    this.#folder = folder
    this.#settings = Object.entries({ ...ownSettings, ...settings }).flatMap(([name, value]) => [
      '-c',
      `${name}=${value}`,
    ])
    const user = password === undefined ? 'postgres' : `postgres:${encodeURIComponent(password)}`
    this.url = `postgres://${user}@127.0.0.1:${port}/postgres`
    this.port = port
    this.version = programs.version
    this.dataDir = join(folder, 'data')
  }

  /** The server's whole log. */
  log(): Promise<string> {
    return readFile(join(this.#folder, 'server.log'), 'utf8')
  }

  /** Starts it (again) on its port and returns when it takes connections. */
  async up(): Promise<void> {
    const log = await open(join(this.#folder, 'server.log'), 'a')
    const args = ['-D', this.dataDir, '-p', String(this.port), ...this.#settings]
    const { postgres, account } = this.#programs
    const stdio = ['ignore', log.fd, log.fd] as const
    const child = spawn(postgres, args, { ...account, cwd: this.dataDir, env: serverEnvironment(), stdio: [...stdio] })
    // A process that only waits for its server may end; #onExit takes the server with it.
    child.unref()
    await log.close()
    this.#process = child
    process.once('exit', this.#onExit)
    try {
      await this.#untilReady(child)
    } catch (error) {
      await this.down('immediate')
      throw error
    }
  }

  /** Stops it and keeps its data, for up(). Takes it by force when it does not end within 20 s. */
  async down(mode: StopMode = 'fast'): Promise<void> {
    const child = this.#process
    this.#process = undefined
    process.off('exit', this.#onExit)
    if (child === undefined || hasEnded(child)) return
    child.ref()
    const ended = once(child, 'exit')
    child.kill(mode === 'fast' ? 'SIGINT' : 'SIGQUIT')
    const force = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS)
    await ended
    clearTimeout(force)
  }

  async restart(mode: StopMode = 'fast'): Promise<void> {
    await this.down(mode)
    await this.up()
  }

  /** Stops it and removes its data. */
  async stop(mode: StopMode = 'fast'): Promise<void> {
    await this.down(mode)
    // After a forced end its children may still write for a moment.
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  }

  /** As pg_ctl finds out: the server writes its state into the eighth line of its lock file. */
  async #untilReady(child: ChildProcess): Promise<void> {
    const deadline = performance.now() + START_LIMIT_MS
    while (performance.now() < deadline) {
      if (hasEnded(child)) throw new Error(`PostgreSQL did not start:\n${(await this.log()).slice(-2000)}`)
      const lock = await readFile(join(this.dataDir, 'postmaster.pid'), 'utf8').catch(() => '')
      const lines = lock.split('\n')
      if (lines[0] === String(child.pid) && lines[7]?.trim() === 'ready') return
      await delay(10)
    }
    throw new Error(`PostgreSQL was not ready within ${START_LIMIT_MS / 1000} s:\n${(await this.log()).slice(-2000)}`)
  }
}

function hasEnded(child: ChildProcess): boolean {
  // Without a process id it never began.
  return child.pid === undefined || child.exitCode !== null || child.signalCode !== null
}

/** None of the caller's PG* variables, which the server and initdb would obey. */
function serverEnvironment(): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' }
}

/** A TCP port of the loopback interface that nothing listens on at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}
