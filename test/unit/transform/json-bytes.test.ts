// Bytes as JSON strings: what JSON.parse reads back is the text, for every character there is.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ByteCount, writeJsonText } from '../../../internal/transform/json-bytes.js'
import { BufferPool } from '../../../internal/transform/buffer-pool.js'
import { BytesValues, Intake } from '../../../internal/transform/parquet/leaf-values.js'
import { HEAD_BYTES } from '../../../internal/transform/parquet/page-values.js'
import { anyCharacter } from '../../support/any-character.js'

/** The text in two pieces, written straight into a page. */
function json(text: string, cut = 0): string {
  const out = new BytesValues(new Intake(new BufferPool(() => undefined, 0)))
  const bytes = Buffer.from(`..${text}..`, 'utf8')
  const middle = Math.min(2 + cut, bytes.length - 2)
  const count = new ByteCount()
  out.beginValue()
  for (const sink of [out, count]) {
    writeJsonText(sink, bytes, 2, middle)
    writeJsonText(sink, bytes, middle, bytes.length - 2)
  }
  out.endValue()
  const page = out.take()
  const written = page.buffer.toString('utf8', HEAD_BYTES + 4, page.used)
  assert.equal(count.bytes, page.used - HEAD_BYTES - 4)
  assert.equal(page.buffer.readUInt32LE(HEAD_BYTES), count.bytes)
  return `"${written}"`
}

test('any text comes back, in however many pieces', () => {
  fc.assert(
    fc.property(fc.string({ unit: anyCharacter, maxLength: 600 }), fc.nat(600), (text, cut) =>
      assert.equal(JSON.parse(json(text, cut)), text),
    ),
  )
  for (let code = 0; code < 256; code++)
    assert.equal(JSON.parse(json(String.fromCharCode(code))), String.fromCharCode(code))
  assert.equal(json('a"b\\c\n'), '"a\\"b\\\\c\\u000a"')
  assert.equal(json(''), '""')
})
