// Readers in Python, each in a process of its own. Their packages, in the versions of the requirements files, are installed
// once into a cache outside of the repository.
import { execFile, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { cachedFolder } from './cached-folder.js'
import { dateText, timestampText } from './cells.js'
import { findJava } from './java.js'
import type { Answer, Cell, Reader, Request } from './reader.js'

interface PythonReader {
  readonly name: string
  /** With what comes after it on the command line. */
  readonly script: readonly [string, ...string[]]
  readonly requirements: string
  readonly needsJava?: boolean
}

const scripts = fileURLToPath(new URL('../../../test/readers/python/', import.meta.url))
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
  const folder = await cachedFolder(`python-${digest.slice(0, 16)}`, async (fresh) => {
    await run('python3', ['-m', 'venv', fresh])
    await run(join(fresh, 'bin', 'python'), ['-m', 'pip', 'install', '--quiet', '--requirement', requirements])
  })
  return join(folder, 'bin', 'python')
}

/** Of the one Java that both Sparks run on. Throws Error where it is not there. */
async function javaHome(): Promise<string> {
  const java = await findJava('TEST_SPARK_JAVA_HOME', SPARK_JAVA, SPARK_JAVA)
  if (java === undefined) throw new Error(`needs Java ${SPARK_JAVA} (TEST_SPARK_JAVA_HOME)`)
  return dirname(dirname(java))
}

const SPARK_JAVA = 17

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
