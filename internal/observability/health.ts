// The HTTP endpoints that an orchestrator and a metrics collector ask: is the process alive, is it at work, with which
// numbers. It only repeats what it is told; it decides nothing and keeps no state of its own.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Failure } from '../model/failure.js'

export interface Health {
  /** False: restarting the process would help. */
  readonly live: boolean
  /** True: connected and streaming. */
  readonly ready: boolean
  /** One line, for people. */
  readonly reason: string
}

export interface HealthServer {
  /** The port that was taken, also when 0 was asked for. */
  readonly port: number
  /** Stops listening and ends every open connection. */
  close(): Promise<void>
}

/** A page made at each request. */
export interface Page {
  readonly contentType: string
  render(): Promise<string>
}

/**
 * Serves `GET /livez` and `/readyz` with 200 or 503 and the reason, and `GET /metrics`; everything else is 404.
 * Throws Failure `config` when the address cannot be listened on.
 */
export async function serveHealth(
  address: { readonly host: string; readonly port: number },
  health: () => Health,
  metrics: Page,
): Promise<HealthServer> {
  const server = createServer((request, response) => {
    const answer = (status: number, text: string, contentType = 'text/plain; charset=utf-8'): void => {
      response.writeHead(status, { 'content-type': contentType, 'cache-control': 'no-store' }).end(text)
    }
    const path = request.url?.split('?', 1)[0]
    const reading = request.method === 'GET' || request.method === 'HEAD'
    if (reading && (path === '/livez' || path === '/readyz')) {
      const { live, ready, reason } = health()
      answer((path === '/livez' ? live : ready) ? 200 : 503, `${reason.replace(/\s+/g, ' ')}\n`)
    } else if (reading && path === '/metrics')
      metrics.render().then(
        (text) => answer(200, text, metrics.contentType),
        (error: unknown) => answer(500, `${String(error)}\n`),
      )
    else answer(404, 'not found\n')
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => reject(listenFailure(address, cause)))
    server.listen(address.port, address.host, resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function listenFailure({ host, port }: { host: string; port: number }, cause: NodeJS.ErrnoException): Failure {
  const reason = cause.code === 'EADDRINUSE' ? 'the port is in use' : (cause.code ?? cause.message)
  return new Failure('config', `HTTP_ADDR: cannot listen on ${host}:${port}: ${reason}`, {
    hint: 'set HTTP_ADDR to another host:port; an empty HTTP_ADDR turns the server off',
    cause,
  })
}
