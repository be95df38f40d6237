// bool and the integers, among them PostgreSQL's unsigned ones, which the lake keeps in a signed int64 because readers
// get unsigned Parquet integers wrong.
import { BooleanValues, Int32Values, Int64Values, type Intake } from '../parquet/leaf-values.js'
import { int32At, pushProduct } from './int64-halves.js'
import { digitAt, notAValue, requireWidth, type Put, type ScalarCodec } from './scalar-codec.js'

const MINUS = 0x2d
const ZERO = 0x30
const MAX_XID8 = Buffer.from('18446744073709551615', 'latin1')

export const boolCodec: ScalarCodec = {
  type: { physical: 'BOOLEAN' },
  bind(intake) {
    const leaf = new BooleanValues(intake)
    return {
      leaf,
      putText(buffer, start, end) {
        requireWidth('bool', start, end, 1)
        leaf.push(isTrue(buffer[start]!))
        return true
      },
      putBinary(buffer, start, end) {
        requireWidth('bool', start, end, 1)
        leaf.push(buffer[start] !== 0)
        return true
      },
    }
  },
  textOfBinary(buffer, start, end) {
    requireWidth('bool', start, end, 1)
    return buffer[start] === 0 ? 'f' : 't'
  },
}

function isTrue(letter: number): boolean {
  if (letter === 0x74) return true
  if (letter === 0x66) return false
  throw notAValue('bool', 'neither t nor f')
}

export const int2Codec: ScalarCodec = {
  type: { physical: 'INT32', logical: 'int16' },
  bind(intake) {
    const leaf = new Int32Values(intake)
    return {
      leaf,
      putText: int32FromText('int2', leaf, 0x8000),
      putBinary(buffer, start, end) {
        requireWidth('int2', start, end, 2)
        leaf.push(((buffer[start]! << 24) >> 16) | buffer[start + 1]!)
        return true
      },
    }
  },
  textOfBinary(buffer, start, end) {
    requireWidth('int2', start, end, 2)
    return buffer.readInt16BE(start).toString()
  },
}

export const int4Codec: ScalarCodec = {
  type: { physical: 'INT32', logical: 'int32' },
  bind(intake) {
    const leaf = new Int32Values(intake)
    return {
      leaf,
      putText: int32FromText('int4', leaf, 0x8000_0000),
      putBinary(buffer, start, end) {
        requireWidth('int4', start, end, 4)
        leaf.push(int32At(buffer, start))
        return true
      },
    }
  },
  textOfBinary(buffer, start, end) {
    requireWidth('int4', start, end, 4)
    return int32At(buffer, start).toString()
  },
}

/** `bound`: the first magnitude that only the negative side has. */
function int32FromText(type: string, leaf: Int32Values, bound: number): Put {
  return (buffer, start, end) => {
    const negative = buffer[start] === MINUS
    let at = negative ? start + 1 : start
    if (at >= end || end - at > 10) throw notAValue(type, 'wrong number of digits')
    let value = 0
    for (; at < end; at++) value = value * 10 + digitAt(type, buffer, at)
    if (negative) value = -value
    if (value >= bound || value < -bound) throw notAValue(type, 'out of range')
    leaf.push(value)
    return true
  }
}

export const int8Codec: ScalarCodec = {
  type: { physical: 'INT64', logical: 'int64' },
  bind(intake) {
    const leaf = new Int64Values(intake)
    const pushText = int64FromText('int8', leaf)
    return {
      leaf,
      putText(buffer, start, end) {
        if (!pushText(buffer, start, end)) throw notAValue('int8', 'out of range')
        return true
      },
      putBinary(buffer, start, end) {
        requireWidth('int8', start, end, 8)
        leaf.push(int32At(buffer, start + 4), int32At(buffer, start))
        return true
      },
    }
  },
  textOfBinary(buffer, start, end) {
    requireWidth('int8', start, end, 8)
    return buffer.readBigInt64BE(start).toString()
  },
}

/** oid, xid and cid: unsigned 32-bit integers. */
export function unsigned32Codec(type: string): ScalarCodec {
  return {
    type: int8Codec.type,
    bind(intake: Intake) {
      const leaf = new Int64Values(intake)
      return {
        leaf,
        putText: unsigned32FromText(type, leaf),
        putBinary(buffer, start, end) {
          requireWidth(type, start, end, 4)
          leaf.push(int32At(buffer, start), 0)
          return true
        },
      }
    },
    textOfBinary(buffer, start, end) {
      requireWidth(type, start, end, 4)
      return buffer.readUInt32BE(start).toString()
    },
  }
}

/** The server reads a sign as a number modulo the range, and a zero in front as an octal number; it prints neither. */
function requirePlain(type: string, buffer: Buffer, start: number, end: number): void {
  if (buffer[start] === MINUS || (buffer[start] === ZERO && end - start > 1))
    throw notAValue(type, 'not as it is printed')
}

function unsigned32FromText(type: string, leaf: Int64Values): Put {
  return (buffer, start, end) => {
    if (start >= end || end - start > 10) throw notAValue(type, 'wrong number of digits')
    requirePlain(type, buffer, start, end)
    let value = 0
    for (let at = start; at < end; at++) value = value * 10 + digitAt(type, buffer, at)
    if (value > 0xffff_ffff) throw notAValue(type, 'out of range')
    leaf.push(value | 0, 0)
    return true
  }
}

/** Unsigned 64 bits: what does not fit int64 is told by `false`. */
export const xid8Codec: ScalarCodec = {
  type: int8Codec.type,
  bind(intake) {
    const leaf = new Int64Values(intake)
    const pushText = int64FromText('xid8', leaf)
    return {
      leaf,
      putText(buffer, start, end) {
        requirePlain('xid8', buffer, start, end)
        if (pushText(buffer, start, end)) return true
        // As long as the limit, its digits sort as it does.
        const limit = MAX_XID8.length
        if (end - start === limit && buffer.compare(MAX_XID8, 0, limit, start, end) > 0)
          throw notAValue('xid8', 'out of range')
        return false
      },
      putBinary(buffer, start, end) {
        requireWidth('xid8', start, end, 8)
        const high = int32At(buffer, start)
        if (high < 0) return false
        leaf.push(int32At(buffer, start + 4), high)
        return true
      },
    }
  },
  textOfBinary(buffer, start, end) {
    requireWidth('xid8', start, end, 8)
    return buffer.readBigUInt64BE(start).toString()
  },
}

/** false: out of int64's range. */
function int64FromText(type: string, leaf: Int64Values): Put {
  return (buffer, start, end) => {
    const negative = buffer[start] === MINUS
    let at = negative ? start + 1 : start
    if (at >= end || end - at > 20) throw notAValue(type, 'wrong number of digits')
    let leading = 0
    for (; at < end - 9; at++) leading = leading * 10 + digitAt(type, buffer, at)
    let last = 0
    for (; at < end; at++) last = last * 10 + digitAt(type, buffer, at)
    return negative ? pushProduct(leaf, -leading, 1e9, -last) : pushProduct(leaf, leading, 1e9, last)
  }
}
