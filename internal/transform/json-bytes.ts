// UTF-8 bytes as a JSON string (RFC 8259, section 7), escaped byte by byte: only quote, backslash and control characters.
import type { ByteScratch } from './byte-scratch.js'

const QUOTE = 0x22
const BACKSLASH = 0x5c

export function appendJsonString(out: ByteScratch, source: Buffer, start: number, end: number): void {
  out.byte(QUOTE)
  let copied = start
  for (let at = start; at < end; at++) {
    const byte = source[at]!
    if (byte >= 0x20 && byte !== QUOTE && byte !== BACKSLASH) continue
    out.bytes(source, copied, at)
    copied = at + 1
    if (byte >= 0x20) {
      out.byte(BACKSLASH)
      out.byte(byte)
    } else out.bytes(Buffer.from(`\\u${byte.toString(16).padStart(4, '0')}`, 'latin1'))
  }
  out.bytes(source, copied, end)
  out.byte(QUOTE)
}
