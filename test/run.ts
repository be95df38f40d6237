// Runs the tests: starts each server once, hands them to `node --test`, ends everything it started. Its last line is
// `N passed, N failed, N skipped`, which scripts read. `soak MINUTES` runs those that are larger in a soak, whole, and those
// that look for faults as long as they may; PG_VERSIONS=14,15,18 names the servers.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { NEWEST_MAJOR, OLDER_MAJOR, onOlderMajor, parseMajors, programsOf } from './support/postgres-versions.js'
import { startPostgres, type PostgresServer } from './support/postgres.js'
import { availableRealStores, type TestStore } from './support/s3-stores.js'

/** Folders of test/ that run when none is named. */
const SUITES = ['unit', 'integration', 'fault']
/** Only for a soak: what takes too long for every day. */
const SOAK_SUITE = 'soak'
/** Measures, so nothing else runs meanwhile. */
const MEASURED = join('integration', 'speed.test.js')
/** A file that takes longer is ended and has failed. */
const FILE_LIMIT_MS = 480_000
/** More for those of test/readers, which install the readers and start them all. */
const READERS_LIMIT_MS = 3_600_000
/** More for one that soaks, and for each of its minutes: what it has begun it ends, and a failure is looked into. */
const SOAK_LIMIT_MS = 900_000
const SOAK_MINUTE_LIMIT_MS = 120_000

const compiled = fileURLToPath(new URL('.', import.meta.url))

interface Counts {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

type Environment = Readonly<Record<string, string>>

/** Files that run on one server. */
interface Round {
  /** Undefined for the server of TEST_PG_URL. */
  readonly major: number | undefined
  readonly files: readonly string[]
}

interface Selection {
  readonly suites: readonly string[]
  /** Part of a file's path or, where there is no such file, of a test's name. */
  readonly pattern: string | undefined
  readonly soakMinutes: number | undefined
}

const running: { postgres?: PostgresServer; store?: TestStore; readonly tests: Set<ChildProcess> } = {
  tests: new Set(),
}

async function main(args: readonly string[]): Promise<number> {
  // Otherwise the SDK says in every process which Node it will want next year.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true'
  const { suites, pattern, soakMinutes } = select(args)
  const all = (await Promise.all(suites.map((suite) => testFiles(suite, soakMinutes !== undefined)))).flat()
  if (all.length === 0) throw new Error(`no tests in ${suites.join(', ')}`)
  const ofPattern = all.filter((file) => relative(compiled, file).includes(pattern ?? ''))
  // What is no part of a file's path is looked for in the tests' names.
  const names = ofPattern.length === 0 ? pattern : undefined
  const files = ofPattern.length === 0 ? all : ofPattern

  const rounds = planRounds(files, pattern === undefined && soakMinutes === undefined)
  const store = files.every(isUnit) ? undefined : await startStore()
  const brief = pattern === undefined && soakMinutes === undefined
  const versions: string[] = []
  let counts: Counts = { passed: 0, failed: 0, skipped: 0 }
  for (const round of rounds) {
    const server = round.files.every(isUnit) ? undefined : await startServer(round.major)
    if (server !== undefined) {
      versions.push(`${server.name} (${round.files.filter((file) => !isUnit(file)).length} files)`)
      if (rounds.length > 1) console.log(`on PostgreSQL ${server.name}:`)
    }
    const environment = { ...store?.environment, ...server?.environment }
    for (const groups of await turnsOf(round.files, soakMinutes)) {
      const runs = groups.map((files) => runTests({ files, names, brief, soakMinutes }, environment))
      counts = (await Promise.all(runs)).reduce(sum, counts)
    }
    await running.postgres?.stop('immediate')
    delete running.postgres
  }
  if (versions.length > 0) console.log(`PostgreSQL: ${versions.join(', ')}`)
  if (store !== undefined) console.log(`S3 stores: ${store.names}`)
  console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`)
  return counts.failed > 0 ? 1 : 0
}

/**
 * Groups that run at once, turn after turn. What is measured has the machine for itself, after all others. In a soak what is only larger then comes first. Those that go on for minutes do so
 * all together, each with a reporter of its own: one for all would keep back all but the first.
 */
async function turnsOf(files: readonly string[], soakMinutes: number | undefined): Promise<(readonly string[])[][]> {
  if (soakMinutes === undefined) {
    const measured = files.filter((file) => file.endsWith(MEASURED))
    const others = files.filter((file) => !file.endsWith(MEASURED))
    return [[others], [measured]].filter(([group]) => group!.length > 0)
  }
  const larger: string[] = []
  const longer: string[] = []
  for (const file of files) ((await source(file)).includes('soakMinutes') ? longer : larger).push(file)
  return [larger.length === 0 ? [] : [larger], longer.map((file) => [file])]
}

function source(file: string): Promise<string> {
  return readFile(join(sourceFolder(), relative(compiled, file).replace(/\.js$/, '.ts')), 'utf8')
}

function isUnit(file: string): boolean {
  return relative(compiled, file).startsWith('unit')
}

function isReaders(file: string): boolean {
  return relative(compiled, file).startsWith('readers')
}

function sum(a: Counts, b: Counts): Counts {
  return { passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: a.skipped + b.skipped }
}

/**
 * The newest server takes everything; what stands in test/integration is repeated on the other versions of PG_VERSIONS, and
 * in a `whole` run without it a part of that on one older version.
 */
function planRounds(files: readonly string[], whole: boolean): Round[] {
  const wanted = process.env.PG_VERSIONS ?? ''
  if ((process.env.TEST_PG_URL ?? '') !== '') {
    if (wanted !== '') throw new Error('TEST_PG_URL and PG_VERSIONS exclude each other')
    return [{ major: undefined, files }]
  }
  const [newest = NEWEST_MAJOR, ...others] = wanted === '' ? [] : parseMajors(wanted).sort((a, b) => b - a)
  const repeated = (path: string) => (wanted === '' ? onOlderMajor.test(path) : path.startsWith('integration'))
  const again = files.filter((file) => repeated(relative(compiled, file)))
  const older = wanted === '' && whole ? [OLDER_MAJOR] : others
  const rounds = [{ major: newest, files }, ...older.map((major) => ({ major, files: again }))]
  return rounds.filter((round) => round.files.length > 0)
}

function select(args: readonly string[]): Selection {
  const [first = '?'] = args
  if (first === 'soak') {
    const minutes = Number(args[1])
    if (!(minutes > 0)) throw new Error('usage: ./run.sh test soak MINUTES [part of a path or name]')
    return { suites: [...SUITES, SOAK_SUITE], pattern: args[2], soakMinutes: minutes }
  }
  const named = existsSync(join(compiled, first)) && !first.includes('.')
  return { suites: named ? [first] : SUITES, pattern: args[named ? 1 : 0], soakMinutes: undefined }
}

/**
 * Those that have a source: what was compiled from a deleted one may still lie there. `soaking`: only those that are larger or
 * longer then, and those of test/soak.
 */
async function testFiles(suite: string, soaking: boolean): Promise<string[]> {
  const sources = join(sourceFolder(), suite)
  if (!existsSync(sources)) return []
  const entries = await readdir(sources, { recursive: true })
  const tests: string[] = []
  for (const path of entries.filter((path) => path.endsWith('.test.ts')).sort())
    if (!soaking || suite === SOAK_SUITE || (await readFile(join(sources, path), 'utf8')).includes('support/soak.js'))
      tests.push(path)
  return tests.map((path) => join(compiled, suite, path.replace(/\.ts$/, '.js')))
}

function sourceFolder(): string {
  const ofRoot = join(compiled, '..', '..', 'test')
  return existsSync(ofRoot) ? ofRoot : join(process.cwd(), 'test')
}

/** `name`: for the report. */
async function startServer(major: number | undefined): Promise<{ name: string; environment: Environment }> {
  if (major === undefined) return { name: 'the server of TEST_PG_URL', environment: {} }
  // Somebody's PGSSLMODE or PGOPTIONS is meant for another server.
  for (const name of Object.keys(process.env)) if (name.startsWith('PG')) Reflect.deleteProperty(process.env, name)
  running.postgres = await startPostgres({ native: await programsOf(major) })
  const environment = { TEST_PG_URL: running.postgres.url, TEST_PG_MAJOR: String(major) }
  return { name: `${running.postgres.version}, embedded`, environment }
}

/** `names`: for the report, every store that tests can use. */
async function startStore(): Promise<{ names: string; environment: Environment }> {
  // May install one, which is why it happens here and not in several tests at once.
  const sources = await availableRealStores()
  const names = [...sources.map(({ name }) => name), "the test suite's own server"].join(', ')
  const [only] = sources
  // With several to choose from, each test file starts those that it is about.
  if (only === undefined || sources.length > 1) return { names, environment: {} }
  running.store = await only.start()
  const environment = {
    TEST_S3_ENDPOINT: running.store.endpoint,
    TEST_S3_ACCESS_KEY_ID: running.store.accessKeyId,
    TEST_S3_SECRET_ACCESS_KEY: running.store.secretAccessKey,
  }
  return { names, environment }
}

interface Run {
  readonly files: readonly string[]
  /** Only tests whose name has this in it. */
  readonly names: string | undefined
  /** A line for each file. */
  readonly brief: boolean
  readonly soakMinutes: number | undefined
}

async function runTests({ files, names, brief, soakMinutes = 0 }: Run, environment: Environment): Promise<Counts> {
  const folder = await mkdtemp(join(tmpdir(), 'wal-cake-test-'))
  const tap = join(folder, 'result.tap')
  const reporter = brief ? join(compiled, 'support', 'file-reporter.js') : 'spec'
  const fileMs = files.every(isReaders) ? READERS_LIMIT_MS : FILE_LIMIT_MS
  const limitMs = fileMs + (soakMinutes > 0 ? SOAK_LIMIT_MS + soakMinutes * SOAK_MINUTE_LIMIT_MS : 0)
  const args = [
    '--enable-source-maps',
    '--test',
    // Tests wait for servers more than they compute.
    `--test-concurrency=${availableParallelism() + 1}`,
    `--test-timeout=${limitMs}`,
    ...['--test-reporter', reporter, '--test-reporter-destination', 'stdout'],
    ...['--test-reporter', 'tap', '--test-reporter-destination', tap],
    ...(names === undefined ? [] : ['--test-name-pattern', names]),
    ...files,
  ]
  // In a process group of its own, so that whatever the tests leave behind can be ended with it.
  const tests = spawn(process.execPath, args, {
    env: { ...process.env, ...environment, ...(soakMinutes > 0 ? { SOAK_MINUTES: String(soakMinutes) } : {}) },
    stdio: ['ignore', 'inherit', 'inherit'],
    detached: true,
  })
  running.tests.add(tests)
  const [code] = (await once(tests, 'exit')) as [number | null]
  endTests(tests)
  const counts = readCounts(await readFile(tap, 'utf8').catch(() => ''))
  await rm(folder, { recursive: true, force: true })
  // A run that broke down must not look like one without failures.
  return code !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts
}

/** From the summary with which Node's TAP reporter ends. */
function readCounts(tap: string): Counts {
  const last = (name: string) => Number([...tap.matchAll(new RegExp(`^# ${name} (\\d+)$`, 'gm'))].at(-1)?.[1] ?? 0)
  return { passed: last('pass'), failed: last('fail') + last('cancelled'), skipped: last('skipped') }
}

/** And whatever they have left behind. */
function endTests(tests: ChildProcess): void {
  running.tests.delete(tests)
  try {
    if (tests.pid !== undefined) process.kill(-tests.pid, 'SIGKILL')
  } catch {
    // Nobody is left in it.
  }
}

async function stopServers(): Promise<void> {
  for (const tests of running.tests) endTests(tests)
  await Promise.all([running.postgres?.stop('immediate'), running.store?.stop()])
}

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  process.once(signal, () => {
    void stopServers().finally(() => process.exit(code))
  })
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  console.log('0 passed, 1 failed, 0 skipped')
  process.exitCode = 1
} finally {
  await stopServers()
}
