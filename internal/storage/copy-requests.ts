// Requests to copy a table, and their answers: small objects by which a command reaches the process that holds the slot, wherever
// either of them runs. A request stays until it is answered, so a process that is killed loses none.
import { randomBytes } from 'node:crypto'
import { Failure } from '../model/failure.js'
import { formatLsn, type Lsn } from '../model/lsn.js'
import { answerKey, parseRequestKey, requestKey, requestsPrefix } from './keys.js'
import type { ObjectStore } from './object-store.js'
import { bytesOfRecord, RecordReader } from './record-reader.js'

export interface CopyRequest {
  /** Sorts by the time of the request. */
  readonly id: string
  readonly schema: string
  readonly table: string
  /** A condition in SQL: only these rows. */
  readonly where?: string
  /** Of a request with a condition, by whoever may also connect to the server: see request-signature.ts. */
  readonly signature?: string
}

export type CopyAnswer =
  | { readonly outcome: 'copied'; readonly rows: number; readonly lsn: Lsn }
  | { readonly outcome: 'refused'; readonly message: string; readonly hint?: string }

const OUTCOMES = ['copied', 'refused'] as const

/** A name for a new request. */
export function newRequestId(now: Date): string {
  return `${now.toISOString().replace(/[-:.]/g, '')}-${randomBytes(4).toString('hex')}`
}

/** Methods throw what the store throws. */
export class CopyRequests {
  readonly #store: ObjectStore
  readonly #slot: string

  constructor(store: ObjectStore, slot: string) {
    this.#store = store
    this.#slot = slot
  }

  async add({ id, schema, table, where, signature }: CopyRequest): Promise<void> {
    const fields = {
      ...{ schema, table },
      ...(where === undefined ? {} : { where }),
      ...(signature === undefined ? {} : { signature }),
    }
    await this.#store.put(requestKey(this.#slot, id), [bytesOfRecord(fields)], { role: 'log' })
  }

  /** Those without an answer, the oldest first. One that cannot be read is answered at once. */
  async open(): Promise<CopyRequest[]> {
    const requests: CopyRequest[] = []
    for await (const { key } of this.#store.list(requestsPrefix(this.#slot))) {
      const id = parseRequestKey(this.#slot, key)
      const content = id === undefined ? undefined : await this.#store.get(key)
      if (id === undefined || content === undefined) continue
      try {
        requests.push(requestOf(id, new RecordReader(key, content)))
      } catch (error) {
        if (!(error instanceof Failure) || error.kind !== 'unsafe') throw error
        await this.answer(id, { outcome: 'refused', message: error.message })
      }
    }
    return requests
  }

  /** The answer stands before the request goes. */
  async answer(id: string, answer: CopyAnswer): Promise<void> {
    const fields = answer.outcome === 'copied' ? { ...answer, lsn: formatLsn(answer.lsn) } : { ...answer }
    await this.#store.put(answerKey(this.#slot, id), [bytesOfRecord(fields)], { role: 'log' })
    await this.#store.delete(requestKey(this.#slot, id))
  }

  /** The answer, which then goes; undefined as long as there is none. */
  async takeAnswer(id: string): Promise<CopyAnswer | undefined> {
    const key = answerKey(this.#slot, id)
    const content = await this.#store.get(key)
    if (content === undefined) return undefined
    const answer = answerOf(new RecordReader(key, content))
    await this.#store.delete(key)
    return answer
  }
}

function requestOf(id: string, reader: RecordReader): CopyRequest {
  reader.checkFormat()
  return {
    id,
    schema: reader.text('schema'),
    table: reader.text('table'),
    ...(reader.has('where') ? { where: reader.text('where') } : {}),
    ...(reader.has('signature') ? { signature: reader.text('signature') } : {}),
  }
}

function answerOf(reader: RecordReader): CopyAnswer {
  reader.checkFormat()
  const outcome = reader.oneOf('outcome', OUTCOMES)
  if (outcome === 'copied') return { outcome, rows: reader.count('rows'), lsn: reader.lsn('lsn') }
  return { outcome, message: reader.text('message'), ...(reader.has('hint') ? { hint: reader.text('hint') } : {}) }
}
