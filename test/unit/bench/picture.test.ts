// The picture of a bench's ratios: XML that every reader takes, with bars in proportion.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pictureOf } from '../../../bench/picture.js'

const bars = [
  { label: 'R&D <"quick">', value: 3, ours: true },
  { label: "somebody else's", value: 1.5 },
  { label: 'slow', value: 0.034 },
]
const picture = pictureOf(bars, 'Rows < bytes & more', `Measured ${'again and '.repeat(30)}again`)

/** Takes the document apart; throws where a tag, an attribute, an entity or the nesting is not XML's. */
function textsOf(xml: string): string[] {
  const open: string[] = []
  const texts: string[] = []
  const tag = /^<(?:\/([a-z]+)|([a-z]+)((?: [a-zA-Z-]+="[^"<&]*")*)(\/?))>/
  const text = /^(?:[^<&]|&(?:amp|lt|gt|quot|apos);)+/
  for (let rest = xml.trimEnd(); rest !== '';) {
    const [found, closes, opens, , empty] = tag.exec(rest) ?? text.exec(rest) ?? assert.fail(`not XML: ${rest}`)
    if (closes !== undefined) assert.equal(open.pop(), closes)
    else if (opens === undefined) texts.push(found)
    else if (empty === '') open.push(opens)
    rest = rest.slice(found.length)
    if (open.length === 0) assert.equal(rest, '', 'one root')
  }
  assert.deepEqual(open, [])
  return texts
}

test('it is well-formed XML, and what is written in it is escaped', () => {
  const texts = textsOf(picture)
  for (const wanted of [
    'R&amp;D &lt;"quick"&gt;',
    "somebody else's",
    'Rows &lt; bytes &amp; more',
    '3 x',
    '1.5 x',
    '0.03 x',
  ])
    assert.ok(texts.includes(wanted), wanted)
})

test('the longest bar is as wide as there is room, and the others are in proportion', () => {
  const found = [...picture.matchAll(/<rect class="(bar|ours)" x="(\d+)" y="\d+" width="([\d.]+)"/g)]
  assert.deepEqual(
    found.map(([, kind]) => kind),
    ['ours', 'bar', 'bar'],
  )
  const [longest, half, least] = found.map(([, , , width]) => Number(width))
  const [, , left] = found[0]!
  const room = 720 - 20 - 64 - Number(left)
  assert.equal(longest, room)
  assert.ok(Math.abs(half! - room / 2) <= 0.1)
  assert.ok(Math.abs(least! - room * (0.034 / 3)) <= 0.1)
})

test('it says its title to those who hear it, refers to nothing outside, and breaks a long caption', () => {
  assert.match(picture, /^<svg [^>]*role="img"[^>]*>\n<title>Rows &lt; bytes &amp; more<\/title>/)
  assert.match(picture, /prefers-color-scheme: dark/)
  assert.doesNotMatch(picture.replace('xmlns="http://www.w3.org/2000/svg"', ''), /https?:|href|url\(|@import/)
  const lines = textsOf(picture).filter((text) => text.includes('again and'))
  assert.ok(lines.length > 1 && lines.every((line) => line.length <= 104))
})
