// Short values from a message into a page: a word at a time, which takes a quarter of the time that byte by byte does (43 instead of
// 172 ns for 60 bytes), and less than a call into the runtime.
import type { PageValues } from './page-values.js'

/** In a word of four bytes: the bits that no ASCII character has. */
const NO_ASCII = 0x8080_8080 | 0

/** Values come from few buffers, one after the other: mostly from the one that is received into. */
let lastSource: Buffer = Buffer.alloc(0)
let lastView = viewOf(lastSource)

/** Copies to `place` of the page. True where all bytes are ASCII. */
export function copyWords(source: Buffer, start: number, end: number, page: PageValues, place: number): boolean {
  if (source !== lastSource) {
    lastSource = source
    lastView = viewOf(source)
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
  let bytes = 0
  for (; k < end; k++) bytes |= buffer[at++] = source[k]!
  return (words & NO_ASCII) === 0 && bytes < 0x80
}

function viewOf(buffer: Buffer): DataView {
  return new DataView(buffer.buffer, buffer.byteOffset, buffer.length)
}
