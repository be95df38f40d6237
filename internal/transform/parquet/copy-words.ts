// Short values from a message into a page: a word at a time, which takes a quarter of the time that byte by byte does (43 instead of
// 172 ns for 60 bytes), and less than a call into the runtime.
import type { PageValues } from './page-values.js'

/** In a word of four bytes: the bits that no ASCII character has. */
const NO_ASCII = 0x8080_8080 | 0

/** Up to this length bytes are copied before another view is found. */
const FEW_BYTES = 16

/**
 * Values come from two buffers in turn: from the one that is received into, and the texts of old rows from where they are made. A
 * view takes longer to make than a hundred bytes to copy.
 */
let lastSource: Buffer = Buffer.alloc(0)
let lastView = viewOf(lastSource)
let otherSource = lastSource
let otherView = lastView

/** Copies to `place` of the page. True where all bytes are ASCII. */
export function copyWords(source: Buffer, start: number, end: number, page: PageValues, place: number): boolean {
  if (source !== lastSource) {
    if (end - start <= FEW_BYTES) return copyBytes(source, start, end, page.buffer, place) < 0x80
    const known = source === otherSource
    const view = known ? otherView : viewOf(source)
    otherSource = lastSource
    otherView = lastView
    lastSource = source
    lastView = view
  }
  const from = lastView
  const { view, buffer } = page
  let at = place
  let k = start
  let words = 0
  for (const last = end - 4; k <= last; k += 4, at += 4) {
    const word = from.getInt32(k, true)
    view.setInt32(at, word, true)
    words |= word
  }
  return copyBytes(source, k, end, buffer, at) < 0x80 && (words & NO_ASCII) === 0
}

/** All bytes or-ed. */
function copyBytes(source: Buffer, start: number, end: number, target: Buffer, place: number): number {
  let bytes = 0
  for (let k = start, at = place; k < end; k++, at++) bytes |= target[at] = source[k]!
  return bytes
}

function viewOf(buffer: Buffer): DataView {
  return new DataView(buffer.buffer, buffer.byteOffset, buffer.length)
}
