// Bytes as JSON strings: what JSON.parse reads back is the text, for every character there is.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ByteScratch } from '../../../internal/transform/byte-scratch.js'
import { appendJsonString } from '../../../internal/transform/json-bytes.js'

function json(text: string): string {
  const out = new ByteScratch()
  const bytes = Buffer.from(`..${text}..`, 'utf8')
  appendJsonString(out, bytes, 2, bytes.length - 2)
  return out.buffer.toString('utf8', 0, out.length)
}

test('any text comes back', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 600 }), (text) => assert.equal(JSON.parse(json(text)), text)),
  )
  for (let code = 0; code < 256; code++)
    assert.equal(JSON.parse(json(String.fromCharCode(code))), String.fromCharCode(code))
  assert.equal(json('a"b\\c\n'), '"a\\"b\\\\c\\u000a"')
  assert.equal(json(''), '""')
})

test('a scratch that was cleared begins anew, also after it was large', () => {
  const out = new ByteScratch()
  const large = Buffer.alloc(3 << 20, 'x')
  out.bytes(large)
  out.byte(1)
  assert.equal(out.length, large.length + 1)
  out.clear()
  assert.ok(out.buffer.length < 1024)
  for (let k = 0; k < 1000; k++) out.byte(k & 255)
  out.bytes(Buffer.from('abc'), 1, 2)
  assert.deepEqual([out.length, out.buffer[999], out.buffer[1000]], [1001, 999 & 255, 98])
})
