// Types that the lake keeps in PostgreSQL's text form, and bytea. Where both forms of a type are the same bytes nothing is
// decoded on the way; the others are written as text from binary.
import type { LeafType } from '../../model/lake-column.js'
import { BytesValues } from '../parquet/leaf-values.js'
import {
  notAValue,
  requireText,
  requireWidth,
  writeString,
  type Put,
  type ScalarCodec,
  type TextOf,
  type TextSink,
} from './scalar-codec.js'

export const stringType: LeafType = { physical: 'BYTE_ARRAY', logical: 'string' }
export const bytesType: LeafType = { physical: 'BYTE_ARRAY', logical: 'bytes' }

/** Of each byte: its two digits. */
const HEX_PAIRS = Uint16Array.from({ length: 256 }, (_, byte) =>
  Buffer.from(byte.toString(16).padStart(2, '0'), 'latin1').readUInt16BE(0),
)
const BACKSLASH = 0x5c
const DASH = 0x2d

function copyInto(leaf: BytesValues): Put {
  return (buffer, start, end) => {
    leaf.push(buffer, start, end)
    return true
  }
}

/** Of a type that is kept as PostgreSQL prints it: what it prints is not judged, but it is text. */
export function copyTextInto(leaf: BytesValues): Put {
  return (buffer, start, end) => {
    if (!leaf.push(buffer, start, end)) requireText(buffer, start, end)
    return true
  }
}

/** In a database that promises no encoding texts are bytes. */
function copyOf(type: LeafType, leaf: BytesValues): Put {
  return type === stringType ? copyTextInto(leaf) : copyInto(leaf)
}

/** text, varchar, bpchar, name, json, xml, enums, citext: one form for both. */
export function verbatimCodec(type: LeafType): ScalarCodec {
  return {
    type,
    bind(intake) {
      const leaf = new BytesValues(intake)
      const put = copyOf(type, leaf)
      return { leaf, putText: put, putBinary: put }
    },
    textOfBinary(buffer, start, end) {
      if (type === stringType) requireText(buffer, start, end)
      return buffer.toString('utf8', start, end)
    },
    // Bytes that may be no UTF-8 become so on their way through a string.
    ...(type === stringType ? { writeTextOfBinary: writeVerbatim } : {}),
  }
}

function writeVerbatim(buffer: Buffer, start: number, end: number, out: TextSink): void {
  requireText(buffer, start, end)
  out(buffer, start, end)
}

/** Types whose binary form is not known here, or that have none. */
export function textOnlyCodec(type: LeafType): ScalarCodec {
  return {
    type,
    bind(intake) {
      const leaf = new BytesValues(intake)
      return { leaf, putText: copyOf(type, leaf), putBinary: undefined }
    },
    textOfBinary: undefined,
  }
}

/** Types kept in text form whose binary form is written as text by `textOfBinary`. */
export function renderedCodec(textOfBinary: TextOf): ScalarCodec {
  return {
    type: stringType,
    bind(intake) {
      const leaf = new BytesValues(intake)
      return {
        leaf,
        putText: copyTextInto(leaf),
        putBinary(buffer, start, end) {
          leaf.pushString(textOfBinary(buffer, start, end))
          return true
        },
      }
    },
    textOfBinary,
  }
}

/** jsonb: a version byte in front of the text (jsonb_send in utils/adt/jsonb.c). */
export function jsonbCodec(type: LeafType): ScalarCodec {
  return {
    type,
    bind(intake) {
      const leaf = new BytesValues(intake)
      const put = copyOf(type, leaf)
      return {
        leaf,
        putText: put,
        putBinary(buffer, start, end) {
          requireJsonbVersion(buffer, start, end)
          return put(buffer, start + 1, end)
        },
      }
    },
    textOfBinary(buffer, start, end) {
      requireJsonbVersion(buffer, start, end)
      if (type === stringType) requireText(buffer, start + 1, end)
      return buffer.toString('utf8', start + 1, end)
    },
    ...(type === stringType ? { writeTextOfBinary: writeJsonb } : {}),
  }
}

function writeJsonb(buffer: Buffer, start: number, end: number, out: TextSink): void {
  requireJsonbVersion(buffer, start, end)
  writeVerbatim(buffer, start + 1, end, out)
}

function requireJsonbVersion(buffer: Buffer, start: number, end: number): void {
  if (start >= end || buffer[start] !== 1) throw notAValue('jsonb', 'unknown version')
}

/** uuid: 16 bytes, kept as 36 lower-case characters. */
export const uuidCodec: ScalarCodec = {
  type: stringType,
  bind(intake) {
    const leaf = new BytesValues(intake)
    return {
      leaf,
      putText(buffer, start, end) {
        requireWidth('uuid', start, end, 36)
        for (let k = 0; k < 36; k++) requireUuidByte(buffer[start + k]!, isDash(k))
        leaf.push(buffer, start, end)
        return true
      },
      putBinary(buffer, start, end) {
        requireWidth('uuid', start, end, 16)
        const at = leaf.extend(36)
        writeUuid(buffer, start, leaf.view, at)
        return true
      },
    }
  },
  textOfBinary(buffer, start, end) {
    requireWidth('uuid', start, end, 16)
    const text = Buffer.alloc(36)
    writeUuid(buffer, start, new DataView(text.buffer, text.byteOffset, 36), 0)
    return text.toString('latin1')
  },
}

function isDash(at: number): boolean {
  return at === 8 || at === 13 || at === 18 || at === 23
}

function requireUuidByte(byte: number, dash: boolean): void {
  const isDigit = (byte >= 48 && byte <= 57) || (byte >= 97 && byte <= 102)
  if (dash ? byte !== DASH : !isDigit) throw notAValue('uuid', 'not in its form')
}

function writeUuid(buffer: Buffer, start: number, text: DataView, place: number): void {
  let at = place
  for (let k = 0; k < 16; k++, at += 2) {
    if (k === 4 || k === 6 || k === 8 || k === 10) text.setUint8(at++, DASH)
    text.setUint16(at, HEX_PAIRS[buffer[start + k]!]!)
  }
}

/**
 * "char": one byte. Zero is the empty text, and bytes above 127 are written as `\ooo`, as servers from version 16 on do
 * (charout in utils/adt/char.c); older ones send the bare byte, which would be no valid UTF-8.
 */
export const charCodec: ScalarCodec = {
  type: stringType,
  bind(intake) {
    const leaf = new BytesValues(intake)
    return {
      leaf,
      putText(buffer, start, end) {
        if (isBareByte(buffer, start, end)) leaf.pushString(charText(buffer[start]!))
        else if (end - start > 1 && buffer[start] !== BACKSLASH) throw notAValue('"char"', 'more than a byte')
        else {
          requireText(buffer, start, end)
          leaf.push(buffer, start, end)
        }
        return true
      },
      putBinary(buffer, start, end) {
        requireWidth('"char"', start, end, 1)
        leaf.pushString(charText(buffer[start]!))
        return true
      },
    }
  },
  textOfBinary(buffer, start, end) {
    requireWidth('"char"', start, end, 1)
    return charText(buffer[start]!)
  },
  writeTextOfText(buffer, start, end, out) {
    if (isBareByte(buffer, start, end)) writeString(charText(buffer[start]!), out)
    else writeVerbatim(buffer, start, end, out)
  },
}

/** As servers before version 16 send it. */
function isBareByte(buffer: Buffer, start: number, end: number): boolean {
  return end - start === 1 && buffer[start]! > 127
}

function charText(byte: number): string {
  if (byte === 0) return ''
  return byte > 127 ? `\\${byte.toString(8)}` : String.fromCharCode(byte)
}

/** bytea: raw bytes; its text form is `\\x` and hex digits (bytea_output = hex). */
export const byteaCodec: ScalarCodec = {
  type: bytesType,
  bind(intake) {
    const leaf = new BytesValues(intake)
    return {
      leaf,
      putText(buffer, start, end) {
        if (buffer[start] !== BACKSLASH || buffer[start + 1] !== 0x78 || (end - start) % 2 !== 0)
          throw notAValue('bytea', 'not in hex format')
        const at = leaf.extend((end - start - 2) >> 1)
        decodeHex(buffer, start + 2, end, leaf.buffer, at)
        return true
      },
      putBinary: copyInto(leaf),
    }
  },
  textOfBinary: (buffer, start, end) => `\\x${buffer.toString('hex', start, end)}`,
  writeTextOfBinary(buffer, start, end, out) {
    out(HEX_PREFIX, 0, HEX_PREFIX.length)
    const digits = Buffer.allocUnsafe(Math.min(end - start, HEX_PIECE) * 2)
    for (let at = start; at < end; at += HEX_PIECE)
      out(digits, 0, digits.write(buffer.toString('hex', at, Math.min(at + HEX_PIECE, end)), 'latin1'))
  },
}

const HEX_PREFIX = Buffer.from('\\x', 'latin1')
/** Bytes that are turned into digits at a time. */
const HEX_PIECE = 32 << 10

function decodeHex(buffer: Buffer, start: number, end: number, into: Buffer, place: number): void {
  for (let at = start, k = place; at < end; at += 2) into[k++] = (nibble(buffer[at]!) << 4) | nibble(buffer[at + 1]!)
}

function nibble(character: number): number {
  if (character >= 48 && character <= 57) return character - 48
  if (character >= 97 && character <= 102) return character - 87
  throw notAValue('bytea', 'not in hex format')
}
