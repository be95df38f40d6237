// What a doctor finds: one thing looked at, in a line, with the statement or the setting that mends it.
import { asFailure } from '../../model/failure.js'

export interface Check {
  /** What was looked at. */
  readonly subject: string
  readonly state: 'ok' | 'warning' | 'failed'
  /** What is the case. */
  readonly found: string
  /** SQL, a setting or a policy; absent where nothing is to be done. */
  readonly mend?: string
}

export function ok(subject: string, found: string): Check {
  return { subject, state: 'ok', found }
}

export function warning(subject: string, found: string, mend: string): Check {
  return { subject, state: 'warning', found, mend }
}

export function failed(subject: string, found: string, mend: string): Check {
  return { subject, state: 'failed', found, mend }
}

/** What `look` found, or what stopped it from looking. */
export async function attempt(
  subject: string,
  look: () => Promise<Check | readonly Check[]>,
): Promise<readonly Check[]> {
  try {
    return [await look()].flat()
  } catch (error) {
    const { message, hint } = asFailure(error)
    return [{ subject, state: 'failed', found: message, ...(hint === undefined ? {} : { mend: hint }) }]
  }
}

/** `a, b, c and 7 more`. */
export function someOf(names: readonly string[]): string {
  const shown = names.slice(0, SHOWN_NAMES).join(', ')
  return names.length > SHOWN_NAMES ? `${shown} and ${names.length - SHOWN_NAMES} more` : shown
}

const SHOWN_NAMES = 5
