// What is known of one scalar type: how the lake stores it, and how its bytes get there from PostgreSQL's binary and text
// forms. Both forms of a value must end in the same stored bytes. Nothing here names a cell value in an error.
import { isUtf8 } from 'node:buffer'
import { Failure } from '../../model/failure.js'
import type { LeafType } from '../../model/lake-column.js'
import type { Intake, LeafValues } from '../parquet/leaf-values.js'

/**
 * Reads one value at buffer[start, end) and appends it to its column. false: the column's type cannot hold it, nothing
 * was appended. Throws Failure('protocol') on bytes that are no value of the type.
 */
export type Put = (buffer: Buffer, start: number, end: number) => boolean

/** PostgreSQL's text form of the binary value at buffer[start, end). Throws Failure('protocol') as Put does. */
export type TextOf = (buffer: Buffer, start: number, end: number) => string

/** Takes a text as UTF-8, in pieces that are valid during the call alone. */
export type TextSink = (utf8: Buffer, start: number, end: number) => void

/** As TextOf, for values that may be too large for a string. */
export type WriteText = (buffer: Buffer, start: number, end: number, out: TextSink) => void

export interface BoundScalar {
  readonly leaf: LeafValues
  readonly putText: Put
  /** undefined: the type is only known in text. */
  readonly putBinary: Put | undefined
}

export interface ScalarCodec {
  readonly type: LeafType
  /** A fresh leaf and the puts bound to it. */
  bind(intake: Intake): BoundScalar
  /** Defined where the binary form is known. */
  readonly textOfBinary: TextOf | undefined
  /** The same, piece by piece; absent where values are small. */
  readonly writeTextOfBinary?: WriteText
  /** That text, from the text that the server has sent; absent where they are the same. */
  readonly writeTextOfText?: WriteText
}

export function notAValue(type: string, problem: string): Failure {
  return new Failure('protocol', `the server sent bytes that are no value of type ${type}: ${problem}`)
}

export function requireWidth(type: string, start: number, end: number, bytes: number): void {
  if (end - start !== bytes) throw notAValue(type, `${end - start} bytes instead of ${bytes}`)
}

/** Longer ones are worth a call into the runtime. */
const SHORT_TEXT = 48

/** What is text is UTF-8, or readers refuse the whole file that it is in. */
export function requireText(buffer: Buffer, start: number, end: number): void {
  let plain = end - start <= SHORT_TEXT
  for (let at = start; plain && at < end; at++) plain = buffer[at]! < 0x80
  if (!plain && !isUtf8(buffer.subarray(start, end))) throw notAValue('text', 'not valid UTF-8')
}

/** Most texts of values are short: they need no buffer of their own, and no call into the runtime. */
const scratch = Buffer.alloc(64)

export function writeString(text: string, out: TextSink): void {
  let bits = text.length <= scratch.length ? 0 : 0x80
  for (let k = 0; bits < 0x80 && k < text.length; k++) bits |= scratch[k] = text.charCodeAt(k)
  if (bits < 0x80) out(scratch, 0, text.length)
  else {
    const bytes = Buffer.from(text, 'utf8')
    out(bytes, 0, bytes.length)
  }
}

/** The value of an ASCII digit. */
export function digitAt(type: string, buffer: Buffer, at: number): number {
  const digit = buffer[at]! - 48
  if (digit >= 0 && digit <= 9) return digit
  throw notAValue(type, 'a digit was expected')
}
