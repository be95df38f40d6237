// Lists: what becomes of NULLs, quoting, other shapes, and of an element that does not fit.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { codecOf } from '../../../../internal/transform/values/value-codec.js'
import { array, int } from './binary-forms.js'
import { arrayOf, builtIn, domainOver } from './pg-types.js'
import { store, type Stored } from './stored-column.js'
import { anyCharacter } from '../../../support/any-character.js'

const texts = arrayOf(builtIn('text'))

const table: readonly (readonly [text: string, stored: Stored])[] = [
  ['{}', []],
  ['{NULL}', [null]],
  ['{"NULL",NULL,nullx,""}', ['NULL', null, 'nullx', '']],
  ['{a,"b,c","{d}","e\\"f","g\\\\h"}', ['a', 'b,c', '{d}', 'e"f', 'g\\h']],
  ['{" a ","\\\\","\\""}', [' a ', '\\', '"']],
  ['{{a,b},{c,d}}', null],
  ['[0:1]={a,b}', null],
  ['[1:1][0:0]={{a}}', null],
]

for (const [text, stored] of table)
  test(`text[] ${text}`, () => {
    const { rows, refused } = store(codecOf(texts, -1, 'string'), 'putText', [
      Buffer.from('{x}'),
      Buffer.from(text),
      null,
    ])
    assert.deepEqual(rows, [['x'], stored, null])
    assert.equal(refused[1], stored === null)
  })

test('box[] is separated by semicolons, in text and as text of binary', () => {
  const type = arrayOf(builtIn('box'), ';')
  const codec = codecOf(type, -1, 'string')
  const text = '{(1,1),(0,0);NULL;(2,2),(0,0)}'
  assert.deepEqual(store(codec, 'putText', [Buffer.from(text)]).rows, [['(1,1),(0,0)', null, '(2,2),(0,0)']])
  const box = (corner: number): Buffer => {
    const bytes = Buffer.alloc(32)
    bytes.writeDoubleBE(corner, 0)
    bytes.writeDoubleBE(corner, 8)
    return bytes
  }
  const binary = array(type, [box(1), null, box(2)])
  assert.equal(codec.textOfBinary?.(binary, 0, binary.length), text)
})

test('an element that does not fit takes the whole list back, whatever came before it', () => {
  const type = arrayOf(builtIn('date'))
  const codec = codecOf(type, -1, 'string')
  const good = Buffer.from('{2000-01-01,NULL}')
  const bad = Buffer.from('{2000-01-02,NULL,infinity,2000-01-03}')
  assert.deepEqual(store(codec, 'putText', [good, bad, good]).page, store(codec, 'putText', [good, null, good]).page)
  const goodBinary = array(type, [int(4, 0), null])
  const badBinary = array(type, [int(4, 1), null, int(4, 0x7fff_ffff), int(4, 2)])
  assert.deepEqual(
    store(codec, 'putBinary', [goodBinary, badBinary, goodBinary]),
    store(codec, 'putText', [good, bad, good]),
  )
})

test('another lower bound and more dimensions are refused in binary too, and printed as PostgreSQL does', () => {
  const type = arrayOf(builtIn('int4'))
  const codec = codecOf(type, -1, 'string')
  const shifted = array(type, [int(4, 7), null], -1)
  assert.deepEqual(store(codec, 'putBinary', [shifted]).refused, [true])
  assert.equal(codec.textOfBinary?.(shifted, 0, shifted.length), '[-1:0]={7,NULL}')
  const element = (value: number): Buffer => Buffer.concat([int(4, 4), int(4, value)])
  const square = Buffer.concat([
    ...[2, 0, type.element!.type.oid, 2, 1, 2, 0].map((value) => int(4, value)),
    ...[1, 2, 3, 4].map(element),
  ])
  assert.deepEqual(store(codec, 'putBinary', [square]).refused, [true])
  assert.equal(codec.textOfBinary(square, 0, square.length), '[1:2][0:1]={{1,2},{3,4}}')
})

test('arrays inside of an array, by a domain, are kept as their text', () => {
  const inner = arrayOf(builtIn('int4'))
  const type = arrayOf(domainOver(inner))
  const codec = codecOf(type, -1, 'string')
  const binary = array(type, [array(inner, [int(4, 1), int(4, 2)]), array(inner, []), null])
  const text = '{"{1,2}","{}",NULL}'
  assert.deepEqual(store(codec, 'putBinary', [binary]).rows, [['{1,2}', '{}', null]])
  assert.deepEqual(store(codec, 'putText', [Buffer.from(text)]), store(codec, 'putBinary', [binary]))
  assert.equal(codec.textOfBinary?.(binary, 0, binary.length), text)
})

test('any list of texts comes back from its binary form and from the text of that', () => {
  const codec = codecOf(texts, -1, 'string')
  const element = fc.option(
    fc.oneof(fc.string({ unit: anyCharacter }), fc.constantFrom('NULL', 'null', '', '"', '\\', ',', '{', ' ', '\t')),
  )
  fc.assert(
    fc.property(fc.array(fc.array(element), { minLength: 1 }), (lists) => {
      const binaries = lists.map((list) =>
        array(
          texts,
          list.map((text) => (text === null ? null : Buffer.from(text))),
        ),
      )
      const fromBinary = store(codec, 'putBinary', binaries)
      assert.deepEqual(fromBinary.rows, lists)
      const printed = binaries.map((binary) => Buffer.from(codec.textOfBinary?.(binary, 0, binary.length) ?? ''))
      assert.deepEqual(store(codec, 'putText', printed), fromBinary)
    }),
  )
})
