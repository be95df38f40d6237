// The command line: which verb, with which environment; and the one place where a failure becomes a log line and an exit
// code.
import { setFlagsFromString } from 'node:v8'
import { fileURLToPath } from 'node:url'
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { parse as parseDotenv } from 'dotenv'
import { parseConfig, type Config } from '../../internal/config/parse-config.js'
import { renderHelp } from '../../internal/config/render.js'
import { asFailure, Failure, verdictOf } from '../../internal/model/failure.js'
import { createLogger, type Logger } from '../../internal/observability/logger.js'

// The engine would let garbage grow to several times what is in use, on top of MEMORY_LIMIT, before it looks after it.
setFlagsFromString('--heap-growing-percent=30')
// The SDK says on stderr which Node it will want next year; that is for maintainers to know, not for operators.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true'

/** What a verb gets to work with. */
export interface Invocation {
  readonly config: Config
  readonly logger: Logger
  readonly version: string
  /** What stands behind the verb, without the flags. */
  readonly args: readonly string[]
  readonly flags: Flags
}

/** All that there are; a verb gets only its own. */
export interface Flags {
  readonly publication?: boolean
  readonly yes?: boolean
  readonly json?: boolean
  readonly print?: boolean
  readonly where?: string
  readonly table?: readonly string[]
  readonly sample?: boolean
  readonly from?: string
  readonly engine?: string
  readonly 'as-of'?: string
}

const verbs: Readonly<Record<string, () => Promise<(invocation: Invocation) => Promise<void>>>> = {
  start: async () => (await import('./start.js')).start,
  init: async () => (await import('./init.js')).init,
  doctor: async () => (await import('./doctor.js')).doctor,
  drop: async () => (await import('./drop.js')).drop,
  repair: async () => (await import('./repair.js')).repair,
  snapshot: async () => (await import('./snapshot.js')).snapshot,
  status: async () => (await import('./status.js')).status,
  tail: async () => (await import('./tail.js')).tail,
  verify: async () => (await import('./verify.js')).verify,
  views: async () => (await import('./views.js')).views,
}

/** Verbs whose standard output is an answer, for a pipe: their log goes to standard error. */
const answering: readonly string[] = ['doctor', 'status', 'tail', 'verify', 'views']

/** How many words may stand behind a verb; none where it is not named. */
const mostArgs: Readonly<Record<string, number>> = { snapshot: 1, tail: 1, init: 1 }

/** Flags, and the verbs that each belongs to. */
const flagsOf = {
  publication: { verbs: ['drop'], type: 'boolean' },
  yes: { verbs: ['repair'], type: 'boolean' },
  json: { verbs: ['status', 'doctor', 'tail', 'verify'], type: 'boolean' },
  where: { verbs: ['snapshot'], type: 'string' },
  from: { verbs: ['tail'], type: 'string' },
  table: { verbs: ['verify', 'views'], type: 'string', multiple: true },
  sample: { verbs: ['verify'], type: 'boolean' },
  engine: { verbs: ['views'], type: 'string' },
  'as-of': { verbs: ['views'], type: 'string' },
  print: { verbs: ['init'], type: 'boolean' },
} as const

/** Ends with the exit code that belongs to the outcome. */
async function main(): Promise<number> {
  // Until the configuration is read, what LOG_FORMAT seems to say is good enough for saying what is wrong with it.
  let logger = createLogger({ level: 'info', format: formatFor(process.env.LOG_FORMAT) })
  try {
    const { verb, args, flags, answer } = readArguments(process.argv.slice(2))
    if (answer !== undefined) {
      process.stdout.write(answer)
      return 0
    }
    const output = answering.includes(verb) ? { stream: process.stderr } : {}
    logger = createLogger({ level: 'info', format: formatFor(process.env.LOG_FORMAT), ...output })
    const config = parseConfig({ ...readDotenv(), ...process.env })
    const { logLevel: level, secrets } = config
    logger = createLogger({ level, format: formatFor(config.logFormat), secrets, ...output })
    const run = await verbs[verb]!()
    await run({ config, logger, version: version(), args, flags })
    return Number(process.exitCode ?? 0)
  } catch (error) {
    const failure = asFailure(error)
    logger.fatal(failure)
    const verdict = verdictOf(failure)
    // What a verb that runs once cannot wait for has ended its bounded wait.
    return verdict.act === 'stop' ? verdict.exitCode : 5
  }
}

function formatFor(asked: string | undefined): 'json' | 'pretty' {
  return asked === 'pretty' || (asked !== 'json' && process.stdout.isTTY) ? 'pretty' : 'json'
}

function readArguments(argv: string[]): { verb: string; args: readonly string[]; flags: Flags; answer?: string } {
  const usage = (message: string): Failure =>
    new Failure('config', message, { hint: 'Run with --help for what there is.' })
  let parsed
  try {
    const flag = { type: 'boolean' } as const
    parsed = parseArgs({
      args: argv,
      allowPositionals: true,
      options: { help: { ...flag, short: 'h' }, version: flag, ...flagsOf },
    })
  } catch (error) {
    throw usage(error instanceof Error ? error.message : String(error))
  }
  const { help = false, version: asksVersion = false, ...flags } = parsed.values
  const [verb = 'start', ...args] = parsed.positionals
  if (help || verb === 'help') return { verb, args: [], flags: {}, answer: renderHelp() }
  if (asksVersion) return { verb, args: [], flags: {}, answer: `wal-cake ${version()}\n` }
  if (!Object.hasOwn(verbs, verb)) throw usage(`there is no verb ${JSON.stringify(verb)}`)
  const tooMany = args[mostArgs[verb] ?? 0]
  if (tooMany !== undefined) throw usage(`${verb} takes no ${JSON.stringify(tooMany)}`)
  for (const name of Object.keys(flags) as (keyof Flags)[])
    if (!(flagsOf[name].verbs as readonly string[]).includes(verb))
      throw usage(`--${name} belongs to ${flagsOf[name].verbs.join(' and ')}, not to ${verb}`)
  return { verb, args, flags }
}

/** `.env` of the working directory; the environment itself goes first. */
function readDotenv(): Record<string, string> {
  try {
    return parseDotenv(readFileSync('.env'))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {}
    throw new Failure('config', `.env cannot be read: ${(error as Error).message}`, { cause: error })
  }
}

function version(): string {
  const file = fileURLToPath(new URL('../../../package.json', import.meta.url))
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}

// The log is written synchronously, so nothing is lost by not waiting for sockets that are still closing.
process.exit(await main())
