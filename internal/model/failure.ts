// The one error class of the program, and the one table from a failure's kind to what the service does about it.
// Messages and hints are for operators: they name the thing and the way out, and never hold a cell value or a secret.

/** What the service does on a failure: try again by itself, or stop with an exit code. */
export type Verdict = { readonly act: 'retry' } | { readonly act: 'stop'; readonly exitCode: 1 | 2 | 3 | 4 | 5 }

interface Rule {
  readonly atFirst: Verdict
  /** Once the service has streamed. */
  readonly atWork: Verdict
}

const again: Verdict = { act: 'retry' }
const retry: Rule = { atFirst: again, atWork: again }
const end = (exitCode: 1 | 2 | 3 | 4 | 5): Verdict => ({ act: 'stop', exitCode })
const stop = (exitCode: 1 | 2 | 3 | 4 | 5): Rule => ({ atFirst: end(exitCode), atWork: end(exitCode) })
/** What has worked in this process before is mended by a person sooner or later; until then nothing is lost. */
const stopAtFirst = (exitCode: 1 | 2 | 3 | 4 | 5): Rule => ({ atFirst: end(exitCode), atWork: again })

const rules = {
  /** The link to PostgreSQL broke, or the server is starting or stopping. */
  link: retry,
  /** The slot is held by another connection. */
  slot_busy: retry,
  /** The object store is away, slow or overloaded. */
  store_away: retry,
  /** A plan of another writer stood where ours should go: read the log again and replay it. */
  plan_taken: retry,
  /** A value arrived in binary that is only known in text: stream again in text. */
  needs_text: retry,
  /** A setting is wrong: the connection string, the credentials, the bucket. */
  config: stopAtFirst(2),
  /** The server or the lake is not in a state in which running would be safe. */
  unsafe: stop(3),
  /** A bounded wait ended. */
  gave_up: stop(5),
  /** Another writer owns the log. */
  fenced: stop(4),
  /** A message or state that must not occur (G9). */
  protocol: stop(1),
  /** Anything else. */
  unexpected: stop(1),
} as const satisfies Record<string, Rule>

export type FailureKind = keyof typeof rules

export class Failure extends Error {
  readonly kind: FailureKind
  /** What the operator can do, one sentence or one statement of SQL. */
  readonly hint: string | undefined

  constructor(kind: FailureKind, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'Failure'
    this.kind = kind
    this.hint = options.hint
  }
}

export function verdictOf(failure: Failure, when: keyof Rule = 'atFirst'): Verdict {
  return rules[failure.kind][when]
}

/** Every error as a Failure; one that nobody foresaw is `unexpected`, and so stops the service. */
export function asFailure(error: unknown): Failure {
  if (error instanceof Failure) return error
  const message = error instanceof Error ? error.message : String(error)
  return new Failure('unexpected', message, { cause: error })
}
