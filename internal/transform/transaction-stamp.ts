// What every row of a transaction is stamped with, made once a transaction in the form in which it is stored.
import { dateOf } from '../model/instant.js'
import type { Lsn } from '../model/lsn.js'
import { DAY_MICROS } from './values/calendar.js'

/** The transaction that rows belong to; replaced, never changed. */
export interface TransactionStamp {
  readonly lsnLow: number
  readonly lsnHigh: number
  /** Undefined for rows that were copied: no transaction of the stream brought them. */
  readonly xid: number | undefined
  readonly micros: bigint
  readonly microsLow: number
  readonly microsHigh: number
  /** UTC date of the commit. */
  readonly date: string
}

/** `previous`: some earlier stamp, whose date is mostly the same. */
export function stampOf(
  commitLsn: Lsn,
  micros: bigint,
  xid: number | undefined,
  previous?: TransactionStamp,
): TransactionStamp {
  const sameDay = previous !== undefined && previous.micros / DAY_MICROS === micros / DAY_MICROS
  return {
    lsnLow: Number(BigInt.asIntN(32, commitLsn)),
    lsnHigh: Number(BigInt.asIntN(32, commitLsn >> 32n)),
    xid,
    micros,
    microsLow: Number(BigInt.asIntN(32, micros)),
    microsHigh: Number(BigInt.asIntN(32, micros >> 32n)),
    date: sameDay ? previous.date : dateOf(micros),
  }
}
