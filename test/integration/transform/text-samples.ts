// Text, bytes and documents, with everything that arrays and ranges have to quote.
import fc from 'fast-check'
import { random, type TypeSamples } from './type-samples.js'
import { anyCharacter } from '../../support/any-character.js'

const texts = [
  ...[
    '',
    ' ',
    'null',
    'NULL',
    'a',
    'ä',
    '漢字',
    '😀',
    '"',
    '\\',
    '{',
    '}',
    '{}',
    ',',
    ';',
    'a,b',
    '\t',
    '\n',
    '\v',
    '\f\r',
    '\u00a0',
    '\u2003',
    '\ufeff',
  ],
  ...['(', ')', '[', ']', "'", '\\x', 'x'.repeat(47), 'x'.repeat(48), 'x'.repeat(49), 'y'.repeat(70_000)],
  ...random(fc.string({ unit: anyCharacter, maxLength: 60 })).map((text) => text.replaceAll('\0', '')),
]
export const shortTexts = texts.filter((text) => text.length < 1000)

export const hex = (bytes: number): string[] =>
  ['00', 'ff', '7f', '80']
    .map((byte) => byte.repeat(bytes))
    .concat(
      random(fc.uint8Array({ minLength: bytes, maxLength: bytes })).map((array) => Buffer.from(array).toString('hex')),
    )

const json = [
  ...[
    '1',
    '"a"',
    'null',
    '[]',
    '{}',
    '{"a": [1, 2.50, "ä😀"], "b": {"c": null}}',
    '" "',
    '1e400',
    '"\\u00e9\\u005c\\u0022\\ud83d\\ude00"',
    '-0',
    '1.000',
  ],
  ...random(fc.jsonValue({ noUnicodeString: false }))
    .map((value) => JSON.stringify(value))
    .filter((text) => !text.includes('\\u')),
]

export const textSamples: readonly TypeSamples[] = [
  { type: 'text', values: texts },
  { type: 'varchar(70000)', values: texts },
  { type: 'varchar', values: texts },
  { type: 'char(9)', values: ['', 'a', 'ä', '123456789', 'a   b'] },
  { type: 'name', values: shortTexts },
  { type: 'citext', values: texts },
  { type: '"char"', values: ['', 'a', ' ', '~', '\t', '"', '\\'] },
  { type: 'mood', values: ['sad', 'so so', 'glad "é"', '', 'null'] },
  { type: '"Öffnung"', values: ['auf', 'zu'] },
  {
    type: 'bytea',
    values: random(fc.uint8Array({ maxLength: 200 }))
      .map((bytes) => `\\x${Buffer.from(bytes).toString('hex')}`)
      .concat('\\x', `\\x${'00ff'.repeat(50_000)}`),
  },
  { type: 'uuid', values: hex(16) },
  // Kept as it was written.
  { type: 'json', values: [...json, '{"b": 1,   "a" :2, "b":"\\u0000"}', ' [1 ] '] },
  { type: 'jsonb', values: json },
  {
    type: 'xml',
    values: [
      '',
      '<a/>',
      '<a b="c">ä</a>',
      '<?xml version="1.0" encoding="UTF-8"?><a/>',
      '<?xml version="1.1" standalone="yes"?><a/>',
      'text',
    ],
  },
  { type: 'label', values: ['', 'a', 'ä'] },
]
