// What each sslmode asks of TLS, and which errors name the file at fault.
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { rootCertificates } from 'node:tls'
import { parseConnectionString } from '../../../internal/config/connection-string.js'
import { tlsOptions } from '../../../internal/config/tls-options.js'
import { Failure } from '../../../internal/model/failure.js'

const folder = mkdtempSync(join(tmpdir(), 'wal-cake-tls-'))
after(() => rmSync(folder, { recursive: true }))
const certificate = join(folder, 'ca.pem')
writeFileSync(certificate, rootCertificates[0]!)

const options = (text: string): ReturnType<typeof tlsOptions> =>
  tlsOptions(parseConnectionString(`user=u host=db.example.com ${text}`, {}), 'SNAPSHOT_CONN_STRING')

test('TLS: none for disable and for a socket directory', () => {
  assert.equal(options('sslmode=disable'), undefined)
  assert.equal(options('sslmode=require host=/var/run/postgresql'), undefined)
})

test('TLS: what is verified, by sslmode', () => {
  const ca = `sslrootcert=${certificate}`
  const cases: [string, { ca: boolean; verifies: boolean; checksHost: boolean }][] = [
    ['sslmode=allow', { ca: false, verifies: false, checksHost: false }],
    ['', { ca: false, verifies: false, checksHost: false }],
    [`sslmode=prefer ${ca}`, { ca: false, verifies: false, checksHost: false }],
    ['sslmode=require', { ca: false, verifies: false, checksHost: false }],
    [`sslmode=require ${ca}`, { ca: true, verifies: true, checksHost: false }],
    [`sslmode=verify-ca ${ca}`, { ca: true, verifies: true, checksHost: false }],
    [`sslmode=verify-full ${ca}`, { ca: true, verifies: true, checksHost: true }],
    ['sslmode=verify-full', { ca: false, verifies: true, checksHost: true }],
    ['sslrootcert=system', { ca: false, verifies: true, checksHost: true }],
  ]
  for (const [text, expected] of cases) {
    const tls = options(text)
    assert.ok(tls !== undefined, text)
    const found = {
      ca: tls.ca !== undefined,
      verifies: tls.rejectUnauthorized,
      checksHost: tls.checkServerIdentity === undefined,
    }
    assert.deepEqual(found, expected, text)
    assert.equal(tls.servername, 'db.example.com')
  }
})

test('TLS: an address is no server name', () => {
  const tls = options('host=192.0.2.1 sslmode=verify-full')
  assert.equal(tls?.servername, undefined)
  assert.equal(tls?.host, '192.0.2.1')
})

test('TLS: a file that cannot be used is named with its parameter', () => {
  const junk = join(folder, 'junk.pem')
  writeFileSync(junk, '-----BEGIN CERTIFICATE-----\nnot one\n-----END CERTIFICATE-----\n')
  const key = join(folder, 'other.key')
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  writeFileSync(key, privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'pass' }))
  const cases: [string, RegExp][] = [
    ['sslmode=verify-full sslrootcert=/no/ca.pem', /^SNAPSHOT_CONN_STRING: sslrootcert \/no\/ca.pem cannot be read$/],
    [`sslmode=verify-full sslrootcert=${junk}`, /: sslrootcert .*junk\.pem is not a certificate/],
    [`sslcert=${junk} sslkey=${key}`, /: sslcert .*junk\.pem is not a certificate/],
    [`sslcert=${certificate} sslkey=/no/key`, /: sslkey \/no\/key cannot be read$/],
    [`sslcert=${certificate} sslkey=${key}`, /: sslkey .*other\.key .*needs another sslpassword$/],
    [
      `sslcert=${certificate} sslkey=${key} sslpassword=pass`,
      /: sslkey .*other\.key is not the key of sslcert .*ca\.pem$/,
    ],
  ]
  for (const [text, message] of cases) {
    assert.throws(
      () => options(text),
      (error) => error instanceof Failure && error.kind === 'config' && message.test(error.message),
      text,
    )
  }
})
