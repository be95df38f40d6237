// Page bounds as the column index holds them: long byte arrays cut short, the lower one down, the upper one up, text
// always at a character, so that readers may still decode it
// (https://github.com/apache/parquet-format/blob/master/PageIndex.md).
import type { LeafType } from '../../model/lake-column.js'
import type { MinMax } from './page-statistics.js'

const LONGEST_BYTES = 64

/** Undefined where no upper bound of that length exists. */
export function indexBounds(type: LeafType, bounds: MinMax | undefined): MinMax | undefined {
  if (bounds === undefined || type.physical !== 'BYTE_ARRAY') return bounds
  const text = type.logical === 'string'
  const max = bounds.max.length <= LONGEST_BYTES ? bounds.max : text ? textAbove(bounds.max) : bytesAbove(bounds.max)
  if (max === undefined) return undefined
  return { min: bounds.min.length <= LONGEST_BYTES ? bounds.min : cut(bounds.min, text), max }
}

/** At most LONGEST_BYTES from the front; text never ends inside a character. */
function cut(value: Buffer, text: boolean): Buffer {
  let end = LONGEST_BYTES
  if (text) while (end > 0 && (value[end]! & 0xc0) === 0x80) end--
  return value.subarray(0, end)
}

/** The shortest text above every text that begins as `value` does: its last character is raised by one. */
function textAbove(value: Buffer): Buffer | undefined {
  const characters = Array.from(cut(value, true).toString('utf8'))
  for (let last = characters.pop(); last !== undefined; last = characters.pop()) {
    const raised = last.codePointAt(0)! + 1
    if (raised > 0x10ffff || (raised >= 0xd800 && raised <= 0xdfff)) continue
    return Buffer.from(characters.join('') + String.fromCodePoint(raised), 'utf8')
  }
  return undefined
}

function bytesAbove(value: Buffer): Buffer | undefined {
  const above = Buffer.from(cut(value, false))
  for (let k = above.length - 1; k >= 0; k--) {
    if (above[k] === 0xff) continue
    above[k]!++
    return above.subarray(0, k + 1)
  }
  return undefined
}
