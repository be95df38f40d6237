// Reports a test run by file: one line each, the failures in full. For the long runs; single files use Node's own `spec`.
import { relative } from 'node:path'
import { inspect } from 'node:util'
import type { TestEvent } from 'node:test/reporters'

interface FileResult {
  passed: number
  failed: number
  ms: number
  readonly output: string[]
  /** What its tests say of themselves: figures. */
  readonly told: string[]
}

/** A reporter in the sense of `node --test --test-reporter`. */
export default async function* reportFiles(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const results = new Map<string, FileResult>()
  let current: string | undefined
  const resultOf = (file: string): FileResult => {
    const result = results.get(file) ?? { passed: 0, failed: 0, ms: 0, output: [], told: [] }
    results.set(file, result)
    return result
  }
  for await (const event of events) {
    if (event.type === 'test:stdout' || event.type === 'test:stderr') {
      resultOf(event.data.file).output.push(event.data.message)
      continue
    }
    // Of a test that stands for itself; Node tells its own sums the same way, without a file.
    if (event.type === 'test:diagnostic' && event.data.nesting === 0 && event.data.file !== undefined)
      resultOf(event.data.file).told.push(event.data.message)
    if (event.type !== 'test:pass' && event.type !== 'test:fail') continue
    const file = event.data.file ?? '?'
    const result = resultOf(file)
    // Node reports the files one after the other, however many run at once.
    if (current !== undefined && file !== current) yield summary(current, resultOf(current))
    current = file
    if (event.data.nesting === 0) result.ms += event.data.details.duration_ms
    if (event.type === 'test:fail') {
      yield failure(event.data.name, event.data.details.error)
      if (event.data.details.type !== 'suite') result.failed++
    } else if (event.data.details.type !== 'suite' && event.data.skip === undefined) result.passed++
  }
  if (current !== undefined) yield summary(current, resultOf(current))
}

function failure(name: string, error: Error): string {
  // Its parts have been told.
  if ((error as { failureType?: string }).failureType === 'subtestsFailed') return ''
  // Node wraps what the test threw.
  const text = inspect(error.cause ?? error, { depth: 5 }).replaceAll(/^/gm, '    ')
  return `\nFAILED  ${name}\n${text}\n\n`
}

function summary(file: string, { passed, failed, ms, output, told }: FileResult): string {
  const name = relative(process.cwd(), file)
    .replace(/^(\.\.\/)*(\S*\/)?(dist\/)?test\//, '')
    .replace(/\.test\.[jt]s$/, '')
  const seconds = `${(ms / 1000).toFixed(1)} s`.padStart(8)
  const counts = failed === 0 ? `${passed} passed` : `${passed} passed, ${failed} failed`
  const shown = failed === 0 ? '' : output.join('')
  return `${shown}${failed === 0 ? 'ok    ' : 'FAILED'}  ${seconds}  ${name}  ${counts}\n${told.map((line) => `        ${line}\n`).join('')}`
}
