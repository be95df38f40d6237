// UTF-8 bytes as the inside of a JSON string (RFC 8259, section 7), escaped byte by byte: only quote, backslash and control
// characters. A text may come in pieces.

const QUOTE = 0x22
const BACKSLASH = 0x5c

/** Where bytes go, one after the other. */
export interface ByteSink {
  writeByte(byte: number): void
  writeBytes(source: Buffer, start: number, end: number): void
}

/** Counts what would be written. */
export class ByteCount implements ByteSink {
  bytes = 0

  writeByte(_byte: number): void {
    this.bytes++
  }

  writeBytes(_source: Buffer, start: number, end: number): void {
    this.bytes += end - start
  }
}

export function writeJsonText(out: ByteSink, source: Buffer, start: number, end: number): void {
  let copied = start
  for (let at = start; at < end; at++) {
    const byte = source[at]!
    if (byte >= 0x20 && byte !== QUOTE && byte !== BACKSLASH) continue
    out.writeBytes(source, copied, at)
    copied = at + 1
    if (byte >= 0x20) {
      out.writeByte(BACKSLASH)
      out.writeByte(byte)
    } else {
      const escape = ESCAPES[byte]!
      out.writeBytes(escape, 0, escape.length)
    }
  }
  out.writeBytes(source, copied, end)
}

const ESCAPES = Array.from({ length: 0x20 }, (_, byte) =>
  Buffer.from(`\\u${byte.toString(16).padStart(4, '0')}`, 'latin1'),
)
