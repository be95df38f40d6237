// The numbers of the running service, asked at its HTTP_ADDR.
import type { StatusReport } from '../../internal/observability/status-report.js'
import type { Config } from '../../internal/config/parse-config.js'

/** A command does not wait long for numbers that the bucket has in part. */
const PATIENCE_MS = 2_000

export type ServiceAnswer = { readonly report: StatusReport } | { readonly report: undefined; readonly why: string }

/** `why`: one line, where no service of this slot answers. Never throws. */
export async function askService({ http, slot }: Pick<Config, 'http' | 'slot'>): Promise<ServiceAnswer> {
  if (http === undefined) return { report: undefined, why: 'HTTP_ADDR is empty' }
  const everywhere = ['0.0.0.0', '::'].includes(http.host)
  const host = everywhere ? '127.0.0.1' : http.host.includes(':') ? `[${http.host}]` : http.host
  const address = `${host}:${http.port}`
  try {
    const answer = await fetch(`http://${address}/status.json`, { signal: AbortSignal.timeout(PATIENCE_MS) })
    const report = (await answer.json()) as Partial<StatusReport> | null
    if (!answer.ok || typeof report?.slot !== 'string')
      return { report: undefined, why: `what listens on ${address} is no wal-cake` }
    if (report.slot !== slot)
      return { report: undefined, why: `the service at ${address} is that of the slot ${report.slot}` }
    return { report: report as StatusReport }
  } catch (error) {
    if (error instanceof SyntaxError) return { report: undefined, why: `what listens on ${address} is no wal-cake` }
    const timeout = error instanceof Error && error.name === 'TimeoutError'
    const why = timeout ? `no answer from ${address} within ${PATIENCE_MS / 1000} s` : `nothing answers at ${address}`
    return { report: undefined, why }
  }
}
