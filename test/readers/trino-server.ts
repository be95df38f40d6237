// A Trino of one node over local files, on loopback; Maven brings it once. Queries go over its HTTP protocol
// (https://trino.io/docs/476/develop/client-protocol.html).
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { freePort } from '../../cmd/wal-cake/demo/postgres-server.js'
import { cachedFolder } from './cached-folder.js'
import { findJava, mavenDependency } from './java.js'

const RELEASE = '476'
const LEAST_JAVA = 24
const START_LIMIT_MS = 300_000

export interface TrinoProgram {
  readonly java: string
  readonly folder: string
}

/** A text says why it cannot be had. */
export async function trinoProgram(): Promise<TrinoProgram | string> {
  const java = await findJava('TEST_TRINO_JAVA_HOME', LEAST_JAVA)
  if (java === undefined) return `it needs Java ${LEAST_JAVA}, in TEST_TRINO_JAVA_HOME, JAVA_HOME or the PATH`
  try {
    return { java, folder: await cachedFolder(`trino-${RELEASE}`, install) }
  } catch (error) {
    return `Maven does not bring it: ${String(error)}`
  }
}

async function install(folder: string): Promise<void> {
  const archive = `trino-server-${RELEASE}`
  await mavenDependency('copy', `-Dartifact=io.trino:trino-server:${RELEASE}:tar.gz`, `-DoutputDirectory=${folder}`)
  await promisify(execFile)('tar', ['xzf', join(folder, `${archive}.tar.gz`), '-C', folder])
  await rm(join(folder, `${archive}.tar.gz`))
  for (const part of ['lib', 'plugin']) await rename(join(folder, archive, part), join(folder, part))
  await rm(join(folder, archive), { recursive: true })
  // Each of the other fifty takes its time at every start.
  const plugins = await readdir(join(folder, 'plugin'))
  for (const plugin of plugins.filter((name) => name !== 'hive'))
    await rm(join(folder, 'plugin', plugin), { recursive: true })
}

/** A value as the protocol has it. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[]
type JsonRow = readonly JsonValue[]

interface Page {
  readonly nextUri?: string
  readonly data?: readonly JsonRow[]
  readonly error?: { readonly message: string }
}

export class Trino {
  readonly #child: ChildProcess
  readonly #folder: string
  readonly #url: string
  readonly #kill = (): boolean => this.#child.kill('SIGKILL')

  private constructor(child: ChildProcess, folder: string, port: number) {
    this.#child = child
    this.#folder = folder
    this.#url = `http://127.0.0.1:${port}`
    process.once('exit', this.#kill)
  }

  /** With one catalogue, `lake`, which has `properties`. Throws Error with the end of its log where it does not start. */
  static async start({ java, folder: program }: TrinoProgram, properties: string): Promise<Trino> {
    const folder = await mkdtemp(join(tmpdir(), 'wal-cake-trino-'))
    const port = await freePort()
    await mkdir(join(folder, 'catalog'))
    await writeFile(join(folder, 'config.properties'), serverProperties(program, folder, port))
    await writeFile(join(folder, 'catalog', 'lake.properties'), `${properties}\n${metastoreProperties(folder)}`)
    const log = await open(join(folder, 'log'), 'w')
    const options = [
      '-Xmx2G',
      // What is shown may not depend on it.
      '-Duser.timezone=Asia/Kolkata',
      '-Djdk.attach.allowAttachSelf=true',
      '--add-modules=jdk.incubator.vector',
      '--enable-native-access=ALL-UNNAMED',
      `-Dconfig=${join(folder, 'config.properties')}`,
    ]
    const args = [...options, '-cp', join(program, 'lib', '*'), 'io.trino.server.TrinoServer']
    const child = spawn(java, args, { cwd: folder, stdio: ['ignore', log.fd, log.fd] })
    await log.close()
    const trino = new Trino(child, folder, port)
    if (await trino.#started()) return trino
    const said = await readFile(join(folder, 'log'), 'utf8')
    await trino.stop()
    throw new Error(`Trino does not start: ${said.slice(-2_000)}`)
  }

  async #started(): Promise<boolean> {
    const deadline = Date.now() + START_LIMIT_MS
    while (this.#child.exitCode === null && Date.now() < deadline) {
      // It answers before it takes queries.
      const ready = await this.query('SELECT 1').then(
        () => true,
        () => false,
      )
      if (ready) return true
      await delay(500)
    }
    return false
  }

  /** The rows. Throws Error with Trino's message. */
  async query(sql: string): Promise<JsonRow[]> {
    const headers = {
      'X-Trino-User': 'test',
      'X-Trino-Catalog': 'lake',
      'X-Trino-Time-Zone': 'UTC',
      // Timestamps are cut to milliseconds otherwise.
      'X-Trino-Client-Capabilities': 'PARAMETRIC_DATETIME',
    }
    let page = await pageOf(fetch(`${this.#url}/v1/statement`, { method: 'POST', headers, body: sql }))
    const rows: JsonRow[] = []
    for (;;) {
      if (page.error !== undefined) throw new Error(page.error.message)
      rows.push(...(page.data ?? []))
      if (page.nextUri === undefined) return rows
      page = await pageOf(fetch(page.nextUri))
    }
  }

  async stop(): Promise<void> {
    process.off('exit', this.#kill)
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#kill()
      await once(this.#child, 'exit')
    }
    await rm(this.#folder, { recursive: true })
  }
}

async function pageOf(answer: Promise<Response>): Promise<Page> {
  const response = await answer
  if (!response.ok) throw new Error(`Trino answers ${response.status}: ${await response.text()}`)
  return (await response.json()) as Page
}

function serverProperties(program: string, folder: string, port: number): string {
  return `
    node.id=test
    node.environment=test
    node.bind-ip=127.0.0.1
    node.internal-address=127.0.0.1
    coordinator=true
    node-scheduler.include-coordinator=true
    http-server.http.port=${port}
    discovery.uri=http://127.0.0.1:${port}
    catalog.config-dir=${join(folder, 'catalog')}
    plugin.dir=${join(program, 'plugin')}
    query.max-memory=512MB
    query.max-memory-per-node=512MB`
}

function metastoreProperties(folder: string): string {
  return `
    hive.metastore=file
    hive.metastore.catalog.dir=local://${join(folder, 'metastore')}
    hive.security=allow-all
    fs.native-local.enabled=true
    local.location=/`
}
