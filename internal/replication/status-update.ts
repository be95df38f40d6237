// Standby status updates: how the server learns what arrived and what is safe
// (https://www.postgresql.org/docs/current/protocol-replication.html#PROTOCOL-REPLICATION-STANDBY-STATUS-UPDATE).
import { maxLsn, ZERO_LSN, type Lsn } from '../model/lsn.js'
import { POSTGRES_EPOCH_MICROS } from './pgoutput-decoder.js'

/** Positions for the server: none ever goes back, whatever the caller says, and flush never passes write. */
export class StatusUpdate {
  #received: Lsn = ZERO_LSN
  #flushed: Lsn = ZERO_LSN

  /** The newest position that was sent to the server as flushed. */
  get flushed(): Lsn {
    return this.#flushed
  }

  /** The message for `received` and `durable`; only the flush field moves the slot (G1). */
  encode(received: Lsn, durable: Lsn, requestReply: boolean, nowMs: number): Buffer {
    this.#flushed = maxLsn(this.#flushed, durable)
    this.#received = maxLsn(maxLsn(this.#received, received), this.#flushed)
    const payload = Buffer.allocUnsafe(34)
    payload.write('r', 0, 'latin1')
    payload.writeBigUInt64BE(this.#received, 1)
    payload.writeBigUInt64BE(this.#flushed, 9)
    payload.writeBigUInt64BE(this.#flushed, 17)
    payload.writeBigInt64BE(BigInt(Math.round(nowMs)) * 1000n - POSTGRES_EPOCH_MICROS, 25)
    payload.writeUInt8(requestReply ? 1 : 0, 33)
    return payload
  }
}
