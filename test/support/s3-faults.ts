// What can go wrong between a client and an object store, as rules that a test adds to the S3 server.
// Decides only which fault a request meets; the server carries it out.
import type { S3Operation, S3RequestHead } from './s3-request.js'

export type FaultAction =
  /** Nothing is done; this is the answer. With `body` the answer is no XML of S3's but that text. */
  | { readonly do: 'answer'; readonly status: number; readonly code: string; readonly body?: string }
  /** Everything goes as always, so much later. */
  | { readonly do: 'delay'; readonly ms: number }
  /** Nothing is done, and the connection is reset. */
  | { readonly do: 'reset' }
  /** Nothing is done, and nothing is answered until the client goes. */
  | { readonly do: 'hang' }
  /** As `hang` and `reset`, when so much of the request's body has been read, or all of it. */
  | { readonly do: 'hangInBody'; readonly afterBytes: number }
  | { readonly do: 'resetInBody'; readonly afterBytes: number }
  /** The work is done; of the answer only the head and half of the body come. */
  | { readonly do: 'hangBody' }
  /** The same, and then the connection ends in order. */
  | { readonly do: 'cutBody' }
  /** The work is done; half of the answer's body comes as if it were the whole, as by a proxy that was cut off itself. */
  | { readonly do: 'halfBody' }
  /** The work is done, and the connection is reset instead of an answer. */
  | { readonly do: 'loseAnswer' }
  /** The work is done at once and answered so much later. */
  | { readonly do: 'answerLate'; readonly ms: number }

export interface FaultRule {
  /** Which requests; what is not given matches all. */
  readonly operation?: S3Operation
  readonly method?: string
  readonly key?: RegExp
  /** So many matching requests pass first. */
  readonly skip?: number
  /** How many requests meet the fault; 1 unless told. */
  readonly count?: number
  readonly action: FaultAction
}

export interface AddedFault {
  /** Requests that met it so far. */
  readonly hits: number
  remove(): void
}

export class S3Faults {
  /** Asked about each request that no rule is for. */
  otherwise: ((request: S3RequestHead) => FaultAction | undefined) | undefined
  readonly #added = new Set<{ rule: FaultRule; seen: number; hits: number }>()

  /** Of several rules that match a request, the one added first applies. */
  add(rule: FaultRule): AddedFault {
    const state = { rule, seen: 0, hits: 0 }
    this.#added.add(state)
    return {
      get hits() {
        return state.hits
      },
      remove: () => void this.#added.delete(state),
    }
  }

  clear(): void {
    this.#added.clear()
    this.otherwise = undefined
  }

  next(request: S3RequestHead): FaultAction | undefined {
    for (const state of this.#added) {
      const { operation, method, key, skip = 0, count = 1, action } = state.rule
      if (operation !== undefined && operation !== request.operation) continue
      if (method !== undefined && method !== request.method) continue
      if (key?.test(request.key) === false) continue
      if (state.hits >= count || state.seen++ < skip) continue
      state.hits++
      return action
    }
    return this.otherwise?.(request)
  }
}
