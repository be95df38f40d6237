// Turns what a caller logs into plain values that JSON can hold: bigints as text, errors as what an operator needs.
// It must never throw: a log line is often the last thing a process says.
import { Failure } from '../model/failure.js'

const deepest = 6

/** A copy of the value for JSON. Numbers stay numbers, bigints become text, errors become message, kind, hint, causes. */
export function loggable(value: unknown, depth = 0): unknown {
  if (typeof value === 'bigint') return String(value)
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Error) return describeError(value)
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'invalid date' : value.toISOString()
  if (value instanceof Uint8Array) return `<${value.length} bytes>`
  if (depth >= deepest) return '…'
  if (Array.isArray(value)) return value.map((item) => loggable(item, depth + 1))
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, loggable(member, depth + 1)]))
}

/** Failures that come from a mistake in the program; for the others the stack tells an operator nothing. */
const kindsWithStack: ReadonlySet<string> = new Set(['unexpected', 'protocol'])

function describeError(error: Error): Record<string, unknown> {
  const chain = errorChain(error)
  const causes = chain
    .slice(1)
    .map(messageOf)
    .filter((message, index, all) => message !== error.message && all.indexOf(message) === index)
  const innermost = chain.findLast((link) => link instanceof Error)
  return {
    ...(error instanceof Failure ? { kind: error.kind } : { kind: 'unexpected', name: error.name }),
    message: error.message,
    ...(error instanceof Failure && error.hint !== undefined ? { hint: error.hint } : {}),
    ...(causes.length > 0 ? { causes } : {}),
    ...(error instanceof Failure && !kindsWithStack.has(error.kind) ? {} : { stack: innermost?.stack }),
  }
}

/** The error and its causes, outermost first; an aggregate's errors count as causes. */
function errorChain(error: Error): unknown[] {
  const chain: unknown[] = [error]
  for (let at = 0; at < chain.length && chain.length < 10; at++) {
    const link = chain[at]
    if (!(link instanceof Error)) continue
    if (link.cause !== undefined && !chain.includes(link.cause)) chain.push(link.cause)
    if (link instanceof AggregateError) chain.push(...(link.errors as unknown[]).slice(0, 5))
  }
  return chain
}

/** Node's connection errors may have an empty message and say it all in their code. */
function messageOf(link: unknown): string {
  if (!(link instanceof Error)) return String(link)
  const code = 'code' in link && typeof link.code === 'string' ? link.code : ''
  return link.message === '' ? code || link.name : link.message
}
