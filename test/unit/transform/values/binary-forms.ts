// PostgreSQL's binary forms, written down a second time from its send functions and with BigInt, so that tests do not
// read what the product's own code wrote.
import type { PgType } from '../../../../internal/model/pg-type.js'

export function int(bytes: 2 | 4 | 8, value: bigint | number): Buffer {
  const buffer = Buffer.alloc(8)
  buffer.writeBigInt64BE(BigInt.asIntN(64, BigInt(value)))
  return buffer.subarray(8 - bytes)
}

/** The number `unscaled` / 10^scale as numeric_send sends it. */
export function numeric(unscaled: bigint, scale: number): Buffer {
  const size = unscaled < 0n ? -unscaled : unscaled
  // Whole groups of four on both sides of the point.
  const fractionGroups = Math.ceil(scale / 4)
  const digits = (size * 10n ** BigInt(fractionGroups * 4 - scale)).toString()
  const padded = digits.padStart(Math.ceil(digits.length / 4) * 4, '0')
  const groups = padded.match(/.{4}/g)!.map(Number)
  let weight = groups.length - 1 - fractionGroups
  while (groups[0] === 0) {
    groups.shift()
    weight--
  }
  while (groups.at(-1) === 0) groups.pop()
  const head = [groups.length, groups.length === 0 ? 0 : weight, unscaled < 0n ? 0x4000 : 0, scale]
  return Buffer.concat([...head, ...groups].map((half) => int(2, half)))
}

/** An array of one dimension; null: a NULL element. */
export function array(type: PgType, elements: readonly (Buffer | null)[], lowerBound = 1): Buffer {
  const dimensions = elements.length === 0 ? [] : [int(4, elements.length), int(4, lowerBound)]
  const hasNull = elements.includes(null) ? 1 : 0
  return Buffer.concat([
    int(4, dimensions.length / 2),
    int(4, hasNull),
    int(4, type.element!.type.oid),
    ...dimensions,
    ...elements.flatMap((element) => (element === null ? [int(4, -1)] : [int(4, element.length), element])),
  ])
}
