// The product's classes that work by waiting, asked what they do next: which batches a table's copy wants once it was told so much,
// and which files the finishing of a plan completes once so many are there.
import { setImmediate } from 'node:timers/promises'
import type { Commit, CopyProgress, PlannedCopy } from '../../../internal/model/batch-record.js'
import { TableCopy } from '../../../internal/pipeline/copying/table-copy.js'
import type { ObjectStore } from '../../../internal/storage/object-store.js'
import type { Rules } from './rules.js'
import { ids, keyOfTold, type Copy, type File, type Layout, type Told } from './world.js'

export interface Finishing {
  /** Files that it completes now. */
  readonly asks: readonly string[]
  /** What its commit says, once it waits for nothing. */
  readonly copied: CopyProgress | undefined
}

export class Product {
  readonly #rules: Rules
  readonly #requests = new Map<string, readonly PlannedCopy[]>()
  readonly #finishing = new Map<string, Finishing>()

  constructor(rules: Rules) {
    this.#rules = rules
  }

  /** All batches that the table's copy has wanted, in order. */
  async requests(layout: Layout, told: readonly Told[]): Promise<readonly PlannedCopy[]> {
    const key = `${layout.id} ${told.map(keyOfTold).join()}`
    let requests = this.#requests.get(key)
    if (requests === undefined) this.#requests.set(key, (requests = await requestsOf(layout, told)))
    return requests
  }

  async finishing(copy: Copy, visible: readonly File[]): Promise<Finishing> {
    const there = copy.files.filter((file) => visible.includes(file))
    const key = `${copy.id} ${ids(there)}`
    let finishing = this.#finishing.get(key)
    if (finishing === undefined) {
      finishing = await this.#finish(copy, new Set(there.map((file) => file.key)))
      this.#finishing.set(key, finishing)
    }
    return finishing
  }

  async #finish({ planned }: Copy, there: ReadonlySet<string>): Promise<Finishing> {
    const asks: string[] = []
    const store = {
      complete: async (key: string) => {
        if (there.has(key)) return 'completed'
        asks.push(key)
        return new Promise(() => undefined)
      },
    }
    let commit: Pick<Commit, 'copied'> | undefined
    const finished = this.#rules.finishCopy(store as unknown as ObjectStore, (work) => work(), planned)
    void finished.then((result) => (commit = result))
    await setImmediate()
    return { asks, copied: commit?.copied }
  }
}

async function requestsOf(layout: Layout, told: readonly Told[]): Promise<readonly PlannedCopy[]> {
  const requests: PlannedCopy[] = []
  const answers: ((copied: CopyProgress) => void)[] = []
  const copy = new TableCopy({
    ...layout.options,
    commit: (planned) => {
      requests.push(planned)
      return new Promise((resolve) => answers.push(resolve))
    },
  })
  const work = copy.work()
  for (const one of told) {
    if ('part' in one) void copy.done(work[one.part] ?? {}, one.file === undefined ? [] : [stagedOf(one.file)])
    else answers[one.request]!(one.copied.planned)
    await setImmediate()
  }
  return requests
}

function stagedOf({ id, key, rows, supersedes }: File): PlannedCopy['files'][number] {
  return {
    ...{ key, schema: 's', table: 't', schemaVersion: 1, rows: rows.length, bytes: 1, sha256: '' },
    ...{ receipt: String(id), supersedes },
  }
}
