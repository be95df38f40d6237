// Passwords out of text: in connection strings, and as known values in every spelling.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { redact, secretMask } from '../../../internal/observability/redact.js'
import { anyCharacter } from '../../support/any-character.js'

test('redact: passwords of connection strings', () => {
  const cases: [string, string][] = [
    ['postgres://u:SECRET@h/d', 'postgres://u:***@h/d'],
    ['cannot use postgresql://u:SECRET@h:5432/d now', 'cannot use postgresql://u:***@h:5432/d now'],
    ['postgres://u:SEC@RET:/x@h/d', 'postgres://u:***@h/d'],
    ['postgres://:SECRET@h/d', 'postgres://:***@h/d'],
    ['postgres://h/d?user=u&password=SECRET', 'postgres://h/d?user=u&password=***'],
    ['host=h password=SECRET user=u', 'host=h password=*** user=u'],
    ["host=h password = 'SEC RET\\' SECRET' user=u", 'host=h password = *** user=u'],
    ["password='SECRET not closed", 'password=***'],
    ['password=SEC\\ RET user=u', 'password=*** user=u'],
    ['PGPASSWORD=SECRET psql', 'PGPASSWORD=*** psql'],
    ['sslpassword=SECRET', 'sslpassword=***'],
    ['http://key:SECRET@minio:9000', 'http://key:***@minio:9000'],
  ]
  for (const [text, expected] of cases) assert.equal(redact(text), expected)
})

test('redact: other text stays as it is', () => {
  for (const text of [
    '',
    'password authentication failed',
    'postgres://u@h:5432/d',
    's3://lake/a:b',
    'a@b.c',
    '12:30',
  ]) {
    assert.equal(redact(text), text)
  }
})

test('redact: a known secret goes in every spelling', () => {
  const secret = fc.string({ unit: anyCharacter, minLength: 8 })
  fc.assert(
    fc.property(secret, (text) => {
      const hide = secretMask([text])
      const spelled = [text, JSON.stringify(text).slice(1, -1), encodeURIComponent(Buffer.from(text).toString())]
      for (const form of spelled) assert.ok(!hide(`before ${form} after`).includes(form), form)
    }),
  )
})
