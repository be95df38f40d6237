// What may be acknowledged? Keeps the three positions of the stream apart and in order (G1): a position is acked only when a
// commit in the bucket covers it, and none ever goes back.
import { Failure } from '../model/failure.js'
import { formatLsn, maxLsn, type Lsn } from '../model/lsn.js'

export class ProgressLedger {
  #received: Lsn
  #durable: Lsn

  /** `durable`: the end of the log in the bucket when the session began. */
  constructor(durable: Lsn) {
    this.#received = durable
    this.#durable = durable
  }

  get received(): Lsn {
    return this.#received
  }

  /** What may be acknowledged. */
  get durable(): Lsn {
    return this.#durable
  }

  noteReceived(endLsn: Lsn): void {
    this.#received = maxLsn(this.#received, endLsn)
  }

  /** A commit that begins at `from` and ends at `end` is in the bucket. Throws where it does not follow the last one (G2). */
  noteDurable(from: Lsn, end: Lsn): void {
    if (from !== this.#durable || end < from)
      throw new Failure(
        'protocol',
        `a commit from ${formatLsn(from)} to ${formatLsn(end)} does not follow ${formatLsn(this.#durable)}, the end of the log`,
      )
    this.#durable = end
    this.#received = maxLsn(this.#received, end)
  }
}
