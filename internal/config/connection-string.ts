// A connection string as libpq reads it (https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING):
// URL or key/value text, with libpq's own environment variables filling in the rest. No message ever quotes a part of
// the string: what stands where a port is expected may be half of a password.
import { userInfo } from 'node:os'
import { Failure } from '../model/failure.js'
import { parseConnectionUrl } from './connection-url.js'
import { parseKeyValues } from './key-value-string.js'

export const sslModes = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const
export type SslMode = (typeof sslModes)[number]

export interface ConnectionSettings {
  /** Host name, address, or the directory of a Unix-domain socket (starts with `/`). */
  readonly host: string
  readonly port: number
  readonly user: string
  readonly database: string
  readonly password?: string
  readonly sslmode: SslMode
  /** Path of the CA certificates, or `system`: the ones that Node trusts. */
  readonly sslrootcert?: string
  readonly sslcert?: string
  readonly sslkey?: string
  readonly sslpassword?: string
  readonly applicationName?: string
  /** Absent: wait as long as the operating system does. */
  readonly connectTimeoutMs?: number
  /** Command-line options for the server, `-c name=value`. */
  readonly options?: string
  /** Where it connects, without the password: for logs and errors. */
  readonly describe: () => string
}

export type Environment = Readonly<Record<string, string | undefined>>

/** Parameters that are understood, with the variable of libpq's that is their default. */
const supported = {
  host: 'PGHOST',
  port: 'PGPORT',
  user: 'PGUSER',
  dbname: 'PGDATABASE',
  password: 'PGPASSWORD',
  sslmode: 'PGSSLMODE',
  sslrootcert: 'PGSSLROOTCERT',
  sslcert: 'PGSSLCERT',
  sslkey: 'PGSSLKEY',
  sslpassword: undefined,
  application_name: 'PGAPPNAME',
  fallback_application_name: undefined,
  connect_timeout: 'PGCONNECT_TIMEOUT',
  options: 'PGOPTIONS',
} as const
type Supported = keyof typeof supported

/** Parameters that only tune the link: taken and not used. */
const ignored = new Set([
  'gsslib',
  'keepalives',
  'keepalives_count',
  'keepalives_idle',
  'keepalives_interval',
  'krbsrvname',
  'sslcompression',
  'tcp_user_timeout',
])

/** Parameters of which only the values that ask for nothing are taken. */
const neutral = new Map<string, readonly string[]>([
  ['channel_binding', ['disable', 'prefer']],
  ['client_encoding', ['auto', 'UTF8', 'UTF-8', 'utf8', 'utf-8']],
  ['gssencmode', ['disable', 'prefer']],
  ['load_balance_hosts', ['disable']],
  ['sslnegotiation', ['postgres']],
  ['sslsni', ['1']],
  ['target_session_attrs', ['any']],
])

/** Parameters of libpq that would have to be obeyed and cannot be. */
const unsupported = new Set([
  'gssdelegation',
  'hostaddr',
  'passfile',
  'replication',
  'require_auth',
  'requirepeer',
  'service',
  'servicefile',
  'ssl_max_protocol_version',
  'ssl_min_protocol_version',
  'sslcertmode',
  'sslcrl',
  'sslcrldir',
])

/**
 * Parses the connection string; `env` supplies libpq's variables (`PGPASSWORD`, `PGSSLMODE`, …) for what it leaves out.
 * Throws Failure `config` naming the parameter at fault, never its value.
 */
export function parseConnectionString(text: string, env: Environment): ConnectionSettings {
  const isUrl = /^\s*postgres(ql)?:\/\//.test(text)
  const given = isUrl ? parseConnectionUrl(text.trim()) : parseKeyValues(text)
  for (const [name, value] of given) checkParameter(name, value)
  const value = (name: Supported): string | undefined => {
    const fromEnv = supported[name] === undefined ? undefined : env[supported[name]]
    return emptyAsAbsent(given.get(name)) ?? emptyAsAbsent(fromEnv)
  }

  const user = value('user') ?? systemUser()
  const database = value('dbname') ?? user
  const host = oneOf('host', value('host') ?? 'localhost')
  const port = portNumber(oneOf('port', value('port') ?? '5432'))
  const where = `${user}@${host.includes(':') ? `[${host}]` : host}:${port}/${database}`
  const sslrootcert = value('sslrootcert')
  const settings = {
    host,
    port,
    user,
    database,
    sslmode: sslMode(value('sslmode'), sslrootcert),
    describe: () => where,
    ...present('password', value('password')),
    ...present('sslrootcert', sslrootcert),
    ...present('sslcert', value('sslcert')),
    ...present('sslkey', value('sslkey')),
    ...present('sslpassword', value('sslpassword')),
    ...present('applicationName', value('application_name') ?? value('fallback_application_name')),
    ...present('connectTimeoutMs', connectTimeoutMs(value('connect_timeout'))),
    ...present('options', value('options')),
  }
  if ((settings.sslcert === undefined) !== (settings.sslkey === undefined)) {
    throw new Failure('config', 'sslcert and sslkey are needed together')
  }
  return settings
}

/** True when the host is the directory of a Unix-domain socket, over which there is no TLS. */
export function isSocketDirectory(host: string): boolean {
  return host.startsWith('/')
}

function checkParameter(name: string, value: string): void {
  if (Object.hasOwn(supported, name) || ignored.has(name)) return
  const harmless = neutral.get(name)
  if (harmless?.includes(value) === true) return
  if (harmless !== undefined) {
    throw new Failure('config', `${name} is supported only as ${harmless.join(', ')}; leave it out`)
  }
  if (unsupported.has(name)) throw new Failure('config', `the parameter ${name} is not supported; leave it out`)
  // An unknown name is not quoted: in an unquoted password with blanks, it is a part of the password.
  throw new Failure(
    'config',
    `a parameter is not known; known are ${Object.keys(supported).join(', ')} (quote a value that holds blanks; percent-encode it in a URL)`,
  )
}

function oneOf(parameter: string, text: string): string {
  if (text.includes(',')) throw new Failure('config', `several hosts are not supported; name one ${parameter}`)
  return text
}

function portNumber(text: string): number {
  const port = /^\s*\d{1,5}\s*$/.test(text) ? Number(text) : 0
  if (port >= 1 && port <= 65535) return port
  throw new Failure(
    'config',
    'the port is not a number from 1 to 65535 (in a URL, special characters of the password must be percent-encoded: / is %2F, @ is %40)',
  )
}

/** libpq turns to verify-full by itself when the system's certificates are asked for, and refuses less. */
function sslMode(text: string | undefined, sslrootcert: string | undefined): SslMode {
  const mode = text ?? (sslrootcert === 'system' ? 'verify-full' : 'prefer')
  const known = sslModes.find((candidate) => candidate === mode)
  if (known === undefined) throw new Failure('config', `sslmode is none of ${sslModes.join(', ')}`)
  if (sslrootcert === 'system' && known !== 'verify-full') {
    throw new Failure('config', `sslrootcert=system needs sslmode=verify-full, not ${known}`)
  }
  if (known === 'verify-ca' && sslrootcert === undefined) {
    throw new Failure('config', 'sslmode=verify-ca needs sslrootcert, the file of the CA certificates')
  }
  return known
}

/** Seconds, as libpq takes them: zero and less is no limit, and one second is raised to two. */
function connectTimeoutMs(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (!/^\s*-?\d{1,6}\s*$/.test(text)) {
    throw new Failure('config', 'connect_timeout is not a whole number of seconds')
  }
  const seconds = Number(text)
  return seconds <= 0 ? undefined : Math.max(seconds, 2) * 1000
}

function systemUser(): string {
  try {
    return userInfo().username
  } catch (cause) {
    throw new Failure('config', 'no user is given, and the process runs as a user without a name', { cause })
  }
}

function emptyAsAbsent(text: string | undefined): string | undefined {
  return text === '' ? undefined : text
}

function present<K extends string, V>(key: K, value: V | undefined): Partial<Record<K, V>> {
  return value === undefined ? {} : ({ [key]: value } as Partial<Record<K, V>>)
}
