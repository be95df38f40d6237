// The URL form of a connection string, by libpq's rules rather than those of web URLs: `+` is a plus, every part is
// percent-encoded alike, and `?` or `#` may stand in a password. Messages never quote a part of the string.
//
// pg-connection-string is not used for it because it departs from libpq where it matters here: it reads `+` in a
// parameter as a blank, leaves `%23` in a database name as it is, decodes a password twice or not at all once a blank
// stands anywhere, reads certificate files while it parses, and prints a warning for `sslmode=require`.
import { Failure } from '../model/failure.js'

/**
 * Parameters of `postgres://user:password@host:port/database?name=value`, each part optional, under libpq's names.
 * `text` starts with the scheme. Throws Failure `config`.
 */
export function parseConnectionUrl(text: string): Map<string, string> {
  const rest = text.slice(text.indexOf('://') + 3)
  const slash = rest.indexOf('/')
  const at = rest.lastIndexOf('@', slash === -1 ? rest.length : slash)
  const parameters = new Map<string, string>()

  if (at !== -1) {
    const [user, password] = splitAtFirst(rest.slice(0, at), ':')
    setDecoded(parameters, 'user', user)
    setDecoded(parameters, 'password', password)
  }
  const [location, query] = splitAtFirst(rest.slice(at + 1), '?')
  const [address, database] = splitAtFirst(location, '/')
  const match = /^(\[[^\]]*\]|[^:[\]]*)(?::([^:]*))?$/.exec(address)
  if (match === null) {
    const manyHosts = address.includes(',') ? 'several hosts are not supported; name one host' : undefined
    throw new Failure('config', manyHosts ?? 'the host cannot be read (an IPv6 address goes in [brackets])')
  }
  setDecoded(parameters, 'host', match[1]!.replace(/^\[(.*)\]$/, '$1'))
  setDecoded(parameters, 'port', match[2])
  setDecoded(parameters, 'dbname', database)
  for (const pair of query?.split('&') ?? []) {
    const [name, value] = splitAtFirst(pair, '=')
    if (value === undefined) throw new Failure('config', 'a parameter after the ? has no =')
    // The spelling that JDBC's users bring along, which libpq takes too.
    if (name === 'ssl' && value === 'true') parameters.set('sslmode', 'require')
    else parameters.set(decode(name), decode(value))
  }
  return parameters
}

function splitAtFirst(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator)
  return at === -1 ? [text, undefined] : [text.slice(0, at), text.slice(at + separator.length)]
}

/** An empty part counts as not given. */
function setDecoded(parameters: Map<string, string>, name: string, part: string | undefined): void {
  if (part !== undefined && part !== '') parameters.set(name, decode(part))
}

function decode(part: string): string {
  try {
    const text = decodeURIComponent(part)
    if (!text.includes('\0')) return text
  } catch {
    // Told below, without the cause: its message may quote the part.
  }
  throw new Failure('config', 'a % is not followed by the hexadecimal digits of a character (a percent sign is %25)')
}
