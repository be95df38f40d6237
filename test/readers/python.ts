// Readers in Python, each in a process of its own. Their packages, in the versions of the requirements files, are installed
// once into a cache outside of the repository.
import { execFile, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { dateText, timestampText } from './cells.js'
import type { Answer, Cell, Reader, Request } from './reader.js'

interface PythonReader {
  readonly name: string
  /** With what comes after it on the command line. */
  readonly script: readonly [string, ...string[]]
  readonly requirements: string
  readonly needsJava?: boolean
}

const scripts = fileURLToPath(new URL('../../../test/readers/python/', import.meta.url))
const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'wal-cake', 'readers')
const run = promisify(execFile)

export function pythonReader({ name, script: [file, ...args], requirements, needsJava = false }: PythonReader): Reader {
  let python = ''
  const environment: Record<string, string> = {
    ...{ TZ: 'UTC', PYTHONDONTWRITEBYTECODE: '1' },
    // Spark listens on the machine's own address otherwise.
    SPARK_LOCAL_IP: '127.0.0.1',
  }
  return {
    name,
    prepare: async () => {
      try {
        if (needsJava) environment.JAVA_HOME = await javaHome()
        python = await environmentOf(join(scripts, requirements))
        return undefined
      } catch (error) {
        return error instanceof Error ? error.message : String(error)
      }
    },
    read: (requests) => ask(python, [join(scripts, file), ...args], environment, requests),
  }
}

/** Its interpreter. Throws Error where Python or a package cannot be had. */
async function environmentOf(requirements: string): Promise<string> {
  const digest = createHash('sha256')
    .update(await readFile(requirements))
    .digest('hex')
  const folder = join(cache, digest.slice(0, 16))
  if (!existsSync(folder)) {
    const unfinished = `${folder}-${process.pid}`
    await mkdir(cache, { recursive: true })
    await run('python3', ['-m', 'venv', unfinished])
    await run(join(unfinished, 'bin', 'python'), ['-m', 'pip', 'install', '--quiet', '--requirement', requirements])
    // Another run may have been quicker.
    await rename(unfinished, folder).catch(() => rm(unfinished, { recursive: true }))
  }
  return join(folder, 'bin', 'python')
}

const JAVA_MAJOR = 17
const MACHINES = '/usr/lib/jvm'

/** Of the one Java that both Sparks run on. Throws Error where it is not there. */
async function javaHome(): Promise<string> {
  const installed = existsSync(MACHINES) ? await readdir(MACHINES) : []
  for (const home of [process.env.JAVA_HOME ?? '', ...installed.map((name) => join(MACHINES, name))]) {
    const java = join(home, 'bin', 'java')
    if (home === '' || !existsSync(java)) continue
    const { stderr } = await run(java, ['-version'])
    if (stderr.includes(`version "${JAVA_MAJOR}.`)) return home
  }
  throw new Error(`no Java ${JAVA_MAJOR} in JAVA_HOME or ${MACHINES}`)
}

/** What the script sends before it is a Cell: JSON has no NaN. */
type SentCell = string | null | SentNumber | readonly SentCell[]
type SentNumber =
  { readonly float: string } | { readonly days: number } | { readonly micros: string; readonly zone: '' | '+00' }
type SentAnswer = { readonly rows: readonly (readonly SentCell[])[] } | { readonly refused: string }

/** Throws Error where it does not answer every request, with what it printed. */
async function ask(
  python: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  requests: readonly Request[],
): Promise<Answer[]> {
  const child = spawn(python, args, { env: { ...process.env, ...environment }, stdio: 'pipe' })
  let output = ''
  let errors = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
  child.stdin.end(requests.map((request) => `${JSON.stringify(request)}\n`).join(''))
  await new Promise((resolve, reject) => child.once('close', resolve).once('error', reject))
  const lines = output.split('\n').filter((line) => line.startsWith(ANSWER))
  if (lines.length !== requests.length)
    throw new Error(`${args.join(' ')}: ${lines.length} of ${requests.length} answers\n${output}\n${errors}`)
  return lines.map((line) => received(JSON.parse(line.slice(ANSWER.length)) as SentAnswer))
}

/** Engines print things of their own. */
const ANSWER = 'answer '

function received(answer: SentAnswer): Answer {
  return 'refused' in answer ? answer : { rows: answer.rows.map((row) => row.map(cellOf)) }
}

function cellOf(cell: SentCell): Cell {
  if (cell === null || typeof cell === 'string') return cell
  if ('float' in cell) return Number(cell.float)
  if ('days' in cell) return dateText(cell.days)
  return 'micros' in cell ? timestampText(BigInt(cell.micros), cell.zone) : cell.map(cellOf)
}
