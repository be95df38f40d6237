// `verify` as a test asks for it.
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { Env, Rig } from './rig.js'
import { runVerb } from './service.js'

export interface VerifiedTable {
  readonly schema: string
  readonly table: string
  readonly state: string
  readonly rows_in_source: number
  readonly rows_in_lake: number
  readonly rows_sampled: number | null
  readonly columns_not_compared: readonly string[]
  readonly differences: readonly { readonly key: readonly string[]; readonly what: string }[]
  readonly why?: string
}

export interface Verified {
  readonly code: number | null
  readonly proved: boolean
  readonly problems: readonly string[]
  readonly batches: number
  readonly tables: readonly VerifiedTable[]
}

/** Of a lake whose service runs: the end of the server's log is a position that an idle one would record a minute later. */
export async function marked<T>(rig: Rig, run: () => Promise<T>): Promise<T> {
  const insert = () => void rig.source.query('INSERT INTO marks DEFAULT VALUES').catch(() => undefined)
  const marking = setInterval(insert, 200)
  try {
    return await run()
  } finally {
    clearInterval(marking)
  }
}

export async function verify(t: TestContext, rig: Rig, args: readonly string[] = [], env: Env = {}): Promise<Verified> {
  const { code, service } = await marked(rig, () => runVerb(t, ['verify', '--json', ...args], { ...rig.env, ...env }))
  const [line, ...others] = service.lines
  assert.deepEqual(others, [], 'one line of JSON and nothing else')
  assert.ok(line?.proved !== undefined, JSON.stringify(line))
  return { code, ...(line as unknown as Omit<Verified, 'code'>) }
}
