// The rows that fillOrders() makes, without a server: the same shapes and spreads, but from a seed, so that each writer and
// each run is given the same ones.

export interface Order {
  readonly id: number
  readonly customerId: number
  readonly status: string
  /** The amount, in hundredths. */
  readonly cents: number
  readonly note: string
  /** As the server prints it. */
  readonly meta: string
  readonly uid: Buffer
  readonly paid: boolean
  readonly price: number
  /** Microseconds since 1970, UTC. */
  readonly createdAt: bigint
}

/** The moment of the first insert: 2026-03-01 12:00 UTC. */
export const INSERTED_AT_MICROS = 1_772_366_400_000_000n
const SEED = 20_260_301
const STATUSES = ['new', 'paid', 'shipped', 'cancelled', 'returned'] as const
const MONTH_MICROS = 30 * 86_400_000_000

export function* orderRows(count: number): Generator<Order> {
  const random = new Random(SEED)
  for (let id = 1; id <= count; id++) {
    yield {
      id,
      customerId: Math.round(random.part() * 100_000),
      status: STATUSES[Math.round(random.part() * 4)]!,
      cents: Math.round(random.part() * 1_000_000),
      note: flat(`note ${random.hex16()}`),
      meta: flat(`{"k": ${Math.round(random.part() * 1000)}, "s": "${random.hex16()}"}`),
      uid: random.uuid(),
      paid: random.part() < 0.5,
      price: random.part() * 100,
      createdAt: INSERTED_AT_MICROS - BigInt(Math.floor(random.part() * MONTH_MICROS)),
    }
  }
}

/** One whole string: the engine leaves joined ones in pieces until somebody reads them, which a writer would pay for. */
function flat(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1')
}

/** mulberry32: small, quick, and nothing that ZSTD finds a pattern in. */
class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed
  }

  /** From 0 to below 1, in steps of 2^-53 as random() has them. */
  part(): number {
    return ((this.#bits() >>> 5) * 2 ** 26 + (this.#bits() >>> 6)) / 2 ** 53
  }

  /** 16 bytes, as md5() prints them. */
  hex16(): string {
    return this.#bytes16().toString('hex')
  }

  /** Of version 4, as gen_random_uuid() makes them. */
  uuid(): Buffer {
    const bytes = this.#bytes16()
    bytes[6] = (bytes[6]! & 0x0f) | 0x40
    bytes[8] = (bytes[8]! & 0x3f) | 0x80
    return bytes
  }

  #bytes16(): Buffer {
    const bytes = Buffer.allocUnsafe(16)
    for (let at = 0; at < 16; at += 4) bytes.writeUInt32LE(this.#bits(), at)
    return bytes
  }

  #bits(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let bits = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1)
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61)
    return (bits ^ (bits >>> 14)) >>> 0
  }
}
