// Types whose binary form packs a number or bits that PostgreSQL prints in a notation of its own: money, bit strings,
// WAL positions, tuple ids and the catalogue's vectors.
import { int32At } from './int64-halves.js'
import { notAValue, requireWidth, type TextOf } from './scalar-codec.js'

const INT2_OID = 21
const OID_OID = 26

/** Cents, printed as lc_monetary C does (cash_out in utils/adt/cash.c). */
export const moneyText: TextOf = (buffer, start, end) => {
  requireWidth('money', start, end, 8)
  const cents = buffer.readBigInt64BE(start)
  const digits = (cents < 0n ? -cents : cents).toString().padStart(3, '0')
  const whole = digits.slice(0, -2).replace(/\d(?=(\d{3})+$)/g, '$&,')
  return `${cents < 0n ? '-' : ''}$${whole}.${digits.slice(-2)}`
}

/** Number of bits, then the bits from the highest of the first byte on. */
export function bitText(type: string): TextOf {
  return (buffer, start, end) => {
    const bits = end - start >= 4 ? buffer.readInt32BE(start) : -1
    if (bits < 0 || end - start !== 4 + Math.ceil(bits / 8)) throw notAValue(type, 'wrong length')
    let text = ''
    for (let at = start + 4; at < end; at++) text += buffer[at]!.toString(2).padStart(8, '0')
    return text.slice(0, bits)
  }
}

export const lsnText: TextOf = (buffer, start, end) => {
  requireWidth('pg_lsn', start, end, 8)
  const [high, low] = [buffer.readUInt32BE(start), buffer.readUInt32BE(start + 4)]
  return `${high.toString(16)}/${low.toString(16)}`.toUpperCase()
}

/** Block number and offset in it. */
export const tidText: TextOf = (buffer, start, end) => {
  requireWidth('tid', start, end, 6)
  return `(${buffer.readUInt32BE(start)},${buffer.readUInt16BE(start + 4)})`
}

/** int2vector and oidvector: sent as an array counted from 0 and without NULLs, printed as numbers with blanks between. */
export function vectorText(type: string, elementBytes: 2 | 4): TextOf {
  return (buffer, start, end) => {
    const first = start + 20
    if (end < first || int32At(buffer, start + 12) * (4 + elementBytes) !== end - first)
      throw notAValue(type, 'wrong length')
    const [dimensions, flags, element, , bound] = [0, 4, 8, 12, 16].map((offset) => int32At(buffer, start + offset))
    if (dimensions !== 1 || flags !== 0 || bound !== 0 || element !== (elementBytes === 2 ? INT2_OID : OID_OID))
      throw notAValue(type, 'another kind of array')
    const numbers: string[] = []
    for (let at = first; at < end; at += 4 + elementBytes) {
      if (int32At(buffer, at) !== elementBytes) throw notAValue(type, 'wrong length')
      numbers.push((elementBytes === 2 ? buffer.readInt16BE(at + 4) : buffer.readUInt32BE(at + 4)).toString())
    }
    return numbers.join(' ')
  }
}
