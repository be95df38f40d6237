// What the service answers over HTTP: is the process alive, is it at work, and the pages that are made at each request. It only
// repeats what it is told; it decides nothing and keeps no state of its own.
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

/** Made at each request. */
export interface Page {
  readonly contentType: string
  readonly headers?: Readonly<Record<string, string>>
  render(): string | Promise<string>
}

/** Of every answer: what is told is of this moment, and for who has asked. */
const COMMON_HEADERS = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
} as const

/**
 * Serves `GET /livez` and `/readyz` with 200 or 503 and the reason, and the pages by their paths; everything else is 404, and a
 * method that would change something 405. Throws Failure `config` when the address cannot be listened on.
 */
export async function serveHealth(
  address: { readonly host: string; readonly port: number },
  health: () => Health,
  pages: ReadonlyMap<string, Page>,
): Promise<HealthServer> {
  const answerTo = async (method: string, path: string): Promise<Answer> => {
    if (method !== 'GET' && method !== 'HEAD')
      return { status: 405, text: 'only GET and HEAD\n', headers: { allow: 'GET, HEAD' } }
    if (path === '/livez' || path === '/readyz') {
      const { live, ready, reason } = health()
      return { status: (path === '/livez' ? live : ready) ? 200 : 503, text: `${reason.replace(/\s+/g, ' ')}\n` }
    }
    const page = pages.get(path)
    if (page === undefined) return { status: 404, text: 'not found\n' }
    return { status: 200, text: await page.render(), headers: { 'content-type': page.contentType, ...page.headers } }
  }
  const server = createServer((request, response) => {
    answerTo(request.method ?? '', request.url?.split('?', 1)[0] ?? '')
      .catch((error: unknown): Answer => ({ status: 500, text: `${String(error)}\n` }))
      .then(({ status, text, headers }) =>
        response
          .writeHead(status, { 'content-type': 'text/plain; charset=utf-8', ...COMMON_HEADERS, ...headers })
          .end(text),
      )
      // Nobody is there any more who could be told.
      .catch(() => response.destroy())
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

interface Answer {
  readonly status: number
  readonly text: string
  readonly headers?: Readonly<Record<string, string>>
}

function listenFailure({ host, port }: { host: string; port: number }, cause: NodeJS.ErrnoException): Failure {
  const reason = cause.code === 'EADDRINUSE' ? 'the port is in use' : (cause.code ?? cause.message)
  return new Failure('config', `HTTP_ADDR: cannot listen on ${host}:${port}: ${reason}`, {
    hint: 'set HTTP_ADDR to another host:port; an empty HTTP_ADDR turns the server off',
    cause,
  })
}
