// Log sequence numbers: bigint everywhere inside, text only at the edges, because PostgreSQL's own text form does not
// sort and two spellings of one position compare unequal.

/** A byte position in the write-ahead log (64 bits, unsigned). */
export type Lsn = bigint

export const ZERO_LSN: Lsn = 0n

/** Parses PostgreSQL's form, `16/B374D848`. Throws RangeError on anything else. */
export function parseLsn(text: string): Lsn {
  const match = /^([0-9A-Fa-f]{1,8})\/([0-9A-Fa-f]{1,8})$/.exec(text)
  if (match === null) throw new RangeError(`not an LSN: ${JSON.stringify(text)}`)
  return (BigInt(`0x${match[1]!}`) << 32n) | BigInt(`0x${match[2]!}`)
}

/** PostgreSQL's form, `16/B374D848`. */
export function formatLsn(lsn: Lsn): string {
  return `${(lsn >> 32n).toString(16)}/${(lsn & 0xffffffffn).toString(16)}`.toUpperCase()
}

/** 16 hexadecimal digits, which sort as the positions do: the form used in object keys. */
export function lsnDigits(lsn: Lsn): string {
  return lsn.toString(16).toUpperCase().padStart(16, '0')
}

export function maxLsn(a: Lsn, b: Lsn): Lsn {
  return a > b ? a : b
}
