// Bad weather over the test suite's S3 server: so many of its requests meet a fault, chosen at random among all that an
// object store and the way to it are known for, and each is counted by its kind. Faults that a client notices at once.
import type { FaultAction } from './s3-faults.js'
import type { S3RequestHead } from './s3-request.js'
import type { S3Server } from './s3-server.js'

/** From 0 to 1, the same numbers for the same seed. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    // Mulberry32.
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

type Weather = (random: () => number, request: S3RequestHead) => FaultAction | undefined

const answer =
  (status: number, code: string, body?: string): Weather =>
  () => ({ do: 'answer', status, code, ...(body === undefined ? {} : { body }) })

/** Undefined: a request that this cannot happen to. */
const weathers: Readonly<Record<string, Weather>> = {
  '500 InternalError': answer(500, 'InternalError'),
  '503 SlowDown': answer(503, 'SlowDown'),
  '429 TooManyRequests': answer(429, 'TooManyRequests'),
  '409 ConditionalRequestConflict': answer(409, 'ConditionalRequestConflict'),
  '400 RequestTimeout': answer(400, 'RequestTimeout'),
  '400 ExpiredToken': answer(400, 'ExpiredToken'),
  "502 and a proxy's page": answer(502, '', '<html><body>Bad Gateway</body></html>'),
  '200 and nothing': answer(200, '', ''),
  'reset before it was done': () => ({ do: 'reset' }),
  'reset after it was done': () => ({ do: 'loseAnswer' }),
  'reset in the body of the request': (random, request) => {
    const bytes = Number(request.header('content-length') ?? 0)
    return bytes === 0 ? undefined : { do: 'resetInBody', afterBytes: Math.ceil(random() * bytes) }
  },
  'end in the body of the answer': () => ({ do: 'cutBody' }),
  // Of an object's content nobody could tell.
  'half of the answer as if it were whole': (_, { operation }) =>
    operation === 'GetObject' || operation === 'PutObject' || operation === 'UploadPart'
      ? undefined
      : { do: 'halfBody' },
  'answered late': (random) => ({ do: 'answerLate', ms: 10 + random() * 200 }),
}

export const stormKinds: readonly string[] = Object.keys(weathers)

export interface StormOptions {
  readonly seed: number
  /** Of the requests, from 0 to 1. */
  readonly share: number
}

export class S3Storm {
  /** Faults by kind. */
  readonly counts: Record<string, number> = Object.fromEntries(stormKinds.map((kind) => [kind, 0]))
  readonly #server: S3Server

  readonly #random: () => number
  /** Kinds to come: each once, in any order, before any comes again. */
  readonly #deck: string[] = []

  /** Begins at once. */
  constructor(server: S3Server, { seed, share }: StormOptions) {
    this.#server = server
    this.#random = seeded(seed)
    server.faults.otherwise = (request) => (this.#random() < share ? this.#strike(request) : undefined)
  }

  get faults(): number {
    return Object.values(this.counts).reduce((sum, count) => sum + count, 0)
  }

  /** Ends it. */
  calm(): void {
    this.#server.faults.otherwise = undefined
  }

  #strike(request: S3RequestHead): FaultAction | undefined {
    for (let at = 0; ; at++) {
      if (at === this.#deck.length) this.#deck.push(...this.#shuffled())
      const kind = this.#deck[at]!
      const action = weathers[kind]!(this.#random, request)
      if (action === undefined) continue
      this.#deck.splice(at, 1)
      this.counts[kind]!++
      return action
    }
  }

  #shuffled(): string[] {
    return stormKinds
      .map((kind) => ({ kind, at: this.#random() }))
      .sort((a, b) => a.at - b.at)
      .map(({ kind }) => kind)
  }
}
