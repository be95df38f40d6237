// numeric without a precision that a Parquet DECIMAL could have: kept in text, every digit of it, as numeric_out prints it.
import { BytesValues } from '../parquet/leaf-values.js'
import {
  NUMERIC_NEGATIVE,
  numericDigitAt,
  numericDigits,
  numericSign,
  numericSpecial,
  numericWeight,
  uint16At,
} from './numeric-form.js'
import type { ScalarCodec } from './scalar-codec.js'
import { ScratchBuffer } from './scratch-buffer.js'
import { copyTextInto, stringType } from './verbatim-text.js'

const ZERO = 0x30
const scratch = new ScratchBuffer()
let text = scratch.take(64)

export const numericTextCodec: ScalarCodec = {
  type: stringType,
  bind(intake) {
    const leaf = new BytesValues(intake)
    return {
      leaf,
      putText: copyTextInto(leaf),
      putBinary(buffer, start, end) {
        const length = writeNumeric(buffer, start, end)
        leaf.push(text, 0, length)
        return true
      },
    }
  },
  textOfBinary: numericText,
}

export function numericText(buffer: Buffer, start: number, end: number): string {
  const length = writeNumeric(buffer, start, end)
  return text.toString('latin1', 0, length)
}

/** Writes the number into `text` and returns its length. */
function writeNumeric(buffer: Buffer, start: number, end: number): number {
  const digits = numericDigits(buffer, start, end)
  const sign = numericSign(buffer, start)
  const special = numericSpecial(sign)
  if (special !== undefined) return text.write(special, 'latin1')
  const weight = numericWeight(buffer, start)
  const decimals = uint16At(buffer, start + 6)
  text = scratch.take(Math.max(weight, 0) * 4 + decimals + 16)
  let length = 0
  if (sign === NUMERIC_NEGATIVE) text[length++] = 0x2d
  const group = (index: number): number => (index >= 0 && index < digits ? numericDigitAt(buffer, start, index) : 0)
  if (weight < 0) text[length++] = ZERO
  for (let index = 0; index <= weight; index++)
    length = index === 0 ? writeLeading(group(0), length) : writeGroup(group(index), length)
  if (decimals === 0) return length
  text[length++] = 0x2e
  const last = length + decimals
  for (let index = weight + 1; length < last; index++) length = writeGroup(group(index), length)
  return last
}

/** Four digits. */
function writeGroup(group: number, at: number): number {
  text[at] = ZERO + ((group / 1000) | 0)
  text[at + 1] = ZERO + (((group / 100) | 0) % 10)
  text[at + 2] = ZERO + (((group / 10) | 0) % 10)
  text[at + 3] = ZERO + (group % 10)
  return at + 4
}

/** One to four digits. */
function writeLeading(group: number, at: number): number {
  if (group > 999) text[at++] = ZERO + ((group / 1000) | 0)
  if (group > 99) text[at++] = ZERO + (((group / 100) | 0) % 10)
  if (group > 9) text[at++] = ZERO + (((group / 10) | 0) % 10)
  text[at++] = ZERO + (group % 10)
  return at
}
