// Ranges and multiranges as PostgreSQL prints them (range_send, range_deparse and multirange_out in utils/adt).
import { int32At } from './int64-halves.js'
import { notAValue, type TextOf } from './scalar-codec.js'

// RANGE_* in utils/rangetypes.h
const EMPTY = 0x01
const LOWER_INCLUSIVE = 0x02
const UPPER_INCLUSIVE = 0x04
const LOWER_INFINITE = 0x08
const UPPER_INFINITE = 0x10

/** A byte of flags, then each bound that is there behind its length. */
export function rangeText(type: string, boundText: TextOf): TextOf {
  return (buffer, start, end) => {
    const flags = start < end ? buffer[start]! : EMPTY
    let at = start + 1
    const bound = (infinite: number): string => {
      if ((flags & (EMPTY | infinite)) !== 0) return ''
      const boundEnd = partEnd(type, buffer, at, end)
      const text = quoteBound(boundText(buffer, at + 4, boundEnd))
      at = boundEnd
      return text
    }
    const lower = bound(LOWER_INFINITE)
    const upper = bound(UPPER_INFINITE)
    if (at !== end) throw notAValue(type, 'wrong length')
    if ((flags & EMPTY) !== 0) return 'empty'
    const open = (flags & LOWER_INCLUSIVE) === 0 ? '(' : '['
    const close = (flags & UPPER_INCLUSIVE) === 0 ? ')' : ']'
    return `${open}${lower},${upper}${close}`
  }
}

/** The number of ranges, then each behind its length. */
export function multirangeText(type: string, rangeOf: TextOf): TextOf {
  return (buffer, start, end) => {
    if (end - start < 4) throw notAValue(type, 'too short')
    const ranges: string[] = []
    let at = start + 4
    while (at < end) {
      const rangeEnd = partEnd(type, buffer, at, end)
      ranges.push(rangeOf(buffer, at + 4, rangeEnd))
      at = rangeEnd
    }
    if (ranges.length !== int32At(buffer, start)) throw notAValue(type, 'wrong number of ranges')
    return `{${ranges.join(',')}}`
  }
}

/** End of the part whose length stands at `at`. */
function partEnd(type: string, buffer: Buffer, at: number, end: number): number {
  const length = at + 4 <= end ? int32At(buffer, at) : -1
  if (length < 0 || length > end - at - 4) throw notAValue(type, 'cut off')
  return at + 4 + length
}

/** range_bound_escape: the empty text and text with special characters in quotes, quotes and backslashes doubled. */
function quoteBound(text: string): string {
  return /^$|["\\()[\],\t\n\v\f\r ]/.test(text) ? `"${text.replace(/["\\]/g, '$&$&')}"` : text
}
