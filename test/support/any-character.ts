// Any character of Unicode, for fast-check's texts. Its own, `unit: 'binary'`, begins with a table of them all, which takes
// each process more than a second.
import fc from 'fast-check'

const FIRST_SURROGATE = 0xd800
const SURROGATES = 0x800

export const anyCharacter: fc.Arbitrary<string> = fc
  .nat(0x10ffff - SURROGATES)
  .map((place) => String.fromCodePoint(place < FIRST_SURROGATE ? place : place + SURROGATES), placeOf)

/** Throws, as fast-check wants it, for what is no single character. */
function placeOf(text: unknown): number {
  const point = typeof text === 'string' ? text.codePointAt(0) : undefined
  if (point === undefined || String.fromCodePoint(point) !== text) throw new Error('not one character')
  if (point < FIRST_SURROGATE) return point
  if (point < FIRST_SURROGATE + SURROGATES) throw new Error('half a character')
  return point - SURROGATES
}
