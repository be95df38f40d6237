// Certificates for a PostgreSQL server of a test, signed by an authority made for it, with the machine's openssl. Only
// what lies in the given folder is written.
import { execFile } from 'node:child_process'
import { chmod, chown, copyFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { eventually } from './eventually.js'
import type { PostgresServer } from './postgres.js'
import { serverSource } from './server-source.js'

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

/** The server takes connections with TLS from then on. The key must be readable for its account and nobody else. */
export async function switchTlsOn(server: PostgresServer, { certificate, key }: Certificate): Promise<void> {
  const { uid, gid } = await stat(server.dataDir)
  for (const [from, name] of [
    [certificate, 'server.crt'],
    [key, 'server.key'],
  ] as const) {
    const to = join(server.dataDir, name)
    await copyFile(from, to)
    await chmod(to, 0o600)
    if (process.getuid?.() === 0) await chown(to, uid, gid)
  }
  const source = await serverSource(server)
  await source.query('ALTER SYSTEM SET ssl = on')
  await source.query('SELECT pg_reload_conf()')
  await eventually(async () => (await source.query<{ ssl: string }>('SHOW ssl'))[0]?.ssl === 'on')
}
