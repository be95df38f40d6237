// What each sslmode means for a TLS connection in Node (https://www.postgresql.org/docs/current/libpq-ssl.html).
// Whether an unencrypted connection may be used instead (allow, prefer) is the caller's decision, not made here.
import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { createSecureContext, type ConnectionOptions } from 'node:tls'
import { Failure } from '../model/failure.js'
import { isSocketDirectory, type ConnectionSettings } from './connection-string.js'

/**
 * Options for tls.connect(), or undefined where there is no TLS: sslmode `disable`, or a Unix-domain socket.
 * Reads the certificate files; throws Failure `config` naming the parameter and the path that cannot be used.
 */
export function tlsOptions(connection: ConnectionSettings): ConnectionOptions | undefined {
  if (connection.sslmode === 'disable' || isSocketDirectory(connection.host)) return undefined
  const files = {
    ...(verifiesCa(connection) ? certificateFile('ca', 'sslrootcert', connection.sslrootcert) : {}),
    ...certificateFile('cert', 'sslcert', connection.sslcert),
    ...certificateFile('key', 'sslkey', connection.sslkey),
    ...(connection.sslpassword === undefined ? {} : { passphrase: connection.sslpassword }),
  }
  checkFiles(files)
  return {
    ...files,
    // Given apart from the socket, because the name in the certificate is compared with it.
    host: connection.host,
    ...(isIP(connection.host) === 0 ? { servername: connection.host } : {}),
    rejectUnauthorized: verifiesCa(connection),
    ...(connection.sslmode === 'verify-full' ? {} : { checkServerIdentity: () => undefined }),
  }
}

/** `require` with a root certificate verifies like verify-ca: libpq keeps that for the sake of old set-ups. */
function verifiesCa({ sslmode, sslrootcert }: ConnectionSettings): boolean {
  return sslmode === 'verify-ca' || sslmode === 'verify-full' || (sslmode === 'require' && sslrootcert !== undefined)
}

/** Without a root certificate, or with `system`, Node's own list of authorities holds. */
function certificateFile(
  option: 'ca' | 'cert' | 'key',
  parameter: 'sslrootcert' | 'sslcert' | 'sslkey',
  path: string | undefined,
): Record<string, string> {
  if (path === undefined || (option === 'ca' && path === 'system')) return {}
  try {
    const text = readFileSync(path, 'utf8')
    if (text.includes('-----BEGIN')) return { [option]: text }
  } catch (cause) {
    const reason = cause instanceof Error && 'code' in cause ? ` (${String(cause.code)})` : ''
    throw new Failure('config', `${parameter} of PG_CONN_STRING: cannot read ${path}${reason}`, { cause })
  }
  throw new Failure('config', `${parameter} of PG_CONN_STRING: ${path} is not a PEM file`)
}

/** Finds now what would otherwise look like a broken link at every try: a damaged file, a key of another certificate. */
function checkFiles(files: ConnectionOptions): void {
  try {
    createSecureContext(files)
  } catch (cause) {
    throw new Failure(
      'config',
      'the certificate files of PG_CONN_STRING (sslrootcert, sslcert, sslkey) are not usable',
      {
        cause,
      },
    )
  }
}
