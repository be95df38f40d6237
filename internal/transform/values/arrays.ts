// PostgreSQL's arrays, binary and text (array_send and array_out in utils/adt/arrayfuncs.c), into LIST columns. A list is
// appended whole or not at all: more than one dimension, a lower bound other than 1 and an element that does not fit its
// type are told by `false`.
import type { ListColumn } from '../parquet/column-buffers.js'
import type { LeafValues } from '../parquet/leaf-values.js'
import { int32At } from './int64-halves.js'
import { notAValue, type Put, type TextOf } from './scalar-codec.js'
import { ScratchBuffer } from './scratch-buffer.js'

/** What an array type is made of, for reading its values. */
export interface ArrayShape {
  readonly typeName: string
  readonly elementOid: number
  /** ASCII code of the delimiter in the text form. */
  readonly delimiter: number
}

const HEAD_BYTES = 12
const DIMENSION_BYTES = 8
const MAX_DIMENSIONS = 6
/** `[-2147483648:-2147483648]` for each dimension. */
const MAX_BOUNDS = MAX_DIMENSIONS * 25
const INT32_MAX = 0x7fff_ffff
/** A list as long as this is made room for at once. */
const RESERVED_ELEMENTS = 1 << 16

const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN = 0x7b
const CLOSE = 0x7d
const OPEN_BOUNDS = 0x5b
const EQUALS = 0x3d
/** In any case: a text that is like it stands in quotes. */
const NULL_WORD = /^null$/i

const scratch = new ScratchBuffer()

/**
 * Dimensions, a flag for NULLs, the element's OID; length and lower bound of each dimension; the elements, which all take
 * bytes: no count that is not true is ever counted to. Gives the number of dimensions, 0 where there are no elements.
 */
function dimensionsOf(shape: ArrayShape, buffer: Buffer, start: number, end: number): number {
  const dimensions = end - start >= HEAD_BYTES ? int32At(buffer, start) : -1
  if (dimensions < 0 || dimensions > MAX_DIMENSIONS || end - start < HEAD_BYTES + dimensions * DIMENSION_BYTES)
    throw notAValue(shape.typeName, 'wrong length')
  if (int32At(buffer, start + 4) >>> 1 !== 0) throw notAValue(shape.typeName, 'unknown flags')
  if (int32At(buffer, start + 8) >>> 0 !== shape.elementOid) throw notAValue(shape.typeName, 'another element type')
  let at = start + HEAD_BYTES
  let elements = dimensions === 0 ? 0 : 1
  for (const last = at + dimensions * DIMENSION_BYTES; at < last; at += DIMENSION_BYTES) {
    const length = int32At(buffer, at)
    if (length < 0 || int32At(buffer, at + 4) > INT32_MAX - length) throw notAValue(shape.typeName, 'wrong dimensions')
    elements *= length
  }
  if (elements > (end - at) / 4 || (elements === 0 && at !== end)) throw notAValue(shape.typeName, 'wrong length')
  return elements === 0 ? 0 : dimensions
}

/** Length of the element whose length stands at `at`; -1: NULL. */
function elementLength(shape: ArrayShape, buffer: Buffer, at: number, end: number): number {
  const length = at + 4 <= end ? int32At(buffer, at) : -2
  if (length < -1 || length > end - at - 4) throw notAValue(shape.typeName, 'cut off')
  return length
}

export function listFromBinary(shape: ArrayShape, column: ListColumn<LeafValues>, putElement: Put): Put {
  return (buffer, start, end) => {
    const dimensions = dimensionsOf(shape, buffer, start, end)
    if (dimensions > 1 || (dimensions === 1 && int32At(buffer, start + 16) !== 1)) return false
    column.beginList()
    if (dimensions === 0) {
      column.endList()
      return true
    }
    const count = int32At(buffer, start + 12)
    let at = start + HEAD_BYTES + DIMENSION_BYTES
    if (count >= RESERVED_ELEMENTS) column.reserve(count, end - at - count * 4)
    for (let k = 0; k < count; k++) {
      const length = elementLength(shape, buffer, at, end)
      at += 4
      if (length === -1) {
        column.element(false)
        continue
      }
      if (!putElement(buffer, at, at + length)) {
        column.dropList()
        return false
      }
      column.element(true)
      at += length
    }
    if (at !== end) throw notAValue(shape.typeName, 'wrong length')
    column.endList()
    return true
  }
}

export function listFromText(shape: ArrayShape, column: ListColumn<LeafValues>, putElement: Put): Put {
  return (buffer, start, end) => {
    // `[2:3]={…}`: PostgreSQL prints bounds only where one of them is not 1.
    if (buffer[start] === OPEN_BOUNDS) {
      requireNested(shape, buffer, boundsEnd(shape, buffer, start, end), end)
      return false
    }
    if (end - start < 2 || buffer[start] !== OPEN || buffer[end - 1] !== CLOSE)
      throw notAValue(shape.typeName, 'no braces')
    const last = end - 1
    let at = start + 1
    if (buffer[at] === OPEN) {
      requireNested(shape, buffer, start, end)
      return false
    }
    column.beginList()
    while (at < last) {
      const quoted = buffer[at] === QUOTE
      const elementEnd = quoted ? closingQuote(shape, buffer, at + 1, last) : delimiterFrom(shape, buffer, at, last)
      const present = quoted || !isNull(buffer, at, elementEnd)
      if (present && !putTextElement(putElement, buffer, quoted ? at + 1 : at, elementEnd)) {
        column.dropList()
        return false
      }
      column.element(present)
      at = quoted ? elementEnd + 1 : elementEnd
      if (at === last) break
      if (buffer[at] !== shape.delimiter || ++at === last) throw notAValue(shape.typeName, 'a delimiter was expected')
    }
    column.endList()
    return true
  }
}

/** Where the braces begin behind the bounds of each dimension. */
function boundsEnd(shape: ArrayShape, buffer: Buffer, start: number, end: number): number {
  let at = start
  while (at < end && buffer[at] !== EQUALS) at++
  if (!/^(\[-?\d{1,10}:-?\d{1,10}\]){1,6}$/.test(buffer.toString('latin1', start, Math.min(at, start + MAX_BOUNDS))))
    throw notAValue(shape.typeName, 'wrong bounds')
  return at + 1
}

/** Braces in braces that are all closed, the first by the last byte. */
function requireNested(shape: ArrayShape, buffer: Buffer, start: number, end: number): void {
  let depth = 0
  let at = start
  do {
    if (buffer[at] === OPEN) depth++
    else if (buffer[at] === CLOSE) depth--
    else if (buffer[at] === QUOTE) at = closingQuote(shape, buffer, at + 1, end)
    at++
  } while (depth > 0 && at < end)
  if (depth !== 0 || at !== end) throw notAValue(shape.typeName, 'braces are not closed')
}

function isNull(buffer: Buffer, start: number, end: number): boolean {
  return end - start === 4 && NULL_WORD.test(buffer.toString('latin1', start, end))
}

function delimiterFrom(shape: ArrayShape, buffer: Buffer, start: number, end: number): number {
  let at = start
  for (; at < end && buffer[at] !== shape.delimiter; at++)
    if (needsQuotes(buffer[at]!)) throw notAValue(shape.typeName, 'quotes were expected')
  if (at === start) throw notAValue(shape.typeName, 'an element was expected')
  return at
}

/** Blanks, quotes and braces; the delimiter and the backslash mean something else. */
function needsQuotes(byte: number): boolean {
  return byte === 0x20 || (byte >= 0x09 && byte <= 0x0d) || byte === QUOTE || byte === OPEN || byte === CLOSE
}

function closingQuote(shape: ArrayShape, buffer: Buffer, start: number, end: number): number {
  for (let at = start; at < end; at++) {
    if (buffer[at] === QUOTE) return at
    if (buffer[at] === BACKSLASH) at++
  }
  throw notAValue(shape.typeName, 'a quote was not closed')
}

/** Takes the backslashes out of an element first, where it has any. */
function putTextElement(putElement: Put, buffer: Buffer, start: number, end: number): boolean {
  let at = start
  while (at < end && buffer[at] !== BACKSLASH) at++
  if (at === end) return putElement(buffer, start, end)
  const plain = scratch.take(end - start)
  let length = 0
  for (at = start; at < end; at++) {
    if (buffer[at] === BACKSLASH) at++
    plain[length++] = buffer[at]!
  }
  return putElement(plain, 0, length)
}

/** Arrays of any shape in text form. */
export function arrayText(shape: ArrayShape, elementText: TextOf): TextOf {
  const delimiter = String.fromCharCode(shape.delimiter)
  return (buffer, start, end) => {
    const dimensions = dimensionsOf(shape, buffer, start, end)
    if (dimensions === 0) return '{}'
    const lengths = Array.from({ length: dimensions }, (_, k) =>
      int32At(buffer, start + HEAD_BYTES + k * DIMENSION_BYTES),
    )
    const bounds = lengths.map((_, k) => int32At(buffer, start + HEAD_BYTES + 4 + k * DIMENSION_BYTES))
    let at = start + HEAD_BYTES + dimensions * DIMENSION_BYTES
    const element = (): string => {
      const length = elementLength(shape, buffer, at, end)
      at += 4
      if (length === -1) return 'NULL'
      at += length
      return quoteElement(elementText(buffer, at - length, at), delimiter)
    }
    const level = (depth: number): string => {
      if (depth === dimensions) return element()
      return `{${Array.from({ length: lengths[depth]! }, () => level(depth + 1)).join(delimiter)}}`
    }
    const text = level(0)
    if (at !== end) throw notAValue(shape.typeName, 'wrong length')
    if (bounds.every((bound) => bound === 1)) return text
    return `${bounds.map((bound, k) => `[${bound}:${bound + lengths[k]! - 1}]`).join('')}=${text}`
  }
}

/** Quotes what array_in would otherwise read as something else. */
function quoteElement(text: string, delimiter: string): string {
  const plain = text !== '' && !/^null$/i.test(text) && !/["\\{}\t\n\v\f\r ]/.test(text) && !text.includes(delimiter)
  return plain ? text : `"${text.replace(/["\\]/g, '\\$&')}"`
}
