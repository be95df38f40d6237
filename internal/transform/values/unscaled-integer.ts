// An integer of up to 38 decimal digits that is built digit by digit, in four 32-bit limbs, without a BigInt a value. It
// must notice when it has grown too large, because a wrapped number would look like a right one.

export const MAX_DECIMAL_PRECISION = 38
const LIMBS = 4
const TWO_32 = 0x1_0000_0000

export class UnscaledInteger {
  /** Least significant first. */
  readonly #limbs = new Uint32Array(LIMBS)
  readonly #limit = new Uint32Array(LIMBS)
  readonly #bytes = Buffer.alloc(16)
  /** Limbs that are not zero; most values are short. */
  #used = 0

  /** Holds integers of up to `precision` ≤ 38 digits. */
  constructor(precision: number) {
    const limit = 10n ** BigInt(precision)
    for (let k = 0; k < LIMBS; k++) this.#limit[k] = Number((limit >> BigInt(32 * k)) & 0xffff_ffffn)
  }

  clear(): void {
    this.#limbs.fill(0)
    this.#used = 0
  }

  /** The value times `power` plus `digits`; `power` is at most 10,000, so that each step is exact. */
  append(power: number, digits: number): void {
    if (this.#used > LIMBS) return
    let carry = digits
    for (let k = 0; k < this.#used; k++) {
      const sum = this.#limbs[k]! * power + carry
      const limb = sum >>> 0
      this.#limbs[k] = limb
      carry = (sum - limb) / TWO_32
    }
    // Past the last limb only the count goes up: the value no longer fits, and stays so.
    if (carry !== 0) this.#limbs[this.#used++] = carry
  }

  get fits(): boolean {
    if (this.#used > LIMBS) return false
    for (let k = LIMBS - 1; k >= 0; k--)
      if (this.#limbs[k]! !== this.#limit[k]!) return this.#limbs[k]! < this.#limit[k]!
    return false
  }

  /** Sixteen bytes in two's complement, valid until the next call. */
  bigEndian(negative: boolean): Buffer {
    let carry = negative ? 1 : 0
    for (let k = 0; k < LIMBS; k++) {
      const limb = this.#limbs[k]!
      const sum = (negative ? ~limb >>> 0 : limb) + carry
      this.#bytes.writeUInt32BE(sum >>> 0, 12 - 4 * k)
      carry = sum >= TWO_32 ? 1 : 0
    }
    return this.#bytes
  }
}
