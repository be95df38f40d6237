// Certificates for a PostgreSQL server of a test, signed by an authority made for it, with the machine's openssl. Only
// what lies in the given folder is written.
import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

export interface Certificate {
  /** Paths of PEM files. */
  readonly authority: string
  readonly certificate: string
  readonly key: string
}

export async function hasOpenssl(): Promise<boolean> {
  return run('openssl', ['version']).then(
    () => true,
    () => false,
  )
}

/** A certificate for the host name `name` alone. */
export async function makeCertificate(folder: string, name: string): Promise<Certificate> {
  const path = (file: string): string => join(folder, file)
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  await run('openssl', [
    'req',
    '-x509',
    ...key,
    '-days',
    '2',
    '-subj',
    '/CN=wal-cake test authority',
    '-keyout',
    path('ca.key'),
    '-out',
    path('ca.crt'),
  ])
  await run('openssl', [
    'req',
    '-new',
    ...key,
    '-subj',
    `/CN=${name}`,
    '-keyout',
    path('server.key'),
    '-out',
    path('server.csr'),
  ])
  await writeFile(path('server.ext'), `subjectAltName=DNS:${name}\n`)
  const signing = [
    '-CA',
    path('ca.crt'),
    '-CAkey',
    path('ca.key'),
    '-CAcreateserial',
    '-days',
    '2',
    '-extfile',
    path('server.ext'),
  ]
  await run('openssl', ['x509', '-req', '-in', path('server.csr'), ...signing, '-out', path('server.crt')])
  return { authority: path('ca.crt'), certificate: path('server.crt'), key: path('server.key') }
}
