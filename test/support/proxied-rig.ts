// A rig whose program reaches its server by way of a proxy; the test's own connections go straight.
import type { TestContext } from 'node:test'
import { eventually } from './eventually.js'
import { makeRig, type Env, type Rig, type RigOptions } from './rig.js'
import type { LogLine, Service } from './service.js'
import { TcpProxy, type Direction, type ProxyLink } from './tcp-proxy.js'

/** Small batches, so that each moment has some of them on their way. */
export const OFTEN: Env = { FLUSH_INTERVAL: '50ms' }
/** From a fault to its log line, on a machine that has much else to do. */
export const NOTICED = { timeoutMs: 60_000 }

export interface ProxiedRig {
  readonly rig: Rig
  readonly proxy: TcpProxy
  /** As rig.stream(), through the proxy. */
  readonly stream: (env?: Env) => Promise<Service>
}

export interface ProxiedRigOptions extends RigOptions {
  /** Of the database: so patient is the server with a link that says nothing. */
  readonly walSenderTimeout?: string
}

export async function proxiedRig(t: TestContext, options: ProxiedRigOptions = {}): Promise<ProxiedRig> {
  const rig = await makeRig(t, options)
  if (options.walSenderTimeout !== undefined) {
    const database = decodeURIComponent(new URL(rig.source.url).pathname.slice(1))
    await rig.source.query(`ALTER DATABASE "${database}" SET wal_sender_timeout = '${options.walSenderTimeout}'`)
  }
  const proxy = await TcpProxy.start(t, rig.source.url)
  const url = new URL(proxy.through(rig.source.url))
  // Otherwise each connection begins with another one that only asks for encryption.
  url.searchParams.set('sslmode', 'disable')
  return { rig, proxy, stream: (env = {}) => rig.stream({ PG_CONN_STRING: url.href, ...env }) }
}

/** The connection that streams, told by its first message; the other one is the control connection. */
export function isReplication(link: ProxyLink): boolean {
  return link.opening.includes('replication\0')
}

export function isControl(link: ProxyLink): boolean {
  return !isReplication(link)
}

/** Of the connection that streams now. */
export function replicationBytes(proxy: TcpProxy): Readonly<Record<Direction, number>> {
  return proxy.links.find(isReplication)?.bytes ?? { toServer: 0, toClient: 0 }
}

/** The number, once two looks so far apart found the same. */
export async function standsStill(look: () => number, everyMs = 300): Promise<number> {
  let last = -1
  return eventually(
    () => {
      const before = last
      last = look()
      return last === before ? last : undefined
    },
    { everyMs },
  )
}

/** Process of the server that streams to the program, undefined while there is none. */
export async function walsenderOf(rig: Rig): Promise<number | undefined> {
  const [row] = await rig.source.query<{ pid: number | null }>(
    'SELECT active_pid AS pid FROM pg_replication_slots WHERE slot_name = $1',
    [rig.slot],
  )
  return row?.pid ?? undefined
}

/** Lines that tell of a failed session: `will try again`, with the kind and the text of what failed. */
export function failuresOf(service: Service): { readonly kind: string; readonly message: string }[] {
  return service.logged('will try again').map((line: LogLine) => line.err as { kind: string; message: string })
}
