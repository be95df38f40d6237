// What each sslmode means for a TLS connection in Node (https://www.postgresql.org/docs/current/libpq-ssl.html).
// Whether an unencrypted connection may be used instead (allow, prefer) is the caller's decision, not made here.
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import type { ConnectionOptions } from 'node:tls'
import { Failure } from '../model/failure.js'
import { isSocketDirectory, type ConnectionSettings } from './connection-string.js'

/**
 * Options for tls.connect(), or undefined where there is no TLS: sslmode `disable`, or a Unix-domain socket.
 * Reads the certificate files and checks that they fit, because a wrong one would look like a broken link at every try.
 * Throws Failure `config` naming the variable that the connection comes from, the parameter and the path that cannot be used.
 */
export function tlsOptions(connection: ConnectionSettings, variable: string): ConnectionOptions | undefined {
  const { host, sslmode } = connection
  const named = { ...connection, variable }
  if (sslmode === 'disable' || isSocketDirectory(host)) return undefined
  return {
    ...(verifiesCa(connection) ? authorities(named) : {}),
    ...clientCertificate(named),
    // Given apart from the socket, because the name in the certificate is compared with it.
    host,
    ...(isIP(host) === 0 ? { servername: host } : {}),
    rejectUnauthorized: verifiesCa(connection),
    ...(sslmode === 'verify-full' ? {} : { checkServerIdentity: () => undefined }),
  }
}

type Named = ConnectionSettings & { readonly variable: string }

/** `require` with a root certificate verifies like verify-ca: libpq keeps that for the sake of old set-ups. */
function verifiesCa({ sslmode, sslrootcert }: ConnectionSettings): boolean {
  return sslmode === 'verify-ca' || sslmode === 'verify-full' || (sslmode === 'require' && sslrootcert !== undefined)
}

/** Without a root certificate, or with `system`, Node's own list of authorities holds. */
function authorities({ variable, sslrootcert }: Named): ConnectionOptions {
  if (sslrootcert === undefined || sslrootcert === 'system') return {}
  const file = `${variable}: sslrootcert ${sslrootcert}`
  const ca = readParameterFile(file, sslrootcert)
  usable(file, 'is not a certificate in PEM form', () => new X509Certificate(ca))
  return { ca }
}

function clientCertificate({ variable, sslcert, sslkey, sslpassword }: Named): ConnectionOptions {
  if (sslcert === undefined || sslkey === undefined) return {}
  const [certFile, keyFile] = [`${variable}: sslcert ${sslcert}`, `${variable}: sslkey ${sslkey}`]
  const [cert, key] = [readParameterFile(certFile, sslcert), readParameterFile(keyFile, sslkey)]
  const passphrase = sslpassword === undefined ? {} : { passphrase: sslpassword }
  const certificate = usable(certFile, 'is not a certificate in PEM form', () => new X509Certificate(cert))
  const privateKey = usable(keyFile, 'is not a private key in PEM form, or needs another sslpassword', () =>
    createPrivateKey({ key, ...passphrase }),
  )
  if (!certificate.checkPrivateKey(privateKey)) {
    throw new Failure('config', `${keyFile} is not the key of sslcert ${sslcert}`)
  }
  return { cert, key, ...passphrase }
}

function readParameterFile(file: string, path: string): string {
  return usable(file, 'cannot be read', () => readFileSync(path, 'utf8'))
}

function usable<T>(file: string, fault: string, use: () => T): T {
  try {
    return use()
  } catch (cause) {
    throw new Failure('config', `${file} ${fault}`, { cause })
  }
}
