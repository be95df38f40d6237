// PG_CONN_STRING: both forms of libpq, its environment variables, and that no message gives a password away.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parse as parseWithPgConnectionString } from 'pg-connection-string'
import {
  parseConnectionString,
  type ConnectionSettings,
  type Environment,
} from '../../../internal/config/connection-string.js'
import { Failure } from '../../../internal/model/failure.js'
import { anyCharacter } from '../../support/any-character.js'

function parsed(text: string, env: Environment = { PGUSER: 'me' }): Omit<ConnectionSettings, 'describe'> {
  const { describe: _describe, ...settings } = parseConnectionString(text, env)
  return settings
}

const local = { host: 'localhost', port: 5432, user: 'me', database: 'me', sslmode: 'prefer' }

test('connection string: URLs', () => {
  const cases: [string, object][] = [
    ['postgres://', local],
    ['postgresql://', local],
    ['postgres://localhost', local],
    ['postgres:///shop', { ...local, database: 'shop' }],
    ['  postgres://h:6543/shop\n', { ...local, host: 'h', port: 6543, database: 'shop' }],
    ['postgres://ann@h', { ...local, host: 'h', user: 'ann', database: 'ann' }],
    ['postgres://ann@/shop', { ...local, user: 'ann', database: 'shop' }],
    [
      'postgres://a%40b:p%3Aw%2F%40%23%25@h/d',
      { ...local, host: 'h', user: 'a@b', password: 'p:w/@#%', database: 'd' },
    ],
    ['postgres://u:p:w@h/d', { ...local, host: 'h', user: 'u', password: 'p:w', database: 'd' }],
    ['postgres://u:p@w@h/d', { ...local, host: 'h', user: 'u', password: 'p@w', database: 'd' }],
    ['postgres://u:p#?w@h/d', { ...local, host: 'h', user: 'u', password: 'p#?w', database: 'd' }],
    ['postgres://u:a+b c@h/d', { ...local, host: 'h', user: 'u', password: 'a+b c', database: 'd' }],
    ['postgres://[::1]:6543/d', { ...local, host: '::1', port: 6543, database: 'd' }],
    ['postgres://u@[fe80::1%25eth0]/d', { ...local, host: 'fe80::1%eth0', user: 'u', database: 'd' }],
    ['postgres://%2Fvar%2Frun:6543/d', { ...local, host: '/var/run', port: 6543, database: 'd' }],
    ['postgres:///d?host=/var/run&port=6543', { ...local, host: '/var/run', port: 6543, database: 'd' }],
    [
      'postgres://h?user=u&password=a+b%26c&dbname=d',
      { ...local, host: 'h', user: 'u', password: 'a+b&c', database: 'd' },
    ],
    ['postgres://h/a%23b%2Fc', { ...local, host: 'h', database: 'a#b/c' }],
    ['postgres://h/d?sslmode=verify-full', { ...local, host: 'h', database: 'd', sslmode: 'verify-full' }],
    ['postgres://h/d?ssl=true', { ...local, host: 'h', database: 'd', sslmode: 'require' }],
    [
      'postgres://h/d?sslrootcert=system',
      { ...local, host: 'h', database: 'd', sslmode: 'verify-full', sslrootcert: 'system' },
    ],
    ['postgres://h/d?keepalives=1&channel_binding=prefer', { ...local, host: 'h', database: 'd' }],
    [
      'postgres://h/d?application_name=x&connect_timeout=10&options=-c%20geqo%3Doff',
      { ...local, host: 'h', database: 'd', applicationName: 'x', connectTimeoutMs: 10_000, options: '-c geqo=off' },
    ],
    ['postgres://h/d?connect_timeout=1', { ...local, host: 'h', database: 'd', connectTimeoutMs: 2000 }],
    ['postgres://h/d?connect_timeout=0', { ...local, host: 'h', database: 'd' }],
  ]
  for (const [text, expected] of cases) assert.deepEqual(parsed(text), expected, text)
})

test('connection string: key/value text', () => {
  const cases: [string, object][] = [
    ['host=h', { ...local, host: 'h' }],
    [' host = h  port= 6543 dbname =d ', { ...local, host: 'h', port: 6543, database: 'd' }],
    [`host=h password='it\\'s \\\\ here'`, { ...local, host: 'h', password: "it's \\ here" }],
    ['host=h password=a\\ b\\\\c', { ...local, host: 'h', password: 'a b\\c' }],
    [`password='' host=h`, { ...local, host: 'h' }],
    [`password='a=b c'host=h`, { ...local, host: 'h', password: 'a=b c' }],
    ['password=a=b@c/d host=h', { ...local, host: 'h', password: 'a=b@c/d' }],
    ["password=don't host=h", { ...local, host: 'h', password: "don't" }],
    ['host=h password=a\u00a0b', { ...local, host: 'h', password: 'a\u00a0b' }],
    ['host=/tmp sslcert=c sslkey=k', { ...local, host: '/tmp', sslcert: 'c', sslkey: 'k' }],
    ['host=a host=b', { ...local, host: 'b' }],
  ]
  for (const [text, expected] of cases) assert.deepEqual(parsed(text), expected, text)
})

test("connection string: libpq's environment fills in what is left out", () => {
  const env = {
    PGHOST: '/tmp',
    PGPORT: '7000',
    PGUSER: 'ann',
    PGDATABASE: 'shop',
    PGPASSWORD: 'secret',
    PGSSLMODE: 'require',
    PGSSLROOTCERT: '/ca',
    PGAPPNAME: 'app',
    PGCONNECT_TIMEOUT: '5',
    PGOPTIONS: '-c geqo=off',
  }
  assert.deepEqual(parsed('postgres://', env), {
    host: '/tmp',
    port: 7000,
    user: 'ann',
    database: 'shop',
    password: 'secret',
    sslmode: 'require',
    sslrootcert: '/ca',
    applicationName: 'app',
    connectTimeoutMs: 5000,
    options: '-c geqo=off',
  })
  const { host, port, user, password, database } = parsed('postgres://u:p@h:1/d', env)
  assert.deepEqual([host, port, user, password, database], ['h', 1, 'u', 'p', 'd'])
})

test('connection string: without a user it is the user of the system', () => {
  assert.notEqual(parsed('host=h', {}).user, '')
})

test('connection string: what cannot be obeyed is refused by name, and the password is not told', () => {
  const cases: [string, RegExp][] = [
    ['postgres://u:SECRET@a,b/d', /several hosts/],
    ['postgres://u:SECRET@a:1,b:2/d', /several hosts/],
    ['host=a,b password=SECRET', /several hosts/],
    ['postgres://u:SECRET@h/d?service=x', /service is not supported/],
    ['host=h replication=database password=SECRET', /replication is not supported/],
    ['host=h channel_binding=require password=SECRET', /channel_binding is supported only as disable, prefer/],
    ['postgres://u:SECRET@h:99999/d', /port/],
    ['postgres://u:SECRET/x@h/d', /port .*%2F/],
    ['postgres://u:SECRET%@h/d', /%25/],
    ['postgres://u:SECRET%00@h/d', /%25/],
    ['postgres://u:SECRET@::1/d', /\[brackets\]/],
    ['postgres://u:SECRET@h/d?sslmode', /no =/],
    ['host=h password=one SECRET', /key=value/],
    ['host=h password=one SECRET=x', /a parameter is not known/],
    ['host=h constructor=x', /a parameter is not known/],
    ["host=h password='SECRET", /quote is not closed/],
    ['SECRET', /neither a postgres:\/\/ URL nor key=value/],
    ['mysql://u:SECRET@h/d', /neither|not known/],
    ['host=h sslmode=SECRET', /sslmode is none of/],
    ['host=h sslmode=require sslrootcert=system', /verify-full/],
    ['host=h sslmode=verify-ca', /sslrootcert/],
    ['host=h sslcert=/c', /together/],
    ['host=h connect_timeout=SECRET', /connect_timeout/],
  ]
  for (const [text, message] of cases) {
    assert.throws(
      () => parsed(text),
      (error) => {
        assert.ok(error instanceof Failure && error.kind === 'config', text)
        assert.match(error.message, message, text)
        assert.doesNotMatch(error.message, /SECRET/, text)
        assert.equal(error.cause, undefined, text)
        return true
      },
    )
  }
})

test('connection string: describe() says where, without the password', () => {
  assert.equal(parseConnectionString('postgres://u:SECRET@h:1/d', {}).describe(), 'u@h:1/d')
  assert.equal(parseConnectionString('postgres://u:SECRET@[::1]/d', {}).describe(), 'u@[::1]:5432/d')
})

const anyText = fc.string({ unit: anyCharacter, minLength: 1 }).filter((text) => !text.includes('\0'))

test('connection string: any password round-trips in both forms', () => {
  fc.assert(
    fc.property(anyText, anyText, (user, password) => {
      const url = `postgres://${encodeURIComponent(user)}:${encodeURIComponent(password)}@h/d`
      assert.deepEqual([parsed(url).user, parsed(url).password], [user, password])
      const quoted = (text: string): string => `'${text.replace(/[\\']/g, '\\$&')}'`
      const keyValues = `host=h user=${quoted(user)} password = ${quoted(password)} dbname=d`
      assert.deepEqual([parsed(keyValues).user, parsed(keyValues).password], [user, password])
      const bare = `password=${password.replace(/[\s\\']/g, '\\$&')} host=h`
      assert.equal(parsed(bare).password, password)
    }),
  )
})

test('connection string: an ordinary URL means the same as to pg-connection-string', () => {
  const word = fc.stringMatching(/^[a-z][a-z0-9_]{0,8}$/)
  fc.assert(
    fc.property(
      word,
      anyText,
      word,
      fc.integer({ min: 1, max: 65535 }),
      word,
      (user, password, host, port, database) => {
        const url = `postgres://${user}:${encodeURIComponent(password)}@${host}:${port}/${database}`
        const theirs = parseWithPgConnectionString(url)
        const ours = parsed(url)
        assert.deepEqual(
          [ours.user, ours.password, ours.host, String(ours.port), ours.database],
          [theirs.user, theirs.password, theirs.host, theirs.port, theirs.database],
        )
      },
    ),
  )
})

test('connection string: a planted password is in no message, however broken the string is', () => {
  const noise = fc.string({ unit: anyCharacter, maxLength: 12 })
  const shape = fc.constantFrom(
    (secret: string, a: string, b: string) => `postgres://u${a}:${secret}@h${b}`,
    (secret: string, a: string, b: string) => `postgres://u:${a}${secret}${b}@h/d?x=y`,
    (secret: string, a: string, b: string) => `postgres://h/d?password=${secret}${a}&${b}`,
    (secret: string, a: string, b: string) => `host=h password=${a} ${secret} ${b}`,
    (secret: string, a: string, b: string) => `password='${a}${secret}${b}`,
    (secret: string, a: string, b: string) => `${a}${secret}${b}`,
  )
  fc.assert(
    fc.property(shape, noise, noise, (build, a, b) => {
      const secret = 'pL4nt3dS3cr3t'
      try {
        parsed(build(secret, a, b))
      } catch (error) {
        assert.ok(error instanceof Failure)
        assert.ok(!`${error.message} ${error.hint ?? ''} ${String(error.cause)}`.includes(secret), error.message)
      }
    }),
    { numRuns: 1000 },
  )
})
